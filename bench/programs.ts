/**
 * What is installed.
 *
 * @module
 */

import { join } from "@std/path";

/**
 * Finds a program by PATH.
 *
 * @param name Its name.
 * @returns Its path.
 */
export function findProgram(name: string): string | undefined {
  return (Deno.env.get("PATH") ?? "").split(":")
    .map((directory) => join(directory, name))
    .find(exists);
}

/** Whether there is a file. */
export function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
