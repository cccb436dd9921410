/**
 * Programs for child processes, and modules outside the static import graph.
 * The single file embeds them, because it has no modules next to it.
 *
 * @module
 */

/**
 * Property in which tools/bundle.ts puts a function from a path to a program's
 * text.
 */
export const PACKED: symbol = Symbol.for("seccomp-tree.packed");

/**
 * Returns an embedded program.
 *
 * @param path Its main module below the project's root.
 * @returns The program as one module; `undefined` if this is not the single
 * file.
 */
export async function packedProgram(
  path: string,
): Promise<string | undefined> {
  const unpack: unknown = Reflect.get(globalThis, PACKED);
  if (typeof unpack !== "function") return undefined;
  const text: unknown = await unpack(path);
  if (typeof text === "string") return text;
  throw new Error(`Unreachable: ${path} is not packed`);
}

/**
 * Returns the URL of a module of this program, for `deno run` and `import()`.
 *
 * @param path The module below the project's root.
 * @returns In the single file, a `data:` URL that contains the module.
 */
export async function moduleUrl(path: string): Promise<string> {
  const text = await packedProgram(path);
  if (text === undefined) return new URL(`../${path}`, import.meta.url).href;
  const base64 = new TextEncoder().encode(text).toBase64();
  return `data:text/javascript;base64,${base64}`;
}
