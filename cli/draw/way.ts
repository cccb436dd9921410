/**
 * The path of one call through a decision graph.
 *
 * @module
 */

import type { Program } from "../../bpf/instruction.ts";
import { isConditionalJump } from "../../bpf/opcode.ts";
import type { FilterGraph, GraphNode } from "./graph.ts";

/** The results of the tests that a call executes, by instruction. */
export type Answers = ReadonlyMap<number, "yes" | "no">;

/** The marked call. */
export interface Marked {
  /** Its words. */
  readonly call: string;
  /** The answers of each graph's tests. */
  readonly answers: readonly Answers[];
}

/** Nodes of a path, and its branches as `ID yes` or `ID no`. */
export interface CallWay {
  /** From the first test to the action. */
  readonly nodes: readonly GraphNode[];
  readonly edges: ReadonlySet<string>;
}

/**
 * Reads the answers of tests from a path.
 *
 * @param program The instructions.
 * @param path Indices of the executed instructions.
 */
export function answersOf(program: Program, path: readonly number[]): Answers {
  return new Map(path.flatMap((pc, i) => {
    const { op, jt } = program[pc] ?? { op: "ret.k", jt: 0 };
    if (!isConditionalJump(op)) return [];
    return [[pc, path[i + 1] === pc + 1 + jt ? "yes" : "no"] as const];
  }));
}

/**
 * Finds the path of a call.
 *
 * @param graph The graph.
 * @param answers The results of its tests; if absent, nothing is highlighted.
 */
export function wayOf(
  { root, nodes }: FilterGraph,
  answers: Answers | undefined,
): CallWay {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const passed: GraphNode[] = [];
  const edges = new Set<string>();
  if (answers === undefined) return { nodes: passed, edges };
  for (let node = byId.get(root); node !== undefined;) {
    passed.push(node);
    const { id, pcs, edges: out }: GraphNode = node;
    const isYes = pcs.some((pc) => answers.get(pc) === "yes");
    const next = out.find(({ answer }) => answer === (isYes ? "yes" : "no"));
    if (next !== undefined) edges.add(`${id} ${next.answer}`);
    node = next === undefined ? undefined : byId.get(next.to);
  }
  return { nodes: passed, edges };
}
