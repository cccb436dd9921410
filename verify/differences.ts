/**
 * Lists the differences of two filters: architectures and numbers, arguments,
 * and the answer of each side. Also decides whether one is nowhere looser than
 * the other.
 *
 * Both use the same functions as a proof (equivalence.ts); nothing is
 * approximated, so each entry is a true difference, and its witness was run on
 * both sides.
 *
 * @module
 */

import { attemptOrders } from "./attempts.ts";
import { effective } from "../bpf/return_value.ts";
import { precedence } from "../tables/precedence.ts";
import type { SeccompData } from "../bpf/seccomp_data.ts";
import { boxesOf } from "./describe/boxes.ts";
import { type ArgumentSets, conditionOf } from "./describe/condition.ts";
import { cubesOf } from "./describe/cubes.ts";
import { createAnswer, fromWords, type Outcome } from "./describe/confirm.ts";
import { byteOrderOf, type Subject } from "./core/subject.ts";
import {
  ALWAYS,
  CONSTANT_LEVEL,
  type Diagram,
  NEVER,
  type Node,
} from "./core/diagram.ts";
import { DEFAULT_PROOF_LIMITS } from "./limits.ts";
import type { Counterexample, ProofOptions, Unproven } from "./equivalence.ts";
import { meaningOf } from "./core/meaning.ts";
import { holdsWithin, regionsOf } from "./describe/regions.ts";
import { lowestInput } from "./describe/inputs.ts";
import type { Order, Symbols } from "./core/symbols.ts";
import { prevails } from "./core/verdict.ts";
import { compare, constant, type Word } from "./core/word.ts";

/**
 * Inputs on which the sides differ, all in one direction.
 *
 * @category Compare
 */
export interface Difference {
  /** Values of `arch`. */
  readonly arch: { readonly first: number; readonly last: number };
  /** Values of `nr`. */
  readonly nr: { readonly first: number; readonly last: number };
  /**
   * Condition on the arguments, such as `arg0 in 0x1..0x5`; empty if the arguments do
   * not matter, `undefined` if it would be too long.
   */
  readonly condition: string | undefined;
  /** The kernel's action for the first side; if it varies, for the witness. */
  readonly a: number;
  /** Its action for the second side. */
  readonly b: number;
  /**
   * True if other inputs of the entry have other answers, as with `ret a`. The
   * direction is the same for all: looser, tighter, or the same action with
   * other data.
   */
  readonly varies: boolean;
  /**
   * One of the inputs, and the answers of both sides when they were run on it.
   */
  readonly witness: Counterexample;
}

/**
 * All differences, or the requested number of them.
 *
 * @category Compare
 */
export interface DifferenceList {
  /** Discriminates it from {@linkcode Unproven}. */
  readonly kind: "listed";
  /** The differences, by rising architecture and number. */
  readonly differences: readonly Difference[];
  /** True if there are no others. */
  readonly complete: boolean;
}

/** A difference with its arguments as data. */
export interface LocatedDifference extends Difference, ArgumentSets {}

/** A list of differences with their arguments as data. */
export interface LocatedList extends DifferenceList {
  readonly differences: readonly LocatedDifference[];
}

/** Options of `listDifferences`; `most` is the maximum number of entries. */
type DifferenceOptions =
  & Pick<ProofOptions, "littleEndian" | "arches" | "limits">
  & { readonly most?: number };

const MOST_DIFFERENCES = 4096;
/**
 * Maximum number of boxes or cubes that describe the arguments of one entry.
 */
const MOST_BOXES = 16;

