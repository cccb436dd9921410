/**
 * Commands that answer questions: names, flags, words.
 *
 * @module
 */

import { buildCommand, type Command } from "@stricli/core";
import {
  ARCH_FLAG,
  COST_FLAGS,
  LIMIT_FLAGS,
  OUTPUT_FLAG,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  TELL_ALIASES,
  word,
} from "./input/flags.ts";
import { type AppContext, lazily } from "./lazy.ts";
import type { SimulateFlags } from "./commands/simulate.ts";
import type { ProveFlags } from "./commands/prove.ts";
import type { Shell } from "./commands/completions.ts";
import type { DiffFlags } from "./commands/diff.ts";
import type { StatsFlags } from "./commands/stats.ts";
import type { SyscallsFlags } from "./commands/syscalls.ts";

/** `simulate`. */
export const simulate: Command<AppContext> = buildCommand<
  SimulateFlags,
  string[],
  AppContext
>({
  docs: { brief: "Show what a filter answers to a system call, and why" },
  loader: lazily(async () =>
    (await import("./commands/simulate.ts")).runSimulate
  ),
  parameters: {
    flags: {
      ...OUTPUT_FLAG,
      vectors: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "FILE",
        brief: "File of calls to simulate, one JSON object a line",
      },
      ip: {
        kind: "parsed",
        parse: word,
        default: "0",
        placeholder: "ADDR",
        brief: "Instruction pointer of the call",
      },
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: {
      kind: "array",
      parameter: {
        brief:
          "Source of the filter, [ARCH:]NAME or [ARCH:]NUMBER of the call, up to six arguments",
        parse: (input: string): string => input,
        placeholder: "SOURCE SYSCALL ARG",
      },
    },
  },
});

/** `prove`. */
export const prove: Command<AppContext> = buildCommand<
  ProveFlags,
  [a: string, b?: string],
  AppContext
>({
  docs: {
    brief: "Prove two sources equal for every input, or show a difference",
  },
  loader: lazily(async () => (await import("./commands/prove.ts")).runProve),
  parameters: {
    flags: {
      ...OUTPUT_FLAG,
      bits: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Compare all bits of return values, not their effect",
      },
      ...LIMIT_FLAGS,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: {
      kind: "tuple",
      parameters: [
        { ...SOURCE_ARGUMENT, placeholder: "A" },
        {
          ...SOURCE_ARGUMENT,
          brief:
            "Second source; without it, the annotation of bundle:DIR is compared with its profile",
          placeholder: "B",
          optional: true,
        },
      ],
    },
  },
});

/** `diff`. */
export const diff: Command<AppContext> = buildCommand<
  DiffFlags,
  [a: string, b?: string],
  AppContext
>({
  docs: { brief: "List what became looser and tighter, with examples" },
  loader: lazily(async () => (await import("./commands/diff.ts")).runDiff),
  parameters: {
    flags: {
      ...OUTPUT_FLAG,
      subsetOf: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "BASE",
        brief: "Check only that the source permits nothing that BASE denies",
      },
      ...LIMIT_FLAGS,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: {
      kind: "tuple",
      parameters: [
        { ...SOURCE_ARGUMENT, placeholder: "A" },
        { ...SOURCE_ARGUMENT, placeholder: "B", optional: true },
      ],
    },
  },
});

/** `stats`. */
export const stats: Command<AppContext> = buildCommand<
  StatsFlags,
  string[],
  AppContext
>({
  docs: { brief: "Compare the sizes and steps of filters" },
  loader: lazily(async () => (await import("./commands/stats.ts")).runStats),
  parameters: {
    flags: { ...OUTPUT_FLAG, ...COST_FLAGS, ...SOURCE_FLAGS },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: { kind: "array", parameter: SOURCE_ARGUMENT },
  },
});

/** `syscalls`. */
export const syscalls: Command<AppContext> = buildCommand<
  SyscallsFlags,
  [word?: string],
  AppContext
>({
  docs: { brief: "Print the system call tables" },
  loader: lazily(async () =>
    (await import("./commands/syscalls.ts")).runSyscalls
  ),
  parameters: {
    flags: { ...OUTPUT_FLAG, ...ARCH_FLAG },
    aliases: { o: "output" },
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "System call (default: all)",
        parse: word,
        placeholder: "NAME|NR",
        optional: true,
      }],
    },
  },
});

/** `demo`. */
export const demo: Command<AppContext> = buildCommand({
  docs: {
    brief: "Compile Docker's profile for this host, compare with libseccomp",
  },
  loader: lazily(async () => (await import("./commands/demo.ts")).runDemo),
  parameters: {},
});

/** `completions`. */
export const completions: Command<AppContext> = buildCommand<
  Readonly<Record<never, never>>,
  [shell: Shell],
  AppContext
>({
  docs: { brief: "Print the completion script of a shell" },
  loader: async () => {
    const { runCompletions } = await import("./commands/completions.ts");
    return function (this: AppContext, _flags, shell): Promise<void> {
      return this.settle(async () =>
        runCompletions(this.io, await this.app(), shell)
      );
    };
  },
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
});

function shell(input: string): Shell {
  if (input !== "bash" && input !== "zsh" && input !== "fish") {
    throw new Error("use one of bash, zsh, fish");
  }
  return input;
}
