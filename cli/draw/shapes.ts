/**
 * Shapes of nodes as elements of SVG.
 *
 * @module
 */

import type { Look, Shape } from "./actions.ts";

/**
 * Writes the outline of a node.
 *
 * @param look Shape and colors.
 * @param width Width in pixels.
 * @param height Height in pixels.
 */
export function shapePart(
  { shape, fill, line }: Look,
  width: number,
  height: number,
): string {
  const paint = `class="s" fill="${fill}" stroke="${line}"`;
  if (shape === "box" || shape === "ellipse") {
    const radius = shape === "box" ? 2 : Math.min(height / 2, 14);
    return `<rect ${paint} width="${width}" height="${height}" rx="${radius}"/>`;
  }
  const points = cornersOf(shape, width, height)
    .map(([x, y]) => `${round(x)},${round(y)}`);
  return `<polygon ${paint} points="${points.join(" ")}"/>`;
}

function cornersOf(
  shape: Exclude<Shape, "box" | "ellipse">,
  w: number,
  h: number,
): readonly (readonly [number, number])[] {
  const c = 9;
  const m = h / 2;
  switch (shape) {
    case "hexagon":
      return [[c, 0], [w - c, 0], [w, m], [w - c, h], [c, h], [0, m]];
    case "octagon":
      return [
        ...[[6, 0], [w - 6, 0], [w, 6], [w, h - 6]] as const,
        ...[[w - 6, h], [6, h], [0, h - 6], [0, 6]] as const,
      ];
    case "parallelogram":
      return [[c, 0], [w, 0], [w - c, h], [0, h]];
    case "trapezium":
      return [[c, 0], [w - c, 0], [w, h], [0, h]];
    case "house":
      return [[w / 2, -5], [w, 4], [w, h], [0, h], [0, 4]];
    case "cds":
      return [[0, 0], [w - c, 0], [w, m], [w - c, h], [0, h]];
    case "diamond":
      return [[w / 2, -6], [w + 6, m], [w / 2, h + 6], [-6, m]];
  }
}

/**
 * Rounds to tenths, which keeps images small and identical on every machine.
 */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
