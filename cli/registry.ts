/**
 * The commands of the program, in the order of the help text. A new command is
 * a file in commands/ and an entry here.
 *
 * The code of a command is loaded on use; names and briefs are here, so that
 * the list of commands costs nothing. `as string` keeps Deno from reading a
 * module before it is needed; whole.ts is for those who want all of them.
 *
 * @module
 */

import type { CommandDefinition } from "./command.ts";

/** The usage of the program itself. */
export const USAGE = "COMMAND [OPTION...] [ARG...]";

/** Command lines that the help of the program shows. */
export const EXAMPLES: readonly [string, string] = [
  "compile -f annotation default:docker",
  "simulate default:docker openat",
];

/** A command. */
export interface RegistryEntry {
  /** Its name. */
  readonly name: string;
  /** Its purpose, in one line. */
  readonly brief: string;
  /** True if `--` separates a command from what precedes it. */
  readonly takesCommand?: true;
  /** True if managers call it: the hook reads its command line. */
  readonly isEntryPoint?: true;
  /** True if the program's help only names it, so that it fits a screen. */
  readonly isSeldom?: true;
  /** Loads the definition and the code. */
  readonly load: () => Promise<{ readonly command: CommandDefinition }>;
}

/** All commands. */
export const COMMANDS: readonly RegistryEntry[] = [
  {
    name: "compile",
    brief: "Compile a profile into the optimal filter and prove it equal",
    load: () => import("./commands/compile.ts" as string),
  },
  {
    name: "optimize",
    brief: "Find the best filter equal to a given one, or to a stack",
    load: () => import("./commands/optimize.ts" as string),
  },
  {
    name: "digest",
    brief: "Print a hash of a filter's meaning, or check hashes",
    load: () => import("./commands/digest.ts" as string),
  },
  {
    name: "draw",
    brief: "Draw a filter, or two side by side, as a decision graph",
    load: () => import("./commands/draw.ts" as string),
  },
  {
    name: "disasm",
    brief: "Print a filter as assembly text",
    load: () => import("./commands/disasm.ts" as string),
  },
  {
    name: "asm",
    brief: "Assemble text into a filter",
    load: () => import("./commands/asm.ts" as string),
  },
  {
    name: "simulate",
    brief: "Show a filter's answer to a system call, and why",
    load: () => import("./commands/simulate.ts" as string),
  },
  {
    name: "explain",
    brief: "Explain a policy in words, or why a call gets its answer",
    load: () => import("./commands/explain.ts" as string),
  },
  {
    name: "test",
    brief: "Check test cases against a policy, for all argument values",
    load: () => import("./commands/test.ts" as string),
  },
  {
    name: "lint",
    brief: "Find mistakes in a profile or filter, with proof and fixes",
    load: () => import("./commands/lint.ts" as string),
  },
  {
    name: "prove",
    brief: "Prove two sources equal for every input, or show a difference",
    load: () => import("./commands/prove.ts" as string),
  },
  {
    name: "check",
    brief: "Check a certificate for two sources",
    load: () => import("./commands/check.ts" as string),
  },
  {
    name: "diff",
    brief: "List what became looser or tighter, with examples",
    load: () => import("./commands/diff.ts" as string),
  },
  {
    name: "combine",
    brief: "Intersect, merge or edit profiles, proved under every runtime",
    load: () => import("./commands/combine.ts" as string),
  },
  {
    name: "minimize",
    brief: "Write the smallest profile with the same meaning",
    load: () => import("./commands/minimize.ts" as string),
  },
  {
    name: "convert",
    brief: "Write a policy in another tool's format, with every loss",
    load: () => import("./commands/convert.ts" as string),
  },
  {
    name: "decode",
    brief: "Decode seccomp records in kernel, audit and journal logs",
    load: () => import("./commands/decode.ts" as string),
  },
  {
    name: "stats",
    brief: "Compare the sizes and steps of filters",
    load: () => import("./commands/stats.ts" as string),
  },
  {
    name: "run",
    brief: "Run a command under a filter",
    load: () => import("./commands/run.ts" as string),
  },
  {
    name: "dump",
    brief: "Dump the filters of a process, or those that a command loads",
    takesCommand: true,
    load: () => import("./commands/dump.ts" as string),
  },
  {
    name: "why",
    brief: "Run a command and show each denied call, and why",
    takesCommand: true,
    load: () => import("./commands/why.ts" as string),
  },
  {
    name: "verify",
    brief: "Check whether a process runs the expected filter",
    load: () => import("./commands/verify.ts" as string),
  },
  {
    name: "selftest",
    isSeldom: true,
    brief: "Compare the kernel's verdicts with the interpreter's",
    load: () => import("./commands/selftest.ts" as string),
  },
  {
    name: "bench",
    isSeldom: true,
    brief: "Measure the cost of filters on this machine",
    load: () => import("./commands/bench.ts" as string),
  },
  {
    name: "nri",
    brief: "Serve containerd as an NRI plugin: no process per container",
    isSeldom: true,
    load: () => import("./commands/nri.ts" as string),
  },
  {
    name: "install",
    brief: "Set up a container manager to use proved filters",
    load: () => import("./commands/install.ts" as string),
  },
  {
    name: "uninstall",
    brief: "Undo an installation and restore every changed file",
    load: () => import("./commands/uninstall.ts" as string),
  },
  {
    name: "status",
    brief: "Show the installation and the filters of containers",
    load: () => import("./commands/status.ts" as string),
  },
  {
    name: "doctor",
    brief: "Diagnose an installation and suggest fixes",
    load: () => import("./commands/doctor.ts" as string),
  },
  {
    name: "cache",
    brief: "Optimize the filters that crun 1.14 and later caches",
    load: () => import("./commands/cache.ts" as string),
  },
  {
    name: "store",
    brief: "List, show, remove and precompile stored filters",
    load: () => import("./commands/store.ts" as string),
  },
  {
    name: "rewrite",
    isSeldom: true,
    brief: "Add the compiled filter to the config.json of a bundle",
    load: () => import("./commands/rewrite.ts" as string),
  },
  {
    name: "hook",
    isSeldom: true,
    brief: "Rewrite or verify a configuration; managers call this",
    isEntryPoint: true,
    load: () => import("./commands/hook.ts" as string),
  },
  {
    name: "runtime",
    isSeldom: true,
    brief: "Prepare a bundle for its runtime; the wrapper calls this",
    isEntryPoint: true,
    load: () => import("./commands/runtime.ts" as string),
  },
  {
    name: "syscalls",
    isSeldom: true,
    brief: "Print the system call tables",
    load: () => import("./commands/syscalls.ts" as string),
  },
  {
    name: "demo",
    brief: "Compile Docker's profile for this host; compare with libseccomp",
    load: () => import("./commands/demo.ts" as string),
  },
  {
    name: "completions",
    isSeldom: true,
    brief: "Print the completion script for a shell",
    load: () => import("./commands/completions.ts" as string),
  },
  {
    name: "licenses",
    isSeldom: true,
    brief: "Print the packages in this program and their licenses",
    load: () => import("./commands/licenses.ts" as string),
  },
];

/**
 * Finds a command.
 *
 * @param name Name typed by the user.
 */
export function findCommand(name: string): RegistryEntry | undefined {
  return COMMANDS.find((entry) => entry.name === name);
}
