/**
 * Arguments of which the kernel reads 32 bits, although a register has 64.
 *
 * A filter sees the whole register, and the kernel then truncates it: of
 * `socket(0x1_0000_0028, …)` it sees domain 40. So a comparison of all 64 bits
 * may treat the same request in two ways, depending on bits that have no
 * effect.
 *
 * Sources: the parameters of type `int`, `unsigned int` and other types of at
 * most 32 bits that Linux 6.18 reports in tracefs (events/syscalls) for each
 * `SYSCALL_DEFINE`, which casts the register to that type
 * (include/linux/syscalls.h: `__SC_CAST`); kernel/fork.c for the flags of
 * clone, of which `lower_32_bits()` are used.
 *
 * @module
 */

import type { Arch } from "./arch.ts";
import { argumentsOf } from "./arguments.ts";

/** Lines of argument indexes, and the calls in which these are narrow. */
const ROWS = `
0: accept alarm arch_prctl clock_adjtime clock_getres clock_gettime clock_settime close dup epoll_create epoll_create1 eventfd exit exit_group fchdir fdatasync fgetxattr flistxattr fremovexattr fstat fstatfs fsync ftruncate futimesat get_robust_list getgroups getitimer getpeername getpgid getrlimit getrusage getsid getsockname inotify_init1 io_setup io_uring_setup iopl keyctl memfd_secret migrate_pages mlockall modify_ldt mq_getsetattr mq_notify mq_timedreceive openat2 personality pkey_free prctl pread64 process_vm_readv process_vm_writev pselect6 pwrite64 read readahead rt_sigaction rt_sigprocmask sched_get_priority_max sched_get_priority_min sched_getparam sched_getscheduler sched_rr_get_interval sched_setparam select set_mempolicy setfsgid setfsuid setgid setgroups setitimer setrlimit setuid signalfd syncfs sysfs timer_create timer_delete timer_getoverrun timer_gettime timerfd_gettime umask userfaultfd ustat write
01: clock_nanosleep dup2 eventfd2 fallocate fanotify_init fchmod fcntl flock getpriority inotify_rm_watch ioctl ioprio_get kill landlock_restrict_self listen msgctl msgget pidfd_open prlimit64 process_mrelease rt_sigqueueinfo sched_getaffinity sched_setaffinity sched_setscheduler seccomp sendfile setns setpgid setregid setreuid shmctl shutdown timer_settime timerfd_create timerfd_settime tkill
012: close_range dup3 epoll_ctl fchown fsmount getsockopt ioprio_set kcmp membarrier pidfd_getfd quotactl_fd reboot rt_tgsigqueueinfo semctl semget setpriority setresgid setresuid socket socketpair tgkill
0123: io_uring_enter
0124: setsockopt
013: fanotify_mark io_uring_register landlock_add_rule pidfd_send_signal tee waitid
014: fsconfig
02: bind bpf connect epoll_pwait2 faccessat fchmodat fspick getdents getdents64 getxattrat inotify_add_watch listxattrat lseek mkdirat mount_setattr open_by_handle_at open_tree open_tree_attr quotactl recvmsg removexattrat renameat sched_setattr semop semtimedop sendmsg setxattrat shmat shmget syslog unlinkat wait4
023: epoll_pwait epoll_wait faccessat2 fchmodat2 lsm_set_self_attr mknodat openat recvmmsg sched_getattr sendmmsg statx
0234: fchownat
024: linkat move_mount renameat2
025: copy_file_range splice
03: accept4 cachestat fadvise64 lsm_get_self_attr mq_timedsend msgsnd newfstatat readlinkat recvfrom signalfd4 sync_file_range utimensat vmsplice
034: process_madvise
035: sendto
04: execveat file_getattr file_setattr fsetxattr msgrcv name_to_handle_at
05: move_pages
1: access chmod creat fsopen memfd_create mkdir pipe2 ppoll setdomainname sethostname swapon symlinkat umount2
12: chown lchown mknod mq_open open poll
123: futex_requeue perf_event_open rseq
124: futex_waitv
125: futex
2: getrandom ioperm landlock_create_ruleset lsm_list_modules madvise mlock2 msync readlink
23: futex_wake
3: listmount pkey_mprotect request_key statmount
35: futex_wait
4: add_key lsetxattr setxattr
5: mbind preadv2 pwritev2
`;

let narrow: ReadonlyMap<string, ReadonlySet<number>> | undefined;

/**
 * Reports whether the kernel reads only the low 32 bits of an argument.
 *
 * @example The domain of a socket, and an address
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { archByName } from "./arch.ts";
 * import { isNarrow } from "./narrow_arguments.ts";
 *
 * const arch = archByName("x86_64");
 * if (arch === undefined) throw new Error("Unreachable: no x86_64");
 * assertEquals(isNarrow(arch, "socket", 0), true);
 * assertEquals(isNarrow(arch, "mmap", 0), false);
 * ```
 *
 * @param arch An architecture with 64-bit registers.
 * @param call Name of the call.
 * @param index Index of the argument, from 0.
 * @returns True if the upper half has no effect; false if that is unknown.
 */
export function isNarrow(arch: Arch, call: string, index: number): boolean {
  // Its arguments come in three orders.
  if (call === "clone") {
    return argumentsOf(arch, call)?.[index]?.name === "flags";
  }
  narrow ??= readRows();
  return narrow.get(call)?.has(index) === true;
}

function readRows(): ReadonlyMap<string, ReadonlySet<number>> {
  return new Map(
    ROWS.trim().split("\n").flatMap((row) => {
      const [indexes = "", calls = ""] = row.split(": ");
      const set = new Set([...indexes].map(Number));
      return calls.split(" ").map((call) => [call, set] as const);
    }),
  );
}
