/**
 * Proves that two filters, or a filter and a policy, give the same answer to
 * every input.
 *
 * **How.** An input is 512 bits. Each side becomes a function of those bits
 * whose values are its answers: a program by symbolic execution (paths.ts), a
 * policy by reading its rules on all inputs at once (cases.ts), a stack of
 * filters by the kernel's precedence, all normalized to the kernel's effect
 * (meaning.ts, verdict.ts). The functions are in one decision diagram
 * (diagram.ts), in which equal functions are the same node. So both sides are
 * equal if and only if the function "the values differ" is the constant
 * "false"; if it is not, a path to "true" in it is an input on which they
 * differ.
 *
 * **Why it is sound.** Every step is exact: tests, masks, carries, products,
 * scratch memory and meeting paths are computed on functions, never
 * approximated, and a reduced ordered diagram represents each function once
 * (Bryant 1986). Every difference is run before it is reported; if the run does
 * not confirm it, this code has a bug and throws.
 *
 * **Why it is complete.** Only the limits end the construction early, so every
 * accepted program is decided if they are large enough. Tests of one word with
 * constants cost at most 32 nodes each in addition to the functions with which
 * they are combined; the size depends on the functions, not on the number of
 * paths of a program. The functions that exceed the limits relate many bits of
 * several words, in particular products and quotients of two unknown words.
 * Their size depends on the order of the variables, so two orders are tried:
 * word by word, good for rules; and all arguments bit by bit, good for sums and
 * comparisons of two words.
 *
 * **What must be reviewed** before an "equal" can be trusted: 644 lines without
 * comments, all of core/: diagram.ts, word.ts and paths.ts, which form the
 * symbolic machine, symbols.ts, cases.ts, verdict.ts, subject.ts and
 * meaning.ts, and the two places below that return "equal": meanings that
 * differ nowhere, and identical instructions on both sides. Intervals, inputs
 * and witnesses only describe. A "different" needs none of them: confirm.ts
 * runs both sides.
 *
 * **What is assumed.** The machine works as bpf/run.ts, policies have the
 * meaning of `decide`, and the kernel acts as kernel/seccomp.c of Linux 6.1.
 *
 * @module
 */

import type { Program } from "../bpf/instruction.ts";
import { effective } from "../bpf/return_value.ts";
import type { SeccompData } from "../bpf/seccomp_data.ts";
import type { ReturnValue } from "../profile/policy.ts";
import { attemptOrders } from "./attempts.ts";
import { createAnswer, fromWords, type Outcome } from "./describe/confirm.ts";
import {
  byteOrderOf,
  policyOf,
  programsOf,
  type Subject,
} from "./core/subject.ts";
import { NEVER, type Node } from "./core/diagram.ts";
import { DEFAULT_PROOF_LIMITS } from "./limits.ts";
import { intervalsOf } from "./describe/intervals.ts";
import { meaningOf, whereDifferent } from "./core/meaning.ts";
import { lowestInput, offsetsOf } from "./describe/inputs.ts";
import { ARCH_LEVEL, NR_LEVEL, type Symbols } from "./core/symbols.ts";
import { witnesses } from "./describe/witnesses.ts";

/**
 * Options of `proveEquivalent`.
 *
 * @category Compare
 */
export interface ProofOptions {
  /**
   * Comparison of return values: by their effect in the kernel (an errno is
   * capped at 4095, an unknown action kills the process) or bit for bit.
   * Default: `"effect"`.
   */
  readonly compare?: "effect" | "bits";
  /**
   * Byte order of the machine, which determines the offsets of the halves of
   * the arguments. Default: that of the sides. If neither has one, it matters
   * only for the witness, and is little-endian.
   */
  readonly littleEndian?: boolean;
  /**
   * Architectures, `AUDIT_ARCH_*`, on which to search for a difference first,
   * in order of preference. Default: none, so that the witness is the lowest
   * input.
   */
  readonly arches?: readonly number[];
  /** Limits of each attempt, of which there are at most four. */
  readonly limits?: {
    /** Maximum number of nodes of a diagram, each of up to 40 bytes. */
    readonly nodes?: number;
    /** Maximum number of steps on a diagram, each of about 0.1 µs. */
    readonly steps?: number;
  };
  /** Called regularly; if it returns true, the result is unproven. */
  readonly interrupted?: () => boolean;
}

/**
 * Both sides are equal for every input.
 *
 * @category Compare
 */
export interface Proof {
  /** Discriminates the three results. */
  readonly kind: "equal";
  /** Extent of the proof. Counts of intervals stop at 65,536. */
  readonly coverage: {
    /**
     * Number of intervals of `arch` on which the answer does not depend further
     * on it.
     */
    readonly archIntervals: number;
    /** The same for `nr`, summed over those of `arch`. */
    readonly nrIntervals: number;
    /** Byte offsets of the input words that either side reads, rising. */
    readonly offsets: readonly number[];
    /**
     * Number of nodes of the diagram; 0 if both sides are the same
     * instructions.
     */
    readonly nodes: number;
    /** Number of steps on the diagram. */
    readonly steps: number;
  };
}

/**
 * An input on which the sides differ, confirmed by running both.
 *
 * @category Compare
 */
export interface Counterexample {
  /** Discriminates the three results. */
  readonly kind: "different";
  /** The input. */
  readonly data: SeccompData;
  /** The answer of the first side. */
  readonly a: Outcome;
  /** The answer of the second side. */
  readonly b: Outcome;
}

