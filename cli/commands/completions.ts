/**
 * `completions`: the script that completes command lines in a shell.
 *
 * @module
 */

import type { Io } from "../io.ts";

/** A shell that can be served. */
export type Shell = "bash" | "zsh" | "fish";

/** Writes the script for a shell. */
export async function runCompletions(
  io: Io,
  _flags: Readonly<Record<never, never>>,
  shell: Shell,
): Promise<void> {
  io.out(await scriptOf(shell));
}

async function scriptOf(shell: Shell): Promise<string> {
  switch (shell) {
    case "bash":
      return (await import("../completions/seccomp_tree.bash", {
        with: { type: "text" },
      })).default;
    case "zsh":
      return (await import("../completions/seccomp_tree.zsh", {
        with: { type: "text" },
      })).default;
    case "fish":
      return (await import("../completions/seccomp_tree.fish", {
        with: { type: "text" },
      })).default;
  }
}
