/**
 * The compiler: a policy becomes a program.
 *
 * ```text
 * partition ▶ conditions ▶ tree   (per architecture)
 *                            ▼
 *             dispatch ▶ select ▶ layout ▶ Program
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
import {
  type ArchPolicy,
  checkPolicy,
  type Policy,
} from "../profile/policy.ts";
import { BPF_MAXINSNS } from "../tables/uapi.ts";
import { type Calls, decideArguments } from "./conditions.ts";
import { findUncached } from "./cached.ts";
import {
  type CostedInterval,
  type CostOptions,
  depthBound,
  PRICES,
  weigh,
} from "./cost.ts";
import { createDecisionGraph, type Decision } from "./decision.ts";
import { dispatch } from "./dispatch.ts";
import { SizeError, sizeOf } from "./size.ts";
import { layout } from "./layout.ts";
import { partition } from "./partition.ts";
import { select } from "./select.ts";
import { treeOfCells, type WordTree } from "./tree.ts";

/** How to compile. */
export interface CompileOptions extends CostOptions {
  /**
   * Work units that the search for the optimum of each architecture may spend,
   * about 10^7 a second; 20 million where absent, 0 for the quick search alone.
   */
  readonly workLimit?: number;
}

/** Work units for each architecture where nothing is said. */
const WORK_LIMIT = 20_000_000;

/** A filter and what is known about it. */
export interface Compilation extends Filter {
  /** The decision that it was laid out from. */
  readonly decision: Decision;
  /** One entry per architecture, in the order of the policy. */
  readonly arches: readonly CompiledArch[];
}

/** What is known about the tree of one architecture. */
export interface CompiledArch {
  /** Names for people. */
  readonly names: readonly string[];
  /** `AUDIT_ARCH_*`. */
  readonly auditArch: number;
  /** Intervals of the number line with neighboring outcomes that differ. */
  readonly intervals: number;
  /** Most tests on a number. */
  readonly depth: number;
  /** Expected tests on the number under the weights. */
  readonly tests: number;
  /** The same with the price of a test: what was made small; for `size`, by the best of several prices. */
  readonly cost: number;
  /** Whether no tree of `==` and `>=` tests has a smaller `cost`. */
  readonly proven: boolean;
  /** No tree of `==` and `>=` tests has a smaller `cost`. */
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
 * @param policy What the filter has to mean.
 * @param options The cost, and how long to look for a proof of the optimum.
 * @returns The program and what is known about it.
 * @throws {SizeError} when the program would exceed 4096 instructions.
 * @throws {RangeError} where the policy has a number that no call can have.
 */
export function compile(
  policy: Policy,
  options: CompileOptions = {},
): Compilation {
  checkPolicy(policy);
  const objective = options.objective ?? "balanced";
  const tried = PRICES[objective].map((price) =>
    compileAt(policy, options, price)
  );
  // Neither is always the shorter; asked for size, none may be longer.
  if (objective === "size") {
    const cached = { ...options, objective: "cached" } as const;
    for (const price of PRICES.cached) {
      tried.push(compileAt(policy, cached, price));
    }
  }
  const [found] = tried.sort((a, b) => a.program.length - b.program.length);
  if (found === undefined) throw new Error("Unreachable: no price");
  if (found.program.length > BPF_MAXINSNS) {
    const shares = sizeOf(policy, found.decision);
    throw new SizeError(found.program.length, shares);
  }
  checkProgram(found.program, policy, found.trees);
  const arches = policy.arches.map(({ names, auditArch }, i) => {
    const { tree, intervals, total } = found.trees[i] ?? { total: 1 };
    return {
      names,
      auditArch,
      intervals: intervals ?? 0,
      depth: tree?.depth ?? 0,
      tests: (tree?.cost ?? 0) / total,
      cost: (tree?.priced ?? 0) / total,
      proven: tree?.proven ?? false,
      lowerBound: (tree?.lowerBound ?? 0) / total,
    };
  });
  const { program, decision } = found;
  return { program, littleEndian: policy.littleEndian, decision, arches };
}

/** What the passes make of a policy. */
interface Draft {
  readonly program: Program;
  readonly decision: Decision;
  readonly trees: readonly ArchTree[];
}

/** The pipeline. */
function compileAt(
  policy: Policy,
  options: CompileOptions,
  price: number,
): Draft {
  const graph = createDecisionGraph();
  const calls: Calls = { ...policy, graph, decided: new Map() };
  const trees = policy.arches.map((arch) =>
    compileArch(calls, arch, { ...options, price })
  );
  const decision = dispatch(
    graph,
    policy.arches.map(({ auditArch }, i) => ({
      auditArch,
      decision: trees[i]?.tree.node ?? graph.leaf(policy.badArchValue),
    })),
    graph.leaf(policy.badArchValue),
  );
  return { program: layout(select(decision)), decision, trees };
}

/** Checks what can be checked without the meaning; the proof is verify/'s. */
function checkProgram(
  program: Program,
  policy: Policy,
  trees: readonly ArchTree[],
): void {
  const fault = check(program);
  if (fault !== undefined) {
    throw new Error(
      `Unreachable: the kernel would refuse the program: ${fault.message}`,
    );
  }
  for (const [i, { auditArch, names }] of policy.arches.entries()) {
    const nr = findUncached(program, auditArch, trees[i]?.decided ?? []);
    if (nr === undefined) continue;
    throw new Error(
      `Unreachable: number ${nr} of ${names[0]} would lose the allow cache`,
    );
  }
}

interface ArchTree {
  readonly tree: WordTree;
  readonly decided: readonly CostedInterval[];
  readonly intervals: number;
  readonly total: number;
}

function compileArch(
  calls: Calls,
  arch: ArchPolicy,
  options: CompileOptions & { readonly price: number },
): ArchTree {
  const decided = decide(calls, arch);
  const cells = weigh(decided, arch.auditArch, options);
  const maxDepth = depthBound(decided.length, options);
  const tree = treeOfCells(calls.graph, NR_OFFSET, cells, {
    bits: true,
    sizePenalty: options.price,
    ...(maxDepth === undefined ? {} : { maxDepth }),
    workLimit: options.workLimit ?? WORK_LIMIT,
  });
  const total = cells.reduce((sum, { weight }) => sum + weight, 0);
  return {
    tree,
    decided,
    intervals: decided.length,
    total: total === 0 ? 1 : total,
  };
}

/** The number line in intervals; what follows differs between neighbors. */
function decide(
  calls: Calls,
  { rules }: ArchPolicy,
): readonly CostedInterval[] {
  const starts: { readonly first: number; readonly node: Decision }[] = [];
  for (const interval of partition(rules)) {
    const node = decideArguments(calls, interval.rules);
    if (starts[starts.length - 1]?.node === node) continue;
    starts.push({ first: interval.first, node });
  }
  return starts.map(({ first, node }, i) => ({
    first,
    last: (starts[i + 1]?.first ?? 0x1_0000_0000) - 1,
    node,
  }));
}
