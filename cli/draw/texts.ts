/**
 * Decision graphs as text: for Graphviz, for Mermaid, and for reading.
 *
 * @module
 */

import { printable } from "../../tables/printable.ts";
import { lookOf, type Shape } from "./actions.ts";
import type { FilterGraph, GraphEdge, GraphNode } from "./graph.ts";
import { type CallWay, type Marked, wayOf } from "./way.ts";

const MARK = "#0550ae";

/**
 * Writes graphs for Graphviz.
 *
 * @param graphs The graphs; each is a cluster.
 * @param marked The call whose paths are highlighted.
 */
export function dotOf(
  graphs: readonly FilterGraph[],
  marked?: Marked,
): string {
  const parts = graphs.map((graph, i) => {
    const way = wayOf(graph, marked?.answers[i]);
    const on = new Set(way.nodes);
    const lines = graph.nodes.flatMap((node) => [
      dotNode(node, on.has(node)),
      ...node.edges.map((edge) => dotEdge(node, edge, way)),
    ]);
    return `  subgraph cluster_${i} {\n    label=${dotText([graph.title])};\n${
      lines.join("")
    }  }\n`;
  });
  return `digraph filter {
  rankdir=LR;
  node [fontname="monospace", fontsize=11, style=filled];
  edge [fontname="monospace", fontsize=9, color="#8c959f"];
${parts.join("")}}
`;
}

function dotNode(node: GraphNode, isOn: boolean): string {
  const { shape, fill, line } = lookOf(node);
  const color = isOn ? `"${MARK}", penwidth=3` : `"${line}"`;
  return `    ${node.id} [shape=${shape}, fillcolor="${fill}", color=${color}, label=${
    dotText(node.lines)
  }, tooltip=${dotText(node.title.split("\n"))}];\n`;
}

function dotEdge(
  { id }: GraphNode,
  { to, answer, weight }: GraphEdge,
  { edges }: CallWay,
): string {
  const color = edges.has(`${id} ${answer}`) ? `, color="${MARK}"` : "";
  const style = answer === "no" ? ", style=dashed" : "";
  return `    ${id} -> ${to} [label=${answer}, penwidth=${
    widthOf(weight)
  }${style}${color}];\n`;
}

function dotText(lines: readonly string[]): string {
  const safe = lines.map((line) =>
    printable(line).replaceAll("\\", "\\\\").replaceAll('"', '\\"')
  );
  return `"${safe.join("\\n")}"`;
}

/** Shapes of Mermaid: the text between them is the label. */
const MERMAID: Readonly<Record<Shape, readonly [string, string]>> = {
  box: ["[", "]"],
  ellipse: ["([", "])"],
  hexagon: ["{{", "}}"],
  octagon: ["[[", "]]"],
  parallelogram: ["[/", "/]"],
  trapezium: ["[/", "\\]"],
  house: ["[\\", "/]"],
  cds: [">", "]"],
  diamond: ["{", "}"],
};

/**
 * Writes graphs for Mermaid.
 *
 * @param graphs The graphs; each is a subgraph.
 * @param marked The call whose paths are highlighted.
 */
export function mermaidOf(
  graphs: readonly FilterGraph[],
  marked?: Marked,
): string {
  const looks = new Map<string, string>();
  const styles: string[] = [];
  let count = 0;
  const parts = graphs.map((graph, i) => {
    const way = wayOf(graph, marked?.answers[i]);
    const on = new Set(way.nodes);
    const lines = graph.nodes.flatMap((node) => {
      const { shape, fill, line, name } = lookOf(node);
      const [open, close] = MERMAID[shape];
      const text = mermaidText(node.lines);
      if (node.action !== undefined) {
        looks.set(name, `  classDef ${name} fill:${fill},stroke:${line}\n`);
      }
      const kind = node.action === undefined ? "" : `:::${name}`;
      if (on.has(node)) styles.push(`  class ${node.id} marked\n`);
      const edges = node.edges.map(({ to, answer, weight }) => {
        const color = way.edges.has(`${node.id} ${answer}`)
          ? `,stroke:${MARK}`
          : "";
        styles.push(
          `  linkStyle ${count++} stroke-width:${widthOf(weight)}px${color}\n`,
        );
        const arrow = answer === "no" ? "-. no .->" : "-- yes -->";
        return `    ${node.id} ${arrow} ${to}\n`;
      });
      return [`    ${node.id}${open}${text}${close}${kind}\n`, ...edges];
    });
    return `  subgraph g${i} [${mermaidText([graph.title])}]\n${
      lines.join("")
    }  end\n`;
  });
  const mark = marked === undefined
    ? ""
    : `  classDef marked stroke:${MARK},stroke-width:3px\n`;
  return `flowchart LR\n${parts.join("")}${
    [...looks.values()].join("")
  }${mark}${styles.join("")}`;
}

function mermaidText(lines: readonly string[]): string {
  const safe = lines.map((line) =>
    printable(line).replaceAll("&", "#amp;").replaceAll('"', "#quot;")
      .replaceAll("<", "#lt;").replaceAll(">", "#gt;")
  );
  return `"${safe.join("<br/>")}"`;
}

/**
 * Writes graphs as indented text. A part that several tests share is written
 * once, and named by the instruction of its first test elsewhere.
 *
 * @param graphs The graphs, one after the other.
 * @param marked The call whose paths are marked with `*`.
 */
export function treeTextOf(
  graphs: readonly FilterGraph[],
  marked?: Marked,
): string {
  return graphs.map((graph, i) => {
    const way = wayOf(graph, marked?.answers[i]);
    const on = new Set(way.nodes);
    const byId = new Map(graph.nodes.map((node) => [node.id, node]));
    const lines = [graph.title];
    const written = new Set<string>();
    // A chain of tests is as deep as it is long: no recursion.
    const waiting = [{ id: graph.root, lead: "", next: "", label: "" }];
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      const node = byId.get(one.id);
      if (node === undefined) continue;
      const mark = on.has(node) ? "* " : "";
      const own = node.lines.join(" ");
      const isSeen = written.has(one.id);
      const text = node.action !== undefined
        ? node.lines.join(": ")
        : isSeen
        ? `as at ${node.pcs[0]}: ${own}?`
        : `${own}?`;
      lines.push(`${one.lead}${one.label}${mark}${text}`);
      if (isSeen) continue;
      written.add(one.id);
      const [yes, no] = node.edges;
      if (yes === undefined || no === undefined) continue;
      const { next } = one;
      waiting.push(
        { id: no.to, lead: next, next: `${next}   `, label: "└─ no  " },
        { id: yes.to, lead: next, next: `${next}│  `, label: "├─ yes " },
      );
    }
    return `${lines.map(printable).join("\n")}\n`;
  }).join("\n");
}

/** Width of a line for a share of the calls. */
function widthOf(weight: number): number {
  return Math.round((0.8 + 5 * Math.sqrt(weight)) * 10) / 10;
}
