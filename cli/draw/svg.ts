/**
 * Decision graphs as SVG: one file without references, the same bytes for the
 * same graphs.
 *
 * @module
 */

import { printable } from "../../tables/printable.ts";
import { type Look, lookOf } from "./actions.ts";
import type { FilterGraph, GraphNode } from "./graph.ts";
import { round, shapePart } from "./shapes.ts";
import type {
  PixelPoint,
  PlacedEdge,
  PlacedGraph,
  PlaceOptions,
  Placing,
  Sized,
} from "./place.ts";
import { type CallWay, type Marked, wayOf } from "./way.ts";

/** Pixels per character of the font, which is monospaced. */
const CHARACTER = 6.7;
const LINE = 14;
const MARGIN = 16;
const HEAD = 46;
/** Gap between two graphs. */
const GAP = 48;
/** Width of an image that can be read without horizontal scrolling. */
const WANTED_WIDTH = 1600;
/** Width up to which the balanced layout is used without trying others. */
const EASY_WIDTH = 1000;
/** Layouts in which chains run straight instead of drifting sideways. */
const ALIGNMENTS = ["UR", "DR", "UL"] as const;
/** Maximum number of nodes of a graph for which they are tried. */
const MOST_TRIED = 300;

const STYLE = `text{font:11px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",` +
  `monospace;text-anchor:middle;fill:#1f2328}` +
  `.h{font-size:14px;font-weight:bold;text-anchor:start}.l{text-anchor:start}` +
  `.r{fill:#57606a}.a{paint-order:stroke;stroke:#fff;stroke-width:3px}.e{fill:none;stroke:#8c959f}.no{stroke-dasharray:5 3}` +
  `.on path.e,path.e.on{stroke:#0550ae;stroke-opacity:1}` +
  `.on>.s{stroke:#0550ae;stroke-width:3}`;

/**
 * Draws graphs side by side.
 *
 * @param graphs The graphs.
 * @param place The layout library.
 * @param marked The call whose paths are marked.
 * @returns The text of an SVG file.
 */
export function svgOf(
  graphs: readonly FilterGraph[],
  place: Placing,
  marked?: Marked,
): string {
  const room = (WANTED_WIDTH - GAP * (graphs.length - 1)) / graphs.length;
  const placed = graphs.map((graph) => placeGraph(graph, place, room));
  const looks = legendOf(graphs);
  let left = MARGIN;
  let height = 0;
  const parts = graphs.map((graph, i) => {
    const layout = placed[i];
    if (layout === undefined) throw new Error("Unreachable: no layout");
    const way = wayOf(graph, marked?.answers[i]);
    const part = `<g transform="translate(${round(left)} ${HEAD})">
<text class="h" x="0" y="-8">${escape(graph.title)}</text>
${graphParts(graph, layout, way)}</g>
`;
    left += Math.max(layout.width, textWidth(graph.title) * 1.3) + GAP;
    height = Math.max(height, layout.height);
    return part;
  });
  const legendWidth = MARGIN * 2 + looks.length * 150 + 260;
  const width = Math.ceil(Math.max(left - GAP + MARGIN, legendWidth));
  const bottom = HEAD + Math.ceil(height) + MARGIN;
  const call = marked === undefined
    ? ""
    : `; the path of ${marked.call} is highlighted`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${
    bottom + 40
  }" viewBox="0 0 ${width} ${bottom + 40}" role="img">
<title>${escape(graphs.map(({ title }) => title).join(" and ") + call)}</title>
<style>${STYLE}</style>
<rect width="100%" height="100%" fill="#fff"/>
${parts.join("")}${legend(looks, bottom + 12)}</svg>
`;
}

/** Lays out a graph in the direction in which it fits, or is narrower. */
function placeGraph(
  graph: FilterGraph,
  place: Placing,
  room: number,
): PlacedGraph {
  const edges = graph.nodes.flatMap(({ id, edges }) =>
    edges.map(({ to, answer }) => [id, to, answer] as const)
  );
  const placed = (options: PlaceOptions): PlacedGraph =>
    place(
      graph.nodes.map((node) => sizeOf(node, options.direction)),
      edges,
      options,
    );
  const down = { direction: "TB", between: 14, layers: 28 } as const;
  const balanced = placed(down);
  if (balanced.width <= Math.min(room, EASY_WIDTH)) return balanced;
  const others = graph.nodes.length > MOST_TRIED
    ? []
    : ALIGNMENTS.map((align) => placed({ ...down, align }));
  const narrowest = [balanced, ...others]
    .reduce((best, one) => one.width < best.width ? one : best);
  if (narrowest.width <= room) return narrowest;
  const right = placed({ direction: "LR", between: 6, layers: 30 });
  return right.width < narrowest.width ? right : narrowest;
}

/**
 * The lines of a node: only one for an action if the layout runs left to right.
 */
function shownLines(
  { lines, action }: GraphNode,
  direction: PlacedGraph["direction"],
): readonly string[] {
  return direction === "LR" && action !== undefined
    ? [lines.join("  ")]
    : lines;
}

function sizeOf(node: GraphNode, direction: PlacedGraph["direction"]): Sized {
  const lines = shownLines(node, direction);
  const widest = Math.max(...lines.map(textWidth));
  const extra = node.action === undefined ? 14 : 26;
  return {
    id: node.id,
    width: widest + extra,
    height: lines.length * LINE + 8,
  };
}

function graphParts(
  { nodes }: FilterGraph,
  layout: PlacedGraph,
  way: CallWay,
): string {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const on = new Set(way.nodes);
  const edges = layout.edges.map((edge) => {
    const weight = byId.get(edge.from)?.edges
      .find(({ answer }) => answer === edge.name)?.weight ?? 0;
    const isOn = way.edges.has(`${edge.from} ${edge.name}`);
    return edgePart(edge, weight, isOn);
  });
  const boxes = nodes.map((node) => nodePart(node, layout, on.has(node)));
  const labels = layout.edges.map(({ name, points }) =>
    `${labelPart(name, points, layout.direction)}\n`
  );
  return [...edges, ...boxes, ...labels].join("");
}

function edgePart(
  { name, points }: PlacedEdge,
  weight: number,
  isOn: boolean,
): string {
  const width = round(0.8 + 3.6 * Math.sqrt(weight) + (isOn ? 1 : 0));
  const classes = `e${name === "no" ? " no" : ""}${isOn ? " on" : ""}`;
  return `<path class="${classes}" stroke-width="${width}" d="${
    curve(points)
  }"/>\n`;
}

