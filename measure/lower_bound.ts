/**
 * Lower bounds: costs that no program can beat, whether or not it is a tree.
 *
 * A program must load `arch` and `nr`, execute an instruction between the loads
 * (the second overwrites the first), and return: four instructions. Each of its
 * jumps separates classes of numbers in two ways. So their expected count is at
 * least the cost of a Huffman code for the weights of the classes (D. A.
 * Huffman, Proc. IRE 40(9), 1952). If arguments decide, a load and a test are
 * added.
 *
 * @module
 */

import { ARCH_OFFSET, NR_OFFSET } from "../bpf/seccomp_data.ts";
import { COUNTED_NUMBERS, DEFAULT_BACKGROUND } from "../compiler/cost.ts";
import type { Decision } from "../compiler/decision.ts";
import type { Arch } from "../tables/arch.ts";
import { firstNumber, type MeasureWeights } from "./measure.ts";

/** Two loads, an instruction between them, and a return. */
const FIXED_STEPS = 4;
/** A load and a test. */
const ARGUMENT_STEPS = 2;

/**
 * Computes the lower bound for one architecture.
 *
 * @param decision The decision that a filter must make.
 * @param arch The architecture.
 * @param weighing A histogram.
 * @returns Expected executed instructions; no program needs fewer.
 */
export function lowerBoundSteps(
  decision: Decision,
  arch: Arch,
  weighing: MeasureWeights,
): number {
  const classes = new Map<Decision, number>();
  for (const [nr, weight] of weightsOf(arch, weighing)) {
    const node = classOf(decision, arch.auditArch, nr);
    classes.set(node, (classes.get(node) ?? 0) + weight);
  }
  const total = [...classes.values()].reduce((sum, weight) => sum + weight, 0);
  let tested = 0;
  for (const [node, weight] of classes) {
    if (node.kind === "branch") tested += weight;
  }
  return FIXED_STEPS +
    (huffmanCost([...classes.values()]) + ARGUMENT_STEPS * tested) / total;
}

/** The node that all calls of a number reach before any argument is tested. */
function classOf(decision: Decision, arch: number, nr: number): Decision {
  let node = decision;
  while (
    node.kind === "branch" &&
    (node.offset === ARCH_OFFSET || node.offset === NR_OFFSET)
  ) {
    const word = node.offset === ARCH_OFFSET ? arch : nr;
    const masked = (word & node.mask) >>> 0;
    const holds = node.op === "eq"
      ? masked === node.k
      : node.op === "ge"
      ? masked >= node.k
      : (word & node.k) !== 0;
    node = holds ? node.yes : node.no;
  }
  return node;
}

function weightsOf(
  arch: Arch,
  { weights, background = DEFAULT_BACKGROUND }: MeasureWeights,
): ReadonlyMap<number, number> {
  const counts = [...weights?.get(arch.auditArch) ?? []];
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const each = total === 0 ? 1 : background;
  const base = firstNumber(arch);
  const all = new Map<number, number>();
  for (let i = 0; i < COUNTED_NUMBERS; i++) all.set(base + i, each);
  if (total === 0) return all;
  const scale = (1 - background) * COUNTED_NUMBERS / total;
  for (const [nr, count] of counts) {
    all.set(nr, (all.get(nr) ?? 0) + count * scale);
  }
  return all;
}

/** Sum of the weights times the lengths of their code words. */
export function huffmanCost(weights: readonly number[]): number {
  const queue = weights.filter((weight) => weight > 0);
  let cost = 0;
  for (;;) {
    queue.sort((a, b) => b - a);
    const [least, next] = [queue.pop(), queue.pop()];
    if (least === undefined || next === undefined) return cost;
    cost += least + next;
    queue.push(least + next);
  }
}