/**
 * Nothing was decided.
 *
 * @category Compare
 */
export interface Unproven {
  /** Discriminates the three results. */
  readonly kind: "unproven";
  /** The limit that was reached. */
  readonly limit: "nodes" | "steps" | "interrupted";
  /** Its value; absent for `interrupted`. */
  readonly allowed?: number;
}

/** Number of boundary inputs that are tried before giving up. */
const GUESSES = 10_000;

/** Maximum number of rules that all trial inputs together may read. */
const MOST_RULES_READ = 10_000_000;

/** Maximum count of intervals. */
const MOST_INTERVALS = 0x1_0000;

/**
 * Decides whether two subjects give the same answer to every input.
 *
 * @throws {ProgramError} if the kernel would refuse a program.
 * @throws {RangeError} if a policy has a number that no call can have.
 * @throws {TypeError} if the subjects are for machines of different byte order.
 *
 * @example A filter that is what its policy says
 * ```ts
 * import { proveEquivalent } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const policy = { defaultValue: 0x0005_0001, badArchValue: 0x0005_0001, littleEndian: true, arches: [] };
 * const program = [{ op: "ret.k", jt: 0, jf: 0, k: 0x0005_0001 }] as const;
 * const verdict = proveEquivalent(policy, program);
 * assertEquals(verdict.kind, "equal");
 * ```
 *
 * @param a One side.
 * @param b The other side.
 * @param options How to compare, and limits.
 * @returns A proof, a confirmed difference, or the limit that was reached.
 * @category Compare
 */
export function proveEquivalent(
  a: Subject,
  b: Subject,
  options: ProofOptions = {},
): Proof | Counterexample | Unproven {
  const littleEndian = byteOrderOf([a, b], options.littleEndian);
  const answerOfA = createAnswer(a, littleEndian);
  const answerOfB = createAnswer(b, littleEndian);
  const asActed = options.compare !== "bits";
  const acted = asActed ? effective : (value: ReturnValue) => value;
  const differenceOn = (data: SeccompData): Counterexample | undefined => {
    const [left, right] = [answerOfA(data), answerOfB(data)];
    if (acted(left.value) === acted(right.value)) return undefined;
    return { kind: "different", data, a: left, b: right };
  };
  if (policyOf(a) === undefined && policyOf(b) === undefined) {
    const [ours, theirs] = [programsOf(a), programsOf(b)].map(textOf);
    if (ours === theirs) return { kind: "equal", coverage: coverageOfSame(a) };
  }
  const allowed = { ...DEFAULT_PROOF_LIMITS, ...options.limits };
  const limits = { ...allowed, interrupted: options.interrupted };
  const limit = attemptOrders<Proof | Counterexample>(limits, (symbols) => {
    const meaningOfA = meaningOf(a, asActed, symbols);
    const meaningOfB = meaningOf(b, asActed, symbols);
    const different = whereDifferent(meaningOfA, meaningOfB, symbols);
    if (different === NEVER) {
      return { kind: "equal", coverage: coverageOf(meaningOfA, symbols) };
    }
    const words = lowestInput(symbols, different, options.arches);
    const found = differenceOn(fromWords(words, littleEndian));
    if (found !== undefined) return found;
    throw new Error(`Unreachable: both sides agree on ${words}`);
  });
  if (typeof limit !== "string") return limit;
  if (limit === "interrupted") return { kind: "unproven", limit };
  // A difference found by trying inputs is equally valid.
  const most = Math.min(GUESSES, Math.ceil(MOST_RULES_READ / rulesOf([a, b])));
  for (const data of witnesses([a, b], { littleEndian, most })) {
    const found = differenceOn(data);
    if (found !== undefined) return found;
  }
  return { kind: "unproven", limit, allowed: allowed[limit] };
}

/** Counts the rules of policies, at least 1. */
function rulesOf(subjects: readonly Subject[]): number {
  let count = 1;
  for (const subject of subjects) {
    for (const { rules } of policyOf(subject)?.arches ?? []) {
      count += rules.length;
    }
  }
  return count;
}

/** The instructions as text, for comparison. */
function textOf(programs: readonly Program[]): string {
  return JSON.stringify(
    programs.map((p) => p.map(({ op, jt, jf, k }) => [op, jt, jf, k])),
  );
}

/** The extent of a proof without any computation. */
function coverageOfSame(subject: Subject): Proof["coverage"] {
  const loads = programsOf(subject).flat().filter(({ op }) => op === "ld.abs");
  const offsets = [...new Set(loads.map(({ k }) => k))].sort((x, y) => x - y);
  return { archIntervals: 1, nrIntervals: 1, offsets, nodes: 0, steps: 0 };
}

function coverageOf(meaning: Node, symbols: Symbols): Proof["coverage"] {
  const { diagram } = symbols;
  const arches = intervalsOf(diagram, meaning, ARCH_LEVEL, MOST_INTERVALS);
  let nrIntervals = 0;
  for (const { rest } of arches) {
    const left = MOST_INTERVALS - nrIntervals;
    nrIntervals += intervalsOf(diagram, rest, NR_LEVEL, left).length;
  }
  return {
    archIntervals: arches.length,
    nrIntervals,
    offsets: offsetsOf(symbols),
    nodes: diagram.nodes(),
    steps: diagram.steps(),
  };
}
