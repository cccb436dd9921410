/**
 * Arguments of system calls: their names, and the sets of values that have
 * names. A line is a call and its arguments in order; `*` marks a pointer, and
 * `name:set` an argument with a set of `tables/values/`. `name:?choice` depends
 * on another argument, see `CHOICES`.
 *
 * Sources: the parameters that Linux 6.18 reports in tracefs for each
 * `SYSCALL_DEFINE` (events/syscalls), with the names of man-pages 6.03, section
 * 2, if the two differ; arch/*\/Kconfig of Linux 6.18 for `CLONE_BACKWARDS`;
 * arch/*\/entry/syscalls of Linux 6.18 for calls of 32-bit architectures.
 *
 * @module
 */

/** Calls on 64-bit architectures, and on others unless listed below. */
export const SIGNATURES = `
_llseek fd offset_high offset_low *result whence:whence
_sysctl *args
accept fd *addr *addrlen
accept4 fd *addr *addrlen flags:accept
access *pathname mode:access
acct *name
add_key *type *description *payload plen keyring:key
adjtimex *buf
alarm seconds
arch_prctl op:arch-prctl addr
arm_sync_file_range fd flags:sync-file-range
bdflush func data
bind fd *addr addrlen
bpf cmd:bpf *attr size
breakpoint
brk brk
cachectl *addr nbytes op
cacheflush addr nbytes cache
cachestat fd *range *cstat flags
capget header dataptr
capset header data
chdir *pathname
chmod *pathname mode:mode
chown *pathname owner group
chroot *pathname
clock_adjtime clockid:clock *tx
clock_getres clockid:clock *res
clock_gettime clockid:clock *tp
clock_nanosleep clockid:clock flags:timer *request *remain
clock_settime clockid:clock *tp
clone flags:clone *stack *parent_tid *child_tid tls
clone3 *cl_args size
close fd
close_range first last flags:close-range
connect fd *addr addrlen
copy_file_range fd_in *off_in fd_out *off_out len flags
creat *pathname mode:mode
create_module *name size
delete_module *name flags:delete-module
dup oldfd
dup2 oldfd newfd
dup3 oldfd newfd flags:dup3
epoll_create size
epoll_create1 flags:epoll-create
epoll_ctl epfd op:epoll-ctl fd *event
epoll_ctl_old
epoll_pwait epfd *events maxevents timeout *sigmask sigsetsize
epoll_pwait2 epfd *events maxevents *timeout *sigmask sigsetsize
epoll_wait epfd *events maxevents timeout
epoll_wait_old
eventfd initval
eventfd2 initval flags:eventfd
execve *pathname *argv *envp
execveat dirfd:dirfd *pathname *argv *envp flags:execveat
exit status
exit_group status
faccessat dirfd:dirfd *pathname mode:access
faccessat2 dirfd:dirfd *pathname mode:access flags:faccessat
fadvise64 fd offset len advice:fadvise
fadvise64_64 fd offset len advice:fadvise
fallocate fd mode:fallocate offset len
fanotify_init flags:fanotify-init event_f_flags:open
fanotify_mark fanotify_fd flags:fanotify-mark mask:fanotify-event dirfd:dirfd *pathname
fchdir fd
fchmod fd mode:mode
fchmodat dirfd:dirfd *pathname mode:mode
fchmodat2 dirfd:dirfd *pathname mode:mode flags:at
fchown fd owner group
fchownat dirfd:dirfd *pathname owner group flags:at
fcntl fd op:fcntl arg:?fcntl
fdatasync fd
fgetxattr fd *name *value size
file_getattr dirfd:dirfd *pathname *attr size at_flags:at
file_setattr dirfd:dirfd *pathname *attr size at_flags:at
finit_module fd *params flags:module
flistxattr fd *list size
flock fd op:flock
fork
fremovexattr fd *name
fsconfig fd cmd:fsconfig *key *value aux
fsetxattr fd *name *value size flags:xattr
fsmount fsfd flags:fsmount attr_flags:mount-attr
fsopen *fsname flags:fsopen
fspick dirfd:dirfd *pathname flags:fspick
fstat fd *statbuf
fstatat64 dirfd:dirfd *pathname *statbuf flags:at
fstatfs fd *buf
fstatfs64 fd size *buf
fsync fd
ftruncate fd length
futex *uaddr op:futex val *timeout *uaddr2 val3
futex_requeue *waiters flags nr_wake nr_requeue
futex_wait *uaddr val mask flags:futex2 *timeout clockid:clock
futex_waitv *waiters nr_futexes flags *timeout clockid:clock
futex_wake *uaddr mask nr flags:futex2
futimesat dirfd:dirfd *pathname *times
get_mempolicy *mode *nodemask maxnode addr flags:get-mempolicy
get_robust_list pid *head_ptr *len_ptr
get_thread_area *u_info
get_tls
getcpu *cpup *nodep *unused
getcwd *buf size
getdents fd *dirent count
getdents64 fd *dirent count
getegid
geteuid
getgid
getgroups size *list
getitimer which:itimer *curr_value
getpeername fd *addr *addrlen
getpgid pid
getpgrp
getpid
getppid
getpriority which:priority who
getrandom *buf buflen flags:getrandom
getresgid *rgid *egid *sgid
getresuid *ruid *euid *suid
getrlimit resource:rlimit *rlim
getrusage who:rusage *usage
getsid pid
getsockname fd *addr *addrlen
getsockopt fd level:socket-level optname:?socket-option *optval *optlen
gettid
gettimeofday *tv *tz
getuid
getxattr *pathname *name *value size
getxattrat dirfd:dirfd *pathname at_flags:at *name *args size
init_module *image len *params
inotify_add_watch fd *pathname mask:inotify
inotify_init
inotify_init1 flags:inotify-init
inotify_rm_watch fd wd
io_cancel ctx_id *iocb *result
io_destroy ctx
io_getevents ctx_id min_nr nr *events *timeout
io_pgetevents ctx_id min_nr nr *events *timeout *usig
io_setup nr_events *ctxp
io_submit ctx_id nr *iocbpp
io_uring_enter fd to_submit min_complete flags:io-uring-enter *arg argsz
io_uring_register fd opcode:io-uring-register *arg nr_args
io_uring_setup entries *params
ioctl fd request:ioctl arg
ioperm from num turn_on
iopl level
ioprio_get which:ioprio who
ioprio_set which:ioprio who ioprio
ipc call:ipc first second third *ptr fifth
kcmp pid1 pid2 type:kcmp idx1 idx2
kexec_file_load kernel_fd initrd_fd cmdline_len *cmdline flags:kexec-file
kexec_load entry nr_segments *segments flags:kexec
keyctl op:keyctl arg2:key arg3 arg4 arg5
kill pid sig:signal
landlock_add_rule ruleset_fd rule_type:landlock-rule *rule_attr flags
landlock_create_ruleset *attr size flags:landlock-create
landlock_restrict_self ruleset_fd flags:landlock-restrict
lchown *pathname owner group
lgetxattr *pathname *name *value size
link *oldpath *newpath
linkat olddirfd:dirfd *oldpath newdirfd:dirfd *newpath flags:linkat
listen fd backlog
listmount *req *mnt_ids nr_mnt_ids flags
listxattr *pathname *list size
listxattrat dirfd:dirfd *pathname at_flags:at *list size
llistxattr *pathname *list size
lookup_dcookie cookie *buffer len
lremovexattr *pathname *name
lseek fd offset whence:whence
lsetxattr *pathname *name *value size flags:xattr
lsm_get_self_attr attr:lsm-attr *ctx *size flags
lsm_list_modules *ids *size flags
lsm_set_self_attr attr:lsm-attr *ctx size flags
lstat *pathname *statbuf
madvise addr length advice:madvise
map_shadow_stack addr size flags:shadow-stack
mbind addr len mode:mempolicy *nodemask maxnode flags:mbind
membarrier cmd:membarrier flags:membarrier-flags cpu_id
memfd_create *name flags:memfd
memfd_secret flags:memfd-secret
migrate_pages pid maxnode *old_nodes *new_nodes
mincore addr length *vec
mkdir *pathname mode:mode
mkdirat dirfd:dirfd *pathname mode:mode
mknod *pathname mode:mode dev
mknodat dirfd:dirfd *pathname mode:mode dev
mlock addr len
mlock2 addr len flags:mlock2
mlockall flags:mlockall
mmap addr length prot:prot flags:mmap fd offset
mmap2 addr length prot:prot flags:mmap fd pgoffset
modify_ldt func *ptr bytecount
mount *source *target *filesystemtype mountflags:mount *data
mount_setattr dirfd:dirfd *pathname flags:at-recursive *attr size
move_mount from_dirfd:dirfd *from_pathname to_dirfd:dirfd *to_pathname flags:move-mount
move_pages pid count *pages *nodes *status flags:mbind
mprotect addr len prot:prot
mq_getsetattr mqdes *newattr *oldattr
mq_notify mqdes *sevp
mq_open *name oflag:open mode:mode *attr
mq_timedreceive mqdes *msg_ptr msg_len *msg_prio *abs_timeout
mq_timedsend mqdes *msg_ptr msg_len msg_prio *abs_timeout
mq_unlink *name
mremap old_address old_size new_size flags:mremap new_address
mseal addr len flags
msgctl msqid op:msgctl *buf
msgget key msgflg:ipcget
msgrcv msqid *msgp msgsz msgtyp msgflg:msgrcv
msgsnd msqid *msgp msgsz msgflg:msgrcv
msync addr length flags:msync
munlock addr len
munlockall
munmap addr length
name_to_handle_at dirfd:dirfd *pathname *handle *mount_id flags:name-to-handle
nanosleep *request *remain
newfstatat dirfd:dirfd *pathname *statbuf flags:at
nfsservctl cmd *argp *resp
nice inc
oldfstat fd *statbuf
oldlstat *pathname *statbuf
oldolduname *buf
oldstat *pathname *statbuf
olduname *buf
open *pathname flags:open mode:mode
open_by_handle_at mount_fd:dirfd *handle flags:open
open_tree dirfd:dirfd *pathname flags:open-tree
open_tree_attr dirfd:dirfd *pathname flags:open-tree *attr size
openat dirfd:dirfd *pathname flags:open mode:mode
openat2 dirfd:dirfd *pathname *how size
pause
pciconfig_iobase which bus devfn
pciconfig_read bus dfn off len *buf
pciconfig_write bus dfn off len *buf
perf_event_open *attr pid cpu group_fd flags:perf
personality persona:personality
pidfd_getfd pidfd targetfd flags
pidfd_open pid flags:pidfd-open
pidfd_send_signal pidfd sig:signal *info flags:pidfd-signal
pipe *pipefd
pipe2 *pipefd flags:pipe2
pivot_root *new_root *put_old
pkey_alloc flags access_rights:pkey
pkey_free pkey
pkey_mprotect addr len prot:prot pkey
poll *fds nfds timeout
ppoll *fds nfds *timeout *sigmask sigsetsize
prctl option:prctl arg2:?prctl arg3:?prctl3 arg4 arg5
pread64 fd *buf count pos
preadv fd *iov iovcnt pos_low pos_high
preadv2 fd *iov iovcnt pos_low pos_high flags:rwf
prlimit64 pid resource:rlimit *new_limit *old_limit
process_madvise pidfd *iovec vlen advice:madvise flags
process_mrelease pidfd flags
process_vm_readv pid *local_iov liovcnt *remote_iov riovcnt flags
process_vm_writev pid *local_iov liovcnt *remote_iov riovcnt flags
pselect6 nfds *readfds *writefds *exceptfds *timeout *sig
ptrace op:ptrace pid addr data
pwrite64 fd *buf count pos
pwritev fd *iov iovcnt pos_low pos_high
pwritev2 fd *iov iovcnt pos_low pos_high flags:rwf
quotactl cmd:quotactl *special id *addr
quotactl_fd fd cmd:quotactl id *addr
read fd *buf count
readahead fd offset count
readdir fd *dirp count
readlink *path *buf bufsiz
readlinkat dirfd:dirfd *pathname *buf bufsiz
readv fd *iov iovcnt
reboot magic:reboot-magic magic2:reboot-magic2 op:reboot *arg
recv fd *buf len flags:msg
recvfrom fd *buf len flags:msg *addr *addrlen
recvmmsg fd *msgvec vlen flags:msg *timeout
recvmsg fd *msg flags:msg
remap_file_pages addr size prot:prot pgoff flags:mmap
removexattr *pathname *name
removexattrat dirfd:dirfd *pathname at_flags:at *name
rename *oldpath *newpath
renameat olddirfd:dirfd *oldpath newdirfd:dirfd *newpath
renameat2 olddirfd:dirfd *oldpath newdirfd:dirfd *newpath flags:rename
request_key *type *description *callout_info keyring:key
restart_syscall
riscv_flush_icache start end flags
riscv_hwprobe *pairs pair_count cpusetsize *cpus flags
rmdir *pathname
rseq *rseq rseq_len flags:rseq sig
rt_sigaction sig:signal *act *oldact sigsetsize
rt_sigpending *set sigsetsize
rt_sigprocmask how:sigprocmask *set *oldset sigsetsize
rt_sigqueueinfo tgid sig:signal *info
rt_sigreturn
rt_sigsuspend *mask sigsetsize
rt_sigtimedwait *set *info *timeout sigsetsize
rt_tgsigqueueinfo tgid tid sig:signal *info
rtas *args
s390_guarded_storage command *gs_cb
s390_pci_mmio_read mmio_addr *user_buffer length
s390_pci_mmio_write mmio_addr *user_buffer length
s390_runtime_instr command signum
s390_sthyi function_code *resp_buffer *return_code flags
sched_get_priority_max policy:sched
sched_get_priority_min policy:sched
sched_getaffinity pid len *user_mask_ptr
sched_getattr pid *attr size flags
sched_getparam pid *param
sched_getscheduler pid
sched_rr_get_interval pid *interval
sched_setaffinity pid len *user_mask_ptr
sched_setattr pid *attr flags
sched_setparam pid *param
sched_setscheduler pid policy:sched *param
sched_yield
seccomp operation:seccomp flags:seccomp-flags *args
select nfds *readfds *writefds *exceptfds *timeout
semctl semid semnum op:semctl arg
semget key nsems semflg:ipcget
semop semid *tsops nsops
semtimedop semid *tsops nsops *timeout
send fd *buf len flags:msg
sendfile out_fd in_fd *offset count
sendmmsg fd *msgvec vlen flags:msg
sendmsg fd *msg flags:msg
sendto fd *buf len flags:msg *addr addrlen
set_mempolicy mode:mempolicy *nodemask maxnode
set_mempolicy_home_node start len home_node flags
set_robust_list *head len
set_thread_area *u_info
set_tid_address *tidptr
set_tls tp
setdomainname *name len
setfsgid gid
setfsuid uid
setgid gid
setgroups size *list
sethostname *name len
setitimer which:itimer *new_value *old_value
setns fd nstype:unshare
setpgid pid pgid
setpriority which:priority who prio
setregid rgid egid
setresgid rgid egid sgid
setresuid ruid euid suid
setreuid ruid euid
setrlimit resource:rlimit *rlim
setsid
setsockopt fd level:socket-level optname:?socket-option *optval optlen
settimeofday *tv *tz
setuid uid
setxattr *pathname *name *value size flags:xattr
setxattrat dirfd:dirfd *pathname at_flags:at *name *args size
sgetmask
shmat shmid *shmaddr shmflg:shmat
shmctl shmid op:shmctl *buf
shmdt *shmaddr
shmget key size shmflg:shmget
shutdown fd how:shutdown
sigaction sig:signal *act *oldact
sigaltstack *ss *old_ss
signal sig:signal handler
signalfd fd *mask sizemask
signalfd4 fd *mask sizemask flags:signalfd
sigpending *set
sigprocmask how:sigprocmask *set *oldset
sigreturn
sigsuspend mask
socket domain:family type:socket-type protocol:?protocol
socketcall call:socketcall *args
socketpair domain:family type:socket-type protocol:?protocol *sv
splice fd_in *off_in fd_out *off_out len flags:splice
spu_create *pathname flags mode:mode neighbor_fd
spu_run fd *unpc *ustatus
ssetmask newmask
stat *pathname *statbuf
statfs *pathname *buf
statfs64 *pathname size *buf
statmount *req *buf bufsize flags
statx dirfd:dirfd *pathname flags:statx-flags mask:statx *statxbuf
stime *t
subpage_prot addr len *map
swapcontext *old_ctx *new_ctx ctx_size
swapoff *path
swapon *path swapflags:swapon
switch_endian
symlink *target *linkpath
symlinkat *target newdirfd:dirfd *linkpath
sync
sync_file_range fd offset nbytes flags:sync-file-range
sync_file_range2 fd flags:sync-file-range offset nbytes
syncfs fd
sysfs option arg1 arg2
sysinfo *info
syslog type:syslog *buf len
sysmips cmd arg1 arg2
tee fd_in fd_out len flags:splice
tgkill tgid tid sig:signal
time *tloc
timer_create clockid:clock *sevp *timerid
timer_delete timerid
timer_getoverrun timerid
timer_gettime timerid *curr_value
timer_settime timerid flags:timer *new_value *old_value
timerfd_create clockid:clock flags:timerfd-create
timerfd_gettime fd *curr_value
timerfd_settime fd flags:timerfd-settime *new_value *old_value
times *tbuf
tkill tid sig:signal
truncate *path length
umask mask:mode
umount *target
umount2 *target flags:umount
uname *buf
unlink *pathname
unlinkat dirfd:dirfd *pathname flags:unlinkat
unshare flags:unshare
uselib *library
userfaultfd flags:userfaultfd
usr26
usr32
ustat dev *buf
utime *pathname *times
utimensat dirfd:dirfd *pathname *times flags:at
utimes *pathname *utimes
vfork
vhangup
vm86 fn *v86
vm86old *info
vmsplice fd *iov nr_segs flags:splice
wait4 pid *wstatus options:wait4 *rusage
waitid idtype:idtype id *infop options:waitid *rusage
waitpid pid *wstatus options:wait4
write fd *buf count
writev fd *iov iovcnt
`;

