/**
 * Checks a certificate: a text from which a claim about every input follows by
 * local steps. docs/certificate.md defines the text and the steps; this file,
 * like the checkers in `checkers/`, can be written from that page alone.
 *
 * The checker does not search. It follows the splits of the certificate, which
 * cut the set of all inputs exactly, and both sides on each part that is left.
 * It shares nothing with the prover in `core/`.
 *
 * @module
 */

import type { Condition } from "../../profile/policy.ts";
import { type ClaimSide, headLines, type ListedRule } from "./text.ts";
import { ALL, ANY, cut, type Seen, type Split, truthOf } from "./word.ts";

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
 * Checks a certificate.
 *
 * @example "A filter is equal to itself" as a certificate
 * ```ts
 * import { checkCertificate } from "./check.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const allow = new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f]);
 * const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", allow));
 * const text = `seccomp-certificate 2 little equal
 * a program 1 ${hash.toHex()}
 * b program 1 ${hash.toHex()}
 * returns 7fff0000, returns 7fff0000
 * end
 * `;
 * assertEquals(await checkCertificate(text, [allow, allow]), "equal");
 * ```
 *
 * @throws {CertificateError} if the certificate is about other sides, or does
 * not show its claim, which may still be true.
 *
 * @param text The certificate.
 * @param sides The sides that it has to be about, a and b.
 * @param options Byte order of the machine; little-endian by default.
 * @returns The claim, which is true.
 */
export async function checkCertificate(
  text: string,
  sides: readonly [a: ClaimSide, b: ClaimSide],
  { littleEndian = true }: { readonly littleEndian?: boolean } = {},
): Promise<"equal" | "within"> {
  const claim = /^.* within\n/.test(text) ? "within" : "equal";
  const lines = text.split("\n");
  let read = 0;
  const refuse = (why: string): never => {
    throw new CertificateError(why, read);
  };
  const next = (): string => lines[read++] ?? refuse("The text ends");
  for (const wanted of await headLines(claim, sides, littleEndian)) {
    const line = next();
    const seen = `it has "${line}", these sources have "${wanted}"`;
    if (line !== wanted) refuse(`It is about something else: ${seen}`);
  }
  const lists = sides.map((side) => "rules" in side ? side.rules : []);
  const parts: InputPart[] = [{ words: new Array(16).fill(ANY), lists }];
  for (let line = next(); line !== "end"; line = next()) {
    const part = parts.pop() ?? refuse("All parts are shown already");
    const test = readTest(line);
    if (test !== undefined) {
      parts.push(...split(part, test));
      continue;
    }
    const [a, b] = sides.map((side, i) =>
      "rules" in side
        ? walk(part.words, part.lists[i] ?? [], side.other)
        : follow(part.words, side, littleEndian)
    );
    if (!a || !b) return refuse("A test of the program is not decided");
    const reasons = `${a.reason}, ${b.reason}`;
    if (line !== reasons) refuse(`It has "${line}" for "${reasons}"`);
    if (!a.values.every((x) => b.values.every((y) => agree(claim, x, y)))) {
      refuse("The answers do not agree");
    }
  }
  if (parts.length > 0) refuse("A part is not shown");
  const isWhole = next() === "" && read === lines.length;
  return isWhole ? claim : refuse("There is text after the end");
}

type Words = readonly Seen[];
type Rules = readonly ListedRule[];

/** Some of all inputs: what is known, and each side's rules that may match. */
export interface InputPart {
  readonly words: Words;
  readonly lists: readonly Rules[];
}

/** The values that a side may return in a part, and the reason in the text. */
interface Answer {
  readonly values: readonly number[];
  readonly reason: string;
}

/** Indices of words. */
const [NR, ARCH, FIRST_WIDE, FIRST_ARG] = [0, 1, 2, 4];

const NUMBER = "(0|[1-9a-f][0-9a-f]{0,7})";
const SPLIT = RegExp(`^w([0-9a-f])(?:&${NUMBER})? (>?=) ${NUMBER}$`);

function readTest(line: string): Split | undefined {
  const [, at, bits = "ffffffff", op, k] = SPLIT.exec(line) ?? [];
  if (at === undefined || k === undefined) return undefined;
  const [word, mask] = [parseInt(at, 16), parseInt(bits, 16)];
  return { at: word, mask, op: op === "=" ? "=" : ">=", k: parseInt(k, 16) };
}

/** Splits a part; the inputs that pass the test are the last part. */
export function split({ words, lists }: InputPart, test: Split): InputPart[] {
  return [false, true].flatMap((passes) => {
    const word = cut(words[test.at] ?? ANY, test, passes);
    if (word === undefined) return [];
    const kept = words.with(test.at, word);
    const may = (rule: ListedRule): boolean =>
      matches(rule, kept, test.at) >= 0;
    return [{ words: kept, lists: lists.map((list) => list.filter(may)) }];
  });
}

