/**
 * States the answers to one call, and finds the nearest input that gets another
 * one.
 *
 * @module
 */

import { type SeccompData, toWords } from "../bpf/seccomp_data.ts";
import type { ReturnValue } from "../profile/policy.ts";
import {
  ALWAYS,
  CONSTANT_LEVEL,
  createDiagram,
  NEVER,
  type Node,
} from "../verify/core/diagram.ts";
import { meaningOf } from "../verify/core/meaning.ts";
import { byteOrderOf, type Subject } from "../verify/core/subject.ts";
import { createSymbols, type Symbols } from "../verify/core/symbols.ts";
import { constant, WORD_BITS } from "../verify/core/word.ts";
import {
  DEFAULT_PROOF_LIMITS,
  LimitReached,
  type ProofLimits,
} from "../verify/limits.ts";
import type { ValueBlock } from "./cubes.ts";
import { offsetOf } from "./formula.ts";
import { nextValue, previousValue } from "./spans.ts";
import { ARCHES } from "../tables/arch.ts";
import { bitsOf, type CallAbi, numbersOf } from "./statement.ts";

/** A call with one argument changed, and another answer. */
export interface NearestInput {
  /** Index of the argument. */
  readonly arg: number;
  /** Its new value, a u64. */
  readonly value: bigint;
}

/** Options of `nearestInputs`. */
export interface NearestOptions {
  /** Byte order of the machine, if the subject has none. */
  readonly littleEndian?: boolean;
  /** Limits of the diagram. */
  readonly limits?: Partial<ProofLimits>;
  /**
   * Reports whether the number of changed bits counts, not the numeric
   * distance.
   */
  readonly byBits: (arg: number) => boolean;
}

/** Limits of the diagram of one argument. */
const ARGUMENT_LIMITS = { nodes: 1 << 18, steps: 4_000_000 };

/**
 * Finds the ABI of a call.
 *
 * @param arch `AUDIT_ARCH_*`.
 * @param nr The number.
 */
export function abiOfCall(arch: number, nr: number): CallAbi {
  const audit = { first: arch, last: arch };
  const known = ARCHES.filter(({ auditArch }) => auditArch === arch)
    .map((arch): CallAbi => ({ audit, arch }));
  return known.find((abi) =>
    numbersOf(abi).some(({ first, last }) => first <= nr && nr <= last)
  ) ?? { audit };
}

/**
 * Finds, for each argument, the nearest value for which the call gets a wanted
 * answer if nothing else changes.
 *
 * @throws {ProgramError} if the kernel would refuse a program.
 *
 * @param subject The subject.
 * @param data The call.
 * @param wanted The answer, as the kernel acts on it.
 * @param options Byte order and limits.
 * @returns One entry for each argument that can cause the answer; none if a
 * limit was reached.
 */
export function nearestInputs(
  subject: Subject,
  data: SeccompData,
  wanted: ReturnValue,
  options: NearestOptions,
): readonly NearestInput[] {
  const littleEndian = byteOrderOf([subject], options.littleEndian);
  const limits = { ...DEFAULT_PROOF_LIMITS, ...options.limits };
  try {
    const symbols = createSymbols("word", limits);
    const meaning = meaningOf(subject, true, symbols);
    const bits = bitsOf(abiOfCall(data.arch, data.nr));
    const found: NearestInput[] = [];
    for (let arg = 0; arg < 6; arg++) {
      const space = { littleEndian, bits, arg };
      const value = nearestValue(symbols, meaning, data, wanted, {
        ...space,
        byBits: options.byBits(arg),
      });
      if (value !== undefined) found.push({ arg, value });
    }
    return found;
  } catch (error) {
    if (!(error instanceof LimitReached)) throw error;
    return [];
  }
}

/** The argument that may change, and the measure of its distance. */
interface Space {
  readonly arg: number;
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  readonly byBits: boolean;
}

function nearestValue(
  symbols: Symbols,
  meaning: Node,
  data: SeccompData,
  wanted: ReturnValue,
  { arg, bits, littleEndian, byBits }: Space,
): bigint | undefined {
  const words = toWords(data, littleEndian);
  const diagram = createDiagram(ARGUMENT_LIMITS);
  const block: ValueBlock = { diagram, base: 0, width: bits };
  const target = symbols.leaf(constant(wanted));
  /** Levels of the argument's bits, and the bits of all other words. */
  const free = new Map<number, number>();
  const given = new Map<number, boolean>();
  for (const [offset, word] of symbols.words) {
    for (const [bit, variable] of word.entries()) {
      given.set(
        symbols.diagram.level(variable),
        ((words[offset / 4] ?? 0) >>> bit & 1) === 1,
      );
    }
  }
  for (const part of ["low", "high"] as const) {
    if (part === "high" && bits === WORD_BITS) continue;
    const offset = offsetOf({ arg, part }, littleEndian);
    for (const [bit, variable] of (symbols.words.get(offset) ?? []).entries()) {
      const weight = part === "high" ? WORD_BITS + bit : bit;
      free.set(symbols.diagram.level(variable), bits - 1 - weight);
    }
  }
  if (free.size === 0) return undefined;
  const moved = new Map<Node, Node>();
  const move = (f: Node): Node => {
    const level = symbols.diagram.level(f);
    if (level === CONSTANT_LEVEL) return f === target ? ALWAYS : NEVER;
    const known = moved.get(f);
    if (known !== undefined) return known;
    const to = free.get(level);
    const [low, high] = [
      symbols.diagram.lowOf(f, level),
      symbols.diagram.highOf(f, level),
    ];
    const made = to === undefined
      ? move(given.get(level) === true ? high : low)
      : diagram.choose(diagram.variable(to), move(high), move(low));
    moved.set(f, made);
    return made;
  };
  const now = BigInt.asUintN(bits, data.args[arg] ?? 0n);
  const set = move(meaning);
  const value = byBits ? fewestBits(block, set, now) : nearest(block, set, now);
  if (value === undefined) return undefined;
  const kept = (data.args[arg] ?? 0n) >> BigInt(bits) << BigInt(bits);
  return kept | value;
}

function nearest(
  block: ValueBlock,
  set: Node,
  now: bigint,
): bigint | undefined {
  const above = nextValue(block, set, now, true);
  const below = previousValue(block, set, now, true);
  if (above === undefined || below === undefined) return above ?? below;
  return now - below <= above - now ? below : above;
}

/** The value of a set that differs from another in the fewest bits. */
function fewestBits(
  { diagram, width }: ValueBlock,
  set: Node,
  now: bigint,
): bigint | undefined {
  /** Number of changed bits, and the value. */
  type Best = readonly [changed: number, value: bigint];
  const known = new Map<Node, Best | undefined>();
  const visit = (f: Node): Best | undefined => {
    if (f === NEVER) return undefined;
    if (f === ALWAYS) return [0, now];
    if (known.has(f)) return known.get(f);
    const level = diagram.level(f);
    const bit = 1n << BigInt(width - 1 - level);
    const isSet = (now & bit) !== 0n;
    const [low, high] = [
      visit(diagram.lowOf(f, level)),
      visit(diagram.highOf(f, level)),
    ];
    const same = isSet ? high : low;
    const other = isSet ? low : high;
    const changed: Best | undefined = other &&
      [other[0] + 1, isSet ? other[1] & ~bit : other[1] | bit];
    const best = same === undefined || changed !== undefined &&
        changed[0] < same[0]
      ? changed
      : same;
    known.set(f, best);
    return best;
  };
  return visit(set)?.[1];
}
