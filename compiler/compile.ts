/**
 * The compiler: converts a policy to a program.
 *
 * ```text
 * partition ▶ conditions          (once)
 *                   ▼
 *                 tree            (per attempt and architecture)
 *                   ▼
 *                dispatch ▶ select ▶ layout ▶ Program
 * ```
 *
 * Every pass is a pure function; the same policy gives the same bytes on every
 * machine.
 *
 * @module
 */

import { check } from "../bpf/check.ts";
import type { Filter } from "../bpf/filter.ts";
import type { Program } from "../bpf/instruction.ts";
import { NR_OFFSET } from "../bpf/seccomp_data.ts";
import { checkPolicy, type Policy } from "../profile/policy.ts";
import { BPF_MAXINSNS } from "../tables/uapi.ts";
import { findUncached } from "./cached.ts";
import {
  type Attempt,
  ATTEMPTS,
  type CompileOptions,
  depthLimit,
  weigh,
} from "./cost.ts";
import type { Decision, DecisionGraph } from "./decision.ts";
import { dispatch } from "./dispatch.ts";
import { FOLDED_MASK, foldNumbers, isFoldable } from "./fold.ts";
import { layout, type LayoutOptions } from "./layout.ts";
import {
  decideCalls,
  type DecidedArch,
  type DecidedCalls,
} from "./policy_calls.ts";
import { present } from "./present.ts";
import { type Searches, searchOnce } from "./search/once.ts";
import { select } from "./select.ts";
import { SizeError, sizeOf } from "./size.ts";
import { treeOfCells, type WordTree } from "./tree.ts";
import {
  type CompileVariant,
  compileVariants,
  type MadeForSize,
} from "./variants.ts";

/** Default of `CompileOptions.workLimit`. */
const WORK_LIMIT = 20_000_000;

/** Number of tests on arguments above which a program is given up. */
const MOST_TESTS = 8 * BPF_MAXINSNS;

/** A filter and known facts about it. */
export interface Compilation extends Filter {
  /** The decision from which it was laid out. */
  readonly decision: Decision;
  /** One entry per architecture, in the order of the policy. */
  readonly arches: readonly CompiledArch[];
}

/** A filter for a policy, and the parts that limits kept from the objective. */
export interface PolicyCompilation extends Compilation {
  /**
   * Parts of the program that are compiled for size instead of the objective,
   * because the program would exceed the kernel's limit.
   */
  readonly madeForSize: MadeForSize;
  /**
   * Number of lists of rules that are tested in their order, because better
   * tests would exceed the work limit.
   */
  readonly testedInOrder: number;
}

/**
 * Facts about the tree of one architecture.
 *
 * @category Compile
 */
export interface CompiledArch {
  /** Names for messages. */
  readonly names: readonly string[];
  /** `AUDIT_ARCH_*`. */
  readonly auditArch: number;
  /** Intervals of system call numbers; the outcomes of neighbors differ. */
  readonly intervals: number;
  /** Maximum number of tests on a number. */
  readonly depth: number;
  /** Expected number of tests on the number under the weights. */
  readonly tests: number;
  /**
   * The minimized cost, including the price of a test; for `size`, the best of
   * several prices.
   */
  readonly cost: number;
  /** True if no tree of `==` and `>=` tests has a smaller `cost`. */
  readonly proven: boolean;
  /**
   * Lower bound on the `cost` of every tree of `==` and `>=` tests; with
   * `boundWork`, of every tree that keeps the limit on depth.
   */
  readonly lowerBound: number;
}

