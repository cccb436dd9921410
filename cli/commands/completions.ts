/**
 * `completions`: the script that completes command lines in a shell.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import type { Io } from "../io.ts";

/** A supported shell. */
export type Shell = "bash" | "zsh" | "fish";

/** The command. */
export const command: CommandDefinition = defineCommand<
  Readonly<Record<never, never>>,
  [shell: Shell]
>({
  usage: "bash|zsh|fish",
  examples: [
    "completions bash > /etc/bash_completion.d/seccomp-tree",
    "completions fish > ~/.config/fish/completions/seccomp-tree.fish",
  ],
  parameters: {
    flags: {},
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "bash, zsh or fish",
        parse: shell,
        placeholder: "SHELL",
      }],
    },
  },
  run: runCompletions,
});

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

function shell(input: string): Shell {
  if (input !== "bash" && input !== "zsh" && input !== "fish") {
    throw new Error("not one of bash, zsh, fish");
  }
  return input;
}