/**
 * Calls that take other arguments on some architectures. The list ends before a
 * 64-bit argument that is passed in two registers.
 */
export const OTHER_SIGNATURES: readonly (readonly [
  arches: string,
  calls: string,
])[] = [
  [
    "x86 aarch64 arm riscv64 ppc64le ppc64 ppc mips64el mipsel mipsel64n32 mips64 mips mips64n32",
    `
clone flags:clone *stack *parent_tid tls *child_tid
`,
  ],
  [
    "s390 s390x",
    `
clone *stack flags:clone *parent_tid *child_tid tls
mmap *args
`,
  ],
  [
    "s390",
    `
mmap2 *args
`,
  ],
  [
    "x86",
    `
mmap *args
select *args
umount *target
`,
  ],
  [
    "x86 arm s390 mips mipsel ppc",
    `
pread64 fd *buf count
pwrite64 fd *buf count
truncate64 *path
ftruncate64 fd
readahead fd
fadvise64 fd
fadvise64_64 fd
fallocate fd mode:fallocate
sync_file_range fd
fanotify_mark fanotify_fd flags:fanotify-mark
lookup_dcookie
arm_fadvise64_64 fd advice:fadvise
sync_file_range2 fd flags:sync-file-range
`,
  ],
];

/** Sets that depend on the value of another argument. */
export interface Choice {
  /** Name in `SIGNATURES`, without `?`. */
  readonly name: string;
  /** Index of the other argument. */
  readonly by: number;
  /** Rows of a set, and the values of the other argument that select it. */
  readonly rows: string;
}

