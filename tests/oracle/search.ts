/**
 * The rules that libseccomp drops before it adds a rule to a tree.
 *
 * @module
 */

import {
  allLeadTo,
  type CallTree,
  isLast,
  isLater,
  isSame,
  isUsed,
  type Test,
} from "./chain.ts";

/** Result of searching a chain in the tree. */
interface Found {
  /** The chain and the tree agree, here and in all tests since they first did. */
  readonly match: boolean;
  /** They agreed once. */
  readonly once: boolean;
  readonly oldEnded: boolean;
  readonly newEnded: boolean;
  /** The tree has tests above the place where they first agree. */
  readonly above: boolean;
  /** The chain has tests above that place. */
  readonly below: boolean;
}

/**
 * Finds the rules that a new rule makes superfluous: a rule of the tree that
 * ends like the new one and only adds tests in front is removed; a new rule
 * with that relation to one of the tree is not added.
 */
export class Search {
  readonly #tree: CallTree;
  readonly #value: number;
  readonly #keepsForks: boolean;
  readonly #gone: Set<Test> = new Set();

  /**
   * @param tree The tree.
   * @param value Outcome of the new rule.
   * @param keepsForks True if rules that continue on both sides of a test must
   * agree below both.
   */
  constructor(tree: CallTree, value: number, keepsForks: boolean) {
    this.#tree = tree;
    this.#value = value;
    this.#keepsForks = keepsForks;
  }

  get removals(): number {
    return this.#gone.size;
  }

  run(chain: Test): Found {
    return this.#look(this.#tree.level, chain, {
      match: false,
      once: false,
      oldEnded: false,
      newEnded: false,
      above: false,
      below: false,
    });
  }

  #look(level: readonly Test[], test: Test, start: Found): Found {
    if (level.length === 0 || (start.once && !start.match)) return start;
    let found = start;
    for (const old of [...level]) {
      const step = isSame(old, test)
        ? this.#meet(level, old, test, start, found)
        : this.#pass(level, old, test, start, found);
      found = step.found;
      if (step.stop) return found;
    }
    return { ...found, match: false };
  }

  /** The two tests are one. */
  #meet(
    level: readonly Test[],
    old: Test,
    test: Test,
    start: Found,
    before: Found,
  ): { readonly found: Found; readonly stop: boolean } {
    let found: Found = {
      ...before,
      match: true,
      once: true,
      newEnded: before.newEnded || isLast(test),
      oldEnded: before.oldEnded || isLast(old),
    };
    // A different continuation on a side that the new rule does not use is
    // another rule.
    for (const name of ["yes", "no"] as const) {
      if (isUsed(old[name]) && !isUsed(test[name])) {
        return { found: { ...found, match: false }, stop: true };
      }
    }
    if (
      found.newEnded && found.oldEnded &&
      (old.yes.value !== test.yes.value || old.no.value !== test.no.value)
    ) return { found, stop: true };
    // If both sides continue, agreement on only one side is another rule.
    const isFork = this.#keepsForks && test.yes.level.length > 0 &&
      test.no.level.length > 0;
    let isWhole = true;
    for (const name of ["yes", "no"] as const) {
      for (const below of test[name].level) {
        const inner = this.#look(old[name].level, below, {
          ...start,
          match: true,
          once: true,
        });
        if (inner.match) found = join(found, inner);
        else if (isFork) isWhole = false;
        if (this.#gone.has(old)) return { found, stop: false };
      }
    }
    if (!isWhole) return { found: { ...found, match: false }, stop: false };
    if (!allLeadTo(level, this.#value)) return { found, stop: false };
    if (found.newEnded && found.above) {
      this.#remove(this.#tree.level, old);
      return { found, stop: this.#tree.level.length === 0 };
    }
    return { found, stop: found.oldEnded && found.below };
  }

  /** The two tests differ: one of the two goes on alone. */
  #pass(
    level: readonly Test[],
    old: Test,
    test: Test,
    start: Found,
    found: Found,
  ): { readonly found: Found; readonly stop: boolean } {
    const treeGoesOn = isLater(old, test);
    if (treeGoesOn ? start.below : start.above) return { found, stop: true };
    for (const name of ["yes", "no"] as const) {
      const inner = treeGoesOn
        ? this.#look(old[name].level, test, {
          ...start,
          match: false,
          above: true,
        })
        : test[name].level.map((next) =>
          this.#look(level, next, { ...start, match: false, below: true })
        ).at(0);
      if (inner?.match) return { found: join(found, inner), stop: true };
      if (this.#gone.has(old)) break;
    }
    return { found, stop: false };
  }

  /** Takes a test out, and every test above it that then leads nowhere. */
  #remove(level: Test[], gone: Test): boolean {
    for (const [at, test] of level.entries()) {
      const isIt = test === gone;
      const held = isIt || this.#remove(test.yes.level, gone) ||
        this.#remove(test.no.level, gone);
      if (!held) continue;
      if (isIt || (!isUsed(test.yes) && !isUsed(test.no))) {
        level.splice(at, 1);
        this.#gone.add(test);
      }
      return true;
    }
    return false;
  }
}

function join(a: Found, b: Found): Found {
  return {
    match: a.match || b.match,
    once: a.once || b.once,
    oldEnded: a.oldEnded || b.oldEnded,
    newEnded: a.newEnded || b.newEnded,
    above: a.above || b.above,
    below: a.below || b.below,
  };
}
