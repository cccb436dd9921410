/**
 * Writes a set of values of one term in the shortest form found: spans, spans
 * under a mask, cubes, spans and cubes together, or a cube that all values
 * share and the rest.
 *
 * @module
 */

import { ALWAYS, NEVER, type Node } from "../verify/core/diagram.ts";
import { coverByCubes, type ValueBlock, type ValueCube } from "./cubes.ts";
import { restrict } from "../verify/describe/word_cut.ts";
import { areLonePoints, joinSpans, listPoints } from "./span_lists.ts";
import {
  ALWAYS_TRUE,
  type Formula,
  formulaLength,
  fullMask,
  joinFormulas,
  negateFormula,
  NEVER_TRUE,
  type Span,
  type Term,
  type TermTest,
} from "./formula.ts";
import {
  countSpans,
  listSpans,
  nextValue,
  nodeOfSpans,
  previousValue,
  spanAround,
  supportOf,
  valueOfLargest,
} from "./spans.ts";

/** Maximum number of spans for which no shorter form is searched. */
const FEW_SPANS = 3;
/**
 * Maximum number of spans in a form: a filter of 4096 instructions cannot
 * distinguish more by comparisons.
 */
const MOST_SPANS = 0x2000;
/** Maximum number of cubes in a form. */
const MOST_CUBES = 256;
/** Maximum number of spans beside cubes. */
const MOST_RUNS = 8;
/** Maximum number of bits that are tried one by one. */
const MOST_NODES = 4096;

/** Writes sets of values of one term. */
export class ValueWriter {
  readonly #block: ValueBlock;
  readonly #term: Term;
  readonly #levels: readonly number[];
  readonly #bits: readonly Node[];
  readonly #known = new Map<Node, Formula | undefined>();

  /**
   * @param block The variables of the term.
   * @param term The term.
   */
  constructor(block: ValueBlock, term: Term) {
    const { diagram, base, width } = block;
    this.#block = block;
    this.#term = term;
    this.#levels = Array.from({ length: width }, (_, i) => base + i);
    this.#bits = this.#levels.map((level) => diagram.variable(level));
  }

