/**
 * The system calls that a function of the C library makes if no system call has
 * its name. Profiles often name the function, such as `pread`; the name with
 * the most similar spelling can be an entirely different call, such as `read`.
 *
 * Sources:
 * - traced by strace 6.1 on x86_64 with glibc 2.36, one call of each function,
 *   without the function's preparations;
 * - man-pages 6.03, section 2, "C library/kernel differences" and sysctl(2), for
 *   other architectures and for the kernel's own names, such as `newuname`;
 * - golang.org/x/sys/unix 0.3: `ReadDirent`.
 *
 * @module
 */

import { readRows } from "./successors.ts";

/** Functions, each with its calls; lines of `name: calls`. */
const ROWS = `
_exit: exit_group
abort: rt_sigprocmask tgkill
adjtime: clock_adjtime
creat64: creat openat
eaccess: access faccessat
euidaccess: access faccessat
execl: execve
execle: execve
execlp: execve
execv: execve
execvp: execve
execvpe: execve
fexecve: execveat
fopen: openat
fstatat: newfstatat fstatat64
fstatvfs: fstatfs
futimens: utimensat
futimes: utimensat
getdirentries: getdents64
getentropy: getrandom
gethostname: uname
getrlimit64: prlimit64
initgroups: setgroups
isatty: ioctl
killpg: kill
lockf: fcntl
lseek64: lseek _llseek
lutimes: utimensat
mkfifo: mknod mknodat
mkfifoat: mknodat
mmap64: mmap mmap2
mq_close: close
mq_receive: mq_timedreceive
mq_send: mq_timedsend
ntp_adjtime: clock_adjtime
open64: openat
openat64: openat
opendir: openat getdents64
popen: clone clone3 execve
posix_fadvise: fadvise64 fadvise64_64 arm_fadvise64_64
posix_fallocate: fallocate
posix_openpt: openat
posix_spawn: clone clone3 execve
posix_spawnp: clone clone3 execve
pread: pread64
preadv64: preadv
prlimit: prlimit64
pselect: pselect6
pthread_create: clone clone3
pthread_join: futex
pthread_kill: tgkill
pthread_setname_np: prctl
pthread_setschedparam: sched_setscheduler
pthread_sigmask: rt_sigprocmask
pwrite: pwrite64
pwritev64: pwritev
raise: tgkill
readdir64: getdents64
readdirent: getdents64
remove: unlink unlinkat rmdir
sbrk: brk
setegid: setresgid
seteuid: setresuid
setpgrp: setpgid
setrlimit64: prlimit64
shm_open: openat
shm_unlink: unlink unlinkat
sighold: rt_sigprocmask
siginterrupt: rt_sigaction
sigqueue: rt_sigqueueinfo
sigrelse: rt_sigprocmask
sigset: rt_sigaction rt_sigprocmask
sigtimedwait: rt_sigtimedwait
sigwait: rt_sigtimedwait
sigwaitinfo: rt_sigtimedwait
sleep: clock_nanosleep nanosleep
statvfs: statfs
sysctl: _sysctl
system: clone clone3 execve
tcflush: ioctl
tcgetattr: ioctl
tcsetattr: ioctl
ualarm: setitimer
usleep: clock_nanosleep nanosleep
wait: wait4
wait3: wait4

llseek: _llseek lseek
mmap_pgoff: mmap2 mmap
newfstat: fstat
newlstat: lstat
newstat: stat
newuname: uname
oldumount: umount
`;

let rows: ReadonlyMap<string, readonly string[]> | undefined;

/**
 * Lists the system calls that a function of the C library makes.
 *
 * @example A function and a system call
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { callsOfLibc } from "./libc_names.ts";
 *
 * assertEquals(callsOfLibc("pread"), ["pread64"]);
 * assertEquals(callsOfLibc("pread64"), []);
 * ```
 *
 * @param name Name of a function.
 * @returns Names of calls; an architecture may lack some of them.
 */
export function callsOfLibc(name: string): readonly string[] {
  rows ??= readRows(ROWS);
  return rows.get(name) ?? [];
}
