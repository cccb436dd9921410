/**
 * Renders conditions and values, with the names of calls and arguments.
 *
 * @module
 */

import {
  argumentsOf,
  formatArgument,
  formatArgumentMask,
} from "../../tables/arguments.ts";
import { type Arch, ARCHES } from "../../tables/arch.ts";
import { fieldWords } from "../annotate.ts";
import { ARCH_OFFSET, NR_OFFSET } from "../seccomp_data.ts";
import type { Expression, Facts } from "./expression.ts";
import type { PseudoTest } from "./condition.ts";

/** Options of rendering. */
export interface RenderOptions {
  readonly littleEndian: boolean;
  /** True for names of architectures, calls and arguments. */
  readonly names: boolean;
}

const ARGS_OFFSET = 16;
const HIGH = 2n ** 32n;
/** Largest syscall number that is shown in decimal. */
const MAX_NUMBER = 0xffff;

/** Renders a condition. */
export function renderTest(tree: PseudoTest, options: RenderOptions): string {
  if (tree.kind === "test") return renderOne(tree, options);
  const parts = joinHalves(tree, options);
  const words: string[] = [];
  for (let i = 0; i < parts.length;) {
    const part = parts[i];
    if (part === undefined) break;
    const wanted = tree.kind === "or" ? "==" : "!=";
    if (typeof part === "string") {
      words.push(part);
      i++;
      continue;
    }
    const same: (PseudoTest & { readonly kind: "test" })[] = [];
    for (let j = i; j < parts.length; j++) {
      const next = parts[j];
      if (
        typeof next !== "object" || next.kind !== "test" ||
        next.sign !== wanted || next.right.kind !== "constant"
      ) break;
      if (same[0] !== undefined && next.left.key !== same[0].left.key) break;
      same.push(next);
    }
    const [first] = same;
    if (same.length > 1 && first !== undefined) {
      const names = same.map((test) => renderConstant(test, options));
      const left = renderValue(first.left, first.facts, options);
      const not = wanted === "==" ? "" : "not ";
      words.push(`${left} ${not}in {${names.join(", ")}}`);
      i += same.length;
      continue;
    }
    const one = part.kind === "test"
      ? renderOne(part, options)
      : renderTest(part, options);
    words.push(part.kind === "test" && part.sign !== "&" ? one : `(${one})`);
    i++;
  }
  return words.join(tree.kind === "and" ? " && " : " || ");
}

/** Renders a value. */
export function renderValue(
  value: Expression,
  facts: Facts,
  options: RenderOptions,
): string {
  switch (value.kind) {
    case "register":
      return value.name;
    case "constant":
      return hex(value.value);
    case "word":
      return renderWord(value.offset, facts, options);
    case "operation": {
      const left = renderValue(value.left, facts, options);
      const right = renderValue(value.right, facts, options);
      return `(${left} ${value.sign} ${right})`;
    }
  }
}

function renderWord(
  offset: number,
  facts: Facts,
  options: RenderOptions,
): string {
  if (offset === NR_OFFSET) return "nr";
  if (offset === ARCH_OFFSET) return "arch";
  const { high, index } = fieldWords(offset, options.littleEndian);
  const name = index === undefined
    ? "instruction_pointer"
    : nameOfArgument(index, facts, options);
  return high ? `high(${name})` : `low(${name})`;
}

function nameOfArgument(
  index: number,
  facts: Facts,
  options: RenderOptions,
): string {
  const call = options.names ? callOf(facts) : undefined;
  const names = call && argumentsOf(call.arch, call.name);
  return names?.[index]?.name ?? `args[${index}]`;
}

/** The call that all paths have selected. */
function callOf(
  { arch, nr }: Facts,
): { readonly arch: Arch; readonly name: string } | undefined {
  if (arch === undefined || nr === undefined) return undefined;
  return callOfNumber(arch, nr);
}

const numbers = new Map<string, ReadonlyMap<number, string>>();

