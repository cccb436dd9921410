/**
 * The first lines of a certificate: the claim, and the sides it is about.
 *
 * @module
 */

import type { Rule } from "../../profile/policy.ts";

/** A rule for one architecture. */
export interface ListedRule extends Omit<Rule, "source"> {
  /** Its place in the list, from 0. */
  readonly index: number;
  /** The value of `arch` that it needs. */
  readonly arch: number;
}

/** A policy: the first rule that matches decides; `other`, if none does. */
export interface RuleList {
  readonly rules: readonly ListedRule[];
  readonly other: number;
}

/**
 * A side of a claim: the rules of a policy, or a program as
 * `struct sock_filter[]` in the byte order of its machine.
 */
export type ClaimSide = RuleList | Uint8Array<ArrayBuffer>;

/** Writes the lines of a certificate in front of its proof. */
export async function headLines(
  claim: "equal" | "within",
  [a, b]: readonly [a: ClaimSide, b: ClaimSide],
  littleEndian: boolean,
): Promise<string[]> {
  const first = `seccomp-certificate 2 ${littleEndian ? "little" : "big"}`;
  const lines = await Promise.all([sideLines("a", a), sideLines("b", b)]);
  return [`${first} ${claim}`, ...lines.flat()];
}

async function sideLines(key: string, side: ClaimSide): Promise<string[]> {
  if (side instanceof Uint8Array) {
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", side));
    const length = (side.length / 8).toString(16);
    return [`${key} program ${length} ${hash.toHex()}`];
  }
  const rules = side.rules.map(({ arch, first, last, value, conditions }) => {
    const numbers = [arch, first, last, value].map((n) => n.toString(16));
    const more = conditions.map(({ arg, op, mask, value }) =>
      ` ${arg} ${op} ${mask.toString(16)} ${value.toString(16)}`
    );
    return `rule ${numbers.join(" ")}${more.join("")}`;
  });
  return [`${key} policy`, ...rules, `other ${side.other.toString(16)}`];
}