/** All choices. */
export const CHOICES: readonly Choice[] = [
  {
    name: "protocol",
    by: 0,
    rows: `
ip-protocol AF_INET AF_INET6
netlink-protocol AF_NETLINK
`,
  },
  {
    name: "socket-option",
    by: 1,
    rows: `
so SOL_SOCKET
ip-option IPPROTO_IP
ipv6-option IPPROTO_IPV6
tcp-option SOL_TCP
udp-option SOL_UDP
netlink-option SOL_NETLINK
packet-option SOL_PACKET
`,
  },
  {
    name: "fcntl",
    by: 1,
    rows: `
open F_SETFL
fd-flag F_SETFD
seal F_ADD_SEALS
notify F_NOTIFY
lease F_SETLEASE
signal F_SETSIG
`,
  },
  {
    name: "prctl",
    by: 0,
    rows: `
signal PR_SET_PDEATHSIG
seccomp-mode PR_SET_SECCOMP
capability PR_CAPBSET_READ PR_CAPBSET_DROP
cap-ambient PR_CAP_AMBIENT
securebits PR_SET_SECUREBITS
set-mm PR_SET_MM
speculation PR_GET_SPECULATION_CTRL PR_SET_SPECULATION_CTRL
tsc PR_SET_TSC
`,
  },
  {
    name: "prctl3",
    by: 0,
    rows: `
capability PR_CAP_AMBIENT
`,
  },
];