function callOfNumber(
  auditArch: number,
  nr: number,
): { readonly arch: Arch; readonly name: string } | undefined {
  for (const arch of ARCHES) {
    if (arch.auditArch !== auditArch) continue;
    let names = numbers.get(arch.name);
    if (names === undefined) {
      names = new Map([...arch.syscalls].map(([name, n]) => [n, name]));
      numbers.set(arch.name, names);
    }
    const name = names.get(nr);
    if (name !== undefined) return { arch, name };
  }
  return undefined;
}

function renderOne(
  test: PseudoTest & { readonly kind: "test" },
  options: RenderOptions,
): string {
  const { sign, left, right, facts } = test;
  const value = renderValue(left, facts, options);
  const other = right.kind === "constant"
    ? renderConstant(test, options)
    : renderValue(right, facts, options);
  return sign === "!&" ? `!(${value} & ${other})` : `${value} ${sign} ${other}`;
}

/** The constant of a test, by name if possible. */
function renderConstant(
  { sign, left, right, facts }: PseudoTest & { readonly kind: "test" },
  options: RenderOptions,
): string {
  if (right.kind !== "constant") return renderValue(right, facts, options);
  const { value } = right;
  if (!options.names || left.kind !== "word") return hex(value);
  if (left.offset === ARCH_OFFSET) {
    const found = ARCHES.find((arch) => arch.auditArch === value);
    return found?.name ?? hex(value);
  }
  const isEquality = sign === "==" || sign === "!=";
  if (left.offset === NR_OFFSET) {
    const call = isEquality && facts.arch !== undefined
      ? callOfNumber(facts.arch, value)
      : undefined;
    if (call === undefined) {
      return sign === "&" || sign === "!&" || value > MAX_NUMBER
        ? hex(value)
        : String(value);
    }
    return call.arch.syscallBit === 0 ? call.name : `x32:${call.name}`;
  }
  const { high, index } = fieldWords(left.offset, options.littleEndian);
  const call = callOf(facts);
  if (high || index === undefined || call === undefined) return hex(value);
  const word = BigInt(value);
  const named = isEquality
    ? formatArgument(call.arch, call.name, index, word)
    : sign === "&" || sign === "!&"
    ? formatArgumentMask(call.arch, call.name, index, word)
    : undefined;
  if (named === undefined || /(?:^|\|)(?:0x)?[0-9a-f]+$/.test(named)) {
    return hex(value);
  }
  return isEquality || !named.includes("|") ? named : `(${named})`;
}

/** Joins equality tests of both halves of an argument. */
function joinHalves(
  { kind, parts }: PseudoTest & { readonly kind: "and" | "or" },
  options: RenderOptions,
): readonly (PseudoTest | string)[] {
  const wanted = kind === "and" ? "==" : "!=";
  const joined: (PseudoTest | string)[] = [];
  for (let i = 0; i < parts.length; i++) {
    const [one, other] = [parts[i], parts[i + 1]];
    if (one === undefined) continue;
    const whole = other && wholeTest(one, other, wanted, options);
    joined.push(whole ?? one);
    if (whole !== undefined) i++;
  }
  return joined;
}

function wholeTest(
  one: PseudoTest,
  other: PseudoTest,
  sign: string,
  options: RenderOptions,
): string | undefined {
  if (one.kind !== "test" || other.kind !== "test") return undefined;
  if (one.sign !== sign || other.sign !== sign) return undefined;
  const tests = [one, other].flatMap(({ left, right, facts }) =>
    left.kind === "word" && right.kind === "constant" &&
      left.offset >= ARGS_OFFSET
      ? [{
        ...fieldWords(left.offset, options.littleEndian),
        value: BigInt(right.value),
        facts,
      }]
      : []
  );
  const high = tests.find((test) => test.high);
  const low = tests.find((test) => !test.high);
  if (high === undefined || low === undefined) return undefined;
  const { index, facts } = low;
  if (index === undefined || high.index !== index) return undefined;
  const value = high.value * HIGH + low.value;
  const call = options.names ? callOf(facts) : undefined;
  const named = call && formatArgument(call.arch, call.name, index, value);
  const shown = named === undefined || /^[0-9]+$/.test(named)
    ? `0x${value.toString(16)}`
    : named;
  return `${nameOfArgument(index, facts, options)} ${sign} ${shown}`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
