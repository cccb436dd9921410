/**
 * Sets of values: security, namespaces, observation and the machine. Numbers come from the headers; those that only the
 * kernel's own source has are written here.
 *
 * @module
 */

import { flags, NOTHING, one, type SetSource } from "./source.ts";

/** Actions of syslog(2). Source: include/linux/syslog.h of Linux 6.18. */
const LOG_ACTIONS: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ...["CLOSE", "OPEN", "READ", "READ_ALL", "READ_CLEAR", "CLEAR"],
    ...["CONSOLE_OFF", "CONSOLE_ON", "CONSOLE_LEVEL", "SIZE_UNREAD"],
    "SIZE_BUFFER",
  ].map((name, i) => [`SYSLOG_ACTION_${name}`, String(i)]),
);

/** Security, namespaces, observation and the machine. */
export const KERNEL: readonly SetSource[] = [
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