  /**
   * Writes a set.
   *
   * @param set The set, as a function of the variables.
   * @returns The condition; `undefined` if every form is too long.
   */
  write(set: Node): Formula | undefined {
    if (set === ALWAYS) return ALWAYS_TRUE;
    if (set === NEVER) return NEVER_TRUE;
    if (!this.#known.has(set)) this.#known.set(set, this.#shortest(set));
    return this.#known.get(set);
  }

  #shortest(set: Node): Formula | undefined {
    const outside = this.#block.diagram.not(set);
    let best = shortestOf([
      this.#asSpans(set),
      negated(this.#asSpans(outside)),
    ]);
    if (best !== undefined && spansIn(best) <= FEW_SPANS) return best;
    const forms:
      ((f: Node, most: number) => readonly (Formula | undefined)[])[] = [
        (f) => [this.#underMask(f)],
        (f, most) => this.#asCubes(f, most),
        (f) => [this.#factored(f)],
        (f, most) => this.#withinHull(f, most),
      ];
    const isSmall = this.#isSmall(set);
    for (const [i, form] of forms.entries()) {
      if (i === 1 && best !== undefined && !isSmall) break;
      if (i === 1 && best !== undefined && areLonePoints(best)) break;
      // No cube is shorter than this.
      const most = best === undefined
        ? MOST_CUBES
        : Math.min(MOST_CUBES, Math.floor((formulaLength(best) - 1.6) / 0.5));
      best = shortestOf([
        best,
        ...form(set, most),
        ...form(outside, most).map(negated),
      ]);
    }
    return best;
  }

  #test(mask: bigint, spans: readonly Span[]): TermTest {
    return { kind: "test", term: this.#term, mask, spans, negated: false };
  }

  #asSpans(set: Node): Formula | undefined {
    const count = countSpans(this.#block, set, this.#levels);
    if (count > MOST_SPANS) return undefined;
    return this.#test(
      fullMask(this.#term),
      listSpans(this.#block, set, this.#levels),
    );
  }

  #underMask(set: Node): Formula | undefined {
    const levels = supportOf(this.#block, set);
    if (countSpans(this.#block, set, levels) > MOST_CUBES) return undefined;
    const mask = this.#maskOf(levels);
    const spans = listSpans(this.#block, set, levels);
    return this.#test(mask, spans.flatMap((span) => listPoints(span, mask)));
  }

  #maskOf(levels: readonly number[]): bigint {
    const { base, width } = this.#block;
    return levels.reduce(
      (mask, level) => mask | 1n << BigInt(base + width - 1 - level),
      0n,
    );
  }

  /** A union of cubes, with and without spans beside them. */
  #asCubes(set: Node, most: number): readonly (Formula | undefined)[] {
    const only = coverByCubes(this.#block, set, set, most);
    const forms = [only && this.#union([], only)];
    if (only !== undefined && only.length <= 1) return forms;
    let left = set;
    const runs: Span[] = [];
    const take = (at: bigint | undefined): void => {
      if (at === undefined) return;
      const run = spanAround(this.#block, set, at);
      runs.push(run);
      left = this.#block.diagram.except(left, this.#nodeOf([run]));
    };
    if (this.#contains(set, 0n)) take(0n);
    const last = fullMask(this.#term);
    if (this.#contains(left, last)) take(last);
    while (left !== NEVER && runs.length <= MOST_RUNS) {
      const cubes = coverByCubes(this.#block, left, set, most);
      if (runs.length > 0) forms.push(cubes && this.#union(runs, cubes));
      if (cubes !== undefined && cubes.length <= 1) break;
      take(valueOfLargest(this.#block, left));
    }
    if (left === NEVER) forms.push(this.#union(runs, []));
    return forms;
  }

  /** A condition that all values share, and the rest. */
  #factored(set: Node): Formula | undefined {
    const { diagram, base, width } = this.#block;
    if (!this.#isSmall(set)) return undefined;
    let mask = 0n;
    let value = 0n;
    let rest = set;
    for (const level of supportOf(this.#block, set)) {
      const bit = 1n << BigInt(base + width - 1 - level);
      const low = restrict(this.#block.diagram, rest, level, false);
      const high = restrict(this.#block.diagram, rest, level, true);
      if (low !== NEVER && high !== NEVER) continue;
      mask |= bit;
      if (low === NEVER) value |= bit;
      rest = low === NEVER ? high : low;
    }
    if (mask === 0n || rest === ALWAYS || diagram.level(rest) >= base + width) {
      return undefined;
    }
    const inner = this.write(rest);
    return inner && joinFormulas("and", [this.#cube({ mask, value }), inner]);
  }

  /** Everything between the lowest and the highest value, and cubes. */
  #withinHull(set: Node, most: number): readonly (Formula | undefined)[] {
    const end = fullMask(this.#term);
    const first = nextValue(this.#block, set, 0n, true) ?? 0n;
    const last = previousValue(this.#block, set, end, true) ?? end;
    if (first === 0n && last === end) return [];
    const hulls = [{ first, last }, { first, last: end }, { first: 0n, last }];
    return hulls.flatMap((hull) => this.#within(set, hull, most));
  }

  /** A span that contains all values, and cubes. */
  #within(
    set: Node,
    within: Span,
    most: number,
  ): readonly (Formula | undefined)[] {
    const { diagram } = this.#block;
    const hull = this.#nodeOf([within]);
    if (hull === ALWAYS) return [];
    const beyond = diagram.not(hull);
    const missing = diagram.except(hull, set);
    const span = shortestOf([
      this.#asSpans(hull),
      negated(this.#asSpans(beyond)),
    ]);
    if (span === undefined) return [];
    const inside = coverByCubes(
      this.#block,
      set,
      diagram.or(set, beyond),
      most,
    );
    const outside = coverByCubes(
      this.#block,
      missing,
      diagram.or(missing, beyond),
      most,
    );
    return [
      inside && joinFormulas("and", [span, this.#union([], inside)]),
      outside &&
      joinFormulas("and", [span, negateFormula(this.#union([], outside))]),
    ];
  }

  /** Spans and cubes, those of one mask in one test. */
  #union(runs: readonly Span[], cubes: readonly ValueCube[]): Formula {
    const byMask = new Map<bigint, Span[]>();
    const add = ({ mask, spans }: TermTest): void => {
      byMask.set(mask, [...byMask.get(mask) ?? [], ...spans]);
    };
    if (runs.length > 0) add(this.#test(fullMask(this.#term), runs));
    for (const cube of cubes) add(this.#cube(cube));
    return joinFormulas(
      "or",
      [...byMask].map(([mask, spans]) => this.#test(mask, joinSpans(spans))),
    );
  }

  /** A cube whose mask is all of the highest bits is a span. */
  #cube({ mask, value }: ValueCube): TermTest {
    const full = fullMask(this.#term);
    const rest = full ^ mask;
    const isSpan = (rest & (rest + 1n)) === 0n;
    return isSpan
      ? this.#test(full, [{ first: value, last: value | rest }])
      : this.#test(mask, [{ first: value, last: value }]);
  }

  #nodeOf(spans: readonly Span[]): Node {
    return nodeOfSpans(this.#block.diagram, this.#bits, spans);
  }

  #contains(set: Node, value: bigint): boolean {
    return nextValue(this.#block, set, value, true) === value;
  }

  #isSmall(set: Node): boolean {
    const { diagram } = this.#block;
    const seen = new Set([set]);
    for (const f of seen) {
      if (f === NEVER || f === ALWAYS) continue;
      const level = diagram.level(f);
      seen.add(diagram.lowOf(f, level)).add(diagram.highOf(f, level));
      if (seen.size > MOST_NODES) return false;
    }
    return true;
  }
}

function negated(formula: Formula | undefined): Formula | undefined {
  return formula && negateFormula(formula);
}

function spansIn(formula: Formula): number {
  return formula.kind === "test" ? formula.spans.length : Infinity;
}

/** The first of the shortest forms. */
export function shortestOf(
  forms: readonly (Formula | undefined)[],
): Formula | undefined {
  let best: Formula | undefined;
  for (const form of forms) {
    if (form === undefined) continue;
    if (best === undefined || formulaLength(form) < formulaLength(best)) {
      best = form;
    }
  }
  return best;
}
