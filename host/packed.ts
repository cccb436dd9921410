/**
 * Programs for other processes, and modules outside of the static graph. The
 * single file carries them along, because it has no modules beside it.
 *
 * @module
 */

/**
 * Property in which tools/bundle.ts puts a function from a path to a program's
 * text.
 */
export const PACKED: symbol = Symbol.for("seccomp-tree.packed");

/**
 * Returns a program that this one carries along.
 *
 * @param path Its main module below the project's root.
 * @returns All of it as one module; `undefined` if this is not a single file.
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
