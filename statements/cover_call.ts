/**
 * Covers of a set of argument values by the fewest conjunctions of comparisons
 * that a profile can write: of each argument at most one, which is an equality,
 * an inequality, a bound, or an equality under a mask.
 *
 * A value that is not yet covered must be in some conjunction within the set,
 * and only the largest ones matter (`termsThrough`). So the search takes one
 * value at a time and branches over the largest conjunctions that contain it,
 * those that cover most first. The first complete path is the greedy cover. The
 * rest of the search only improves on it, by the number of conjunctions and
 * then by their length as text. The search is complete unless it reaches the
 * limits below, so the result is minimal for all sets of a few conjunctions,
 * and never wrong.
 *
 * @module
 */

import type { Condition } from "../profile/policy.ts";
import {
  ALWAYS,
  CONSTANT_LEVEL,
  NEVER,
  type Node,
} from "../verify/core/diagram.ts";
import { ARGUMENTS } from "./argument_words.ts";
import type { ArgumentSpace } from "./argument_space.ts";
import {
  type ArgumentPoint,
  type AtomOption,
  AtomOptions,
} from "./cover_atoms.ts";

/** A conjunction; comparisons of rising arguments. */
export type Conjunction = readonly Condition[];

/** A conjunction within a set. */
interface CoverTerm {
  readonly conditions: Conjunction;
  readonly where: Node;
  readonly length: number;
}

/** Maximum number of conjunctions through one value that are compared. */
const MOST_TERMS = 24;
/** Maximum number of steps of the search after its first cover. */
const MOST_STEPS = 100;
/** The same maximum if the first cover has more conjunctions than `MANY`. */
const FEW_STEPS = 4;
const MANY = 8;
/** Maximum number of conjunctions of a cover. */
const MOST_CONJUNCTIONS = 128;

/** Finds covers in one space of arguments. */
export class CallCover {
  readonly #space: ArgumentSpace;
  readonly #atoms: AtomOptions;
  readonly #through = new Map<string, readonly CoverTerm[]>();
  readonly #covers = new Map<string, readonly Conjunction[] | undefined>();

  /** @param space The space. */
  constructor(space: ArgumentSpace) {
    this.#space = space;
    this.#atoms = new AtomOptions(space);
  }

  /**
   * Covers a set.
   *
   * @throws {LimitReached} if a function becomes too large.
   *
   * @param lower The values that must be covered.
   * @param upper The values that may be covered, `lower` among them.
   * @returns The conjunctions in a fixed order; `undefined` if they are too many.
   */
  cover(lower: Node, upper: Node): readonly Conjunction[] | undefined {
    const key = `${lower} ${upper}`;
    if (this.#covers.has(key)) return this.#covers.get(key);
    const found = this.#search(lower, upper);
    this.#covers.set(key, found);
    return found;
  }

  #search(lower: Node, upper: Node): readonly Conjunction[] | undefined {
    const search = new CoverSearch(
      this.#space,
      (point) => this.#termsThrough(upper, point),
    );
    const found = search.run(lower);
    return found && this.#shortened(lower, found).toSorted(compareConjunctions);
  }

  /** Replaces masks that cover one open value by an equality with that value. */
  #shortened(
    lower: Node,
    found: readonly CoverTerm[],
  ): readonly Conjunction[] {
    const { diagram: d, full } = this.#space;
    const terms = found.map(({ conditions, where }) => ({ conditions, where }));
    for (const term of terms) {
      if (terms.length > MANY || !term.conditions.some(isMasked)) continue;
      const others = terms.filter((other) => other !== term)
        .reduce((all, { where }) => d.or(all, where), NEVER as Node);
      const open = d.except(d.and(lower, term.where), others);
      const { values } = endOf(this.#space, open, false);
      const conditions = term.conditions.map((one): Condition =>
        isMasked(one)
          ? { arg: one.arg, op: "eq", mask: full, value: values[one.arg] ?? 0n }
          : one
      );
      const where = this.#space.where(conditions);
      if (d.except(open, where) !== NEVER) continue;
      term.conditions = conditions;
      term.where = where;
    }
    return terms.map(({ conditions }) => conditions);
  }

  /** The largest conjunctions within a set that contain one value of each argument. */
  #termsThrough(upper: Node, point: ArgumentPoint): readonly CoverTerm[] {
    const key = `${upper} ${point.values.join()}`;
    const known = this.#through.get(key);
    if (known !== undefined) return known;
    const found: CoverTerm[] = [];
    const visit = (rest: Node, arg: number, chosen: Conjunction): void => {
      if (found.length === MOST_TERMS) return;
      if (rest === ALWAYS || arg === ARGUMENTS) {
        found.push({
          conditions: chosen,
          where: this.#space.where(chosen),
          length: lengthOf(chosen),
        });
        return;
      }
      for (const option of this.#atoms.through(rest, arg, point)) {
        visit(option.rest, arg + 1, withAtom(chosen, option));
      }
    };
    visit(upper, 0, []);
    const terms = largestOf(this.#space, found);
    this.#through.set(key, terms);
    return terms;
  }
}

function withAtom(chosen: Conjunction, { atom }: AtomOption): Conjunction {
  return atom === undefined ? chosen : [...chosen, atom];
}

/**
 * Omits conjunctions that another one contains; keeps the shorter of equal
 * ones.
 */