/**
 * Lists the differences of two subjects, by rising architecture and number.
 *
 * @throws {ProgramError} if the kernel would refuse a program.
 * @throws {TypeError} if the subjects are for machines of different byte order.
 *
 * @example Effect of one more rule
 * ```ts
 * import { listDifferences } from "@x/seccomp-tree";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const rule = { first: 39, last: 39, conditions: [], value: 0x7fff_0000, source: "getpid" };
 * const policy = (rules: readonly typeof rule[]) => ({
 *   defaultValue: 0x0005_0001,
 *   badArchValue: 0,
 *   littleEndian: true,
 *   arches: [{ auditArch: 0xc000_003e, names: ["x86_64"], rules }],
 * });
 * const list = listDifferences(policy([]), policy([rule]));
 * assert(list.kind === "listed" && list.complete);
 * const [{ nr, condition, a, b } = {}] = list.differences;
 * assertEquals([nr, condition, a, b], [{ first: 39, last: 39 }, "", 0x0005_0001, 0x7fff_0000]);
 * ```
 *
 * @param a One side.
 * @param b The other.
 * @param options Limits, preferred architectures of witnesses, and the maximum
 * number of entries, 4096 by default.
 * @returns The list, empty if they are equal, or the limit that was reached.
 * @category Compare
 */
export function listDifferences(
  a: Subject,
  b: Subject,
  options:
    & Pick<ProofOptions, "littleEndian" | "arches" | "limits">
    & { readonly most?: number } = {},
): DifferenceList | Unproven {
  return locateDifferences(a, b, options);
}

/**
 * Lists the differences of two subjects, with the arguments as data.
 *
 * @throws {ProgramError} if the kernel would refuse a program.
 * @throws {TypeError} if the subjects are for machines of different byte order.
 *
 * @param a One side.
 * @param b The other.
 * @param options Limits, preferred architectures of witnesses, and the maximum
 * number of entries, 4096 by default.
 * @returns The list, empty if they are equal, or the limit that was reached.
 */
export function locateDifferences(
  a: Subject,
  b: Subject,
  options: DifferenceOptions = {},
): LocatedList | Unproven {
  const littleEndian = byteOrderOf([a, b], options.littleEndian);
  const answers = [
    createAnswer(a, littleEndian),
    createAnswer(b, littleEndian),
  ] as const;
  return attempt(options, (symbols, order) => {
    const { diagram, wordOf } = symbols;
    /**
     * The inputs on which both sides give the same answer; leaves and booleans
     * do not mix.
     */
    const same = diagram.leaf();
    /** Leaves that represent two different answers, and the answers. */
    const pairs = new Map<Node, readonly [Word, Word]>();
    const both = diagram.apply(
      meaningOf(a, true, symbols),
      meaningOf(b, true, symbols),
      (f, g) => {
        if (f === g) return same;
        const [x, y] = [wordOf(f), wordOf(g)];
        const differ = diagram.not(compare(diagram, "jeq", x, y));
        // The answer of `ret a` may also depend on `arch` and `nr`, and be
        // looser here and tighter there: an entry has one of the three
        // directions.
        const within = (where: Node, rest: Node): Node => {
          if (where === NEVER) return rest;
          const pair = diagram.leaf();
          pairs.set(pair, [x, y]);
          return diagram.choose(where, pair, rest);
        };
        const changed = within(differ, same);
        const tighter = within(prevails(diagram, y, x), changed);
        return within(prevails(diagram, x, y), tighter);
      },
    );
    const most = options.most ?? MOST_DIFFERENCES;
    const differences: LocatedDifference[] = [];
    const { regions, complete } = regionsOf(symbols, both, same, most);
    for (const { arch, nr, rest } of regions) {
      for (const pair of leavesOf(diagram, rest)) {
        const words = pairs.get(pair);
        if (words === undefined) continue;
        const where = diagram.apply(
          rest,
          rest,
          (at) => at === pair ? ALWAYS : NEVER,
        );
        if (differences.length === most) {
          return { kind: "listed", differences, complete: false };
        }
        const input = lowestInput(symbols, where);
        input[0] = nr.first;
        input[1] = options.arches?.find((wanted) =>
          arch.first <= wanted && wanted <= arch.last
        ) ?? arch.first;
        const witness = runBoth(fromWords(input, littleEndian), answers);
        const values = [witness.a, witness.b].map((one) =>
          effective(one.value)
        );
        const [valueOfA = 0, valueOfB = 0] = values;
        const boxes = order === "word"
          ? boxesOf(symbols, where, MOST_BOXES)
          : undefined;
        const cubes = boxes === undefined
          ? cubesOf(symbols, where, MOST_BOXES)
          : undefined;
        differences.push({
          arch,
          nr,
          condition: conditionOf({ boxes, cubes }, littleEndian),
          boxes,
          cubes,
          a: valueOfA,
          b: valueOfB,
          varies: words.some((word, i) => {
            const value = constant(values[i] ?? 0);
            const other = diagram.not(compare(diagram, "jeq", word, value));
            return holdsWithin(symbols, { arch, nr, rest: where }, other);
          }),
          witness,
        });
      }
    }
    return { kind: "listed", differences, complete };
  });
}

