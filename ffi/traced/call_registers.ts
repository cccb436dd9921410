/**
 * The call in the registers of a thread that its filter has stopped: at the
 * SIGSYS of TRAP, and at the end of a thread that was killed. The kernel has
 * restored the registers to their values before the call (kernel/seccomp.c:
 * syscall_rollback()).
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { AUDIT_ARCH_AARCH64, AUDIT_ARCH_I386 } from "../../tables/uapi.ts";
import { addressOf, type Libc } from "../libc.ts";

/** linux/ptrace.h. */
const PTRACE_GETREGS = 12;
const PTRACE_GETREGSET = 0x4204;
const PTRACE_GET_SYSCALL_INFO = 0x420e;
/** linux/elf.h. */
const NT_PRSTATUS = 1n;

/** Words of the registers, and bytes of `struct ptrace_syscall_info`. */
const WORDS = 34;
const INFO_BYTES = 88;
const ARCH_OFFSET_OF_INFO = 4;

/** Registers of a call: struct user_regs_struct, struct user_pt_regs. */
interface CallLayout {
  readonly nr: number;
  readonly args: readonly number[];
  readonly pc: number;
  readonly bits: 32 | 64;
}

const X86_64: CallLayout = {
  ...{ nr: 15, args: [14, 13, 12, 7, 9, 8], pc: 16, bits: 64 },
};
const I386: CallLayout = {
  ...{ nr: 15, args: [5, 11, 12, 13, 14, 4], pc: 16, bits: 32 },
};
const AARCH64: CallLayout = {
  ...{ nr: 8, args: [0, 1, 2, 3, 4, 5], pc: 32, bits: 64 },
};
const ARM: CallLayout = {
  ...{ nr: 7, args: [0, 1, 2, 3, 4, 5], pc: 15, bits: 32 },
};

/**
 * Reads the call of a stopped thread.
 *
 * @returns The call; `undefined` if the registers cannot be read.
 */
export function readCallRegisters(
  libc: Libc,
  tid: number,
): SeccompData | undefined {
  const { ptrace } = libc.symbols;
  const words = new BigUint64Array(WORDS);
  const vector = new BigUint64Array([
    addressOf(words),
    BigInt(words.byteLength),
  ]);
  const result = Deno.build.arch === "x86_64"
    ? ptrace(PTRACE_GETREGS, tid, 0n, addressOf(words))
    : ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, addressOf(vector));
  if (result < 0) return undefined;
  const info = new DataView(new ArrayBuffer(INFO_BYTES));
  const size = BigInt(INFO_BYTES);
  if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, size, addressOf(info)) <= 0) {
    return undefined;
  }
  const arch = info.getUint32(ARCH_OFFSET_OF_INFO, true);
  const layout = layoutOf(arch);
  const { nr, args, pc, bits } = layout;
  return {
    nr: Number(BigInt.asUintN(32, words[nr] ?? 0n)),
    arch,
    instructionPointer: words[pc] ?? 0n,
    args: args.map((i) => BigInt.asUintN(bits, words[i] ?? 0n)),
  };
}

function layoutOf(arch: number): CallLayout {
  if (Deno.build.arch === "x86_64") {
    return arch === AUDIT_ARCH_I386 ? I386 : X86_64;
  }
  return arch === AUDIT_ARCH_AARCH64 ? AARCH64 : ARM;
}
