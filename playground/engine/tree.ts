/**
 * The decision graph of a filter, for drawing.
 *
 * @module
 */

import { lookOf } from "../../cli/draw/actions.ts";
import { type FilterGraph, graphOf } from "../../cli/draw/graph.ts";
import { answersOf, wayOf } from "../../cli/draw/way.ts";
import type { LoadedFilter } from "../../cli/input/filter.ts";
import type { Tree } from "../messages.ts";

/**
 * Makes the graph of the first filter.
 *
 * @param loaded The filters.
 */
export function graphOfLoaded(loaded: LoadedFilter): FilterGraph {
  const { name, programs, littleEndian, native } = loaded;
  return graphOf({
    title: name,
    program: programs[0] ?? [],
    littleEndian,
    native: native.auditArch,
  });
}

/** Makes the plain data of a graph. */
export function treeOf({ root, nodes }: FilterGraph): Tree {
  return {
    root,
    nodes: nodes.map(({ id, lines, title, action, edges }) => ({
      id,
      lines,
      title,
      ...(action === undefined ? {} : { action: lookOf({ action }).name }),
      ways: edges.map(({ to, answer }) => ({ to, answer })),
    })),
  };
}

/**
 * Finds the nodes that a call passes.
 *
 * @param graph The graph of the first filter.
 * @param loaded The filters.
 * @param path The instructions that the first filter executes.
 */
export function nodesPassed(
  graph: FilterGraph,
  { programs }: LoadedFilter,
  path: readonly number[],
): readonly string[] {
  const answers = answersOf(programs[0] ?? [], path);
  return wayOf(graph, answers).nodes.map(({ id }) => id);
}
