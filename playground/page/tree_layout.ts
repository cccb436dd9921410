/**
 * Places of the visible nodes: a tree from left to right, or an outline where
 * the page is narrow.
 *
 * @module
 */

import type { TreeItem } from "./tree_items.ts";

/** A node with its place, in pixels. */
export interface PlacedItem {
  readonly item: TreeItem;
  /** Lines of text, short enough for the drawing. */
  readonly lines: readonly string[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A drawing. */
export interface TreeLayout {
  readonly width: number;
  readonly height: number;
  readonly items: ReadonlyMap<string, PlacedItem>;
}

/** Width of a character of the drawing's font at its size. */
const CHARACTER = 7.3;
/** Height of a line. */
export const LINE = 16;
const PADDING = 9;
/** Space for the word on a way. */
const BETWEEN = 58;
const GAP = 10;
const INDENT = 36;
const MARGIN = 12;
const MOST_LINES = 3;
const MOST_CHARACTERS = 30;

/**
 * Places items.
 *
 * @param items From top to bottom, each parent before its children.
 * @param isOutline True for an outline.
 */
export function placeItems(
  items: readonly TreeItem[],
  isOutline: boolean,
): TreeLayout {
  const sized = items.map((item) => ({ item, ...sizeOf(item) }));
  return isOutline ? outline(sized) : sideways(sized);
}

type Sized = Omit<PlacedItem, "x" | "y">;

function outline(sized: readonly Sized[]): TreeLayout {
  const placed = new Map<string, PlacedItem>();
  let y = MARGIN;
  for (const one of sized) {
    const x = MARGIN + (one.item.level - 1) * INDENT;
    placed.set(one.item.key, { ...one, x, y });
    y += one.height + GAP;
  }
  return framed(placed);
}

function sideways(sized: readonly Sized[]): TreeLayout {
  const placed = new Map<string, PlacedItem>();
  for (const one of sized) {
    const parent = placed.get(one.item.parent ?? "");
    const x = parent === undefined ? MARGIN : parent.x + parent.width + BETWEEN;
    placed.set(one.item.key, { ...one, x, y: 0 });
  }
  let next = MARGIN;
  // Children come after their parents, so from the end they are placed first.
  const rows = new Map<string, number>();
  for (const { item, height } of sized) {
    if (item.children.some((key) => placed.has(key))) continue;
    rows.set(item.key, next);
    next += height + GAP;
  }
  for (const one of sized.toReversed()) {
    const { key, children } = one.item;
    const own = placed.get(key);
    if (own === undefined) continue;
    const middles = children.flatMap((child) => {
      const at = placed.get(child);
      return at === undefined ? [] : [at.y + at.height / 2];
    });
    const [first, last] = [middles[0], middles.at(-1)];
    const y = first === undefined || last === undefined
      ? rows.get(key) ?? 0
      : (first + last) / 2 - own.height / 2;
    placed.set(key, { ...own, y: Math.max(MARGIN, y) });
  }
  return framed(placed);
}

function framed(items: ReadonlyMap<string, PlacedItem>): TreeLayout {
  let [width, height] = [0, 0];
  for (const { x, y, width: w, height: h } of items.values()) {
    width = Math.max(width, x + w + MARGIN);
    height = Math.max(height, y + h + MARGIN);
  }
  return { width, height, items };
}

function sizeOf(item: TreeItem): Pick<Sized, "lines" | "width" | "height"> {
  const lines = wordsOf(item);
  const longest = Math.max(...lines.map(({ length }) => length));
  const mark = item.children.length > 0 ? 18 : 0;
  return {
    lines,
    width: Math.ceil(longest * CHARACTER) + 2 * PADDING + mark,
    height: lines.length * LINE + PADDING + 3,
  };
}

/** The words in a node, in few short lines. */
function wordsOf({ node, isReference }: TreeItem): readonly string[] {
  if (isReference) return [shortened(`↑ ${node.lines.join(" ")}`)];
  const lines: string[] = [];
  for (const line of node.lines) {
    let rest = line;
    while (rest.length > MOST_CHARACTERS) {
      const at = rest.lastIndexOf(" ", MOST_CHARACTERS);
      if (at <= 0) break;
      lines.push(rest.slice(0, at));
      rest = rest.slice(at + 1);
    }
    lines.push(shortened(rest));
  }
  if (lines.length <= MOST_LINES) return lines;
  return [...lines.slice(0, MOST_LINES - 1), "…"];
}

function shortened(text: string): string {
  return text.length <= MOST_CHARACTERS
    ? text
    : `${text.slice(0, MOST_CHARACTERS - 1)}…`;
}
