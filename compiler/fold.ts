/**
 * Folds the numbers of x32 onto those of x86_64: most calls have the same number
 * there with bit 30 set, and the same decision. One AND in front replaces their
 * tests; bit 30 is tested only for numbers whose decisions differ.
 *
 * ```text
 * 0…9 allow, 10 deny, …, 0x40000000…0x40000009 allow, 0x4000000a deny, …
 *     ▼
 * nr & 0xbfffffff: 0…9 allow, 10 deny, …
 * ```
 *
 * A native call also executes the AND, so this is used for size, and in
 * `optimize`, which weighs its cost.
 *
 * @module
 */

import { NR_OFFSET } from "../bpf/seccomp_data.ts";
import type { DecidedInterval } from "./cost.ts";
import type { Decision, DecisionGraph } from "./decision.ts";
import { present } from "./present.ts";

/** `__X32_SYSCALL_BIT` of asm/unistd.h. */
const X32_BIT = 0x4000_0000;

/** All bits of a number that remain. */
export const FOLDED_MASK = 0xbfff_ffff;

/** The test of bit 30. */
const BIT_TEST = {
  offset: NR_OFFSET,
  mask: 0xffff_ffff,
  op: "set",
  k: X32_BIT,
} as const;

/**
 * Reports whether decisions change among the numbers of x32.
 *
 * @param intervals A partition of all numbers.
 */
export function isFoldable(intervals: readonly DecidedInterval[]): boolean {
  return intervals.some(({ first }) => first > X32_BIT && first < 2 * X32_BIT);
}

/**
 * Folds intervals of numbers.
 *
 * @param graph Graph in which nodes are made.
 * @param intervals A partition of all numbers.
 * @returns A partition with the decisions after the AND; numbers that have bit 30
 * join a neighbor.
 */
export function foldNumbers(
  graph: DecisionGraph,
  intervals: readonly DecidedInterval[],
): readonly DecidedInterval[] {
  // Each number without bit 30 at which a decision begins, with the bit or not.
  const starts = new Set([0, 2 * X32_BIT]);
  for (const { first } of intervals) starts.add((first & FOLDED_MASK) >>> 0);
  const folded: { readonly first: number; readonly node: Decision }[] = [];
  for (const first of [...starts].sort((a, b) => a - b)) {
    const x32 = decisionAt(intervals, (first | X32_BIT) >>> 0);
    const native = decisionAt(intervals, first);
    // A constant answer must not depend on arguments, because the call would
    // lose the allow cache.
    const isConstant = x32.kind !== "branch" || native.kind !== "branch";
    const node = isConstant
      ? graph.branch(BIT_TEST, x32, native)
      : testBitLast(graph, x32, native);
    if (folded.at(-1)?.node !== node) folded.push({ first, node });
  }
  return folded.map(({ first, node }, i) => ({
    first,
    last: (folded[i + 1]?.first ?? 0x1_0000_0000) - 1,
    node,
  }));
}

/**
 * Decides by arguments first, while both decisions have the same tests, and by
 * bit 30 at the ends: the tests of it there are shared with those of other
 * numbers.
 */
function testBitLast(
  graph: DecisionGraph,
  x32: Decision,
  native: Decision,
): Decision {
  if (x32 === native) return native;
  const asking = native.kind === "branch" ? native : x32;
  const isAlike = x32.kind === "leaf" || native.kind === "leaf" ||
    x32.kind === "branch" && native.kind === "branch" &&
      BY_TEST.every((key) => x32[key] === native[key]);
  if (asking.kind !== "branch" || !isAlike) {
    return graph.branch(BIT_TEST, x32, native);
  }
  const { offset, mask, op, k } = asking;
  const [x32Yes, x32No] = sidesOf(x32);
  const [nativeYes, nativeNo] = sidesOf(native);
  return graph.branch(
    { offset, mask, op, k },
    testBitLast(graph, x32Yes, nativeYes),
    testBitLast(graph, x32No, nativeNo),
  );
}

/** Fields that equal tests share. */
const BY_TEST = ["offset", "mask", "op", "k"] as const;

/** Returns the decisions after a test that succeeds, and after one that fails. */
function sidesOf(decision: Decision): readonly [Decision, Decision] {
  return decision.kind === "branch"
    ? [decision.yes, decision.no]
    : [decision, decision];
}

function decisionAt(
  intervals: readonly DecidedInterval[],
  nr: number,
): Decision {
  return present(intervals.find(({ last }) => nr <= last)).node;
}
