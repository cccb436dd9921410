/**
 * Programs for other processes that the single file carries along, because it
 * has no modules beside it.
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
