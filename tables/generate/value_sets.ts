/**
 * The sets of values that arguments of system calls take: which headers define
 * their names, and how the names share a word. The numbers come from the
 * headers; those that only the kernel's own source has are written here.
 *
 * @module
 */

/** Names of the values of one argument. */
export interface SetSource {
  /** Name of the set, as `tables/signatures.ts` uses it. */
  readonly set: string;
  /**
   * Headers of the kernel, in order of preference. A name counts if it is
   * defined in a header of one of these base names.
   */
  readonly headers: readonly string[];
  /** Names of the set. */
  readonly names: RegExp;
  /** Names that match but are not values: counts, masks, shifts. */
  readonly not?: RegExp;
  /** Names that are read but never printed: second names of a value. */
  readonly second?: RegExp;
  /**
   * Masks of the parts of the word that hold one of several values, by the
   * expression of C; `"all"` for the whole word. Other bits are flags.
   */
  readonly fields?: readonly string[];
  /** Names that no header for users has, with their values in C. */
  readonly define?: Readonly<Record<string, string>>;
  /** Headers of the C library, read for names that the kernel's lack. */
  readonly libc?: readonly string[];
  /** True if only macros made by `_IO()` and its kin count, besides `names`. */
  readonly requests?: true;
  /** Bits to shift values by, with the names to which that applies. */
  readonly shift?: readonly [RegExp, number];
}

/** A set of which a word holds exactly one value. */
function one(
  set: string,
  headers: string,
  names: RegExp,
  more: Partial<SetSource> = {},
): SetSource {
  return { ...flags(set, headers, names, more), fields: ["all"] };
}

/** A set whose values are or-ed. */
function flags(
  set: string,
  headers: string,
  names: RegExp,
  more: Partial<SetSource> = {},
): SetSource {
  return {
    set,
    headers: headers.split(" ").filter((header) => header !== ""),
    names,
    ...more,
  };
}

/**
 * Values that only the kernel's own source defines.
 *
 * Sources, Linux 6.18: include/linux/net.h and arch/mips/include/asm/socket.h
 * (`enum sock_type`), include/linux/syslog.h, include/linux/fs.h (`MAY_*`, as
 * access(2) names them), include/linux/splice.h.
 */
const SOCKET_TYPES: Readonly<Record<string, string>> = {
  SOCK_STREAM: "(MIPS ? 2 : 1)",
  SOCK_DGRAM: "(MIPS ? 1 : 2)",
  SOCK_RAW: "3",
  SOCK_RDM: "4",
  SOCK_SEQPACKET: "5",
  SOCK_DCCP: "6",
  SOCK_PACKET: "10",
  SOCK_CLOEXEC: "O_CLOEXEC",
  SOCK_NONBLOCK: "O_NONBLOCK",
};

const LOG_ACTIONS: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ...["CLOSE", "OPEN", "READ", "READ_ALL", "READ_CLEAR", "CLEAR"],
    ...["CONSOLE_OFF", "CONSOLE_ON", "CONSOLE_LEVEL", "SIZE_UNREAD"],
    "SIZE_BUFFER",
  ].map((name, i) => [`SYSLOG_ACTION_${name}`, String(i)]),
);

/** Never a name of a value. */
const NOTHING = /^$/;

