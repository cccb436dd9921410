/**
 * The state of the page in its address, after `#`: nothing of it is sent.
 *
 * @module
 */

/// <reference lib="dom" />

import type { Given, PageChoice } from "../messages.ts";

/** State that an address keeps. */
export interface PageState {
  readonly given: Given;
  /** The other side of the comparison. */
  readonly other: Given;
  readonly choice: PageChoice;
  /** The call to try. */
  readonly call: string;
  /** The selected tab. */
  readonly tab: string;
}

const PREFIX = "#1,";

/** Writes a state for an address. */
export async function writeFragment(state: PageState): Promise<string> {
  const bytes = await piped(
    new TextEncoder().encode(JSON.stringify(state)),
    new CompressionStream("deflate-raw"),
  );
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  const base64 = btoa(text).replace(/\+/g, "-").replace(/\//g, "_");
  return PREFIX + base64.replace(/=+$/, "");
}

/**
 * Reads a state from an address.
 *
 * @param hash Its part from `#` on.
 * @param usual Values of parts that are absent or of another type.
 * @returns The state; `undefined` if the address has none.
 */
export async function readFragment(
  hash: string,
  usual: PageState,
): Promise<PageState | undefined> {
  if (!hash.startsWith(PREFIX)) return undefined;
  try {
    const base64 = hash.slice(PREFIX.length)
      .replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
    const read = await piped(bytes, new DecompressionStream("deflate-raw"));
    return likeUsual(JSON.parse(new TextDecoder().decode(read)), usual);
  } catch {
    return undefined;
  }
}

/** Takes what has the type of the usual value, and the usual value elsewhere. */
function likeUsual<T>(read: unknown, usual: T): T {
  if (typeof usual !== "object" || usual === null) {
    // The types were compared.
    return typeof read === typeof usual ? read as T : usual;
  }
  const values = typeof read === "object" && read !== null
    ? new Map<string, unknown>(Object.entries(read))
    : new Map<string, unknown>();
  // It has the same keys as `usual`, with values of the same types.
  return Object.fromEntries(
    Object.entries(usual).map((
      [key, value],
    ) => [key, likeUsual(values.get(key), value)]),
  ) as T;
}

async function piped(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array> {
  const piped = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}
