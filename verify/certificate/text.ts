/**
 * The first lines of a certificate: which sides it is about.
 *
 * @module
 */

import type { Policy } from "../../profile/policy.ts";

/**
 * A side of a claim: a policy, or a program as `struct sock_filter[]` in the
 * byte order of its machine.
 */
export type ClaimSide = Policy | Uint8Array<ArrayBuffer>;

/** A certificate is about something else, or does not show its claim. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";

  /**
   * Records the reason and its place.
   *
   * @param message The reason.
   * @param line Number of the line, from 1.
   */
  constructor(message: string, readonly line: number) {
    super(message);
  }
}

/**
 * Compares the lines of a certificate in front of its claim.
 *
 * @throws {CertificateError} if it is about other sides.
 *
 * @param text The certificate.
 * @param sides The sides that it has to be about.
 * @param littleEndian Byte order of the machine.
 * @returns These lines.
 */
export async function skipSides(
  text: string,
  sides: readonly [a: ClaimSide, b: ClaimSide],
  littleEndian: boolean,
): Promise<string> {
  const wanted = await sidesText(sides, littleEndian);
  if (text.startsWith(wanted)) return wanted;
  const [ours, theirs] = [wanted.split("\n"), text.split("\n")];
  const line = ours.findIndex((one, i) => one !== theirs[i]);
  throw new CertificateError(
    `It is about something else: it has "${
      theirs[line] ?? ""
    }", these sources have "${ours[line]}"`,
    line + 1,
  );
}

/**
 * Writes the lines of a certificate in front of its claim.
 *
 * @param sides The sides, a and b.
 * @param littleEndian Byte order of the machine.
 * @returns The lines, each with a line feed.
 */
export async function sidesText(
  sides: readonly [a: ClaimSide, b: ClaimSide],
  littleEndian: boolean,
): Promise<string> {
  const order = littleEndian ? "little" : "big";
  const [a, b] = [await sideText(sides[0]), await sideText(sides[1])];
  return `seccomp-certificate 1\norder ${order}\na ${a}b ${b}`;
}

async function sideText(side: ClaimSide): Promise<string> {
  if (!(side instanceof Uint8Array)) return policyText(side);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", side));
  const digits = Array.from(hash, (b) => b.toString(16).padStart(2, "0"));
  return `program ${(side.length / 8).toString(16)} ${digits.join("")}\n`;
}

function policyText(policy: Policy): string {
  let text = `policy\ndefault ${policy.defaultValue.toString(16)}\n` +
    `other ${policy.badArchValue.toString(16)}\n`;
  for (const { auditArch, rules } of policy.arches) {
    text += `arch ${auditArch.toString(16)}\n`;
    for (const { first, last, value, conditions } of rules) {
      text += `rule ${first.toString(16)}`;
      if (first !== last) text += `-${last.toString(16)}`;
      text += ` ${value.toString(16)}`;
      for (const { arg, op, mask, value } of conditions) {
        text += ` ${arg} ${op} ${mask.toString(16)} ${value.toString(16)}`;
      }
      text += "\n";
    }
  }
  return text;
}
