/**
 * Joins the decisions of all architectures by tests on `seccomp_data.arch`, in
 * the order of the policy: the first one takes the fewest tests to reach.
 *
 * @module
 */

import { ARCH_OFFSET } from "../bpf/seccomp_data.ts";
import type { Decision, DecisionGraph } from "./decision.ts";

/**
 * Builds the chain of architecture tests.
 *
 * @param graph Graph in which nodes are made.
 * @param arches Audit value and decision of each architecture.
 * @param unknown Decision if no architecture matches.
 * @returns The decision of the whole filter.
 */
export function dispatch(
  graph: DecisionGraph,
  arches: readonly {
    readonly auditArch: number;
    readonly decision: Decision;
  }[],
  unknown: Decision,
): Decision {
  return arches.reduceRight(
    (rest, { auditArch, decision }) =>
      graph.branch(
        { offset: ARCH_OFFSET, mask: 0xffff_ffff, op: "eq", k: auditArch },
        decision,
        rest,
      ),
    unknown,
  );
}