/**
 * Compiles a policy.
 *
 * @example Two rules
 * ```ts
 * import { compile } from "./compile.ts";
 * import { run, prepare } from "../bpf/run.ts";
 * import { toWords } from "../bpf/seccomp_data.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { program } = compile({
 *   defaultValue: 0x0005_0001,
 *   badArchValue: 0,
 *   littleEndian: true,
 *   arches: [{
 *     auditArch: 0xc000_003e,
 *     names: ["x86_64"],
 *     rules: [{ first: 0, last: 1, conditions: [], value: 0x7fff_0000, source: "" }],
 *   }],
 * });
 * const call = { nr: 1, arch: 0xc000_003e, instructionPointer: 0n, args: [] };
 * assertEquals(run(prepare(program), toWords(call, true)), 0x7fff_0000);
 * assertEquals(program.length, 7);
 * ```
 *
 * @param policy The meaning of the filter.
 * @param options The cost, and the work for a proof of the optimum.
 * @returns The program and the facts that are known about it.
 * @throws {SizeError} if the program would exceed 4096 instructions.
 * @throws {RangeError} if the policy has a number that no call can have.
 */
export function compile(
  policy: Policy,
  options: CompileOptions = {},
): PolicyCompilation {
  checkPolicy(policy);
  const { objective = "balanced" } = options;
  let shortest: SizeError | undefined;
  for (const variant of compileVariants(policy, objective)) {
    const compilation = compileVariant(policy, options, variant);
    if (!(compilation instanceof SizeError)) return compilation;
    if (compilation.length < (shortest?.length ?? Infinity)) {
      shortest = compilation;
    }
    // No other variant can be that much shorter.
    if (compilation.shares.length === 0 && isHopeless(policy)) break;
  }
  throw present(shortest);
}

/** Compiles in one way; the error says how much too long the program is. */
function compileVariant(
  policy: Policy,
  options: CompileOptions,
  { objective, madeForSize, style }: CompileVariant,
): PolicyCompilation | SizeError {
  try {
    const calls = decideCalls(policy, style, MOST_TESTS);
    const { together } = calls;
    const compilation = compileCalls(
      together === undefined ? [calls] : [calls, together],
      { ...options, objective },
    );
    const { program, decision } = compilation;
    if (program.length > BPF_MAXINSNS) {
      return new SizeError(program.length, sizeOf(policy, decision));
    }
    checkProgram(program, calls);
    const { testedInOrder } = calls;
    return { ...compilation, madeForSize, testedInOrder };
  } catch (error) {
    if (error instanceof SizeError) return error;
    throw error;
  }
}

/**
 * Reports whether even testing all rules in order takes far too many
 * instructions.
 */
function isHopeless(policy: Policy): boolean {
  try {
    decideCalls(policy, "in-order", 2 * BPF_MAXINSNS);
    return false;
  } catch (error) {
    if (error instanceof SizeError) return true;
    throw error;
  }
}

/**
 * Compiles decisions about calls from any source.
 *
 * @param equal The decisions; if there are several, they mean the same.
 * @param options The cost, and the work for a proof of the optimum.
 * @returns The shortest program, which may be too long for the kernel, and the
 * facts that are known about it.
 */
function compileCalls(
  equal: readonly DecidedCalls[],
  options: CompileOptions,
): Compilation {
  const searches: Searches = new Map();
  const attempts = ATTEMPTS[options.objective ?? "balanced"];
  const drafts = equal.flatMap((calls) =>
    attempts
      .filter((attempt) => canUse(calls, attempt))
      .map((attempt) => ({
        calls,
        ...draft(calls, { ...options, ...attempt, searches }),
      }))
  );
  // The first of the shortest, because the sort is stable.
  const [best] = drafts.sort((a, b) => a.program.length - b.program.length);
  const { calls, program, decision, trees } = present(best);
  const arches = trees.map(({ tree, total }, i) => {
    const { names, auditArch, intervals } = present(calls.arches[i]);
    return {
      names,
      auditArch,
      intervals: intervals.length,
      depth: tree.depth,
      tests: tree.cost / total,
      cost: tree.priced / total,
      proven: tree.proven,
      lowerBound: tree.lowerBound / total,
    };
  });
  return { program, littleEndian: calls.littleEndian, decision, arches };
}

