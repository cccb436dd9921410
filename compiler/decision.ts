/**
 * The decision: a graph of tests on 32-bit words of the input that ends in
 * return values. It defines the tests, but not the placement of their code.
 *
 * @module
 */

import type { Program } from "../bpf/instruction.ts";
import type { ReturnValue } from "../profile/policy.ts";

/** A test of one word `w`, which is masked by `mask` before an `eq` or `ge`. */
export type TestOp =
  /** (w & mask) === k */
  | "eq"
  /** (w & mask) >= k */
  | "ge"
  /** (w & k) !== 0; the bits of `k` are in `mask` */
  | "set";

/** An outcome. */
export interface Leaf {
  /** Tag. */
  readonly kind: "leaf";
  /** The value that the filter returns. */
  readonly value: ReturnValue;
  /** Number of the node, unique within its graph. */
  readonly id: number;
}

/** A test and its two successors. */
export interface Branch {
  /** Tag. */
  readonly kind: "branch";
  /** Byte offset of the word in `struct seccomp_data`, a multiple of 4. */
  readonly offset: number;
  /** Mask that is applied to the word first; 0xffff_ffff for none. */
  readonly mask: number;
  /** The test. */
  readonly op: TestOp;
  /** Constant of the test, a u32. */
  readonly k: number;
  /** Successor if the test succeeds. */
  readonly yes: Decision;
  /** Successor if it fails. */
  readonly no: Decision;
  /** Number of the node, unique within its graph. */
  readonly id: number;
}

/** Instructions of an existing program that end by themselves (piece.ts). */
export interface Piece {
  /** Tag. */
  readonly kind: "piece";
  /** Every path ends in a `ret`; A may have any value at the start. */
  readonly program: Program;
  /** Number of the node, unique within its graph. */
  readonly id: number;
}

/** A node of the graph; nodes are shared, never changed. */
export type Decision = Leaf | Branch | Piece;

/** Creates the nodes of one graph, in which equal nodes are one node. */
export interface DecisionGraph {
  /** The node that returns `value`. */
  leaf(value: ReturnValue): Leaf;
  /** The node that runs instructions to their end. */
  piece(program: Program): Piece;
  /** The node that makes a test; if both sides are the same node, that node. */
  branch(
    test: Pick<Branch, "offset" | "mask" | "op" | "k">,
    yes: Decision,
    no: Decision,
  ): Decision;
}

/** Creates an empty graph. */
export function createDecisionGraph(): DecisionGraph {
  const leaves = new Map<number, Leaf>();
  const branches = new Map<string, Branch>();
  const pieces = new Map<string, Piece>();
  let ids = 0;
  return {
    leaf(value: ReturnValue): Leaf {
      let node = leaves.get(value);
      if (node === undefined) {
        node = { kind: "leaf", value, id: ids++ };
        leaves.set(value, node);
      }
      return node;
    },
    piece(program: Program): Piece {
      const key = JSON.stringify(program);
      let node = pieces.get(key);
      if (node === undefined) {
        node = { kind: "piece", program, id: ids++ };
        pieces.set(key, node);
      }
      return node;
    },
    branch({ offset, mask, op, k }, yes, no): Decision {
      if (yes === no) return yes;
      const key = `${offset},${mask},${op},${k},${yes.id},${no.id}`;
      let node = branches.get(key);
      if (node === undefined) {
        node = { kind: "branch", offset, mask, op, k, yes, no, id: ids++ };
        branches.set(key, node);
      }
      return node;
    },
  };
}

/** Counts the tests of a decision; shared ones count once. */
export function countBranches(root: Decision): number {
  const seen = new Set<Decision>();
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.kind !== "branch" || seen.has(node)) continue;
    seen.add(node);
    stack.push(node.yes, node.no);
  }
  return seen.size;
}