/** Codes of instructions, linux/bpf_common.h. */
const [LD_ABS, AND_K, JA, RET_K] = [0x20, 0x54, 0x05, 0x06];
const JUMPS = [0x15, 0x25, 0x35, 0x45];
const [JEQ_K, JGT_K, , JSET_K] = JUMPS;

/** Follows a program on all inputs of a part. */
function follow(
  words: Words,
  { buffer, byteOffset, length }: Uint8Array,
  littleEndian: boolean,
): Answer | undefined {
  const bytes = new DataView(buffer, byteOffset, length);
  let [at, mask] = [-1, 0];
  for (let pc = 0; 8 * pc + 8 <= length; pc++) {
    const code = bytes.getUint16(8 * pc, littleEndian);
    const k = bytes.getUint32(8 * pc + 4, littleEndian);
    if (code === RET_K) {
      return { values: [k], reason: `returns ${k.toString(16)}` };
    }
    if (code === JA) pc += k;
    else if (code === LD_ABS && k % 4 === 0 && k < 64) {
      // In memory, the high half of 64 bits comes first on big-endian machines.
      const isSwapped = !littleEndian && k / 4 >= FIRST_WIDE;
      [at, mask] = [isSwapped ? k / 4 ^ 1 : k / 4, ALL];
    } else if (code === AND_K && at >= 0) mask = (mask & k) >>> 0;
    else {
      if (at < 0 || !JUMPS.includes(code)) return undefined;
      const isSet = code === JSET_K;
      const op = isSet || code === JEQ_K ? "=" : ">=";
      const bits = isSet ? (mask & k) >>> 0 : mask;
      const limit = isSet ? 0 : code === JGT_K ? k + 1 : k;
      const truth = truthOf(words, { at, mask: bits, op, k: limit });
      if (truth === 0) return undefined;
      pc += bytes.getUint8(8 * pc + (truth > 0 !== isSet ? 2 : 3));
    }
  }
  return undefined;
}

/** Goes through the rules of a policy that may match in a part. */
function walk(words: Words, rules: Rules, other: number): Answer {
  const values: number[] = [];
  for (const rule of rules) {
    const truth = matches(rule, words);
    if (truth >= 0) values.push(rule.value);
    if (truth > 0) return { values, reason: `rule ${rule.index.toString(16)}` };
  }
  return { values: [...values, other], reason: "other" };
}

/** Decides whether a rule matches; `only` is a word that alone has changed. */
export function matches(rule: ListedRule, words: Words, only?: number): number {
  const { low, high } = words[NR] ?? ANY;
  if (rule.last < low || high < rule.first) return -1;
  // Nothing else of the rule can have become false.
  if (only === NR) return 0;
  return Math.min(
    rule.first <= low && high <= rule.last ? 1 : 0,
    truthOf(words, { at: ARCH, mask: ALL, op: "=", k: rule.arch }),
    ...rule.conditions.map((condition) => holds(condition, words)),
  );
}

/** Decides a condition on 64 bits by its halves. */
function holds(condition: Condition, words: Words): number {
  const { arg, op, mask, value } = condition;
  const half = (number: bigint, i: number): number =>
    Number(number >> BigInt(32 * i) & 0xffff_ffffn);
  const test = (i: number, op: Split["op"], plus: number): number =>
    truthOf(words, {
      at: FIRST_ARG + 2 * arg + i,
      ...{ mask: half(mask, i), op, k: half(value, i) + plus },
    });
  const same = test(1, "=", 0);
  if (op === "eq") return Math.min(same, test(0, "=", 0));
  if (op === "ne") return -Math.min(same, test(0, "=", 0));
  const rest = test(0, ">=", op === "gt" || op === "le" ? 1 : 0);
  const isMore = Math.max(test(1, ">=", 1), Math.min(same, rest));
  return op === "gt" || op === "ge" ? isMore : -isMore;
}

const ACTION = 0xffff_0000;
/** Actions, linux/seccomp.h. */
const [ERRNO, TRAP, TRACE] = [0x5_0000, 0x3_0000, 0x7ff0_0000];
/** KILL_THREAD, USER_NOTIF, LOG, ALLOW; all others are KILL_PROCESS. */
const WITHOUT_DATA = [0, 0x7fc0_0000, 0x7ffc_0000, 0x7fff_0000];

/** Returns the lowest value that the kernel treats like a value. */
function effectOf(value: number): number {
  const action = (value & ACTION) >>> 0;
  if (action === TRAP || action === TRACE) return value;
  if (action === ERRNO) return action | Math.min(value & 0xffff, 4095);
  return WITHOUT_DATA.includes(action) ? action : 0x8000_0000;
}

/** Reports whether two answers satisfy a claim. */
function agree(claim: "equal" | "within", a: number, b: number): boolean {
  const [x, y] = [effectOf(a), effectOf(b)];
  // Actions are ordered as signed numbers: the lowest is the strictest.
  return claim === "equal" ? x === y : (x & ACTION) <= (y & ACTION);
}
