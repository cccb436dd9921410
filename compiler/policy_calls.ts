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
import { chooseTogether, type Ways } from "./together.ts";

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
  /**
   * For `short`: decisions of arguments that take fewer instructions together,
   * if there are any.
   */
  readonly together?: DecidedCalls;
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
  const calls = {
    ...policy,
    graph,
    style,
    mostTests,
    decided: new Map(),
    ways: new Map<string, Ways>(),
    work,
  };
  const { badArchValue, littleEndian } = policy;
  const node = graph.leaf(badArchValue);
  const unknown = [{ first: 0, last: 0xffff_ffff, node }];
  const arches = decideArches(calls, policy);
  const shared = { graph, unknown, littleEndian };
  const chosen = chooseTogether(calls.ways);
  return {
    ...shared,
    arches,
    style,
    testedInOrder: work.inOrder,
    ...(chosen === undefined ? {} : {
      together: {
        ...shared,
        arches: decideArches(
          { ...calls, decided: new Map([...calls.decided, ...chosen]) },
          policy,
        ),
      },
    }),
  };
}

function decideArches(
  calls: Calls,
  policy: Policy,
): readonly DecidedArch[] {
  return policy.arches.map(({ auditArch, names, rules }) => ({
    auditArch,
    names,
    intervals: decideNumbers(calls, rules),
  }));
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
