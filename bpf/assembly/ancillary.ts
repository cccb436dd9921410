/**
 * `bpf_asm` names of data about a packet. Seccomp filters cannot use them; they
 * are parsed so that the kernel's refusal can name the instruction.
 *
 * @module
 */

import type { Cursor } from "./tokens.ts";

/** Offset of data about a packet that is not in its bytes; linux/filter.h. */
const SKF_AD_OFF = 0xffff_f000;

/** Names of such data, each with its offset from `SKF_AD_OFF`: `SKF_AD_*`. */
const ANCILLARY: ReadonlyMap<string, number> = new Map([
  ["proto", 0],
  ["type", 4],
  ["ifidx", 8],
  ["nla", 12],
  ["nlan", 16],
  ["mark", 20],
  ["queue", 24],
  ["hatype", 28],
  ["rxhash", 32],
  ["cpu", 36],
  ["vlan_tci", 44],
  ["vlan_avail", 48],
  ["vlan_pr", 48],
  ["poff", 52],
  ["rand", 56],
  ["vlan_tpid", 60],
]);

/**
 * Takes a name such as `proto` or `#proto`, if it comes next.
 *
 * @param cursor Position before the operand of a load.
 * @returns The offset of the load.
 */
export function acceptAncillary(cursor: Cursor): number | undefined {
  const at = cursor.peek().text === "#" ? 1 : 0;
  const { kind, text } = cursor.peek(at);
  const offset = kind === "word"
    ? ANCILLARY.get(text.toLowerCase())
    : undefined;
  if (offset === undefined) return undefined;
  for (let i = 0; i <= at; i++) cursor.take();
  return SKF_AD_OFF + offset;
}