/**
 * Decides whether a subject is nowhere looser than another: given both answers,
 * the kernel would always choose the subject's.
 *
 * @example A filter that logs what its base allows
 * ```ts
 * import { proveNotLooser } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const allow = [{ op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 }] as const;
 * const log = [{ op: "ret.k", jt: 0, jf: 0, k: 0x7ffc_0000 }] as const;
 * assertEquals(proveNotLooser(allow, log).kind, "not-looser");
 * assertEquals(proveNotLooser(log, allow).kind, "different");
 * ```
 *
 * @throws {ProgramError} if the kernel would refuse a program.
 * @throws {TypeError} if the subjects are for machines of different byte order.
 *
 * @param base Upper limit of what is permitted.
 * @param subject The subject to check.
 * @param options Limits.
 * @returns Yes, an input on which it is looser, or the limit that was reached.
 * @category Compare
 */
export function proveNotLooser(
  base: Subject,
  subject: Subject,
  options: Pick<ProofOptions, "littleEndian" | "arches" | "limits"> = {},
): { readonly kind: "not-looser" } | Counterexample | Unproven {
  const littleEndian = byteOrderOf([base, subject], options.littleEndian);
  const answers = [
    createAnswer(base, littleEndian),
    createAnswer(subject, littleEndian),
  ] as const;
  return attempt(options, (symbols) => {
    const { diagram, wordOf } = symbols;
    const looser = diagram.apply(
      meaningOf(base, true, symbols),
      meaningOf(subject, true, symbols),
      (f, g) => prevails(diagram, wordOf(f), wordOf(g)),
    );
    if (looser === NEVER) return { kind: "not-looser" };
    const words = lowestInput(symbols, looser, options.arches);
    const data = fromWords(words, littleEndian);
    const witness = runBoth(data, answers);
    const [ours, theirs] = [witness.a.value, witness.b.value].map(effective);
    if (precedence(ours ?? 0) >= precedence(theirs ?? 0)) {
      throw new Error(`Unreachable: not looser on number ${data.nr}`);
    }
    return witness;
  });
}

/** Tries the orders of variables; never approximates. */
function attempt<T extends object>(
  { limits }: DifferenceOptions,
  work: (symbols: Symbols, order: Order) => T,
): T | Unproven {
  const allowed = { ...DEFAULT_PROOF_LIMITS, ...limits };
  const found = attemptOrders(allowed, work);
  return typeof found === "string" ? { kind: "unproven", limit: found } : found;
}

function leavesOf(diagram: Diagram, f: Node): readonly Node[] {
  const seen = new Set([f]);
  const leaves: Node[] = [];
  for (const node of seen) {
    const level = diagram.level(node);
    if (level === CONSTANT_LEVEL) leaves.push(node);
    else {
      seen.add(diagram.lowOf(node, level));
      seen.add(diagram.highOf(node, level));
    }
  }
  return leaves;
}

function runBoth(
  data: SeccompData,
  [answerOfA, answerOfB]: readonly [
    (data: SeccompData) => Outcome,
    (data: SeccompData) => Outcome,
  ],
): Counterexample {
  const [a, b] = [answerOfA(data), answerOfB(data)];
  if (effective(a.value) === effective(b.value)) {
    throw new Error(`Unreachable: both sides agree on number ${data.nr}`);
  }
  return { kind: "different", data, a, b };
}
