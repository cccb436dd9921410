/**
 * Converts the outline of a filter to decisions that the compiler can lay out:
 * each question becomes a tree of least expected cost.
 *
 * @module
 */

import { ARGUMENT_COSTS, argumentWeight } from "../compiler/cost.ts";
import {
  countBranches,
  type Decision,
  type DecisionGraph,
} from "../compiler/decision.ts";
import { treeOfCells } from "../compiler/tree.ts";
import type {
  ArgumentFunction,
  Question,
  Reading,
} from "../verify/describe/outline.ts";

/** A decision and its expected number of executed instructions. */
interface Costed {
  readonly node: Decision;
  readonly cost: number;
}

const FULL = 0xffff_ffff;
/** Up to this number of words, every order is tried. */
const MOST_ORDERED_WORDS = 4;
/** Cost of a test of an argument besides its execution, in instructions. */
const TEST_PRICE = 1 / 16;
/** Maximum number of cells of one word. */
const MOST_CELLS = 4096;

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
  let best: Costed | undefined;
  for (const order of ordersOf(answer.offsets)) {
    for (const bitsFirst of [false, true]) {
      const reading = answer.read(order, { most: MOST_CELLS, bitsFirst });
      if (reading === undefined) continue;
      const { node, cost } = new ReadingDecider(graph).decide(reading);
      const priced = cost + TEST_PRICE * countBranches(node);
      if (best === undefined || priced < best.cost) {
        best = { node, cost: priced };
      }
    }
  }
  return best?.node;
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
      const isBit = (mask & (mask - 1)) === 0;
      let test: Decision;
      if (isOnly && (op === "eq" && k === 0)) {
        test = this.#set(offset, mask, no, yes);
      } else if (isOnly && isBit) test = this.#set(offset, mask, yes, no);
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
