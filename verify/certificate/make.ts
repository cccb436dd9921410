/**
 * Makes certificates. This file does not need to be trusted: it splits the
 * inputs until both sides are decided on every part, and check.ts judges what
 * it writes.
 *
 * @module
 */

import { encode } from "../../bpf/encode.ts";
import type { Instruction, Program } from "../../bpf/instruction.ts";
import { effective } from "../../bpf/return_value.ts";
import { countBits } from "../../tables/bits.ts";
import type { Policy } from "../../profile/policy.ts";
import { precedence } from "../../tables/precedence.ts";
import { type InputPart, split } from "./check.ts";
import {
  answerOfPolicy,
  highestBit,
  type NoAnswer,
  type PartAnswer,
} from "./reason.ts";
import { listRules } from "./rules.ts";
import { type ClaimSide, headLines } from "./text.ts";
import { ALL, ANY, type Seen, type Split, truthOf } from "./word.ts";

/** Options of `makeCertificate`. */
export interface CertificateOptions {
  /**
   * `equal` (the default): both sides have the same effect for every input;
   * `within`: the first permits nothing that the second denies.
   */
  readonly claim?: "equal" | "within";
  /** Byte order of the machine; little-endian by default. */
  readonly littleEndian?: boolean;
  /** Maximum number of lines of the proof; 1,000,000 by default. */
  readonly mostLines?: number;
}

/** There is no certificate. */
export class Uncertified extends Error {
  override readonly name = "Uncertified";
}

const MOST_LINES = 1_000_000;

/**
 * Makes a certificate.
 *
 * @throws {Uncertified} if a program computes with words, if the claim is not
 * true, or if the proof would be too long.
 *
 * @param a One side.
 * @param b The other.
 * @param options The claim.
 * @returns The text of the certificate.
 */
export async function makeCertificate(
  a: Policy | Program,
  b: Policy | Program,
  options: CertificateOptions = {},
): Promise<string> {
  const { claim = "equal", littleEndian = true } = options;
  const agree = (x: number, y: number): boolean =>
    claim === "equal"
      ? effective(x) === effective(y)
      : precedence(effective(x)) <= precedence(effective(y));
  const toSide = (side: Policy | Program): ClaimSide =>
    isPolicy(side) ? listRules(side) : encode(side, { littleEndian });
  const sides = [toSide(a), toSide(b)] as const;
  const lines = await headLines(claim, sides, littleEndian);
  const most = lines.length + (options.mostLines ?? MOST_LINES);
  const lists = sides.map((side) => "rules" in side ? side.rules : []);
  const parts: InputPart[] = [{ words: new Array(16).fill(ANY), lists }];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (lines.length >= most) throw new Uncertified("The proof is too long");
    const found = answer(part, [a, b], agree, littleEndian);
    if ("text" in found) {
      lines.push(found.text);
      continue;
    }
    const { words } = part;
    const test = found.open ?? finerTest(words) ?? differ(words);
    const chosen = toSplit(test, words);
    lines.push(testText(chosen));
    parts.push(...split(part, chosen));
  }
  return [...lines, "end", ""].join("\n");
}

function isPolicy(side: Policy | Program): side is Policy {
  return "arches" in side;
}

/** Answers a part by both sides. */
function answer(
  { words, lists }: InputPart,
  sides: readonly [Policy | Program, Policy | Program],
  agree: (a: number, b: number) => boolean,
  littleEndian: boolean,
): { readonly text: string } | NoAnswer {
  const ofProgram = sides.map((side) =>
    isPolicy(side) ? undefined : follow(words, side, littleEndian)
  );
  const open = ofProgram.find((one) => one !== undefined && "open" in one);
  if (open !== undefined) return open as NoAnswer;
  const [x, y] = ofProgram as (PartAnswer | undefined)[];
  const ofPolicy = (side: 0 | 1, accepts: (value: number) => boolean) => {
    const { badArchValue } = sides[side] as Policy;
    return answerOfPolicy(words, lists[side] ?? [], badArchValue, accepts);
  };
  const acceptsFirst = y === undefined
    ? sameAsFirst()
    : (v: number) => y.values.every((w) => agree(v, w));
  const first = x ?? ofPolicy(0, acceptsFirst);
  if ("open" in first) return first;
  const second = y ??
    ofPolicy(1, (w) => first.values.every((v) => agree(v, w)));
  if ("open" in second) return second;
  const good = first.values.every((v) =>
    second.values.every((w) => agree(v, w))
  );
  return good ? { text: `${first.text}, ${second.text}` } : { open: undefined };
}

