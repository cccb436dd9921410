/**
 * Commands that make filters and write them: names, flags, words.
 *
 * @module
 */

import { buildCommand, type Command } from "@stricli/core";
import {
  COST_FLAGS,
  type Flags,
  OUT_FLAG,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  TELL_ALIASES,
  TELL_FLAGS,
} from "./input/flags.ts";
import { type Format, FORMATS } from "./output/format_names.ts";
import { type AppContext, lazily } from "./lazy.ts";
import type { CompileFlags } from "./commands/compile.ts";
import type { DisasmFlags } from "./commands/disasm.ts";
import type { AsmFlags } from "./commands/asm.ts";

/** Flag of commands that write filters. */
export const FORMAT_FLAG: Flags<{ readonly format: Format }> = {
  format: {
    kind: "enum",
    values: FORMATS,
    default: "base64",
    placeholder: "FORM",
    brief: "Form of the filter",
  },
};

/** `compile`. */
export const compile: Command<AppContext> = buildCommand<
  CompileFlags,
  [word?: string],
  AppContext
>({
  docs: { brief: "Compile a profile into the optimal filter, proved equal" },
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

/** `disasm`. */
export const disasm: Command<AppContext> = buildCommand<
  DisasmFlags,
  [word?: string],
  AppContext
>({
  docs: { brief: "Write a filter as assembly text" },
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
  docs: { brief: "Read assembly text and write a filter" },
  loader: lazily(async () => (await import("./commands/asm.ts")).runAsm),
  parameters: {
    flags: {
      ...FORMAT_FLAG,
      ...OUT_FLAG,
      bigEndian: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "For a machine of that byte order",
      },
      force: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Write a program that the kernel refuses",
      },
      quiet: TELL_FLAGS.quiet,
    },
    aliases: { f: "format", O: "out", q: "quiet" },
    positional: {
      kind: "tuple",
      parameters: [{
        ...SOURCE_ARGUMENT,
        brief: "FILE or -",
        placeholder: "FILE",
      }],
    },
  },
});