/** Sockets. */
const SOCKETS: readonly SetSource[] = [
  one("family", "", NOTHING, {
    libc: ["sys/socket.h"],
    names: /^AF_/,
    not: /^AF_MAX$/,
    second: /^AF_(?:LOCAL|FILE|ROUTE)$/,
  }),
  flags("socket-type", "linux/fcntl.h", NOTHING, {
    fields: ["0xf"],
    define: SOCKET_TYPES,
  }),
  flags("accept", "linux/fcntl.h", NOTHING, {
    define: { SOCK_CLOEXEC: "O_CLOEXEC", SOCK_NONBLOCK: "O_NONBLOCK" },
  }),
  one("ip-protocol", "linux/in.h", /^IPPROTO_/, { not: /^IPPROTO_MAX$/ }),
  one("netlink-protocol", "linux/netlink.h", /^NETLINK_[A-Z0-9_]+$/, {
    not:
      /^NETLINK_(?:ADD_MEMBERSHIP|DROP_MEMBERSHIP|PKTINFO|BROADCAST_ERROR|NO_ENOBUFS|(?:RX|TX)_RING|LISTEN_ALL_NSID|LIST_MEMBERSHIPS|CAP_ACK|EXT_ACK|GET_STRICT_CHK|(?:UN)?CONNECTED)$/,
    second: /^NETLINK_INET_DIAG$/,
  }),
  one(
    "socket-level",
    "asm/socket.h linux/in.h",
    /^SOL_|^IPPROTO_(?:IP|IPV6|TCP|UDP|ICMPV6|RAW|SCTP)$/,
    {
      libc: ["sys/socket.h", "netinet/tcp.h", "netinet/udp.h"],
      second: /^IPPROTO_/,
    },
  ),
  one("so", "asm/socket.h", /^(?:SO|SCM)_/, {
    not:
      /^SCM_(?!TIMESTAMPING_(?:PKTINFO|OPT_STATS))|^SO_(?:TIMESTAMP|TIMESTAMPNS|TIMESTAMPING|RCVTIMEO|SNDTIMEO)$/,
    second: /^SCM_|^SO_(?:GET_FILTER|DETACH_BPF|STYLE)$/,
  }),
  one("ip-option", "linux/in.h", /^(?:IP|MCAST)_/, {
    not:
      /^IP_(?:PMTUDISC_|DEFAULT_|MAX_|MSFILTER_SIZE|XFRM_POLICY_)|^MCAST_(?:EXCLUDE|INCLUDE)$/,
    second: /^IP_RECVRETOPTS$|^IP_ORIGDSTADDR$/,
  }),
  one("ipv6-option", "linux/in6.h", /^IPV6_[A-Z0-9_]+$/, {
    not: /^IPV6_(?:PMTUDISC_|FL_|FLOWINFO_|PRIORITY_|PREFER_|TLV_|OPTIONS?$)/,
    second: /^IPV6_ORIGDSTADDR$/,
  }),
  one("tcp-option", "linux/tcp.h", /^TCP_[A-Z0-9_]+$/, {
    not:
      /^TCP_(?:RESERVED_BITS|CM_INQ|FLAG_|MSS_|MD5SIG_|MAX_|NO_QUEUE|RECV_QUEUE$|SEND_QUEUE$|QUEUES_NR|FASTOPEN_CLIENT_FAIL|REPAIR_(?:ON|OFF)|CA_|NLA_|RECEIVE_ZEROCOPY_FLAG|AO_KEYF|AO_KEY_|AO_MAXKEYLEN|DATA_OFFSET|SYN_RETRIES|ACCECN_)/,
  }),
  one("udp-option", "linux/udp.h", /^UDP_[A-Z0-9_]+$/, { not: /^UDP_ENCAP_/ }),
  one(
    "netlink-option",
    "linux/netlink.h",
    /^NETLINK_(?:ADD_MEMBERSHIP|DROP_MEMBERSHIP|PKTINFO|BROADCAST_ERROR|NO_ENOBUFS|(?:RX|TX)_RING|LISTEN_ALL_NSID|LIST_MEMBERSHIPS|CAP_ACK|EXT_ACK|GET_STRICT_CHK)$/,
  ),
  one("packet-option", "linux/if_packet.h", /^PACKET_[A-Z0-9_]+$/, {
    not:
      /^PACKET_(?:HOST|BROADCAST|MULTICAST|OTHERHOST|OUTGOING|LOOPBACK|USER|KERNEL|FASTROUTE|FANOUT_.+|MR_.+|VNET_HDR_SZ_.+)$/,
  }),
  flags("msg", "", NOTHING, {
    libc: ["sys/socket.h"],
    names: /^MSG_/,
    not: /^MSG_(?:NOERROR|EXCEPT|COPY|STAT|INFO|STAT_ANY)$/,
    second: /^MSG_TRYHARD$/,
  }),
  one("shutdown", "", NOTHING, { libc: ["sys/socket.h"], names: /^SHUT_/ }),
  one("socketcall", "linux/net.h", /^SYS_/),
];