/** Accepts one value: the first that it is asked for. */
function sameAsFirst(): (value: number) => boolean {
  let first: number | undefined;
  return (value) => value === (first ??= value);
}

/** Follows a program until it returns, or a jump is not decided. */
function follow(
  words: readonly Seen[],
  program: Program,
  littleEndian: boolean,
): PartAnswer | NoAnswer {
  let [at, mask] = [-1, 0];
  for (let pc = 0; pc < program.length; pc++) {
    const { op, jt, jf, k } = program[pc] as Instruction;
    if (op === "ret.k") {
      return { values: [k], text: `returns ${k.toString(16)}` };
    }
    if (op === "ja") pc += k;
    else if (op === "ld.abs") {
      [at, mask] = [littleEndian || k < 8 ? k / 4 : k / 4 ^ 1, ALL];
    } else if (op === "and.k" && at >= 0) mask = (mask & k) >>> 0;
    else {
      const test = testOf(op, { at, mask, k });
      if (at < 0 || test === undefined) {
        throw new Uncertified(
          `Certificates do not cover instruction ${pc}, "${op}": only loads of words, "and" with constants, tests of constants, and constant returns`,
        );
      }
      const passes = truthOf(words, test);
      if (passes === 0) return { open: test };
      pc += (passes > 0) === (op !== "jset.k") ? jt : jf;
    }
  }
  throw new Uncertified("The program does not end in a return");
}

/** Test of a jump; its result is inverted for `jset`. */
function testOf(
  op: Instruction["op"],
  on: Omit<Split, "op">,
): Split | undefined {
  switch (op) {
    case "jeq.k":
      return { ...on, op: "=" };
    case "jgt.k":
      return { ...on, op: ">=", k: on.k + 1 };
    case "jge.k":
      return { ...on, op: ">=" };
    case "jset.k":
      return { ...on, op: "=", mask: (on.mask & on.k) >>> 0, k: 0 };
    default:
      return undefined;
  }
}

/**
 * Finds a split that can show that a part without undecided tests is empty: at a
 * bit of a word with holes or known bits, of the word with the fewest values.
 */
function finerTest(words: readonly Seen[]): Split | undefined {
  let found: Split | undefined;
  let fewest = Infinity;
  for (const [at, { known, low, high, holes }] of words.entries()) {
    const isInterval = (known & ~sharedBits(low, high)) === 0;
    if (low === high || holes.length === 0 && isInterval) continue;
    if (high - low >= fewest) continue;
    fewest = high - low;
    const bit = highestBit(~known >>> 0);
    found = { at, mask: bit, op: "=", k: 0 };
  }
  return found;
}

/** Mask of the leading bits that two numbers share. */
function sharedBits(a: number, b: number): number {
  return a === b ? -1 : -(2 * highestBit((a ^ b) >>> 0));
}

/** Maximum number of bits that a mask hides and that are split off. */
const MOST_UNSEEN = 4;

/** Maximum number of values of a word that intervals separate; bits separate more. */
const MOST_VALUES = 256;

/**
 * Replaces a test by a split that shows more: an interval instead of a number or
 * of bits in few values, one bit instead of a comparison under a mask.
 */
function toSplit(test: Split, words: readonly Seen[]): Split {
  const { at, mask, op, k } = test;
  const { known, low, high } = words[at] as Seen;
  if (mask === ALL) {
    if (op === "=" && k === 0) return { at, mask, op: ">=", k: 1 };
    if (at !== 0 || op === ">=") return test;
    return { at, mask, op: ">=", k: low < k ? k : k + 1 };
  }
  if (high - low < MOST_VALUES) {
    const below = highestBit((low ^ high) >>> 0) - 1;
    return { at, mask: ALL, op: ">=", k: (high & ~below) >>> 0 };
  }
  const open = (mask & ~known) >>> 0;
  if (op === "=" && !isOneBit(open)) return test;
  // An interval under a mask is one of the word, if the other bits are known.
  const others = (~mask & ~known) >>> 0;
  if (others === 0) return test;
  const bits = countBits(others) > MOST_UNSEEN ? open : others;
  return { at, mask: highestBit(bits), op: "=", k: 0 };
}

function isOneBit(word: number): boolean {
  return (word & (word - 1)) === 0;
}

function differ(words: readonly Seen[]): never {
  const input = words.map(({ low }) => low.toString(16)).join(" ");
  throw new Uncertified(`The claim does not hold for the words ${input}`);
}

function testText({ at, mask, op, k }: Split): string {
  const kept = mask === ALL ? "" : `&${mask.toString(16)}`;
  return `w${at.toString(16)}${kept} ${op} ${k.toString(16)}`;
}
