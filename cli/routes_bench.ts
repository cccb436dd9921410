/**
 * The command that measures: name, flags, words.
 *
 * @module
 */

import { buildCommand, type Command } from "@stricli/core";
import type { BenchFlags } from "./commands/bench.ts";
import {
  OUT_FLAG,
  OUTPUT_FLAG,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  TELL_ALIASES,
  word,
} from "./input/flags.ts";
import { type AppContext, lazily } from "./lazy.ts";

/** `bench`. */
export const bench: Command<AppContext> = buildCommand<
  BenchFlags,
  string[],
  AppContext
>({
  docs: { brief: "Measure what filters cost on this machine" },
  loader: lazily(async () => (await import("./commands/bench.ts")).runBench),
  parameters: {
    flags: {
      ...OUTPUT_FLAG,
      ...OUT_FLAG,
      quick: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Finish within 20 seconds, less exact",
      },
      weights: {
        kind: "parsed",
        parse: word,
        variadic: true,
        optional: true,
        placeholder: "FILE",
        brief: "File of call counts, such as strace -c output; repeatable",
      },
      compare: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Compare the JSON reports of two runs",
      },
      report: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "FILE",
        brief: "JSON report to print instead of measuring",
      },
      page: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "DIR",
        brief: "Folder for benchmarks.md and its charts",
      },
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output", O: "out" },
    positional: {
      kind: "array",
      parameter: SOURCE_ARGUMENT,
    },
  },
});
