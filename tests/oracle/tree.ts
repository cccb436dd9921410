/**
 * The tree of tests that libseccomp keeps for one system call of one
 * architecture: rules are added in order, and calls are evaluated.
 *
 * Source of the behavior: libseccomp 2.5.4 and 2.6.1, observed; if those two
 * differ, 2.6.1.
 *
 * @module
 */

import type { LinuxSeccompArg } from "../../profile/formats/oci.ts";
import {
  allLeadTo,
  type CallTree,
  isLater,
  isSame,
  makeChain,
  type Test,
} from "./chain.ts";
import { Search } from "./search.ts";

/** A rule that cannot be added: `EEXIST`. */
export class ExistsError extends Error {
  override readonly name = "ExistsError";
}

/** Creates the tree of a call without rules. */
export function createCallTree(): CallTree {
  return { level: [], library: { level: [] } };
}

/**
 * Adds a rule.
 *
 * @throws {ExistsError} if libseccomp answers `EEXIST`; the tree is then spoiled.
 * @param tree Changed.
 * @param args Comparisons, at most one for each argument, in any order.
 * @param bits Width of a comparison.
 * @param value Outcome, a u32.
 */
export function addRule(
  tree: CallTree,
  args: readonly LinuxSeccompArg[],
  bits: 32 | 64,
  value: number,
): void {
  if (tree.value !== undefined) return;
  const widthMask = bits === 64 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  const needed = args
    .filter(({ op, value }) =>
      op !== "SCMP_CMP_MASKED_EQ" || (value & widthMask) !== 0n
    )
    .toSorted((a, b) => a.index - b.index);
  const chain = makeChain(needed, bits, value);
  if (chain === undefined) {
    tree.value = value;
    tree.level = [];
    return;
  }
  const { library } = tree;
  if (library === undefined) return file(tree, chain, value, false);
  file(library, makeChain(needed, bits, value) ?? chain, value, false);
  try {
    file(tree, chain, value, true);
  } catch (error) {
    if (!(error instanceof ExistsError)) throw error;
    // The library accepts what contradicts an earlier rule.
    delete tree.library;
    tree.level = library.level;
  }
}

/** Adds a chain unless it is superfluous. */
function file(
  tree: CallTree,
  chain: Test,
  value: number,
  keepsForks: boolean,
): void {
  const search = new Search(tree, value, keepsForks);
  const found = search.run(chain);
  if (tree.level.length === 0) {
    tree.level = [chain];
  } else if (
    search.removals > 0 || !(found.match && found.oldEnded && found.below)
  ) {
    insert(tree.level, chain);
  }
}

/**
 * Evaluates a call on the tree.
 *
 * @param tree The rules.
 * @param args Six arguments, u64.
 * @returns The outcome, undefined if no rule matches.
 */
export function walk(
  tree: CallTree,
  args: readonly bigint[],
): number | undefined {
  return tree.value ?? walkLevel(tree.level, args);
}

function walkLevel(
  level: readonly Test[],
  args: readonly bigint[],
): number | undefined {
  for (const test of level) {
    const side = holds(test, args) ? test.yes : test.no;
    const value = side.value ?? walkLevel(side.level, args);
    if (value !== undefined) return value;
  }
  return undefined;
}

function holds(test: Test, args: readonly bigint[]): boolean {
  const arg = args[test.slot >> 1] ?? 0n;
  const word = Number(
    test.slot % 2 === 1 ? arg >> 32n & 0xffff_ffffn : arg & 0xffff_ffffn,
  );
  switch (test.compare) {
    case "gt":
      return word > test.datum;
    case "ge":
      return word >= test.datum;
    case "eq":
      return word === test.datum;
    case "masked":
      return (word & test.mask) >>> 0 === test.datum;
  }
}

function insert(level: Test[], test: Test): void {
  for (const [at, old] of level.entries()) {
    if (isSame(old, test)) {
      mergeSide(old, test, "yes");
      mergeSide(old, test, "no");
      return;
    }
    if (isLater(old, test)) {
      level.splice(at, 0, test);
      return;
    }
  }
  level.push(test);
}

function mergeSide(into: Test, from: Test, name: "yes" | "no"): void {
  const old = into[name];
  const side = from[name];
  if (side.value !== undefined) {
    if (old.value === undefined) {
      if (!allLeadTo(old.level, side.value)) throw new ExistsError();
      old.value = side.value;
      old.bound = side.bound;
      old.level = [];
    } else if (old.value !== side.value) {
      if (into.slot % 2 === 0) throw new ExistsError();
      // A high word that several bounds share: the tighter one decides.
      const isTighter = name === "yes"
        ? side.bound > old.bound
        : side.bound < old.bound;
      if (isTighter) {
        old.value = side.value;
        old.bound = side.bound;
      }
    }
  }
  // A test that is narrower than an outcome already here is never reached.
  if (old.value === undefined) {
    for (const test of side.level) insert(old.level, test);
  }
}
