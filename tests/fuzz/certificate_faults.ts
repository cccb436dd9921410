/**
 * Faults in certificates: in the text, or in a program together with its hash.
 *
 * @module
 */

import { check } from "../../bpf/check.ts";
import { decode } from "../../bpf/encode.ts";
import { type CertificateCase, isLittleEndian } from "../checkers/sides.ts";
import type { Random } from "../verify/programs.ts";

/** A certificate with a fault. */
export interface CertificateFault extends CertificateCase {
  /** Its kind, for the counts. */
  readonly kind: string;
}

/**
 * Puts a fault into a certificate or into one of its programs.
 *
 * @param one The certificate.
 * @param random The random numbers.
 * @returns `undefined` if nothing has changed, or if a program is invalid.
 */
export async function breakCertificate(
  { text, programs }: CertificateCase,
  random: Random,
): Promise<CertificateFault | undefined> {
  if (programs.length > 0 && random.below(5) === 0) {
    return await breakProgram(text, programs, random);
  }
  const lines = text.split("\n");
  const at = random.below(lines.length);
  const line = lines[at] ?? "";
  let kind = "place of a line";
  switch (random.below(8)) {
    case 0:
      lines.splice(at, 1);
      break;
    case 1:
      lines.splice(at, 0, line);
      break;
    case 2: {
      const other = random.below(lines.length);
      [lines[at], lines[other]] = [lines[other] ?? "", line];
      break;
    }
    case 3: {
      const broken = text.slice(0, random.below(text.length));
      return { text: broken, programs, kind: "truncation" };
    }
    case 4:
      lines[at] = swapWord(line, random);
      kind = kindOf(line);
      break;
    default:
      lines[at] = changeNumber(line, text, random);
      kind = kindOf(line);
  }
  const broken = lines.join("\n");
  return broken === text ? undefined : { text: broken, programs, kind };
}

function kindOf(line: string): string {
  if (line.startsWith("w")) return "split";
  if (line.includes(", ")) return "answers";
  return /^(?:rule|other)/.test(line) ? "policy" : "head or end";
}

/** Changes a number: its neighbor, another bit, or one that occurs elsewhere. */
function changeNumber(line: string, text: string, random: Random): string {
  const numbers = [...line.matchAll(/\b[0-9a-f]+\b/g)];
  const number = numbers[random.below(numbers.length || 1)];
  if (number === undefined) return line;
  const value = BigInt(`0x${number[0]}`);
  const others = [...text.matchAll(/\b[0-9a-f]{1,8}\b/g)];
  const changed = [
    value + 1n,
    value === 0n ? 1n : value - 1n,
    value ^ 1n << BigInt(random.below(32)),
    BigInt(`0x${others[random.below(others.length)]?.[0] ?? "0"}`),
  ][random.below(4)] ?? 0n;
  return line.slice(0, number.index) + changed.toString(16) +
    line.slice(number.index + number[0].length);
}

const WORDS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/ (=|>=) /, [" = ", " >= "]],
  [/ (eq|ne|lt|le|gt|ge) /, [" eq ", " ne ", " lt ", " le ", " gt ", " ge "]],
  [/equal|within/, ["equal", "within"]],
  [/little|big/, ["little", "big"]],
  [/rule|returns|other/, ["rule", "returns", "other", "other 0"]],
  [/, .*$/, [", other", ", rule 0", ", rule 1", ", returns 0", ""]],
  [/^.*, /, ["other, ", "rule 0, ", "rule 1, ", "returns 0, ", ""]],
  [/&[0-9a-f]+/, ["", "&1", "&ffff0000"]],
  [/^w./, ["w0", "w1", "w4", "w5"]],
];

function swapWord(line: string, random: Random): string {
  const fitting = WORDS.filter(([word]) => word.test(line));
  const [word, others] = fitting[random.below(fitting.length || 1)] ??
    [/$/, ["end"]];
  return line.replace(word, others[random.below(others.length)] ?? "");
}

/** Changes a field of an instruction, and the hash with it. */
async function breakProgram(
  text: string,
  programs: readonly Uint8Array<ArrayBuffer>[],
  random: Random,
): Promise<CertificateFault | undefined> {
  const index = random.below(programs.length);
  const bytes = new Uint8Array(programs[index] as Uint8Array<ArrayBuffer>);
  const at = random.below(bytes.length);
  const change = [1, 0xff, 1 << random.below(8)][random.below(3)] ?? 1;
  bytes[at] = ((bytes[at] ?? 0) + change) & 0xff;
  const littleEndian = isLittleEndian({ text, programs });
  if (check(decode(bytes, { littleEndian })) !== undefined) return undefined;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const side = [...text.matchAll(/^. program [0-9a-f]+ ([0-9a-f]{64})$/gm)];
  return {
    text: text.replace(side[index]?.[1] ?? "", hash.toHex()),
    programs: programs.map((one, i) => i === index ? bytes : one),
    kind: "program",
  };
}
