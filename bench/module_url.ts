/**
 * Modules of bench/ that are outside of the program's static graph: those that
 * run in their own processes, and the one that imports the chart libraries.
 *
 * @module
 */

import { packedProgram } from "../host/packed.ts";

/**
 * Returns the URL of a module, for `deno run` and `import()`.
 *
 * @param name Its path, relative to bench/.
 * @returns In the single file, a `data:` URL that contains the module.
 */
export async function moduleUrl(name: string): Promise<string> {
  const text = await packedProgram(`bench/${name}`);
  if (text === undefined) return new URL(name, import.meta.url).href;
  const base64 = new TextEncoder().encode(text).toBase64();
  return `data:text/javascript;base64,${base64}`;
}
