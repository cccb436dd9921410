/**
 * `disasm`: writes programs as text, which `asm` reads back.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { check } from "../../bpf/check.ts";
import { messageLine } from "../exit.ts";
import { type LoadedFilter, readFilterSource } from "../input/filter.ts";
import { kernelRefusal, requireAccepted } from "../input/resolve_source.ts";
import {
  OUT_FLAG,
  OUTPUT_FLAG,
  type OutputFlags,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
} from "../input/flags.ts";
import { UsageError } from "../error.ts";
import { assembly, paintPart } from "../output/assembly.ts";
import { pseudocode } from "../output/pseudocode.ts";
import { filtersReport } from "../output/filters_report.ts";
import type { Io } from "../io.ts";
import { checkOut, writeArtefact } from "../output/write.ts";

/** Flags of `disasm`. */
export interface DisasmFlags extends SourceFlags, OutputFlags {
  readonly out?: string;
  readonly style: "bpf_asm" | "seccomp-tools" | "pseudo";
  readonly numbers: boolean;
  readonly bytes: boolean;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  DisasmFlags,
  [word?: string]
>({
  usage: "[OPTION...] [SOURCE]",
  examples: [
    "disasm default:docker --arch x86_64 --style pseudo",
    "disasm pid:1234 --numbers --bytes",
  ],
  parameters: {
    flags: {
      style: {
        kind: "enum",
        values: ["bpf_asm", "seccomp-tools", "pseudo"],
        default: "bpf_asm",
        placeholder: "STYLE",
        brief: "Language",
      },
      numbers: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Print indices, as in the path of simulate",
      },
      bytes: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Print code, jt, jf and k of each instruction",
      },
      ...OUT_FLAG,
      ...OUTPUT_FLAG,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, O: "out", o: "output" },
    positional: {
      kind: "tuple",
      parameters: [{ ...SOURCE_ARGUMENT, optional: true }],
    },
  },
  run: runDisasm,
});

/**
 * Writes a source as assembly text; several filters of one process follow each
 * other.
 */
export async function runDisasm(
  io: Io,
  flags: DisasmFlags,
  word = "default:docker",
): Promise<void> {
  checkOut(flags.out, word);
  const filter = await readFilterSource(io, word, flags, { refused: true });
  const { programs } = filter;
  writeArtefact(io, flags.out, textOf(io, filter, flags));
  for (const program of programs) {
    const fault = check(program);
    if (fault === undefined || flags.quiet) continue;
    io.err(
      messageLine(
        io,
        "warning",
        kernelRefusal(fault),
        filter.name,
      ),
    );
  }
}

/** The text of the filters in the requested form. */
function textOf(
  io: Io,
  filter: LoadedFilter,
  { output, out, style, numbers, bytes }: DisasmFlags,
): string {
  if (output === "json") {
    if (style === "pseudo") {
      throw new UsageError(
        "Cannot use --style pseudo with -o json: the report has instructions; omit one",
      );
    }
    return filtersReport(filter.name, filter);
  }
  // A file keeps no colors.
  const color = io.outColor && (out === undefined || out === "-");
  if (style !== "pseudo") {
    return assembly(filter, {
      style,
      numbers,
      fields: bytes,
      ...(color && { paint: paintPart }),
    });
  }
  if (bytes) {
    throw new UsageError(
      "Cannot use --bytes with --style pseudo: a line has no single instruction; omit one",
    );
  }
  requireAccepted(filter);
  return pseudocode(filter, { numbers, color });
}
