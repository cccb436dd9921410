/**
 * Converts the outline of a filter to decisions that the compiler can lay out:
 * each question becomes a tree of minimum expected cost.
 *
 * @module
 */

import { ARGUMENT_COSTS, argumentWeight } from "../compiler/cost.ts";
import type { Branch, Decision, DecisionGraph } from "../compiler/decision.ts";
import { entryFrom, type EntryKind, select } from "../compiler/select.ts";
import { treeOfCells } from "../compiler/tree.ts";
import type { ArgumentFunction } from "../verify/describe/outline.ts";
import type { Question, Reading } from "../verify/describe/reading.ts";

const FULL = 0xffff_ffff;
/** Maximum number of words for which every order is tried. */
const MOST_ORDERED_WORDS = 4;
/** Maximum number of cells of one word. */
const MOST_CELLS = 4096;
/** Cost of the size of an instruction, in executed instructions. */
const INSTRUCTION_PRICE = 1 / 4;
/** Maximum number of inputs on which decisions are compared. */
const MOST_SAMPLES = 1024;

/**
 * Decides a function of the arguments.
 *
 * @param graph Graph in which nodes are made.
 * @param answer The function.
 * @returns The cheapest decision found; `undefined` if no order of the words
 * gives one.
 */
export function decideFunction(
  graph: DecisionGraph,
  answer: ArgumentFunction,
): Decision | undefined {
  const samples = new Samples();
  const decisions = new Set<Decision>();
  for (const order of ordersOf(answer.offsets)) {
    for (const reading of answer.read(order, MOST_CELLS)) {
      samples.add(reading);
      decisions.add(new ReadingDecider(graph).decide(reading).node);
    }
  }
  const inputs = samples.inputs();
  let best: { readonly node: Decision; readonly cost: number } | undefined;
  for (const node of decisions) {
    const cost = expectedSteps(node, inputs) +
      INSTRUCTION_PRICE * countInstructions(node);
    if (best === undefined || cost < best.cost) best = { node, cost };
  }
  return best?.node;
}

/** Words of an input by offset, and its weight. */
interface Sample {
  readonly words: ReadonlyMap<number, number>;
  readonly weight: number;
}

/** Collects the values of each word at which a cell begins. */
class Samples {
  readonly #values = new Map<number, Set<number>>();
  readonly #seen = new Set<Reading>();

