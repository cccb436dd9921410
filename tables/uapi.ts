/**
 * Constants of the kernel's user interface, by their names in the headers.
 *
 * Sources: linux/seccomp.h, linux/filter.h, linux/bpf_common.h,
 * linux/prctl.h, linux/ptrace.h, linux/audit.h.
 *
 * @module
 */

/** Kills the whole process. */
export const SECCOMP_RET_KILL_PROCESS = 0x8000_0000;
/** Kills the calling thread. */
export const SECCOMP_RET_KILL_THREAD = 0x0000_0000;
/** Sends SIGSYS; the data goes to `si_errno`. */
export const SECCOMP_RET_TRAP = 0x0003_0000;
/** Fails the call with the data as errno, capped at 4095. */
export const SECCOMP_RET_ERRNO = 0x0005_0000;
/** Asks the listener of the filter. */
export const SECCOMP_RET_USER_NOTIF = 0x7fc0_0000;
/** Asks the tracer; the data is its event message. */
export const SECCOMP_RET_TRACE = 0x7ff0_0000;
/** Lets the call run and logs it. */
export const SECCOMP_RET_LOG = 0x7ffc_0000;
/** Lets the call run. */
export const SECCOMP_RET_ALLOW = 0x7fff_0000;
/** The bits of a return value that are the action. */
export const SECCOMP_RET_ACTION_FULL = 0xffff_0000;
/** The bits of a return value that are data. */
export const SECCOMP_RET_DATA = 0x0000_ffff;

/** `seccomp_data.arch` of x86_64 and x32; linux/audit.h. */
export const AUDIT_ARCH_X86_64 = 0xc000_003e;
/** `seccomp_data.arch` of 32-bit x86. */
export const AUDIT_ARCH_I386 = 0x4000_0003;
/** `seccomp_data.arch` of 64-bit ARM. */
export const AUDIT_ARCH_AARCH64 = 0xc000_00b7;

/** Most instructions in one filter: `BPF_MAXINSNS`. */
export const BPF_MAXINSNS = 4096;
/** Scratch words of a filter: `BPF_MEMWORDS`. */
export const BPF_MEMWORDS = 16;
/** Largest errno a filter can return: `MAX_ERRNO`. */
export const MAX_ERRNO = 4095;
