/**
 * Small profiles that containers start under and that crun and runc, or their
 * versions, read in different ways.
 *
 * @module
 */

import { createRandom, type Random } from "../oracle/random.ts";
import type { Json } from "./config.ts";

/** A profile with a name for messages. */
export interface LiveProfile {
  readonly name: string;
  /** `linux.seccomp`. */
  readonly section: { readonly [key: string]: Json };
}

/**
 * Calls of the runtimes and a sleeping program after the filter is attached.
 */
export const BASE: readonly string[] = [
  "accept4 access alarm arch_prctl bind brk capget capset chdir chmod chown",
  "chroot clock_getres clock_gettime clock_nanosleep clone clone3 close",
  "close_range connect dup dup2 dup3 epoll_create1 epoll_ctl epoll_pwait",
  "epoll_wait eventfd2 execve execveat exit exit_group faccessat faccessat2",
  "fadvise64 fallocate fchdir fchmod fchmodat fchown fchownat fcntl fdatasync",
  "flock fork fstat fstatfs fsync ftruncate futex getcpu getcwd getdents",
  "getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid",
  "getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit",
  "getrusage getsid getsockname getsockopt gettid gettimeofday getuid ioctl",
  "keyctl kill lchown link linkat listen lseek lstat madvise membarrier",
  "memfd_create mincore mkdir mkdirat mlock mmap mount mprotect mremap munmap",
  "name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_open",
  "pidfd_send_signal pipe pipe2 pivot_root poll ppoll prctl pread64 prlimit64",
  "pselect6 pwrite64 read readlink readlinkat readv recvfrom recvmsg rename",
  "renameat restart_syscall rmdir rseq rt_sigaction rt_sigpending",
  "rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait",
  "sched_getaffinity sched_getparam sched_getscheduler sched_setaffinity",
  "sched_setscheduler sched_yield select sendfile sendmsg sendto",
  "set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid",
  "setgroups setitimer setns setpgid setpriority setregid setresgid setresuid",
  "setreuid setrlimit setsid setsockopt setuid shutdown sigaltstack signalfd4",
  "socket socketpair stat statfs statx symlink symlinkat sysinfo tgkill time",
  "timer_create timer_delete timer_settime timerfd_create timerfd_settime",
  "times tkill umask umount2 uname unlink unlinkat unshare utimensat vfork",
  "wait4 waitid write writev",
].flatMap((line) => line.split(" "));

/** Calls that neither a runtime nor a sleeping program makes. */
const RARE: readonly string[] = [
  "acct",
  "io_setup",
  "kexec_load",
  "mbind",
  "migrate_pages",
  "move_pages",
  "quotactl",
  "swapoff",
  "swapon",
  "syslog",
  "vhangup",
  "vmsplice",
];

const ARCHES: readonly (readonly string[] | undefined)[] = [
  undefined,
  [],
  ["X86_64"],
  ["X86_64", "X86", "X32"],
  ["X86"],
  ["X32"],
  ["AARCH64", "ARM"],
];

const allowBase = { names: BASE, action: "SCMP_ACT_ALLOW" };

function equals(index: number, value: number): Json {
  return { index, value, op: "SCMP_CMP_EQ" };
}

function entry(
  args: readonly Json[],
  more: { readonly [key: string]: Json } = {},
): Json {
  return {
    names: ["syslog"],
    action: "SCMP_ACT_ERRNO",
    errnoRet: 77,
    args,
    ...more,
  };
}

function repeated(count: number): readonly Json[] {
  return Array.from({ length: count }, (_, i) => equals(0, i + 1));
}

const SIX = [0, 1, 2, 3, 4, 5].map((index) => equals(index, 1));

