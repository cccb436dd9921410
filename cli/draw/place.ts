/**
 * The layout of a graph, and the library that computes it.
 *
 * @module
 */

import { messageOf } from "../../host/reason.ts";
import { moduleUrl } from "../../host/packed.ts";
import { MachineError } from "../error.ts";

/** A point in pixels. */
export interface PixelPoint {
  readonly x: number;
  readonly y: number;
}

/** A node with its size, in pixels. */
export interface Sized {
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

/** Direction and gaps. */
export interface PlaceOptions {
  /** Left to right, or top to bottom. */
  readonly direction: "LR" | "TB";
  /** Gap between nodes of a layer, in pixels. */
  readonly between: number;
  /** Gap between layers, in pixels. */
  readonly layers: number;
  /** Side on which chains of nodes stand straight; balanced if absent. */
  readonly align?: "UR" | "DR" | "UL";
}

/** A line between two nodes. */
export interface PlacedEdge {
  readonly from: string;
  readonly to: string;
  readonly name: string;
  readonly points: readonly PixelPoint[];
}

/** A graph with positions. */
export interface PlacedGraph {
  readonly width: number;
  readonly height: number;
  readonly direction: PlaceOptions["direction"];
  /** Centers of the nodes. */
  readonly nodes: ReadonlyMap<string, PixelPoint>;
  readonly edges: readonly PlacedEdge[];
}

/** Arranges nodes in layers. */
export type Placing = (
  nodes: readonly Sized[],
  edges: readonly (readonly [from: string, to: string, name: string])[],
  options: PlaceOptions,
) => PlacedGraph;

/**
 * Loads the layout library, which Deno fetches from npm the first time; the
 * single file contains it.
 *
 * @throws {MachineError} with the remedy, if it is not available.
 */
export async function loadPlacing(): Promise<Placing> {
  const url = await moduleUrl("cli/draw/layout.ts");
  try {
    const library: { readonly placeInLayers: Placing } = await import(url);
    return library.placeInLayers;
  } catch (error) {
    const reason = messageOf(error).split("\n")[0];
    throw new MachineError(
      `Cannot draw a picture: Deno cannot load the layout library from npm (${reason}); use -f dot, mermaid or text, or the single file, which has the library`,
      { cause: error },
    );
  }
}
