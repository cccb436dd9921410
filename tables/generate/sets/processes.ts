/**
 * Sets of values: processes, time and signals. Numbers come from the headers; those that only the
 * kernel's own source has are written here.
 *
 * @module
 */

import { flags, one, type SetSource } from "./source.ts";

/** Processes, time and signals. */
export const PROCESSES: readonly SetSource[] = [
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
