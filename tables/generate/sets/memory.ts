/**
 * Sets of values: memory and System V IPC. Numbers come from the headers; those that only the
 * kernel's own source has are written here.
 *
 * @module
 */

import { flags, one, type SetSource } from "./source.ts";

/** Memory. */
export const MEMORY: readonly SetSource[] = [
  flags("prot", "asm/mman.h linux/mman.h", /^PROT_/),
  flags("mmap", "asm/mman.h linux/mman.h", /^MAP_/, {
    not: /^MAP_(?:TYPE|HUGE_SHIFT|HUGE_MASK)$/,
    fields: ["0xf", "(0x3f << 26)"],
    second: /^MAP_(?:ANON|FILE|RENAME|AUTORSRV)$/,
  }),
  flags("mremap", "linux/mman.h", /^MREMAP_/),
  one("madvise", "asm/mman.h linux/mman.h", /^MADV_/),
  flags("msync", "asm/mman.h linux/mman.h", /^MS_(?:ASYNC|SYNC|INVALIDATE)$/),
  flags("mlockall", "asm/mman.h linux/mman.h", /^MCL_/),
  flags("mlock2", "asm/mman.h linux/mman.h", /^MLOCK_/),
  flags("pkey", "asm/mman.h linux/mman.h", /^PKEY_DISABLE_/),
  flags("memfd", "linux/memfd.h", /^MFD_/, {
    not: /^MFD_HUGE_(?:SHIFT|MASK)$/,
    fields: ["0xfc000000"],
  }),
  flags("memfd-secret", "linux/fcntl.h", /^O_CLOEXEC$/),
  flags("shadow-stack", "asm/mman.h linux/mman.h", /^SHADOW_STACK_/),
  flags(
    "userfaultfd",
    "linux/userfaultfd.h linux/fcntl.h",
    /^UFFD_USER_MODE_ONLY$|^O_(?:CLOEXEC|NONBLOCK)$/,
  ),
  flags("mempolicy", "linux/mempolicy.h", /^MPOL_/, {
    not:
      /^MPOL_(?:MAX|F_NODE|F_ADDR|F_MEMS_ALLOWED|F_SHARED|F_MOF|F_MORON|MODE_FLAGS|MF_.+)$/,
    fields: ["0xff"],
  }),
  flags(
    "get-mempolicy",
    "linux/mempolicy.h",
    /^MPOL_F_(?:NODE|ADDR|MEMS_ALLOWED)$/,
  ),
  flags("mbind", "linux/mempolicy.h", /^MPOL_MF_(?:STRICT|MOVE|MOVE_ALL)$/),
  flags("shmat", "linux/shm.h", /^SHM_(?:RDONLY|RND|REMAP|EXEC)$/),
  flags(
    "shmget",
    "linux/ipc.h linux/shm.h",
    /^IPC_(?:CREAT|EXCL)$|^SHM_(?:HUGETLB|NORESERVE)$/,
    { fields: ["0777"] },
  ),
  flags("ipcget", "linux/ipc.h", /^IPC_(?:CREAT|EXCL)$/, { fields: ["0777"] }),
  flags(
    "shmctl",
    "linux/ipc.h linux/shm.h",
    /^IPC_(?:RMID|SET|STAT|INFO|64)$|^SHM_(?:LOCK|UNLOCK|STAT|INFO|STAT_ANY)$/,
    { fields: ["0xff"] },
  ),
  flags(
    "semctl",
    "linux/ipc.h linux/sem.h",
    /^IPC_(?:RMID|SET|STAT|INFO|64)$|^(?:GETPID|GETVAL|GETALL|GETNCNT|GETZCNT|SETVAL|SETALL|SEM_STAT|SEM_INFO|SEM_STAT_ANY)$/,
    { fields: ["0xff"] },
  ),
  flags(
    "msgctl",
    "linux/ipc.h linux/msg.h",
    /^IPC_(?:RMID|SET|STAT|INFO|64)$|^MSG_(?:STAT|INFO|STAT_ANY)$/,
    { fields: ["0xff"] },
  ),
  flags(
    "msgrcv",
    "linux/ipc.h linux/msg.h",
    /^IPC_NOWAIT$|^MSG_(?:NOERROR|EXCEPT|COPY)$/,
  ),
  flags(
    "ipc",
    "linux/ipc.h",
    /^(?:SEM|MSG|SHM)(?:OP|GET|CTL|TIMEDOP|SND|RCV|AT|DT)$|^DIPC$/,
    { fields: ["0xffff"] },
  ),
];
