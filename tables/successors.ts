/**
 * The system calls that replace one that an architecture does not have.
 *
 * Newer architectures omit calls that newer calls can replace: aarch64 has no
 * `open`, its C library calls `openat`. The 64-bit ones omit calls that only
 * 32-bit ones need, and vice versa. A profile that names only the old call has
 * no effect there.
 *
 * Sources:
 * - man-pages 6.03, section 2: the page of a name or of its successor, for
 *   every row except those below;
 * - Linux 3.10, include/uapi/asm-generic/unistd.h: the calls that new
 *   architectures do not get (`__ARCH_WANT_SYSCALL_NO_AT`, `_NO_FLAGS`,
 *   `_DEPRECATED`), and the pairs of `__NR3264_*`;
 * - Linux 5.1: `*_time64` of 32-bit architectures; 6.6: `fchmodat2`; the slots
 *   `epoll_ctl_old` and `epoll_wait_old` of x86_64 were never used;
 * - glibc 2.36: `pause` calls `ppoll` if the kernel has no `pause`.
 *
 * `socketcall` and `ipc` have no row: a rule on them is not a rule on the calls
 * that they multiplex. `tests/tables/successors_test.ts` compares all rows with
 * the tables: an architecture without a name has one of its successors.
 *
 * @module
 */

/** Calls with their replacements; lines of `name: calls`. */
const ROWS = `
access: faccessat faccessat2
chmod: fchmodat fchmodat2
chown: fchownat
creat: openat openat2
futimesat: utimensat
lchown: fchownat
link: linkat
lstat: newfstatat statx
mkdir: mkdirat
mknod: mknodat
open: openat openat2
readlink: readlinkat
rename: renameat renameat2
renameat: renameat2
rmdir: unlinkat
stat: newfstatat statx
symlink: symlinkat
unlink: unlinkat
utime: utimes utimensat
utimes: utimensat

dup2: dup3
epoll_create: epoll_create1
epoll_wait: epoll_pwait epoll_pwait2
eventfd: eventfd2
inotify_init: inotify_init1
pipe: pipe2
signalfd: signalfd4

alarm: setitimer
fork: clone clone3
getdents: getdents64
getpgrp: getpgid
nice: setpriority
oldfstat: fstat
oldlstat: lstat newfstatat statx
oldolduname: uname
oldstat: stat newfstatat statx
olduname: uname
pause: rt_sigsuspend ppoll
poll: ppoll
readdir: getdents getdents64
recv: recvfrom
select: pselect6 _newselect
send: sendto
sgetmask: rt_sigprocmask
sigaction: rt_sigaction
signal: rt_sigaction
sigpending: rt_sigpending
sigprocmask: rt_sigprocmask
sigreturn: rt_sigreturn
sigsuspend: rt_sigsuspend
ssetmask: rt_sigprocmask
stime: settimeofday clock_settime
time: gettimeofday clock_gettime
umount: umount2
ustat: statfs
vfork: clone clone3
waitpid: wait4 waitid

_llseek: lseek
_newselect: select pselect6
arm_fadvise64_64: fadvise64 fadvise64_64
arm_sync_file_range: sync_file_range sync_file_range2
chown32: chown fchownat
clock_adjtime64: clock_adjtime
clock_getres_time64: clock_getres
clock_gettime64: clock_gettime
clock_nanosleep_time64: clock_nanosleep
clock_settime64: clock_settime
epoll_ctl_old: epoll_ctl
epoll_wait_old: epoll_wait epoll_pwait epoll_pwait2
fadvise64: fadvise64_64 arm_fadvise64_64
fadvise64_64: fadvise64 arm_fadvise64_64
fchown32: fchown
fcntl64: fcntl
fstat64: fstat
fstatat64: newfstatat
fstatfs64: fstatfs
ftruncate64: ftruncate
futex_time64: futex
getegid32: getegid
geteuid32: geteuid
getgid32: getgid
getgroups32: getgroups
getresgid32: getresgid
getresuid32: getresuid
getrlimit: ugetrlimit prlimit64
getuid32: getuid
io_pgetevents_time64: io_pgetevents
lchown32: lchown fchownat
lstat64: lstat newfstatat statx
mmap: mmap2
mmap2: mmap
mq_timedreceive_time64: mq_timedreceive
mq_timedsend_time64: mq_timedsend
newfstatat: fstatat64
ppoll_time64: ppoll
pselect6_time64: pselect6
recvmmsg_time64: recvmmsg
rt_sigtimedwait_time64: rt_sigtimedwait
sched_rr_get_interval_time64: sched_rr_get_interval
semtimedop_time64: semtimedop
sendfile64: sendfile
setfsgid32: setfsgid
setfsuid32: setfsuid
setgid32: setgid
setgroups32: setgroups
setregid32: setregid
setresgid32: setresgid
setresuid32: setresuid
setreuid32: setreuid
setrlimit: prlimit64
setuid32: setuid
stat64: stat newfstatat statx
statfs64: statfs
sync_file_range: sync_file_range2 arm_sync_file_range
sync_file_range2: sync_file_range arm_sync_file_range
timer_gettime64: timer_gettime
timer_settime64: timer_settime
timerfd: timerfd_create
timerfd_gettime64: timerfd_gettime
timerfd_settime64: timerfd_settime
truncate64: truncate
ugetrlimit: getrlimit prlimit64
ulimit: setrlimit prlimit64
utimensat_time64: utimensat
`;

let rows: ReadonlyMap<string, readonly string[]> | undefined;

/**
 * Lists the calls that replace a call on architectures without it.
 *
 * @example On aarch64
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { successorsOf } from "./successors.ts";
 *
 * assertEquals(successorsOf("open"), ["openat", "openat2"]);
 * assertEquals(successorsOf("openat"), []);
 * ```
 *
 * @param name Name of a call.
 * @returns Names; an architecture without the call has at least one of them.
 */
export function successorsOf(name: string): readonly string[] {
  rows ??= readRows(ROWS);
  return rows.get(name) ?? [];
}

/**
 * Reads lines of a name, a colon and names.
 *
 * @param text The lines; empty ones are skipped.
 * @returns The names after the colon, by the name before it.
 */
export function readRows(text: string): ReadonlyMap<string, readonly string[]> {
  return new Map(
    text.split("\n").filter((line) => line !== "").map((line) => {
      const [name = "", names = ""] = line.split(": ");
      return [name, names.split(" ")];
    }),
  );
}
