/**
 * The first lines of a certificate: the claim, and the sides it is about.
 *
 * @module
 */

import type { RuleList } from "./rules.ts";

/**
 * A side of a claim: the rules of a policy, or a program as `struct sock_filter[]` in the
 * byte order of its machine.
 */
export type ClaimSide = RuleList | Uint8Array<ArrayBuffer>;

/**
 * `equal`: both sides have the same effect for every input; `within`: the first
 * permits nothing that the second denies.
 */
export type CertifiedClaim = "equal" | "within";

/** Writes the lines of a certificate in front of its proof. */
export async function headLines(
  claim: CertifiedClaim,
  sides: readonly [a: ClaimSide, b: ClaimSide],
  littleEndian: boolean,
): Promise<string[]> {
  const order = littleEndian ? "little" : "big";
  const [a, b] = await Promise.all(sides.map(sideText));
  return `seccomp-certificate 2 ${order} ${claim}\na ${a}\nb ${b}`.split("\n");
}

async function sideText(side: ClaimSide): Promise<string> {
  if (side instanceof Uint8Array) {
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", side));
    return `program ${(side.length / 8).toString(16)} ${hash.toHex()}`;
  }
  let text = "policy\n";
  for (const { arch, first, last, value, conditions } of side.rules) {
    const numbers = [arch, first, last, value].map((n) => n.toString(16));
    text += `rule ${numbers.join(" ")}`;
    for (const { arg, op, mask, value } of conditions) {
      text += ` ${arg} ${op} ${mask.toString(16)} ${value.toString(16)}`;
    }
    text += "\n";
  }
  return `${text}other ${side.other.toString(16)}`;
}
