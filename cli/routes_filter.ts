/**
 * Commands that make filters and write them: names, flags, words.
 *
 * @module
 */

import { buildCommand, type Command } from "@stricli/core";
import {
  COST_FLAGS,
  type Flags,
  LIMIT_FLAGS,
  OUT_FLAG,
  OUTPUT_FLAG,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  TELL_ALIASES,
  TELL_FLAGS,
  word,
} from "./input/flags.ts";
import { type Format, FORMATS } from "./output/format_names.ts";
import { type AppContext, lazily } from "./lazy.ts";
import type { CompileFlags } from "./commands/compile.ts";
import type { DigestFlags } from "./commands/digest.ts";
import type { OptimizeFlags } from "./commands/optimize.ts";
import type { DisasmFlags } from "./commands/disasm.ts";
import type { AsmFlags } from "./commands/asm.ts";

/** Flag of commands that write filters. */
export const FORMAT_FLAG: Flags<{ readonly format: Format }> = {
  format: {
    kind: "enum",
    values: FORMATS,
    default: "base64",
    placeholder: "FORM",
    brief: "Output format",
  },
};

/** `compile`. */
export const compile: Command<AppContext> = buildCommand<
  CompileFlags,
  [word?: string],
  AppContext
>({
  docs: {
    brief: "Compile a profile into the optimal filter and prove it equal",
  },
  loader: lazily(async () =>
    (await import("./commands/compile.ts")).runCompile
  ),
  parameters: {
    flags: { ...FORMAT_FLAG, ...OUT_FLAG, ...COST_FLAGS, ...SOURCE_FLAGS },
    aliases: { ...TELL_ALIASES, f: "format", O: "out" },
    positional: {
      kind: "tuple",
      parameters: [{ ...SOURCE_ARGUMENT, optional: true }],
    },
  },
});

/** `optimize`. */
export const optimize: Command<AppContext> = buildCommand<
  OptimizeFlags,
  string[],
  AppContext
>({
  docs: { brief: "Find the best filter equal to a given one, or to a stack" },
  loader: lazily(async () =>
    (await import("./commands/optimize.ts")).runOptimize
  ),
  parameters: {
    flags: {
      ...FORMAT_FLAG,
      ...OUT_FLAG,
      ...OUTPUT_FLAG,
      effect: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Keep what the kernel does, not every returned bit",
      },
      ...LIMIT_FLAGS,
      ...COST_FLAGS,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, f: "format", O: "out", o: "output" },
    positional: { kind: "array", parameter: SOURCE_ARGUMENT, minimum: 1 },
  },
});

/** `digest`. */
export const digest: Command<AppContext> = buildCommand<
  DigestFlags,
  string[],
  AppContext
>({
  docs: { brief: "Print a hash of what filters mean, or check such hashes" },
  loader: lazily(async () => (await import("./commands/digest.ts")).runDigest),
  parameters: {
    flags: {
      check: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "FILE",
        brief: "Check the digests that a file lists",
      },
      bits: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Tell filters apart by every returned bit",
      },
      ...OUTPUT_FLAG,
      ...LIMIT_FLAGS,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: { kind: "array", parameter: SOURCE_ARGUMENT },
  },
});

/** `disasm`. */
export const disasm: Command<AppContext> = buildCommand<
  DisasmFlags,
  [word?: string],
  AppContext
>({
  docs: { brief: "Print a filter as assembly text" },
  loader: lazily(async () => (await import("./commands/disasm.ts")).runDisasm),
  parameters: {
    flags: { ...OUT_FLAG, ...SOURCE_FLAGS },
    aliases: { ...TELL_ALIASES, O: "out" },
    positional: {
      kind: "tuple",
      parameters: [{ ...SOURCE_ARGUMENT, optional: true }],
    },
  },
});

/** `asm`. */
export const asm: Command<AppContext> = buildCommand<
  AsmFlags,
  [file: string],
  AppContext
>({
  docs: { brief: "Assemble text into a filter" },
  loader: lazily(async () => (await import("./commands/asm.ts")).runAsm),
  parameters: {
    flags: {
      ...FORMAT_FLAG,
      ...OUT_FLAG,
      bigEndian: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Write for a big-endian machine",
      },
      force: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Write the program even if the kernel would refuse it",
      },
      quiet: TELL_FLAGS.quiet,
    },
    aliases: { f: "format", O: "out", q: "quiet" },
    positional: {
      kind: "tuple",
      parameters: [{
        ...SOURCE_ARGUMENT,
        brief: "Assembly text; - for standard input",
        placeholder: "FILE",
      }],
    },
  },
});