function largestOf(
  { diagram: d }: ArgumentSpace,
  found: readonly CoverTerm[],
): readonly CoverTerm[] {
  const sorted = found.toSorted((a, b) =>
    a.length - b.length || compareConjunctions(a.conditions, b.conditions)
  );
  return sorted.filter((one, i) =>
    !sorted.some((other, j) =>
      j !== i &&
      (one.where === other.where
        ? j < i
        : d.except(one.where, other.where) === NEVER)
    )
  );
}

/** The search for one cover. */
class CoverSearch {
  readonly #space: ArgumentSpace;
  readonly #through: (point: ArgumentPoint) => readonly CoverTerm[];
  #best: readonly CoverTerm[] | undefined;
  #bestLength = Infinity;
  #first = 0;
  #steps = 0;

  constructor(
    space: ArgumentSpace,
    through: (point: ArgumentPoint) => readonly CoverTerm[],
  ) {
    this.#space = space;
    this.#through = through;
  }

  run(lower: Node): readonly CoverTerm[] | undefined {
    this.#visit(lower, [], 0);
    return this.#best;
  }

  #visit(rest: Node, chosen: readonly CoverTerm[], length: number): void {
    if (rest === NEVER) {
      const most = this.#best?.length ?? Infinity;
      const isBetter = chosen.length < most ||
        chosen.length === most && length < this.#bestLength;
      if (isBetter) {
        this.#best = chosen;
        this.#bestLength = length;
      }
      return;
    }
    if (chosen.length >= MOST_CONJUNCTIONS) return;
    if (this.#isSpent()) return;
    const candidates = this.#candidates(rest);
    for (const term of candidates) {
      if (this.#isHopeless(chosen.length + 1, length + term.length)) continue;
      this.#visit(
        this.#space.diagram.except(rest, term.where),
        [...chosen, term],
        length + term.length,
      );
    }
  }

  /** The first cover takes as many steps as conjunctions, if there is one. */
  #isSpent(): boolean {
    if (this.#best === undefined) return ++this.#first > MOST_CONJUNCTIONS;
    const most = this.#best.length > MANY ? FEW_STEPS : MOST_STEPS;
    return ++this.#steps > most;
  }

  #isHopeless(count: number, length: number): boolean {
    const best = this.#best;
    return best !== undefined && (count > best.length ||
      count === best.length && length >= this.#bestLength);
  }

  /**
   * The conjunctions of the lowest or the highest open value, whichever has
   * fewer.
   */
  #candidates(rest: Node): readonly CoverTerm[] {
    const [low, high] = [false, true].map((highest) =>
      this.#through(endOf(this.#space, rest, highest))
    );
    const fewer = (high?.length ?? 0) < (low?.length ?? 0) ? high : low;
    const { diagram: d } = this.#space;
    return (fewer ?? [])
      .map((term) => ({ term, share: shareOf(d, d.and(rest, term.where)) }))
      .toSorted((a, b) => b.share - a.share || a.term.length - b.term.length)
      .map(({ term }) => term);
  }
}

/** The lowest or the highest values of the arguments in a set. */
function endOf(
  { diagram, width }: ArgumentSpace,
  f: Node,
  highest: boolean,
): ArgumentPoint {
  const bits = new Uint8Array(ARGUMENTS * width).fill(highest ? 1 : 0);
  while (f !== ALWAYS && f !== NEVER) {
    const level = diagram.level(f);
    const [first, second] = highest
      ? [diagram.highOf(f, level), diagram.lowOf(f, level)]
      : [diagram.lowOf(f, level), diagram.highOf(f, level)];
    if (first === NEVER) bits[level] = highest ? 0 : 1;
    f = first === NEVER ? second : first;
  }
  const values = Array.from(
    { length: ARGUMENTS },
    (_, arg) =>
      BigInt(`0b${bits.subarray(arg * width, (arg + 1) * width).join("")}`),
  );
  return { values, bits };
}

/** The share of all inputs that is in a set. */
function shareOf(d: ArgumentSpace["diagram"], f: Node): number {
  const known = new Map<Node, number>([[NEVER, 0], [ALWAYS, 1]]);
  const visit = (f: Node): number => {
    const made = known.get(f);
    if (made !== undefined) return made;
    const level = d.level(f);
    if (level === CONSTANT_LEVEL) throw new Error("Unreachable: not a set");
    const share = (visit(d.lowOf(f, level)) + visit(d.highOf(f, level))) / 2;
    known.set(f, share);
    return share;
  };
  return visit(f);
}

/** Ranks of operators for a fixed order. */
const RANKS: Readonly<Record<Condition["op"], number>> = {
  eq: 0,
  ne: 1,
  lt: 2,
  le: 3,
  ge: 4,
  gt: 5,
};

/** Compares conjunctions by the number of comparisons, then by those. */
export function compareConjunctions(a: Conjunction, b: Conjunction): number {
  if (a.length !== b.length) return a.length - b.length;
  for (const [i, one] of a.entries()) {
    const other = b[i];
    if (other === undefined) break;
    const order = one.arg - other.arg || RANKS[one.op] - RANKS[other.op] ||
      compareBig(other.mask, one.mask) || compareBig(one.value, other.value);
    if (order !== 0) return order;
  }
  return 0;
}

function compareBig(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The length of a conjunction as JSON, nearly. */
function lengthOf(conditions: Conjunction): number {
  return conditions.reduce(
    (sum, one) =>
      sum + 40 + String(one.value).length +
      (isMasked(one) ? 30 + String(one.mask).length : 0),
    0,
  );
}

/** Reports whether a comparison has a mask that omits bits of the argument. */
function isMasked({ mask }: Condition): boolean {
  return mask !== 0xffff_ffff_ffff_ffffn && mask !== 0xffff_ffffn;
}
