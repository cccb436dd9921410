/**
 * The names of calls on 32-bit architectures. If a call has an older, narrower
 * form, C libraries use a wider call with another name. Counts recorded on a
 * 64-bit machine apply to a 32-bit filter through these names.
 *
 * Sources, man-pages 6.03, section 2, "C library/kernel differences" and NOTES:
 * - IDs of 32 bits, `*32`: chown, getgid, getgroups, getresuid, getuid, setfsgid,
 *   setfsuid, setgid, setregid, setresuid, setreuid, setuid;
 * - offsets and sizes of 64 bits: fcntl, lseek (`_llseek`), mmap2, posix_fadvise,
 *   sendfile, stat, statfs, truncate;
 * - others: getrlimit (`ugetrlimit`) and select (`_newselect`), in syscalls.
 *
 * Linux 6.1, arch/x86/entry/syscalls/syscall_32.tbl has all of them; arm and
 * s390 have most. `*_time64` is omitted: a program with a 32-bit `time_t` makes
 * the old calls.
 *
 * @module
 */

/**
 * Lines of names on 64-bit architectures, each with the name on 32-bit ones.
 */
const ROWS = `
chown chown32
fadvise64 fadvise64_64
fchown fchown32
fcntl fcntl64
fstat fstat64
fstatfs fstatfs64
ftruncate ftruncate64
getegid getegid32
geteuid geteuid32
getgid getgid32
getgroups getgroups32
getresgid getresgid32
getresuid getresuid32
getrlimit ugetrlimit
getuid getuid32
lchown lchown32
lseek _llseek
lstat lstat64
mmap mmap2
newfstatat fstatat64
select _newselect
sendfile sendfile64
setfsgid setfsgid32
setfsuid setfsuid32
setgid setgid32
setgroups setgroups32
setregid setregid32
setresgid setresgid32
setresuid setresuid32
setreuid setreuid32
setuid setuid32
stat stat64
statfs statfs64
truncate truncate64
`;

/** Names of the wider calls of 32-bit architectures, by the 64-bit name. */
export const WIDE_CALLS: ReadonlyMap<string, string> = new Map(
  ROWS.trim().split("\n").map((row) => {
    const [name = "", wide = ""] = row.split(" ");
    return [name, wide];
  }),
);
