/**
 * Commands that ask the kernel: names, flags, words.
 *
 * @module
 */

import { buildCommand, type Command } from "@stricli/core";
import type { DumpFlags } from "./commands/dump.ts";
import {
  count,
  OUT_FLAG,
  OUTPUT_FLAG,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  TELL_ALIASES,
  TELL_FLAGS,
  word,
} from "./input/flags.ts";
import { type AppContext, lazily } from "./lazy.ts";
import { FORMAT_FLAG } from "./routes_filter.ts";
import type { RunFlags } from "./commands/run.ts";
import type { SelftestFlags } from "./commands/selftest.ts";
import type { VerifyFlags } from "./commands/verify.ts";

/** `run`. */
export const run: Command<AppContext> = buildCommand<
  RunFlags,
  string[],
  AppContext
>({
  docs: { brief: "Run a command under a filter" },
  loader: lazily(async () => (await import("./commands/run.ts")).runRun),
  parameters: {
    flags: {
      noNewPrivs: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Set no_new_privs even if it is not needed",
      },
      ...SOURCE_FLAGS,
    },
    aliases: TELL_ALIASES,
    positional: {
      kind: "array",
      parameter: {
        brief: "Source of the filter, --, the command and its arguments",
        parse: (input: string): string => input,
        placeholder: "SOURCE COMMAND",
      },
    },
  },
});

/** `dump`. */
export const dump: Command<AppContext> = buildCommand<
  DumpFlags,
  [process: string],
  AppContext
>({
  docs: { brief: "Write the filters of a running process, oldest first" },
  loader: lazily(async () => (await import("./commands/dump.ts")).runDump),
  parameters: {
    flags: {
      format: { ...FORMAT_FLAG.format, default: "asm" },
      ...OUT_FLAG,
      index: {
        kind: "parsed",
        parse: count,
        optional: true,
        placeholder: "N",
        brief: "Filter N only; 0 is the oldest",
      },
      thread: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Take the number as that of a thread",
      },
      quiet: TELL_FLAGS.quiet,
    },
    aliases: { f: "format", O: "out", q: "quiet" },
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "Number of the process",
        parse: word,
        placeholder: "pid:N",
      }],
    },
  },
});

/** `verify`. */
export const verify: Command<AppContext> = buildCommand<
  VerifyFlags,
  [process?: string],
  AppContext
>({
  docs: { brief: "Check whether a process runs the filter it should" },
  loader: lazily(async () => (await import("./commands/verify.ts")).runVerify),
  parameters: {
    flags: {
      against: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "SOURCE",
        brief: "Source that the process should run",
      },
      all: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Check or list all processes that have filters",
      },
      ...OUTPUT_FLAG,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "Number of the process",
        parse: word,
        placeholder: "pid:N",
        optional: true,
      }],
    },
  },
});

/** `selftest`. */
export const selftest: Command<AppContext> = buildCommand<
  SelftestFlags,
  [source?: string],
  AppContext
>({
  docs: { brief: "Compare the kernel's verdicts with the interpreter's" },
  loader: lazily(async () =>
    (await import("./commands/selftest.ts")).runSelftest
  ),
  parameters: {
    flags: {
      program: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "FILE",
        brief: "Filter to test instead of the compiled one",
      },
      ...OUTPUT_FLAG,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: {
      kind: "tuple",
      parameters: [{ ...SOURCE_ARGUMENT, optional: true }],
    },
  },
});
