/**
 * Calls that can replace others, and calls on which C libraries and runtimes
 * rely: the facts that the checks use.
 *
 * @module
 */

import { readRows, successorsOf } from "../tables/successors.ts";

/**
 * Calls that do everything that another one does, besides its successors; lines
 * of `name: calls`. Sources: man-pages 6.03, section 2; seccomp-tools 1.7.1,
 * `audit`, for the families of read and write.
 */
const ROWS = `
accept: accept4
clone: clone3
execve: execveat
faccessat: faccessat2
fchmodat: fchmodat2
open: openat openat2
openat: openat2
pread64: preadv preadv2
preadv: preadv2
preadv2: preadv
pwrite64: pwritev pwritev2
pwritev: pwritev2
pwritev2: pwritev
read: readv pread64 preadv preadv2
readv: read preadv preadv2
recvfrom: recvmsg recvmmsg
recvmsg: recvmmsg
sendmsg: sendmmsg
sendto: sendmsg sendmmsg
tkill: tgkill
unshare: clone clone3
write: writev pwrite64 pwritev pwritev2
writev: write pwritev pwritev2
`;

let rows: ReadonlyMap<string, readonly string[]> | undefined;

/**
 * Lists the calls that do everything that a call does.
 *
 * @param name Name of the call.
 */
export function equivalentsOf(name: string): readonly string[] {
  rows ??= readRows(ROWS);
  const names = [...rows.get(name) ?? [], ...successorsOf(name)];
  return [...new Set(names)];
}

/** Names of all calls that have equivalents in `ROWS`, or are old. */
export function callsWithEquivalents(
  names: Iterable<string>,
): readonly string[] {
  return [...names].filter((name) => equivalentsOf(name).length > 0);
}

/**
 * Calls that io_uring makes without a filter: operations of Linux 6.18,
 * include/uapi/linux/io_uring.h, `enum io_uring_op`, by the calls whose work
 * they do.
 */
export const IO_URING_CALLS: readonly string[] = [
  ...["accept", "accept4", "bind", "close", "connect", "epoll_ctl"],
  ...["epoll_wait", "fadvise64", "fallocate", "fgetxattr", "fsetxattr"],
  ...["fsync", "ftruncate", "getxattr", "linkat", "listen", "madvise"],
  ...["mkdirat", "openat", "openat2", "pipe2", "read", "readv", "recvfrom"],
  ...["recvmsg", "renameat2", "sendmsg", "sendto", "setxattr", "shutdown"],
  ...["socket", "splice", "statx", "symlinkat", "sync_file_range", "tee"],
  ...["unlinkat", "waitid", "write", "writev"],
];

/**
 * Calls for which C libraries fall back to an older one only after ENOSYS,
 * followed by the older ones; lines of `name: calls`. Sources: glibc 2.36,
 * sysdeps/unix/sysv/linux: `__clone_internal`, `faccessat`, `statx`, and the
 * `*_time64` of 32-bit architectures; glibc 2.39, `fchmodat`; runc#2151,
 * moby#42680 for `openat2` and `close_range`, which programs probe for.
 */
const PROBED = `
clone3: clone
close_range: close
faccessat2: faccessat
fchmodat2: fchmodat
openat2: openat
statx: newfstatat fstatat64 stat stat64
clock_getres_time64: clock_getres
clock_gettime64: clock_gettime
clock_nanosleep_time64: clock_nanosleep
futex_time64: futex
mq_timedreceive_time64: mq_timedreceive
mq_timedsend_time64: mq_timedsend
ppoll_time64: ppoll
pselect6_time64: pselect6
recvmmsg_time64: recvmmsg
rt_sigtimedwait_time64: rt_sigtimedwait
sched_rr_get_interval_time64: sched_rr_get_interval
semtimedop_time64: semtimedop
timer_gettime64: timer_gettime
timer_settime64: timer_settime
timerfd_gettime64: timerfd_gettime
timerfd_settime64: timerfd_settime
utimensat_time64: utimensat
`;

/** Those calls, each with the older ones. */
export function probedCalls(): ReadonlyMap<string, readonly string[]> {
  return readRows(PROBED);
}

/**
 * Calls that restart_syscall(2) continues after a signal or a stop: those with
 * a relative time limit that return ERESTART_RESTARTBLOCK in Linux 6.18.
 */
export const RESTARTED_CALLS: readonly string[] = [
  "nanosleep",
  "clock_nanosleep",
  "clock_nanosleep_time64",
  "poll",
  "futex",
  "futex_time64",
];

/**
 * Calls that servers make most often: recorded from redis, nginx and a Node
 * HTTP server, plus those of pipes and thread pools.
 */
export const HOT_CALLS: readonly string[] = [
  ...["read", "write", "readv", "writev", "pread64", "pwrite64"],
  ...["recvfrom", "sendto", "recvmsg", "sendmsg", "accept4"],
  ...["epoll_wait", "epoll_pwait", "poll", "ppoll", "futex"],
  ...["openat", "close", "fstat", "newfstatat", "lseek", "fcntl"],
  ...["mmap", "munmap", "mprotect", "madvise", "brk"],
  ...["getpid", "gettid", "clock_gettime", "gettimeofday", "sched_yield"],
  ...["nanosleep", "clock_nanosleep", "rt_sigprocmask", "rt_sigaction"],
];

/**
 * Calls that a runtime makes after it has attached the filter and before it
 * executes the program, and without which the container did not start. Found by
 * denying calls one by one to crun 1.8.1 and runc 1.1.5 on Linux 6.18, with
 * `noNewPrivileges` (the filter is attached last) and without.
 */
export const RUNTIME_CALLS: Readonly<
  Record<"crun" | "runc", {
    readonly always: readonly string[];
    readonly withoutNoNewPrivileges: readonly string[];
  }>
> = {
  crun: {
    always: [],
    withoutNoNewPrivileges: [
      ...["write", "capset", "prctl", "rt_sigprocmask", "rt_sigaction"],
      ...["setresuid", "setresgid"],
    ],
  },
  runc: {
    always: ["write", "close", "openat", "fstatfs", "getdents64"],
    withoutNoNewPrivileges: [
      ...["read", "capget", "capset", "prctl", "newfstatat", "fstat"],
      ...["setgroups", "setgid", "setuid", "getcwd", "getppid", "chdir"],
    ],
  },
};

/** Powerful calls for a sandboxed program: seccomp-tools 1.7.1. */
export const DANGEROUS_CALLS: readonly (readonly [
  call: string,
  power: string,
])[] = [
  ["execve", "runs any program"],
  ["execveat", "runs any program"],
  ["ptrace", "changes other processes"],
  ["process_vm_readv", "reads the memory of other processes"],
  ["process_vm_writev", "changes the memory of other processes"],
  ["io_uring_setup", "reads, writes and opens files, bypassing the filter"],
  ["socket", "reaches the network"],
  ["connect", "reaches the network"],
  ["socketcall", "reaches the network"],
  ["bpf", "loads programs into the kernel"],
  ["open_by_handle_at", "opens files by handle, outside its root"],
];

/** Families that read a file and write it out: seccomp-tools 1.7.1. */
export const FILE_CHAIN: readonly (readonly string[])[] = [
  ["open", "openat", "openat2"],
  ["read", "readv", "pread64", "preadv", "preadv2", "mmap"],
  ["write", "writev", "pwrite64", "pwritev", "pwritev2", "sendfile", "sendto"],
];
