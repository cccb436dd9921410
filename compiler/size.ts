/**
 * Counts the instructions of a decision, and breaks them down for a policy that
 * is too large.
 *
 * @module
 */

import { ARCH_OFFSET, NR_OFFSET } from "../bpf/seccomp_data.ts";
import type { Policy } from "../profile/policy.ts";
import { BPF_MAXINSNS } from "../tables/uapi.ts";
import type { Decision } from "./decision.ts";
import { layout } from "./layout.ts";
import { select } from "./select.ts";

/**
 * Counts the instructions of a decision that stands alone.
 *
 * @param decision The decision.
 */
export function lengthOf(decision: Decision): number {
  return layout(select(decision)).length;
}

/** Tests of one architecture that no earlier architecture has. */
export interface SizeShare {
  /** Names for messages. */
  readonly names: readonly string[];
  /** Tests on the number. */
  readonly numberTests: number;
  /** Tests on arguments. */
  readonly argumentTests: number;
}

/** Thrown if a policy needs more instructions than the kernel accepts. */
export class SizeError extends Error {
  /** Name of the class. */
  override readonly name = "SizeError";
  /** Number of instructions that the program would have. */
  readonly length: number;
  /** Tests of each architecture. */
  readonly shares: readonly SizeShare[];

  /**
   * Builds the error.
   *
   * @param length Number of instructions that the program would have.
   * @param shares Tests of each architecture; empty if the program would have
   * even more instructions.
   */
  constructor(length: number, shares: readonly SizeShare[]) {
    const parts = shares.map(({ names, numberTests, argumentTests }) =>
      `${
        names.join("+")
      }: ${numberTests} tests on numbers, ${argumentTests} on arguments`
    );
    const most = parts.length === 0 ? "more than " : "";
    const where = parts.length === 0 ? "" : ` (${parts.join("; ")})`;
    super(
      `Cannot load the filter: ${most}${length} instructions, the kernel takes ${BPF_MAXINSNS}${where}: remove rules or architectures`,
    );
    this.length = length;
    this.shares = shares;
  }
}

/**
 * Counts the tests of each architecture.
 *
 * @param policy The policy.
 * @param decision Its decision, with the architecture tests.
 */
export function sizeOf(
  policy: Policy,
  decision: Decision,
): readonly SizeShare[] {
  const seen = new Set<Decision>();
  let rest = decision;
  return policy.arches.map(({ names, auditArch }) => {
    let root = rest;
    if (
      rest.kind === "branch" && rest.offset === ARCH_OFFSET &&
      rest.k === auditArch
    ) {
      root = rest.yes;
      rest = rest.no;
    }
    return { names, ...countTests(root, seen) };
  });
}

function countTests(
  root: Decision,
  seen: Set<Decision>,
): { numberTests: number; argumentTests: number } {
  let numberTests = 0;
  let argumentTests = 0;
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.kind !== "branch" || seen.has(node)) continue;
    seen.add(node);
    if (node.offset === NR_OFFSET) numberTests++;
    else argumentTests++;
    stack.push(node.yes, node.no);
  }
  return { numberTests, argumentTests };
}
