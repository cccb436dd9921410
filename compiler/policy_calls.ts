/**
 * The passes that depend only on the policy: numbers with their decisions on
 * arguments.
 *
 * @module
 */

import type { ArchPolicy, Policy, Rule } from "../profile/policy.ts";
import {
  type ArgumentStyle,
  type Calls,
  decideArguments,
  newArgumentWork,
} from "./conditions.ts";
import type { DecidedInterval } from "./cost.ts";
import {
  createDecisionGraph,
  type Decision,
  type DecisionGraph,
} from "./decision.ts";
import { partition } from "./partition.ts";

/** The decision for each number of each architecture, independent of weights. */
export interface DecidedCalls {
  /** Graph in which the nodes were made. */
  readonly graph: DecisionGraph;
  /** One entry per architecture, in the order of their tests. */
  readonly arches: readonly DecidedArch[];
  /** The decision on the number if no architecture matches. */
  readonly unknown: readonly DecidedInterval[];
  /** Byte order of the machine that runs the filter. */
  readonly littleEndian: boolean;
}

/** The intervals of an architecture; the decisions of neighbors differ. */
export interface DecidedArch extends Pick<ArchPolicy, "auditArch" | "names"> {
  readonly intervals: readonly DecidedInterval[];
}

/** The decisions of a policy. */
export interface PolicyCalls extends DecidedCalls {
  /** Number of lists of rules that are tested in their order. */
  readonly testedInOrder: number;
  /** Method of deciding arguments. */
  readonly style: ArgumentStyle;
}

/**
 * Partitions the numbers and decides the arguments: once, for all attempts.
 *
 * @param policy The policy.
 * @param style Method of deciding arguments.
 * @param mostTests Number of tests on arguments at which the program is given
 * up.
 * @throws {SizeError} if there are more.
 */
export function decideCalls(
  policy: Policy,
  style: ArgumentStyle,
  mostTests: number,
): PolicyCalls {
  const graph = createDecisionGraph();
  const work = newArgumentWork();
  const calls: Calls = {
    ...policy,
    graph,
    style,
    mostTests,
    decided: new Map(),
    work,
  };
  const arches = policy.arches.map(({ auditArch, names, rules }) => ({
    auditArch,
    names,
    intervals: decideNumbers(calls, rules),
  }));
  const { badArchValue, littleEndian } = policy;
  const node = graph.leaf(badArchValue);
  return {
    graph,
    arches,
    unknown: [{ first: 0, last: 0xffff_ffff, node }],
    littleEndian,
    style,
    testedInOrder: work.inOrder,
  };
}

function decideNumbers(
  calls: Calls,
  rules: readonly Rule[],
): readonly DecidedInterval[] {
  const starts: { readonly first: number; readonly node: Decision }[] = [];
  for (const interval of partition(rules)) {
    const node = decideArguments(calls, interval.rules);
    if (starts.at(-1)?.node === node) continue;
    starts.push({ first: interval.first, node });
  }
  return starts.map(({ first, node }, i) => ({
    first,
    last: (starts[i + 1]?.first ?? 0x1_0000_0000) - 1,
    node,
  }));
}
