/**
 * The first lines of certificates: what they say of which sides.
 *
 * @module
 */

import { encode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import type { Policy } from "../../profile/policy.ts";

/** The claim of a certificate. */
export interface ClaimOptions {
  /**
   * `equal` (the default): both sides have the same effect for every input;
   * `within`: the first permits nothing that the second denies.
   */
  readonly claim?: "equal" | "within";
  /** Byte order of the machine; little-endian by default. */
  readonly littleEndian?: boolean;
}

/**
 * Writes what a certificate says, without its proof: its first lines.
 *
 * @param a One side.
 * @param b The other.
 * @param options The claim.
 * @returns The lines, without the last line feed.
 */
export async function claimText(
  a: Policy | Program,
  b: Policy | Program,
  { claim = "equal", littleEndian = true }: ClaimOptions = {},
): Promise<string> {
  return [
    "seccomp-certificate 1",
    `order ${littleEndian ? "little" : "big"}`,
    `a ${await sideText(a, littleEndian)}`,
    `b ${await sideText(b, littleEndian)}`,
    `claim ${claim}`,
  ].join("\n");
}

/**
 * Reports whether a side is a policy.
 *
 * @param side A policy or a program.
 * @returns True for a policy.
 */
export function isPolicySide(side: Policy | Program): side is Policy {
  return "defaultValue" in side;
}

async function sideText(
  side: Policy | Program,
  littleEndian: boolean,
): Promise<string> {
  if (isPolicySide(side)) return `policy\n${policyText(side)}`;
  const bytes = encode(side, { littleEndian });
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const digits = Array.from(hash, (b) => b.toString(16).padStart(2, "0"));
  return `program ${side.length.toString(16)} ${digits.join("")}`;
}

function policyText(policy: Policy): string {
  const hex = (value: number | bigint): string => value.toString(16);
  const lines = [
    `default ${hex(policy.defaultValue)}`,
    `other ${hex(policy.badArchValue)}`,
  ];
  for (const { auditArch, rules } of policy.arches) {
    lines.push(`arch ${hex(auditArch)}`);
    for (const { first, last, value, conditions } of rules) {
      const numbers = first === last
        ? hex(first)
        : `${hex(first)}-${hex(last)}`;
      const words = conditions.flatMap((c) => [
        hex(c.arg),
        c.op,
        hex(c.mask),
        hex(c.value),
      ]);
      lines.push(["rule", numbers, hex(value), ...words].join(" "));
    }
  }
  return lines.join("\n");
}
