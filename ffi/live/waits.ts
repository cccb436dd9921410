/**
 * Finds the call in which a thread waits, and whether a stop would cut it
 * short.
 *
 * A stop interrupts a waiting call. Most calls are then as if they had not
 * begun, so they can begin again. The program notices the interruption of
 * others: a `write` to a full pipe returns the number of bytes written so far;
 * a call that waits for the answer of a supervisor (seccomp_unotify(2)) is
 * presented to the supervisor a second time; an `ioctl` does whatever its
 * driver decides. /proc shows the call in which a thread waits, without a stop.
 *
 * @module
 */

import { type Arch, ARCHES } from "../../tables/arch.ts";
import {
  AUDIT_ARCH_AARCH64,
  AUDIT_ARCH_I386,
  AUDIT_ARCH_X86_64,
} from "../../tables/uapi.ts";
import type { Libc } from "../libc.ts";
import { readMemory, readProcText } from "./proc.ts";

/** A bit of every number of x32. */
const X32_BIT = 0x4000_0000;

/**
 * Calls that an interruption leaves as if they had not begun, whether the
 * kernel then restarts them (ERESTARTSYS and the like), continues them by
 * `restart_syscall`, or makes them return EINTR: signal(7), "Interruption of
 * system calls and library functions by stop signals", and the sources of Linux
 * 6.1.
 */
const WAITS: ReadonlySet<string> = new Set([
  // Time and signals.
  ...["nanosleep", "clock_nanosleep", "clock_nanosleep_time64", "pause"],
  ...["rt_sigsuspend", "sigsuspend", "rt_sigtimedwait"],
  ...["rt_sigtimedwait_time64", "restart_syscall"],
  // Descriptors.
  ...["poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6"],
  ...["pselect6_time64", "epoll_wait", "epoll_pwait", "epoll_pwait2"],
  ...["io_getevents", "io_pgetevents", "io_pgetevents_time64"],
  ...["io_uring_enter", "read", "readv", "flock", "fcntl", "fcntl64"],
  // Sockets.
  ...["accept", "accept4", "connect", "recv", "recvfrom", "recvmsg"],
  // Processes and threads.
  ...["wait4", "waitid", "waitpid", "futex", "futex_time64", "futex_wait"],
  ...["futex_waitv", "semop", "semtimedop", "semtimedop_time64"],
  // Messages.
  ...["msgrcv", "msgsnd", "mq_timedreceive", "mq_timedreceive_time64"],
  ...["mq_timedsend", "mq_timedsend_time64"],
]);

/**
 * linux/socket.h: with this flag a call waits for all data, and returns a part
 * if it is interrupted.
 */
const MSG_WAITALL = 0x100n;
/** Index of the flags. */
const FLAGS_AT: Readonly<Record<string, number>> = {
  recv: 3,
  recvfrom: 3,
  recvmsg: 2,
};

/**
 * `ioctl` requests of threads that are often interrupted and whose programs
 * expect it: KVM_RUN of linux/kvm.h, SECCOMP_IOCTL_NOTIF_RECV of
 * linux/seccomp.h.
 */
const IOCTL_WAITS: ReadonlySet<bigint> = new Set([0xae80n, 0xc050_2100n]);

/** A call that a thread has made. */
export interface Call {
  /** Its number, a u32. */
  readonly nr: number;
  /** Its arguments. */
  readonly args: readonly bigint[];
}

/**
 * Reports whether an interruption leaves a call as if it had not begun.
 *
 * @param abi Its calling convention.
 * @param call The call.
 */
export function isWait(abi: Arch, call: Call): boolean {
  const { nr, args } = call;
  const name = nameOf(abi, call);
  if (name === "ioctl") return IOCTL_WAITS.has(args[1] ?? 0n);
  if (name === undefined || !WAITS.has(name)) return false;
  // The arguments of a multiplexed call are in memory.
  if (abi.syscalls.get(name) !== nr) return true;
  const flags = args[FLAGS_AT[name] ?? 6] ?? 0n;
  return (flags & MSG_WAITALL) === 0n;
}

/**
 * Finds the architecture whose numbers a call has.
 *
 * @param auditArch Architecture as seccomp sees it.
 * @param nr Its number, which distinguishes x32 from x86_64.
 */
export function abiOf(auditArch: number, nr: number): Arch | undefined {
  return ARCHES.find((arch) =>
    arch.auditArch === auditArch && (nr & X32_BIT) === arch.syscallBit
  );
}

/**
 * Name of a call, undefined for an unknown one; for `socketcall` and `ipc`, the
 * name of the multiplexed call.
 */
function nameOf(abi: Arch, { nr, args }: Call): string | undefined {
  // ipc(2) has a version in the upper half.
  const number = Number((args[0] ?? 0n) & 0xffffn);
  const meant = abi.multiplexed.find((m) => m.nr === nr && m.call === number);
  if (meant !== undefined) return meant.name;
  for (const [name, value] of abi.syscalls) if (value === nr) return name;
  return undefined;
}

/**
 * Reads the call in which a thread waits: "running"; or number, six arguments,
 * stack pointer and program counter; or -1 and the last two if it waits outside
 * of a call, as for a page.
 *
 * @returns undefined if /proc does not show it.
 */
export function waitLine(libc: Libc, tid: number): string | undefined {
  return readProcText(libc, `/proc/${tid}/syscall`);
}

/**
 * Finds the call that a stop would cut short.
 *
 * The thread keeps running, so the answer is about a past moment.
 *
 * @param line Line from `waitLine`.
 * @returns Description of the call; undefined if the thread may be stopped.
 */
export function fragileWait(
  libc: Libc,
  tid: number,
  line: string | undefined,
): string | undefined {
  const [first = "", ...rest] = line?.split(" ") ?? [];
  if (!/^[0-9]+$/.test(first)) return undefined;
  const call = { nr: Number(first), args: rest.slice(0, 6).map(BigInt) };
  if (readProcText(libc, `/proc/${tid}/wchan`)?.includes("seccomp") === true) {
    return "for the answer of a seccomp supervisor";
  }
  const arch = archOf(libc, tid, BigInt(rest[7] ?? 0));
  const abi = arch === undefined ? undefined : abiOf(arch, call.nr);
  if (abi !== undefined && isWait(abi, call)) return undefined;
  const name = abi === undefined ? undefined : nameOf(abi, call);
  return `in ${name === undefined ? `call ${call.nr}` : `"${name}"`}`;
}

/** Instructions that make a call, and the `AUDIT_ARCH_*` that seccomp then sees. */
const ENTRIES: Readonly<
  Record<typeof Deno.build.arch, Readonly<Record<string, number>>>
> = {
  // syscall; int $0x80, which is also the return address after sysenter.
  "x86_64": { "0f05": AUDIT_ARCH_X86_64, "cd80": AUDIT_ARCH_I386 },
  // svc #0; 32-bit threads have other instructions.
  "aarch64": { "010000d4": AUDIT_ARCH_AARCH64 },
};

/**
 * A thread's call as seccomp sees it.
 *
 * @param pc Address at which the thread continues.
 */
function archOf(libc: Libc, tid: number, pc: bigint): number | undefined {
  for (const [code, arch] of Object.entries(ENTRIES[Deno.build.arch])) {
    const length = code.length / 2;
    const bytes = readMemory(libc, tid, pc - BigInt(length), length);
    if (bytes?.toHex() === code) return arch;
  }
  return undefined;
}
