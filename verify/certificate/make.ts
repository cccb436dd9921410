/**
 * Makes certificates. Nobody has to trust this file: it splits the inputs until
 * both sides are decided on every part, and check.ts judges what it writes.
 *
 * @module
 */

import { encode } from "../../bpf/encode.ts";
import type { Instruction, Program } from "../../bpf/instruction.ts";
import { effective } from "../../bpf/return_value.ts";
import type { Policy } from "../../profile/policy.ts";
import { precedence } from "../../tables/precedence.ts";
import {
  boundsOf,
  EVERYTHING,
  type InputPart,
  isEmptyPart,
  OPEN,
  splitPart,
  type SplitTest,
  wordOf,
  YES,
} from "./part.ts";
import {
  answerOfPolicy,
  decideIn,
  highestBit,
  type NoAnswer,
  type PartAnswer,
} from "./reason.ts";
import { type ClaimSide, sidesText } from "./text.ts";

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
const ALL_BITS = 0xffff_ffff;

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
    isPolicy(side) ? side : encode(side, { littleEndian });
  const sides = await sidesText([toSide(a), toSide(b)], littleEndian);
  const lines = [`${sides}claim ${claim}`];
  const most = 1 + (options.mostLines ?? MOST_LINES);
  const parts = [EVERYTHING];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (lines.length >= most) throw new Uncertified("The proof is too long");
    if (isEmptyPart(part)) {
      lines.push("none");
      continue;
    }
    const found = answer(part, [a, b], agree, littleEndian);
    if ("text" in found) {
      lines.push(found.text);
      continue;
    }
    const test = toSplit(found.open ?? finerTest(part) ?? differ(part), part);
    lines.push(testText(test));
    const { passing, others } = splitPart(part, test);
    parts.push(others, passing);
  }
  return [...lines, "end", ""].join("\n");
}

function isPolicy(side: Policy | Program): side is Policy {
  return "arches" in side;
}

/** Answers a part by both sides. */
function answer(
  part: InputPart,
  [a, b]: readonly [Policy | Program, Policy | Program],
  agree: (a: number, b: number) => boolean,
  littleEndian: boolean,
): { readonly text: string } | NoAnswer {
  const ofProgram = [a, b].map((side) =>
    isPolicy(side) ? undefined : follow(part, side)
  );
  const open = ofProgram.find((one) => one !== undefined && "open" in one);
  if (open !== undefined) return open as NoAnswer;
  const [x, y] = ofProgram as (PartAnswer | undefined)[];
  const first = x ??
    answerOfPolicy(
      part,
      a as Policy,
      littleEndian,
      y === undefined
        ? sameAsFirst()
        : (v) => y.values.every((w) => agree(v, w)),
    );
  if ("open" in first) return first;
  const second = y ??
    answerOfPolicy(
      part,
      b as Policy,
      littleEndian,
      (w) => first.values.every((v) => agree(v, w)),
    );
  if ("open" in second) return second;
  const good = first.values.every((v) =>
    second.values.every((w) => agree(v, w))
  );
  return good
    ? { text: `${first.text} | ${second.text}` }
    : { open: undefined };
}

/** Accepts one value: the first that it is asked for. */
function sameAsFirst(): (value: number) => boolean {
  let first: number | undefined;
  return (value) => value === (first ??= value);
}

/** Follows a program until it returns, or a jump is not decided. */
function follow(part: InputPart, program: Program): PartAnswer | NoAnswer {
  let [word, mask] = [-1, 0];
  for (let pc = 0; pc < program.length; pc++) {
    const { op, jt, jf, k } = program[pc] as Instruction;
    if (op === "ret.k") return { values: [k], text: k.toString(16) };
    if (op === "ja") pc += k;
    else if (op === "ld.abs") [word, mask] = [k / 4, ALL_BITS];
    else if (op === "and.k" && word >= 0) mask = (mask & k) >>> 0;
    else {
      const test = testOf(op, { word, mask, k });
      if (word < 0 || test === undefined) {
        throw new Uncertified(
          `Certificates do not cover instruction ${pc}, "${op}": only loads of words, "and" with constants, tests of constants, and constant returns`,
        );
      }
      const passes = decideIn(part, test);
      if (passes === OPEN) return { open: test };
      pc += (passes === YES) === (op !== "jset.k") ? jt : jf;
    }
  }
  throw new Uncertified("The program does not end in a return");
}

/** Test of a jump; its result is inverted for `jset`. */
function testOf(
  op: Instruction["op"],
  at: Omit<SplitTest, "op">,
): SplitTest | undefined {
  switch (op) {
    case "jeq.k":
      return { ...at, op: "=" };
    case "jgt.k":
      return { ...at, op: ">=", k: at.k + 1 };
    case "jge.k":
      return { ...at, op: ">=" };
    case "jset.k":
      return { ...at, op: "=", mask: (at.mask & at.k) >>> 0, k: 0 };
    default:
      return undefined;
  }
}

/**
 * Finds a split that can show that a part without undecided tests is empty: at a
 * hole, or at a bit of a word that several masks see.
 */
function finerTest(part: InputPart): SplitTest | undefined {
  for (const [word, facts] of part.entries()) {
    for (const { mask } of facts.views) {
      const { low, high, holes } = boundsOf(facts, mask);
      const met = new Set(holes.filter((one) => low <= one && one <= high));
      // Every value is a hole: other words would be split for nothing.
      if (met.size > high - low) return { word, mask, op: ">=", k: low + 1 };
    }
  }
  for (const [word, facts] of part.entries()) {
    const { views, known } = facts;
    for (const { mask } of views) {
      const { low, high, holes } = boundsOf(facts, mask);
      const hole = holes.find((one) => low <= one && one <= high);
      if (hole !== undefined) {
        return { word, mask, op: ">=", k: hole > low ? hole : hole + 1 };
      }
      const unknown = (mask & ~known) >>> 0;
      if (unknown !== 0 && views.length > 1) {
        return { word, mask: highestBit(unknown), op: "=", k: 0 };
      }
    }
  }
  return undefined;
}

/** Maximum number of values of a word that intervals separate; bits separate more. */
const MOST_VALUES = 256;

/**
 * Prefers intervals to bits and holes, since they show more: in a few values,
 * a bit changes at one place; and not 0 under a mask is its lowest bit or more.
 */
function toSplit(test: SplitTest, part: InputPart): SplitTest {
  const { word, mask, op, k } = test;
  const { low, high } = boundsOf(wordOf(part, word), ALL_BITS);
  if (mask !== ALL_BITS && low < high && high - low < MOST_VALUES) {
    const below = highestBit((low ^ high) >>> 0) - 1;
    return { word, mask: ALL_BITS, op: ">=", k: (high & ~below) >>> 0 };
  }
  if (op === ">=" || k !== 0) return test;
  return { ...test, op: ">=", k: (mask & -mask) >>> 0 };
}

function differ(part: InputPart): never {
  const words = part.map((word) =>
    word.views.reduce((bits, { mask }) => bits | boundsOf(word, mask).low, 0)
  );
  const input = words.map((word) => (word >>> 0).toString(16)).join(" ");
  throw new Uncertified(`The claim does not hold for the words ${input}`);
}

function testText({ word, mask, op, k }: SplitTest): string {
  const kept = mask === ALL_BITS ? "" : `&${mask.toString(16)}`;
  return `w${word.toString(16)}${kept} ${op} ${k.toString(16)}`;
}
