/**
 * Names of source code that stand for numbers: `BPF_*`, `SECCOMP_RET_*`,
 * `AUDIT_ARCH_*`, errors, `__NR_*`.
 *
 * @module
 */

import type { NamedCall } from "../../../bpf/assembly/draft.ts";
import { actionOfWord, archOfWord } from "../../../bpf/assembly/words.ts";
import { errnoNumber } from "../../../tables/errno.ts";
import {
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_DATA,
} from "../../../tables/uapi.ts";

/** linux/bpf_common.h, linux/filter.h, linux/seccomp.h. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ["BPF_LD", 0x00],
  ["BPF_LDX", 0x01],
  ["BPF_ST", 0x02],
  ["BPF_STX", 0x03],
  ["BPF_ALU", 0x04],
  ["BPF_JMP", 0x05],
  ["BPF_RET", 0x06],
  ["BPF_MISC", 0x07],
  ["BPF_W", 0x00],
  ["BPF_H", 0x08],
  ["BPF_B", 0x10],
  ["BPF_IMM", 0x00],
  ["BPF_ABS", 0x20],
  ["BPF_IND", 0x40],
  ["BPF_MEM", 0x60],
  ["BPF_LEN", 0x80],
  ["BPF_MSH", 0xa0],
  ["BPF_ADD", 0x00],
  ["BPF_SUB", 0x10],
  ["BPF_MUL", 0x20],
  ["BPF_DIV", 0x30],
  ["BPF_OR", 0x40],
  ["BPF_AND", 0x50],
  ["BPF_LSH", 0x60],
  ["BPF_RSH", 0x70],
  ["BPF_NEG", 0x80],
  ["BPF_MOD", 0x90],
  ["BPF_XOR", 0xa0],
  ["BPF_JA", 0x00],
  ["BPF_JEQ", 0x10],
  ["BPF_JGT", 0x20],
  ["BPF_JGE", 0x30],
  ["BPF_JSET", 0x40],
  ["BPF_K", 0x00],
  ["BPF_X", 0x08],
  ["BPF_A", 0x10],
  ["BPF_TAX", 0x00],
  ["BPF_TXA", 0x80],
  ["SECCOMP_RET_DATA", SECCOMP_RET_DATA],
  ["SECCOMP_RET_ACTION", 0x7fff_0000],
  ["SECCOMP_RET_ACTION_FULL", SECCOMP_RET_ACTION_FULL],
  ["X32_SYSCALL_BIT", 0x4000_0000],
  ["__X32_SYSCALL_BIT", 0x4000_0000],
]);

/** Names of the parts of a code, for suggestions. */
export const CODE_NAMES: readonly string[] = [...NUMBERS.keys()];

/** Offsets of the fields of `struct seccomp_data`. */
const FIELDS: ReadonlyMap<string, number> = new Map([
  ["nr", 0],
  ["arch", 4],
  ["instruction_pointer", 8],
  ["args", 16],
]);

/**
 * Finds the number of a name.
 *
 * @param name The last part of its path: `BPF_LD`, not `libc::BPF_LD`.
 * @returns The number, or `undefined` if the name is unknown.
 */
export function numberOfName(name: string): number | undefined {
  const number = NUMBERS.get(name);
  if (number !== undefined) return number;
  if (name.startsWith("SECCOMP_RET_")) return actionOfWord(name)?.value;
  if (/^(?:AUDIT_|SCMP_)?ARCH_/.test(name)) {
    const arch = archOfWord(name);
    return arch?.syscallBit === 0 ? arch.auditArch : undefined;
  }
  return /^E[A-Z0-9]+$/.test(name) ? errnoNumber(name) : undefined;
}

/**
 * Finds the offset of a field of `struct seccomp_data`.
 *
 * @param name Name of the field; `args` is the first argument.
 */
export function offsetOfField(name: string): number | undefined {
  return FIELDS.get(name);
}

/**
 * Reads the name of a call, such as `__NR_read`.
 *
 * @param name The name.
 * @param place Its position.
 */
export function callOfName(
  name: string,
  place: { readonly line: number; readonly column: number },
): NamedCall | undefined {
  const call = /^(?:__NR_|SYS_)(?<call>\w+)$/.exec(name)?.groups?.["call"];
  return call === undefined
    ? undefined
    : { kind: "call", name: call, ...place };
}