/** The answer, next to the beginning of its line. */
function labelPart(
  name: string,
  [from, to]: readonly PixelPoint[],
  direction: PlacedGraph["direction"],
): string {
  if (from === undefined || to === undefined) return "";
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const [x, y] = direction === "TB"
    ? [from.x + Math.sign(dx || 1) * 14 + dx / 8, from.y + 12]
    : [from.x + 14, from.y + Math.sign(dy || 1) * 6 + (dy > 0 ? 9 : 0)];
  return `<text class="r a" x="${round(x)}" y="${round(y)}">${name}</text>`;
}

/** A smooth line through points. */
function curve(points: readonly PixelPoint[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  const pair = ({ x, y }: PixelPoint): string => `${round(x)} ${round(y)}`;
  const middle = (a: PixelPoint, b: PixelPoint): PixelPoint => ({
    x: (a.x + b.x) / 2,
    y: (a.y + b.y) / 2,
  });
  const parts = [`M${pair(first)}`];
  for (const [i, point] of rest.entries()) {
    const next = rest[i + 1];
    parts.push(
      next === undefined
        ? `L${pair(point)}`
        : i === 0 && rest.length === 2
        ? `Q${pair(point)} ${pair(next)}`
        : `Q${pair(point)} ${pair(middle(point, next))}`,
    );
    if (i === 0 && rest.length === 2) break;
  }
  return parts.join("");
}

function nodePart(
  node: GraphNode,
  { direction, nodes }: PlacedGraph,
  isOn: boolean,
): string {
  const look = lookOf(node);
  const at = nodes.get(node.id) ?? { x: 0, y: 0 };
  const { width, height } = sizeOf(node, direction);
  const x = round(at.x - width / 2);
  const y = round(at.y - height / 2);
  const lines = shownLines(node, direction).map((line, i) =>
    `<text${i > 0 && node.action !== undefined ? ' class="r"' : ""} x="${
      round(width / 2)
    }" y="${15 + i * LINE}">${escape(line)}</text>`
  );
  return `<g id="${node.id}" data-pc="${node.pcs.join(" ")}"${
    isOn ? ' class="on"' : ""
  } transform="translate(${x} ${y})"><title>${escape(node.title)}</title>${
    shapePart(look, round(width), height)
  }${lines.join("")}</g>\n`;
}

/** The legend entries of all actions in the graphs. */
function legendOf(graphs: readonly FilterGraph[]): readonly Look[] {
  const looks = graphs.flatMap(({ nodes }) =>
    nodes.filter(({ action }) => action !== undefined).map(lookOf)
  );
  return [...new Map(looks.map((look) => [look.name, look])).values()]
    .toSorted((a, b) => a.name < b.name ? -1 : 1);
}

function legend(looks: readonly Look[], y: number): string {
  const items = looks.map((look, i) =>
    `<g transform="translate(${MARGIN + i * 150} ${y})">${
      shapePart(look, 28, 16)
    }<text class="l" x="36" y="12">${look.name}</text></g>\n`
  );
  const x = MARGIN + looks.length * 150;
  return `<g>
${items.join("")}<path class="e" d="M${x} ${y + 8}h28"/><text class="l" x="${
    x + 34
  }" y="${y + 12}">yes</text><path class="e no" d="M${x + 70} ${
    y + 8
  }h28"/><text class="l" x="${x + 104}" y="${
    y + 12
  }">no, wider for more calls</text></g>
`;
}

function textWidth(text: string): number {
  return text.length * CHARACTER;
}

/** Text of XML. */
function escape(text: string): string {
  return text.split("\n").map(printable).join("\n").replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
