/**
 * The sides of a certificate, read from its text, and as programs that test the
 * rules in order. It shares no code with `verify/` and `compiler/`.
 *
 * @module
 */

import { decode } from "../../bpf/encode.ts";
import type { Instruction, Program } from "../../bpf/instruction.ts";
import type { Condition } from "../../profile/policy.ts";
import type { ListedRule, RuleList } from "../../verify/certificate/text.ts";

/** A certificate with its programs. */
export interface CertificateCase {
  /** The text. */
  readonly text: string;
  /** Sides that are programs, as `struct sock_filter[]`. */
  readonly programs: readonly Uint8Array<ArrayBuffer>[];
}

/** A side, as a checker gets it. */
export type CaseSide = RuleList | Uint8Array<ArrayBuffer>;

/** Reports whether a case is for a little-endian machine. */
export function isLittleEndian({ text }: CertificateCase): boolean {
  return /^.* little /.test(text);
}

/** Reads both sides; `undefined` if they are not in the form of certificates. */
export function readSides(
  one: CertificateCase,
): readonly [a: CaseSide, b: CaseSide] | undefined {
  const programs = [...one.programs];
  const [a, b] = ["a", "b"].map((key) =>
    one.text.includes(`\n${key} policy\n`)
      ? readPolicy(one, key)
      : programs.shift()
  );
  return a === undefined || b === undefined || programs.length > 0
    ? undefined
    : [a, b];
}

const NUMBER = /^(?:0|[1-9a-f][0-9a-f]{0,15})$/;

class Bad extends Error {}

function u64(word = ""): bigint {
  if (!NUMBER.test(word)) throw new Bad();
  return BigInt(`0x${word}`);
}

function u32(word?: string): number {
  const value = u64(word);
  if (value > 0xffff_ffffn) throw new Bad();
  return Number(value);
}

/** Reads the rules of a side, a line at a time. */
function readPolicy(one: CertificateCase, key: string): RuleList | undefined {
  const [, after = ""] = one.text.split(`\n${key} policy\n`);
  const rules: ListedRule[] = [];
  try {
    for (const line of after.split("\n")) {
      const [word, first = "", from, to, value, ...rest] = line.split(" ");
      if (word === "other") return { rules, other: u32(first) };
      if (word !== "rule") return undefined;
      rules.push({
        ...{ index: rules.length, arch: u32(first) },
        ...{ first: u32(from), last: u32(to), value: u32(value) },
        conditions: readConditions(rest),
      });
    }
  } catch (error) {
    if (!(error instanceof Bad)) throw error;
  }
  return undefined;
}

function readConditions(words: readonly string[]): readonly Condition[] {
  const conditions: Condition[] = [];
  for (let i = 0; i < words.length; i += 4) {
    const [arg = "", op = "", mask, value] = words.slice(i, i + 4);
    if (!/^[0-5]$/.test(arg)) throw new Bad();
    if (!/^(?:eq|ne|lt|le|gt|ge)$/.test(op)) throw new Bad();
    conditions.push({
      ...{ arg: Number(arg), op: op as Condition["op"] },
      ...{ mask: u64(mask), value: u64(value) },
    });
  }
  return conditions;
}

/** A side as a program: a policy tests its rules in order. */
export function programOf(side: CaseSide, littleEndian: boolean): Program {
  if (side instanceof Uint8Array) return decode(side, { littleEndian });
  const rules = side.rules.flatMap((rule) => ruleProgram(rule, littleEndian));
  return [...rules, answer(side.other)];
}

function load(word: number): Instruction {
  return { op: "ld.abs", jt: 0, jf: 0, k: 4 * word };
}

function answer(k: number): Instruction {
  return { op: "ret.k", jt: 0, jf: 0, k };
}

function jump(
  op: Instruction["op"],
  k: number,
  jt: number,
  jf: number,
): Instruction {
  return { op, jt, jf, k };
}

function ruleProgram(rule: ListedRule, littleEndian: boolean): Instruction[] {
  let program = [answer(rule.value)];
  const both = (
    test: (pass: number, fail: number) => readonly Instruction[],
    size: number,
  ): void => {
    program = [...test(size, size + program.length), ...program];
  };
  for (const condition of rule.conditions) {
    both(
      (pass, fail) => conditionProgram(condition, littleEndian, pass, fail),
      7,
    );
  }
  const { arch, first, last } = rule;
  both((_, fail) => [
    load(0),
    jump("jge.k", first, 0, fail - 2),
    jump("jgt.k", last, fail - 3, 0),
  ], 3);
  both((_, fail) => [load(1), jump("jeq.k", arch, 0, fail - 2)], 2);
  return program;
}

/** Seven instructions, of which `pass` and `fail` are the targets. */
function conditionProgram(
  { arg, op, mask, value }: Condition,
  littleEndian: boolean,
  pass: number,
  fail: number,
): readonly Instruction[] {
  const [low, high] = littleEndian ? [4, 5] : [5, 4];
  const half = (shift: bigint): readonly [mask: number, k: number] => [
    Number(mask >> shift & 0xffff_ffffn),
    Number(value >> shift & 0xffff_ffffn),
  ];
  const [[lowMask, lowK], [highMask, highK]] = [half(0n), half(32n)];
  const inverted = op === "ne" || op === "lt" || op === "le";
  const [yes, no] = inverted ? [fail, pass] : [pass, fail];
  const last = op === "eq" || op === "ne"
    ? "jeq.k"
    : op === "ge" || op === "lt"
    ? "jge.k"
    : "jgt.k";
  const above = last === "jeq.k" ? no : yes;
  return [
    load(2 * arg + high),
    { op: "and.k", jt: 0, jf: 0, k: highMask },
    jump("jgt.k", highK, above - 3, 0),
    jump("jeq.k", highK, 0, no - 4),
    load(2 * arg + low),
    { op: "and.k", jt: 0, jf: 0, k: lowMask },
    jump(last, lowK, yes - 7, no - 7),
  ];
}
