/**
 * Colors of the charts, for light and dark pages.
 *
 * @module
 */

import { ALLOW, LINEAR, NONE, OURS, TREE } from "../engine/variants.ts";

/** Kinds of pages for charts. */
export type ThemeName = "light" | "dark";

/** Appearance of charts. */
export interface Theme {
  /** Color of each filter. */
  readonly colors: Readonly<Record<string, string>>;
  /** Colors of other categories, in order. */
  readonly series: readonly string[];
  /** Three shades of one color, for parts of a whole. */
  readonly shades: readonly string[];
  /** Color of text outside of charts. */
  readonly text: string;
  /** Configuration of Vega-Lite. */
  readonly config: Readonly<Record<string, unknown>>;
}

function themeOf(
  background: string,
  text: string,
  grid: string,
  shades: readonly string[],
  colors: Theme["colors"],
): Theme {
  const label = { labelColor: text, titleColor: text };
  return {
    colors,
    series: Object.values(colors),
    shades,
    text,
    config: {
      background,
      padding: 12,
      font: "system-ui, DejaVu Sans, sans-serif",
      title: {
        color: text,
        subtitleColor: text,
        anchor: "start",
        fontSize: 15,
        subtitleFontSize: 12,
        subtitlePadding: 6,
        offset: 14,
      },
      axis: {
        ...label,
        gridColor: grid,
        domainColor: grid,
        tickColor: grid,
        labelFontSize: 11,
        titleFontSize: 12,
        titleFontWeight: "normal",
        labelLimit: 400,
      },
      legend: { ...label, orient: "bottom", labelLimit: 300, columns: 4 },
      header: { ...label, labelFontSize: 13 },
      view: { stroke: grid },
    },
  };
}

/** The themes. */
export const THEMES: Readonly<Record<ThemeName, Theme>> = {
  light: themeOf("#ffffff", "#1f2328", "#d8dee4", [
    "#5b21b6",
    "#8b5cf6",
    "#c4b5fd",
  ], {
    [NONE]: "#aeb6be",
    [ALLOW]: "#6e7781",
    [LINEAR]: "#c2410c",
    [TREE]: "#1d4ed8",
    [OURS]: "#15803d",
  }),
  dark: themeOf("#0d1117", "#e6edf3", "#30363d", [
    "#ddd6fe",
    "#a78bfa",
    "#7c3aed",
  ], {
    [NONE]: "#6e7681",
    [ALLOW]: "#9aa4ae",
    [LINEAR]: "#fb923c",
    [TREE]: "#60a5fa",
    [OURS]: "#4ade80",
  }),
};
