/**
 * Converts tests to code: decides where the accumulator must be loaded.
 *
 * A test reads a word of the input and may mask it. If a path comes from a test
 * of the same word, the accumulator already contains it. The code of a test is
 * therefore laid out with up to three entries:
 *
 * ```text
 * entry "load"     ld [offset]
 * entry "word"     and #mask        (absent without a mask)
 * entry "masked"   jeq #k, yes, no
 * ```
 *
 * The contents of the accumulator after a test depend only on the test, never
 * on the path to it, so one traversal of the graph determines every entry.
 *
 * @module
 */

import { present } from "./present.ts";
import type { Branch, Decision } from "./decision.ts";

/** Entry into the code of a test, from the top. */
export type EntryKind = "load" | "word" | "masked";

/** A node together with the entry that a jump to it uses. */
export interface EnteredNode {
  readonly node: Decision;
  /** `masked` for leaves and pieces, which have one entry. */
  readonly entry: EntryKind;
}

/** Code of one test. */
export interface Block {
  readonly node: Branch;
  /** True if some path needs the load. */
  readonly loads: boolean;
  /** True if some path needs the mask. */
  readonly masks: boolean;
  readonly yes: EnteredNode;
  readonly no: EnteredNode;
}

/** All tests of a graph as code. */
export interface Selection {
  /** Entry of the program. */
  readonly root: EnteredNode;
  /** One block for each branch. */
  readonly blocks: ReadonlyMap<Branch, Block>;
}

const FULL = 0xffff_ffff;
/** A set of entries has a bit for each. */
const BITS: Readonly<Record<EntryKind, number>> = {
  load: 1,
  word: 2,
  masked: 4,
};

/**
 * Selects code for every node that can be reached.
 *
 * Selects code for every reachable node.
 * @returns One block per branch and the entries between them.
 */
export function select(root: Decision): Selection {
  const entries = new Map<Branch, number>();
  const targets = new Map<Branch, { yes: EnteredNode; no: EnteredNode }>();
  const pending: Branch[] = [];
  const reach = (node: Decision, from: Branch | undefined): EnteredNode => {
    if (node.kind !== "branch") return { node, entry: "masked" };
    const entry = entryFrom(from, node);
    const seen = entries.get(node);
    if (seen === undefined) pending.push(node);
    entries.set(node, (seen ?? 0) | BITS[entry]);
    return { node, entry };
  };
  const start = reach(root, undefined);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    targets.set(node, { yes: reach(node.yes, node), no: reach(node.no, node) });
  }
  const blocks = new Map<Branch, Block>();
  for (const [node, { yes, no }] of targets) {
    const used = present(entries.get(node));
    const loads = (used & BITS.load) !== 0;
    const masks = node.mask !== FULL && (used & (BITS.load | BITS.word)) !== 0;
    blocks.set(node, { node, loads, masks, yes, no });
  }
  return { root: start, blocks };
}

/**
 * Returns how the code of a test is entered.
 *
 * @param from The test before it, if there is one.
 * @param node The test.
 */
export function entryFrom(
  from: Branch | undefined,
  node: Branch,
): EntryKind {
  if (from === undefined || from.offset !== node.offset) return "load";
  if (from.mask === node.mask) return "masked";
  return from.mask === FULL ? "word" : "load";
}
