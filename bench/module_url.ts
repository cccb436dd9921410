/**
 * Modules of bench/ that are outside of the program's static graph: those that
 * run in processes of their own, and the one that takes the chart libraries.
 *
 * @module
 */

import { packedProgram } from "../host/packed.ts";

/**
 * Returns the URL of a module, for `deno run` and `import()`.
 *
 * @param name Its path, relative to bench/.
 * @returns In the single file a `data:` URL that has all of the module.
 */
export async function moduleUrl(name: string): Promise<string> {
  const text = await packedProgram(`bench/${name}`);
  if (text === undefined) return new URL(name, import.meta.url).href;
  const base64 = new TextEncoder().encode(text).toBase64();
  return `data:text/javascript;base64,${base64}`;
}