/** Files, directories and mounts. */
const FILES: readonly SetSource[] = [
  flags("open", "linux/fcntl.h", /^(?:__)?O_/, {
    not: /^O_(?:ACCMODE|NDELAY)$|^__O_TMPFILE$/,
    fields: ["O_ACCMODE"],
    define: { O_ASYNC: "FASYNC" },
  }),
  flags("mode", "linux/stat.h", /^S_IF[A-Z]+$/, {
    not: /^S_IFMT$/,
    fields: ["S_IFMT"],
  }),
  flags("dup3", "linux/fcntl.h", /^O_CLOEXEC$/),
  flags(
    "pipe2",
    "linux/fcntl.h linux/watch_queue.h",
    /^O_(?:CLOEXEC|NONBLOCK|DIRECT|NOTIFICATION_PIPE)$/,
    {
      second: /^O_(?:NOTIFICATION_PIPE|EXCL)$/,
    },
  ),
  one(
    "fcntl",
    "linux/fcntl.h",
    /^F_(?:DUP|GET|SET|ADD|CANCEL|OFD|NOTIFY|CREATED|DUPFD)[A-Z0-9_]*$/,
    {},
  ),
  flags("fd-flag", "linux/fcntl.h", /^FD_CLOEXEC$/),
  flags("seal", "linux/fcntl.h", /^F_SEAL_/),
  flags("notify", "linux/fcntl.h", /^DN_/),
  one("lease", "linux/fcntl.h", /^F_(?:RD|WR|UN)LCK$/),
  flags("flock", "linux/fcntl.h", /^LOCK_/),
  one("dirfd", "linux/fcntl.h", /^AT_FDCWD$/),
  flags(
    "at",
    "linux/fcntl.h",
    /^AT_(?:SYMLINK_NOFOLLOW|EMPTY_PATH|NO_AUTOMOUNT)$/,
  ),
  flags(
    "at-recursive",
    "linux/fcntl.h",
    /^AT_(?:SYMLINK_NOFOLLOW|EMPTY_PATH|NO_AUTOMOUNT|RECURSIVE)$/,
  ),
  flags(
    "faccessat",
    "linux/fcntl.h",
    /^AT_(?:SYMLINK_NOFOLLOW|EMPTY_PATH|EACCESS)$/,
  ),
  flags("unlinkat", "linux/fcntl.h", /^AT_REMOVEDIR$/),
  flags("linkat", "linux/fcntl.h", /^AT_(?:SYMLINK_FOLLOW|EMPTY_PATH)$/),
  flags(
    "execveat",
    "linux/fcntl.h",
    /^AT_(?:SYMLINK_NOFOLLOW|EMPTY_PATH|EXECVE_CHECK)$/,
  ),
  flags(
    "name-to-handle",
    "linux/fcntl.h",
    /^AT_(?:SYMLINK_FOLLOW|EMPTY_PATH|HANDLE_FID|HANDLE_MNT_ID_UNIQUE|HANDLE_CONNECTABLE)$/,
  ),
  flags(
    "statx-flags",
    "linux/fcntl.h",
    /^AT_(?:SYMLINK_NOFOLLOW|EMPTY_PATH|NO_AUTOMOUNT|STATX_.+)$/,
    {
      not: /^AT_STATX_SYNC_TYPE$/,
      fields: ["AT_STATX_SYNC_TYPE"],
    },
  ),
  flags("statx", "linux/stat.h", /^STATX_/, {
    not: /^STATX_(?:ATTR_|_RESERVED|ALL$)/,
  }),
  flags("access", "", NOTHING, {
    names: /^[FXWR]_OK$/,
    define: { F_OK: "0", X_OK: "1", W_OK: "2", R_OK: "4" },
  }),
  one("whence", "linux/fs.h", /^SEEK_/, { not: /^SEEK_MAX$/ }),
  flags("rename", "linux/fs.h", /^RENAME_/),
  flags("fallocate", "linux/falloc.h", /^FALLOC_FL_/),
  one("fadvise", "linux/fadvise.h", /^POSIX_FADV_/),
  flags("sync-file-range", "linux/fs.h", /^SYNC_FILE_RANGE_/, {
    second: /^SYNC_FILE_RANGE_WRITE_AND_WAIT$/,
  }),
  flags("rwf", "linux/fs.h", /^RWF_/, { not: /^RWF_SUPPORTED$/ }),
  flags("xattr", "linux/xattr.h", /^XATTR_(?:CREATE|REPLACE)$/),
  flags("splice", "", NOTHING, { libc: ["fcntl.h"], names: /^SPLICE_F_/ }),
  flags("close-range", "linux/close_range.h", /^CLOSE_RANGE_/),
  flags("inotify", "linux/inotify.h", /^IN_/, {
    not: /^IN_(?:ALL_EVENTS|CLOEXEC|NONBLOCK|CLASS.*)$/,
    second: /^IN_(?:CLOSE|MOVE)$/,
  }),
  flags("inotify-init", "linux/inotify.h", /^IN_(?:CLOEXEC|NONBLOCK)$/),
  flags(
    "fanotify-init",
    "linux/fanotify.h",
    /^FAN_(?:CLOEXEC|NONBLOCK|CLASS_.+|UNLIMITED_.+|ENABLE_AUDIT|REPORT_.+)$/,
    {
      fields: ["0xc"],
      second: /^FAN_REPORT_DFID_NAME(?:_TARGET)?$/,
    },
  ),
  flags("fanotify-mark", "linux/fanotify.h", /^FAN_MARK_/, {
    not: /^FAN_MARK_INODE$/,
    second: /^FAN_MARK_IGNORE_SURV$/,
  }),
  flags(
    "fanotify-event",
    "linux/fanotify.h",
    /^FAN_(?:ACCESS|MODIFY|ATTRIB|CLOSE_.+|OPEN.*|MOVED_.+|CREATE|DELETE.*|MOVE_SELF|FS_ERROR|PRE_ACCESS|MNT_.+|ACCESS_PERM|RENAME|EVENT_ON_CHILD|ONDIR|Q_OVERFLOW)$/,
  ),
  flags("mount", "linux/mount.h", /^MS_/, {
    not: /^MS_(?:RMT_MASK|MGC_MSK)$/,
    second: /^MS_VERBOSE$/,
  }),
  flags("umount", "", NOTHING, {
    libc: ["sys/mount.h"],
    names: /^(?:MNT_(?:FORCE|DETACH|EXPIRE)|UMOUNT_NOFOLLOW)$/,
  }),
  flags("fsopen", "linux/mount.h", /^FSOPEN_/),
  flags("fsmount", "linux/mount.h", /^FSMOUNT_/),
  flags("fspick", "linux/mount.h", /^FSPICK_/),
  one("fsconfig", "linux/mount.h", /^FSCONFIG_/),
  flags("mount-attr", "linux/mount.h", /^MOUNT_ATTR_/, {
    not: /^MOUNT_ATTR_(?:_ATIME|SIZE_.+)$/,
    fields: ["MOUNT_ATTR__ATIME"],
  }),
  flags(
    "open-tree",
    "linux/mount.h linux/fcntl.h",
    /^OPEN_TREE_|^AT_(?:SYMLINK_NOFOLLOW|EMPTY_PATH|NO_AUTOMOUNT|RECURSIVE)$/,
  ),
  flags("move-mount", "linux/mount.h", /^MOVE_MOUNT_/, {
    not: /^MOVE_MOUNT__MASK$/,
  }),
  flags("swapon", "", NOTHING, {
    libc: ["sys/swap.h"],
    names: /^SWAP_FLAG_/,
    not: /^SWAP_FLAG_PRIO_(?:MASK|SHIFT)$/,
  }),
  flags(
    "quotactl",
    "linux/quota.h linux/dqblk_xfs.h",
    /^(?:Q_|(?:USR|GRP|PRJ)QUOTA$)/,
    {
      fields: ["0xff", "0xffffff00"],
      not: /^Q_XQUOTA/,
      second: /^Q_XGETQSTATV?$/,
      shift: [/^Q_/, 8],
    },
  ),
];

