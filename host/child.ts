/**
 * Child processes that run modules of this program, such as one that loads a
 * filter into itself. Deno starts them from a module; a compiled binary has no
 * Deno available and starts itself with a hidden command.
 *
 * @module
 */

import { moduleUrl } from "./packed.ts";

/** The hidden command that `cli/children.ts` carries out. */
export const CHILD_COMMAND = "__child";

/**
 * Returns the command that runs a module in a child process.
 *
 * @param path The module below the project's root; `cli/children.ts` lists it.
 * @returns Words of a command line, to which arguments can be added.
 */
export async function childWords(
  path: string,
): Promise<readonly [program: string, ...args: string[]]> {
  const self = Deno.execPath();
  return Deno.build.standalone
    ? [self, CHILD_COMMAND, path]
    : [self, "run", "-A", "--no-config", "--no-lock", await moduleUrl(path)];
}
