/**
 * Writes a comparison of a word under a mask with the fewest instructions.
 *
 * @module
 */

import type { Decision, DecisionGraph } from "./decision.ts";

/** The comparison `(w & mask) === value`. */
export interface BitsTest {
  /** Byte offset of the word. */
  readonly offset: number;
  /** A u32, not 0. */
  readonly mask: number;
  /** A u32 within the mask. */
  readonly value: number;
}

const FULL = 0xffff_ffff;

/** Reports whether a comparison under a mask is one JSET. */
export function isBitTest({ mask, value }: Omit<BitsTest, "offset">): boolean {
  return mask !== FULL &&
    (value === 0 || (value === mask && (mask & (mask - 1)) === 0));
}

/**
 * Makes the test: all bits clear, or a single bit set, is one JSET, which
 * leaves the word in the accumulator; other tests need AND and JEQ.
 *
 * @param graph Graph of the node.
 * @param test The comparison.
 * @param yes Successor if it succeeds.
 * @param no Successor if it fails.
 */
export function testBits(
  graph: DecisionGraph,
  { offset, mask, value }: BitsTest,
  yes: Decision,
  no: Decision,
): Decision {
  if (!isBitTest({ mask, value })) {
    return graph.branch({ offset, mask, op: "eq", k: value }, yes, no);
  }
  const test = { offset, mask: FULL, op: "set", k: mask } as const;
  return value === 0
    ? graph.branch(test, no, yes)
    : graph.branch(test, yes, no);
}