/**
 * Compiles decisions about calls with given weights and a given price of a test.
 *
 * @param calls The decisions.
 * @param options The work for a proof of the optimum, and the histogram.
 * @param attempt The weights and the price.
 * @param searches Results of earlier attempts for these calls and options.
 * @returns The program, which may be too long for the kernel; `undefined` if
 * the attempt folds numbers and there are none to fold, or the reverse for one
 * that shares.
 */
export function compileAttempt(
  calls: DecidedCalls,
  options: CompileOptions,
  attempt: Attempt,
  searches: Searches = new Map(),
): Program | undefined {
  if (!canUse(calls, attempt)) return undefined;
  return draft(calls, { ...options, ...attempt, searches }).program;
}

/**
 * Reports whether an attempt differs from the same one without folding, or is
 * not worth its time because it does not fold.
 */
function canUse(
  { arches }: DecidedCalls,
  { folds = false, shares = false }: Attempt,
): boolean {
  if (!folds && !shares) return true;
  return folds === arches.some(({ intervals }) => isFoldable(intervals));
}

/** Result of one attempt. */
interface Draft {
  readonly program: Program;
  readonly decision: Decision;
  /** One entry per architecture. */
  readonly trees: readonly ArchTree[];
}

/** The tree of an architecture. */
interface ArchTree {
  readonly tree: WordTree;
  /** Weight of all numbers, 1 if they have none. */
  readonly total: number;
}

/** The passes that depend on weights and prices. */
function draft(
  { graph, arches, unknown }: DecidedCalls,
  options: DraftOptions,
): Draft {
  const trees = arches.map((arch) => findTree(graph, arch, options));
  const others = { auditArch: NO_ARCH, intervals: unknown };
  const decision = dispatch(
    graph,
    arches.map(({ auditArch }, i) => ({
      auditArch,
      decision: present(trees[i]).tree.node,
    })),
    findTree(graph, others, options).tree.node,
  );
  return { program: layout(select(decision), options), decision, trees };
}

/** Stands for every architecture without an entry; no histogram names it. */
const NO_ARCH = 0;

/** Options of one attempt. */
interface DraftOptions extends CompileOptions, Attempt, LayoutOptions {
  readonly objective: Attempt["objective"];
  readonly searches: Searches;
}

function findTree(
  graph: DecisionGraph,
  { auditArch, intervals }: Pick<DecidedArch, "auditArch" | "intervals">,
  options: DraftOptions,
): ArchTree {
  const folded = options.folds === true && isFoldable(intervals)
    ? foldNumbers(graph, intervals)
    : undefined;
  const cells = weigh(folded ?? intervals, auditArch, options);
  const maxDepth = depthLimit(intervals.length, options);
  const { searches } = options;
  const tree = treeOfCells(graph, NR_OFFSET, cells, {
    search: (problem, limits) => searchOnce(searches, problem, limits),
    bits: true,
    shares: options.shares === true && maxDepth === undefined,
    ...(folded === undefined ? {} : { mask: FOLDED_MASK }),
    sizePenalty: options.price,
    ...(maxDepth === undefined ? {} : { maxDepth }),
    workLimit: options.workLimit ?? WORK_LIMIT,
    boundWork: options.boundWork ?? 0,
  });
  const total = cells.reduce((sum, { weight }) => sum + weight, 0);
  const stated = folded === undefined
    ? tree
    : { ...tree, proven: false, lowerBound: 0 };
  return { tree: stated, total: total === 0 ? 1 : total };
}

/** Checks properties that do not need the meaning; the proof is in verify/. */
function checkProgram(program: Program, { arches }: DecidedCalls): void {
  const fault = check(program);
  if (fault !== undefined) {
    throw new Error(
      `Unreachable: the kernel would refuse the program: ${fault.message}`,
    );
  }
  for (const { auditArch, names, intervals } of arches) {
    const nr = findUncached(program, auditArch, intervals);
    if (nr === undefined) continue;
    throw new Error(
      `Unreachable: number ${nr} of ${names[0]} would lose the allow cache`,
    );
  }
}