  add(reading: Reading): void {
    if (reading.kind === "answer" || this.#seen.has(reading)) return;
    this.#seen.add(reading);
    const values = this.#values.get(reading.offset) ?? new Set([0]);
    this.#values.set(reading.offset, values);
    const { mask, cells } = reading;
    for (const { first, last, rest } of cells) {
      // Under a mask, the last value of a cell keeps its bits, but the first
      // may not.
      values.add(mask === FULL ? first : (last & mask) >>> 0);
      this.add(rest);
    }
  }

  /** Combines values of all words, at most `MOST_SAMPLES` inputs. */
  inputs(): readonly Sample[] {
    const most = Math.floor(MOST_SAMPLES ** (1 / this.#values.size));
    let inputs: readonly Sample[] = [{ words: new Map(), weight: 1 }];
    for (const [offset, values] of this.#values) {
      const sorted = [...values].sort((a, b) => a - b);
      const stride = Math.ceil(sorted.length / most);
      const chosen = sorted.filter((_, i) => i % stride === 0);
      inputs = inputs.flatMap(({ words, weight }) =>
        chosen.map((value) => ({
          words: new Map(words).set(offset, value),
          weight: weight * argumentWeight(value),
        }))
      );
    }
    return inputs;
  }
}

/** Expected number of executed instructions, `ret` included. */
function expectedSteps(root: Decision, inputs: readonly Sample[]): number {
  let steps = 0;
  let total = 0;
  for (const { words, weight } of inputs) {
    let node = root;
    let from: Branch | undefined;
    let executed = 1;
    while (node.kind === "branch") {
      executed += codeLength(node, entryFrom(from, node));
      from = node;
      node = follow(node, words.get(node.offset) ?? 0);
    }
    steps += weight * executed;
    total += weight;
  }
  return steps / total;
}

function follow({ op, mask, k, yes, no }: Branch, word: number): Decision {
  const value = (word & mask) >>> 0;
  const holds = op === "eq"
    ? value === k
    : op === "ge"
    ? value >= k
    : (word & k) !== 0;
  return holds ? yes : no;
}

/** Number of instructions of a test, starting at an entry. */
function codeLength({ mask }: Branch, entry: EntryKind): number {
  if (entry === "masked") return 1;
  const masked = mask === FULL ? 1 : 2;
  return entry === "load" ? masked + 1 : masked;
}

/** Number of instructions of all tests of a decision. */
function countInstructions(root: Decision): number {
  let count = 0;
  for (const { loads, masks } of select(root).blocks.values()) {
    count += 1 + (loads ? 1 : 0) + (masks ? 1 : 0);
  }
  return count;
}

function ordersOf(
  offsets: readonly number[],
): readonly (readonly number[])[] {
  if (offsets.length > MOST_ORDERED_WORDS) {
    return [offsets, offsets.toReversed()];
  }
  if (offsets.length === 0) return [[]];
  return offsets.flatMap((first) =>
    ordersOf(offsets.filter((other) => other !== first))
      .map((rest) => [first, ...rest])
  );
}

/** A decision and its expected number of executed instructions. */
interface Costed {
  readonly node: Decision;
  readonly cost: number;
}

/** Decides the questions of one order; equal questions share their node. */
class ReadingDecider {
  readonly #graph: DecisionGraph;
  readonly #decided = new Map<Reading, Costed>();

  constructor(graph: DecisionGraph) {
    this.#graph = graph;
  }

  decide(reading: Reading): Costed {
    const known = this.#decided.get(reading);
    if (known !== undefined) return known;
    const made = reading.kind === "answer"
      ? { node: this.#graph.leaf(reading.value), cost: 1 }
      : this.#ask(reading);
    this.#decided.set(reading, made);
    return made;
  }

  #ask({ offset, mask, cells }: Question): Costed {
    let below = 0;
    let total = 0;
    const decided = cells.map(({ first, last, rest }) => {
      const { node, cost } = this.decide(rest);
      const weight = argumentWeight(first);
      below += weight * cost;
      total += weight;
      return { first, last, node, weight };
    });
    const tree = treeOfCells(this.#graph, offset, decided, {
      cubes: mask === FULL,
      prove: false,
    });
    const node = mask === FULL ? tree.node : this.#underMask(
      tree.node,
      offset,
      mask,
      new Set(decided.map((cell) => cell.node)),
    );
    const masking = mask === FULL ? 0 : 1;
    const own = ARGUMENT_COSTS.load + masking + tree.cost / total;
    return { node, cost: own + below / total };
  }

  /** The tests of one masked word, down to the given ends. */
  #underMask(
    root: Decision,
    offset: number,
    mask: number,
    ends: ReadonlySet<Decision>,
  ): Decision {
    const made = new Map<Decision, Decision>();
    const visit = (node: Decision): Decision => {
      if (node.kind !== "branch" || ends.has(node)) return node;
      const known = made.get(node);
      if (known !== undefined) return known;
      const [yes, no] = [visit(node.yes), visit(node.no)];
      const isOnly = ends.has(node.yes) && ends.has(node.no);
      const { op, k } = node;
      // The lowest value under the mask that is not 0.
      const isAny = op === "ge" && k <= (mask & -mask) >>> 0;
      let test: Decision;
      if (isOnly && (op === "eq" && k === 0)) {
        test = this.#set(offset, mask, no, yes);
      } else if (isOnly && isAny) test = this.#set(offset, mask, yes, no);
      else test = this.#graph.branch({ offset, mask, op, k }, yes, no);
      made.set(node, test);
      return test;
    };
    return visit(root);
  }

  /** `(w & mask) != 0` in one instruction. */
  #set(offset: number, mask: number, yes: Decision, no: Decision): Decision {
    const test = { offset, mask: FULL, op: "set", k: mask } as const;
    return this.#graph.branch(test, yes, no);
  }
}