/** Memory. */
const MEMORY: readonly SetSource[] = [
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

/** Processes, time and signals. */
const PROCESSES: readonly SetSource[] = [
  flags(
    "clone",
    "linux/sched.h asm/signal.h",
    /^CLONE_|^SIG(?!_|RTM|STKSZ|IOT$|POLL$|UNUSED$|EV_)[A-Z0-9]+$/,
    {
      not:
        /^CLONE_(?:NEWTIME|CLEAR_SIGHAND|INTO_CGROUP|AUTOREAP|NNP|PIDFD_AUTOKILL|EMPTY_MNTNS)$|^CLONE_ARGS_|^SIGCLD$/,
      fields: ["0xff"],
    },
  ),
  flags(
    "unshare",
    "linux/sched.h",
    /^CLONE_(?:NEW[A-Z]+|FILES|FS|SYSVSEM|THREAD|SIGHAND|VM)$/,
  ),
  one("signal", "asm/signal.h", /^SIG(?!_|STKSZ|EV_)[A-Z0-9]+$/, {
    not: /^SIGRTM/,
    second: /^SIG(?:IOT|POLL|CLD|UNUSED|LOST)$/,
  }),
  one("sigprocmask", "asm/signal.h", /^SIG_(?:BLOCK|UNBLOCK|SETMASK)$/),
  flags("signalfd", "linux/signalfd.h", /^SFD_/),
  flags("wait4", "linux/wait.h", /^W(?:NOHANG|UNTRACED|CONTINUED)$|^__W/),
  flags(
    "waitid",
    "linux/wait.h",
    /^W(?:NOHANG|STOPPED|EXITED|CONTINUED|NOWAIT)$|^__W/,
  ),
  one("idtype", "linux/wait.h", /^P_/),
  flags("pidfd-open", "linux/pidfd.h", /^PIDFD_(?:NONBLOCK|THREAD)$/),
  flags("pidfd-signal", "linux/pidfd.h", /^PIDFD_SIGNAL_/),
  one("kcmp", "linux/kcmp.h", /^KCMP_/, { not: /^KCMP_TYPES$/ }),
  one("rlimit", "asm/resource.h linux/resource.h", /^RLIMIT_/),
  one("rusage", "linux/resource.h", /^RUSAGE_/),
  one("priority", "linux/resource.h", /^PRIO_(?:PROCESS|PGRP|USER)$/),
  one("ioprio", "linux/ioprio.h", /^IOPRIO_WHO_/),
  flags(
    "sched",
    "linux/sched.h",
    /^SCHED_(?:NORMAL|FIFO|RR|BATCH|IDLE|DEADLINE|EXT|RESET_ON_FORK)$/,
    {
      fields: ["0xff"],
    },
  ),
  one("clock", "linux/time.h", /^CLOCK_/, {
    not: /^CLOCK_AUX_LAST$/,
    second: /^CLOCK_AUX$/,
  }),
  flags("timer", "linux/time.h", /^TIMER_ABSTIME$/),
  one("itimer", "linux/time.h", /^ITIMER_/),
  flags("timerfd-create", "linux/timerfd.h", /^TFD_(?:CLOEXEC|NONBLOCK)$/),
  flags("timerfd-settime", "linux/timerfd.h", /^TFD_TIMER_/),
  flags("eventfd", "linux/eventfd.h", /^EFD_/),
  flags("epoll-create", "linux/eventpoll.h", /^EPOLL_CLOEXEC$/),
  one("epoll-ctl", "linux/eventpoll.h", /^EPOLL_CTL_/),
  flags("futex", "linux/futex.h", /^FUTEX_/, {
    not:
      /^FUTEX_(?:CMD_MASK|WAITERS|OWNER_DIED|TID_MASK|BITSET_MATCH_ANY|WAITV_MAX|OP_.+|32|NO_NODE|ROBUST_.+)$|^FUTEX_.+_PRIVATE$|^FUTEX2_/,
    fields: ["FUTEX_CMD_MASK & 0x7f"],
  }),
  flags("futex2", "linux/futex.h", /^FUTEX2_/, {
    not: /^FUTEX2_(?:SIZE_MASK)$/,
    second: /^FUTEX2_PRIVATE$/,
    fields: ["3"],
  }),
  flags(
    "personality",
    "linux/personality.h",
    /^PER_|^(?:UNAME26|ADDR_.+|FDPIC_FUNCPTRS|MMAP_PAGE_ZERO|READ_IMPLIES_EXEC|SHORT_INODE|WHOLE_SECONDS|STICKY_TIMEOUTS)$/,
    {
      not: /^PER_(?:MASK|CLEAR_ON_SETID)$/,
      second: /^PER_(?:BSD|LINUX_32BIT|LINUX_FDPIC)$/,
      fields: ["0xff"],
    },
  ),
  one("ptrace", "linux/ptrace.h asm/ptrace.h", /^(?:PTRACE_|PTRACE64)/, {
    not:
      /^PTRACE_(?:CFI_|GETFDPIC_|O_|EVENTMSG_|SYSCALL_INFO_|PEEKSIGINFO_SHARED|EVENT_|SYSCALL_USER_DISPATCH_)/,
    second: /^PTRACE_(?:OLDSETOPTIONS|GET_WATCH_REGS)$/,
  }),
  one("arch-prctl", "asm/prctl.h", /^ARCH_[A-Z0-9_]+$/, {
    not: /^ARCH_SHSTK_(?:SHSTK|WRSS)$|^ARCH_(?:HAS_|XCOMP_)/,
  }),
];

/** Security, namespaces, observation and the machine. */
const KERNEL: readonly SetSource[] = [
  one(
    "prctl",
    "linux/prctl.h",
    /^PR_(?:(?:SET|GET|CAPBSET|TASK_PERF|MCE|SVE|SME|MPX|PAC|CAP|SPEC|SCHED|LOCK|RISCV|PPC|TIMER|FUTEX|RSEQ|UNLOCK|THP|SHADOW).*)$/,
    {
      not:
        /^PR_(?:SET_MM_|SET_PTRACER_ANY|CAP_AMBIENT_|MCE_KILL_(?!GET$)|SPEC_|SCHED_CORE_|SVE_(?:VL|SET_VL_ONEXEC)|SME_(?:VL|SET_VL_ONEXEC)|PAC_AP|RISCV_(?:V_VSTATE_CTRL_|CTX_SW|SCOPE)|PPC_DEXCR_|FUTEX_HASH_|TIMER_CREATE_RESTORE_IDS_|RSEQ_SLICE_EXT(?:_|ENSION_)|SET_VMA_ANON|CFI_|SHADOW_STACK_|THP_DISABLE_EXCEPT|LOCK_SHADOW_STACK_MODES|PAC_(?:APIA))/,
    },
  ),
  one("cap-ambient", "linux/prctl.h", /^PR_CAP_AMBIENT_/),
  one("set-mm", "linux/prctl.h", /^PR_SET_MM_/),
  one(
    "speculation",
    "linux/prctl.h",
    /^PR_SPEC_(?:STORE_BYPASS|INDIRECT_BRANCH|L1D_FLUSH)$/,
  ),
  one("seccomp-mode", "linux/seccomp.h", /^SECCOMP_MODE_/),
  one("tsc", "linux/prctl.h", /^PR_TSC_/),
  one("capability", "linux/capability.h", /^CAP_/, {
    not: /^CAP_(?:LAST_CAP|TO_)/,
  }),
  flags("securebits", "linux/securebits.h", /^SECBIT_/),
  one("seccomp", "linux/seccomp.h", /^SECCOMP_(?:SET|GET)_[A-Z0-9_]+$/),
  flags("seccomp-flags", "linux/seccomp.h", /^SECCOMP_FILTER_FLAG_/),
  one("keyctl", "linux/keyctl.h", /^KEYCTL_/, {
    not: /^KEYCTL_(?:SUPPORTS_|CAPS\d|MOVE_EXCL)/,
  }),
  one("key", "linux/keyctl.h", /^KEY_SPEC_/),
  one(
    "bpf",
    "linux/bpf.h",
    /^BPF_(?:MAP_(?:CREATE|LOOKUP_ELEM|UPDATE_ELEM|DELETE_ELEM|GET_NEXT_KEY|GET_NEXT_ID|GET_FD_BY_ID|LOOKUP_AND_DELETE_ELEM|FREEZE|LOOKUP_BATCH|LOOKUP_AND_DELETE_BATCH|UPDATE_BATCH|DELETE_BATCH)|PROG_(?:LOAD|ATTACH|DETACH|TEST_RUN|RUN|GET_NEXT_ID|GET_FD_BY_ID|QUERY|BIND_MAP|STREAM_READ_BY_FD|ASSOC_STRUCT_OPS)|OBJ_(?:PIN|GET|GET_INFO_BY_FD)|RAW_TRACEPOINT_OPEN|BTF_(?:LOAD|GET_FD_BY_ID|GET_NEXT_ID)|TASK_FD_QUERY|LINK_(?:CREATE|UPDATE|GET_FD_BY_ID|GET_NEXT_ID|DETACH)|ENABLE_STATS|ITER_CREATE|TOKEN_CREATE)$/,
    {
      second: /^BPF_PROG_RUN$/,
    },
  ),
  flags("perf", "linux/perf_event.h", /^PERF_FLAG_/),
  one(
    "io-uring-register",
    "linux/io_uring.h",
    /^IORING_(?:UN)?REGISTER_[A-Z0-9_]+$|^IORING_REGISTER_/,
    {
      not:
        /^IORING_REGISTER_(?:LAST|FILES_SKIP|SRC_REGISTERED|DST_REPLACE|USE_REGISTERED_RING)$/,
    },
  ),
  flags("io-uring-enter", "linux/io_uring.h", /^IORING_ENTER_/),
  flags("getrandom", "linux/random.h", /^GRND_/),
  one("landlock-rule", "linux/landlock.h", /^LANDLOCK_RULE_/),
  flags("landlock-create", "linux/landlock.h", /^LANDLOCK_CREATE_RULESET_/),
  flags("landlock-restrict", "linux/landlock.h", /^LANDLOCK_RESTRICT_SELF_/),
  one("membarrier", "linux/membarrier.h", /^MEMBARRIER_CMD_/, {
    not: /^MEMBARRIER_CMD_FLAG_/,
    second: /^MEMBARRIER_CMD_SHARED$/,
  }),
  flags("membarrier-flags", "linux/membarrier.h", /^MEMBARRIER_CMD_FLAG_/),
  flags("rseq", "linux/rseq.h", /^RSEQ_FLAG_/),
  one("lsm-attr", "linux/lsm.h", /^LSM_ATTR_/, { not: /^LSM_ATTR_UNDEF$/ }),
  flags("module", "linux/module.h", /^MODULE_INIT_/),
  flags("delete-module", "linux/fcntl.h", /^O_(?:NONBLOCK|TRUNC)$/),
  flags(
    "kexec",
    "linux/kexec.h",
    /^KEXEC_(?:ON_CRASH|PRESERVE_CONTEXT|UPDATE_ELFCOREHDR|CRASH_HOTPLUG_SUPPORT|ARCH_.+)$/,
    {
      not: /^KEXEC_ARCH_MASK$/,
      fields: ["KEXEC_ARCH_MASK"],
    },
  ),
  flags("kexec-file", "linux/kexec.h", /^KEXEC_FILE_/),
  one("reboot", "linux/reboot.h", /^LINUX_REBOOT_CMD_/),
  one("reboot-magic", "linux/reboot.h", /^LINUX_REBOOT_MAGIC1$/),
  one("reboot-magic2", "linux/reboot.h", /^LINUX_REBOOT_MAGIC2/),
  one("syslog", "", NOTHING, {
    names: /^SYSLOG_ACTION_/,
    define: LOG_ACTIONS,
  }),
];

/** Requests of ioctl(2) that are common. */
const REQUESTS: SetSource = one(
  "ioctl",
  "asm/ioctls.h linux/sockios.h linux/fs.h linux/fiemap.h linux/blkpg.h linux/blkzoned.h linux/fscrypt.h linux/fsverity.h linux/loop.h linux/if_tun.h linux/vhost.h linux/kvm.h linux/fuse.h linux/dm-ioctl.h linux/random.h linux/rtc.h linux/userfaultfd.h linux/seccomp.h linux/perf_event.h linux/nsfs.h linux/kd.h linux/vt.h linux/uinput.h linux/input.h linux/hidraw.h linux/usbdevice_fs.h linux/nvme_ioctl.h linux/ppp-ioctl.h linux/vfio.h linux/dma-heap.h linux/dma-buf.h linux/udmabuf.h linux/nbd.h",
  /^(?:TIOC|TC|FIO|SIOC|KD|GIO_|PIO_|VT_[A-Z]|BLK)[A-Z0-9_]*$/,
  {
    requests: true,
    not:
      /^(?:TIOC(?:PKT|M|SER_TEMT)(?:_.+|$)|TIOCM_.+|TC(?:O|I)(?:ON|OFF|O?FLUSH)|TCIOFLUSH|TCSA.+|SIOC(?:DEVPRIVATE|PROTOPRIVATE)|KDSKBMODE_.+|VT_(?:AUTO|PROCESS|ACKACQ|EVENT_.+|MAX.+)|KD_(?:TEXT0?|TEXT1|GRAPHICS|.+FONT_.+)|BLK_[A-Z_]+|BLKTRACE_.+|BLKPG_.+|BLKDEV_.+|KDGKBMETA_.+|.*_MAGIC|.*_MASK|KDFONTOP.+)$/,
  },
);

/** A generated file of sets. */
export interface SetGroup {
  /** Name of the file in `tables/values/`, without its ending. */
  readonly file: string;
  /** Subject of its first line. */
  readonly title: string;
  readonly sets: readonly SetSource[];
}

/** All files. */
export const SET_GROUPS: readonly SetGroup[] = [
  { file: "sockets", title: "sockets", sets: SOCKETS },
  { file: "files", title: "files and mounts", sets: FILES },
  { file: "memory", title: "memory and System V IPC", sets: MEMORY },
  { file: "processes", title: "processes, signals, time", sets: PROCESSES },
  { file: "kernel", title: "security and the machine", sets: KERNEL },
  { file: "requests", title: "ioctl(2)", sets: [REQUESTS] },
];

/** All sets. */
export const SET_SOURCES: readonly SetSource[] = SET_GROUPS.flatMap((
  { sets },
) => sets);