/** One profile for each difference that is known. */
export const KNOWN_PROFILES: readonly LiveProfile[] = [
  ...[6, 7, 8, 13].map((count) => ({
    name: `${count} comparisons of one argument`,
    section: {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [entry(repeated(count))],
    },
  })),
  {
    name: "six arguments and one again",
    section: {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [entry([...SIX, equals(0, 9)])],
    },
  },
  {
    name: "six arguments and seven more comparisons",
    section: {
      defaultAction: "SCMP_ACT_LOG",
      syscalls: [entry([...SIX, ...repeated(7)])],
    },
  },
  ...ARCHES.map((list) => ({
    name: `architectures ${list ?? "absent"}, default ERRNO(13)`,
    section: {
      defaultAction: "SCMP_ACT_ERRNO",
      defaultErrnoRet: 13,
      syscalls: [allowBase, entry([])],
      ...listed(list),
    },
  })),
  {
    name: "an empty name",
    section: {
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [allowBase, { names: ["", "syslog"], action: "SCMP_ACT_TRAP" }],
    },
  },
  {
    name: "an errno beside ALLOW",
    section: {
      defaultAction: "SCMP_ACT_ALLOW",
      defaultErrnoRet: 1,
      syscalls: [entry([])],
    },
  },
  {
    name: "an errno beside LOG",
    section: {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [entry([], { action: "SCMP_ACT_LOG" })],
    },
  },
  {
    name: "a rule with the default action",
    section: {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [entry([], { action: "SCMP_ACT_ALLOW", errnoRet: null })],
    },
  },
  ...["KILL_PROCESS", "KILL_THREAD"].map((action) => ({
    name: `${action} by default`,
    section: {
      defaultAction: `SCMP_ACT_${action}`,
      syscalls: [allowBase, entry([])],
    },
  })),
  ...[[], ["LOG"], ["TSYNC", "SPEC_ALLOW"], ["WAIT_KILLABLE_RECV"]].map((
    flags,
  ) => ({
    name: `flags [${flags}]`,
    section: {
      defaultAction: "SCMP_ACT_ALLOW",
      flags: flags.map((flag) => `SECCOMP_FILTER_FLAG_${flag}`),
      syscalls: [entry([])],
    },
  })),
  {
    name: "an architecture of another byte order",
    section: {
      defaultAction: "SCMP_ACT_ALLOW",
      architectures: ["SCMP_ARCH_S390X"],
      syscalls: [entry([])],
    },
  },
];

function listed(
  list: readonly string[] | undefined,
): { readonly [key: string]: Json } {
  return list === undefined
    ? {}
    : { architectures: list.map((name) => `SCMP_ARCH_${name}`) };
}

/**
 * Draws a profile from its seed only. A call has one action, so that rules do
 * not contradict each other and libseccomp's filter means the same.
 *
 * @param seed A u32.
 * @returns The profile.
 */
export function drawLiveProfile(seed: number): LiveProfile {
  const random = createRandom(seed);
  const defaultAction = random.pick([
    "ERRNO",
    "ERRNO",
    "ERRNO",
    "KILL",
    "KILL_PROCESS",
    "TRAP",
    "ALLOW",
    "LOG",
  ]);
  const denies = defaultAction !== "ALLOW" && defaultAction !== "LOG";
  const errno = defaultAction === "ERRNO" || random.chance(0.05)
    ? random.pick([undefined, 1, 13, 38])
    : undefined;
  const flags = random.pick([
    ...[undefined, undefined, undefined, undefined, undefined, []],
    ["SECCOMP_FILTER_FLAG_LOG"],
  ]);
  const names = [...RARE].sort(() => random.int(3) - 1);
  const syscalls: Json[] = denies ? [allowBase] : [];
  for (let i = random.int(4); i >= 0; i--) {
    const own = names.splice(0, 1 + random.int(3));
    const outcome = drawOutcome(random);
    for (let n = random.int(2); n >= 0; n--) {
      const list = random.chance(0.03) ? [...own, ""] : own;
      syscalls.push({ names: list, ...outcome, args: drawArgs(random) });
    }
  }
  return {
    name: `seed ${seed}`,
    section: {
      defaultAction: `SCMP_ACT_${defaultAction}`,
      ...(errno === undefined ? {} : { defaultErrnoRet: errno }),
      ...(flags === undefined ? {} : { flags }),
      ...listed(random.pick(ARCHES)),
      syscalls,
    },
  };
}

function drawOutcome(random: Random): { readonly [key: string]: Json } {
  const action = random.pick([
    "ALLOW",
    "ALLOW",
    "ERRNO",
    "ERRNO",
    "ERRNO",
    "TRAP",
    "LOG",
    "KILL",
    "KILL_PROCESS",
  ]);
  const takes = action === "ERRNO" || random.chance(0.05);
  return {
    action: `SCMP_ACT_${action}`,
    ...(takes ? { errnoRet: random.pick([1, 13, 38, 77]) } : {}),
  };
}

function drawArgs(random: Random): readonly Json[] {
  const count = random.pick([0, 1, 2, 3, 6, 7, 8, 13]);
  const few = random.pick([1, 2, 6]);
  const first = [0, 1, 2, 3, 4, 5].sort(() => random.int(3) - 1);
  const isSpread = random.chance(0.5);
  return Array.from({ length: count }, (_, i) => {
    const index = (isSpread ? first[i] : undefined) ?? random.int(few);
    const value = random.pick([0n, 1n, 5n, 0x1_0000_0001n, 2n ** 64n - 1n]);
    return random.chance(0.7) ? { index, value, op: "SCMP_CMP_EQ" } : {
      index,
      value: random.pick([0xffn, 0x7e02_0000n, 0xffff_ffff_0000_0000n]),
      valueTwo: value,
      op: "SCMP_CMP_MASKED_EQ",
    };
  });
}
