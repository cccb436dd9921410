/**
 * Arranges the nodes of a graph in layers, without a browser.
 *
 * No module imports this one by name: it imports the layout library, which Deno
 * would otherwise fetch before any command runs.
 *
 * @module
 */

import { Graph, layout } from "@dagrejs/dagre";
import type {
  PixelPoint,
  PlacedEdge,
  PlacedGraph,
  PlaceOptions,
  Sized,
} from "./place.ts";

/**
 * Places nodes and edges.
 *
 * @param nodes Nodes with their sizes, in pixels.
 * @param edges Pairs of identifiers.
 * @param options Direction and gaps.
 */
export function placeInLayers(
  nodes: readonly Sized[],
  edges: readonly (readonly [from: string, to: string, name: string])[],
  { direction, between, layers, align }: PlaceOptions,
): PlacedGraph {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({
    rankdir: direction,
    nodesep: between,
    edgesep: between,
    ranksep: layers,
    ranker: "tight-tree",
    ...(align === undefined ? {} : { align }),
  });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of nodes) {
    graph.setNode(id, { width, height });
  }
  for (const [from, to, name] of edges) graph.setEdge(from, to, {}, name);
  layout(graph);
  const placed = new Map(nodes.map(({ id }) => {
    const { x, y } = graph.node(id);
    return [id, { x: x ?? 0, y: y ?? 0 }];
  }));
  const lines = edges.map(([from, to, name]): PlacedEdge => {
    const line: { readonly points?: readonly PixelPoint[] } = graph.edge(
      from,
      to,
      name,
    );
    const points = (line.points ?? []).map(({ x, y }) => ({ x, y }));
    return { from, to, name, points };
  });
  const { width = 0, height = 0 } = graph.graph();
  return { width, height, direction, nodes: placed, edges: lines };
}
