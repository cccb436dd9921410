/**
 * Programs of bench/ that run in processes of their own.
 *
 * @module
 */

import { packedProgram } from "../../install/packed.ts";

/**
 * Names a program for `deno run`.
 *
 * @param name Its module, relative to bench/.
 * @returns Its URL; in the single file the program itself, as one.
 */
export async function childProgram(name: string): Promise<string> {
  const text = await packedProgram(`bench/${name}`);
  if (text === undefined) return new URL(`../${name}`, import.meta.url).href;
  const base64 = new TextEncoder().encode(text).toBase64();
  return `data:text/javascript;base64,${base64}`;
}
