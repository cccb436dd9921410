/**
 * `disasm`: writes programs as text, which `asm` reads back.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { check } from "../../bpf/check.ts";
import { messageLine } from "../exit.ts";
import { kernelRefusal, readFilterSource } from "../input/filter.ts";
import {
  OUT_FLAG,
  OUTPUT_FLAG,
  type OutputFlags,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
} from "../input/flags.ts";
import { assembly } from "../output/assembly.ts";
import { filtersReport } from "../output/filters_report.ts";
import type { Io } from "../io.ts";
import { checkOut, writeArtefact } from "../output/write.ts";

/** Flags of `disasm`. */
export interface DisasmFlags extends SourceFlags, OutputFlags {
  readonly out?: string;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  DisasmFlags,
  [word?: string]
>({
  usage: "[OPTION...] [SOURCE]",
  examples: ["disasm default:docker --arch x86_64", "disasm pid:1234"],
  parameters: {
    flags: { ...OUT_FLAG, ...OUTPUT_FLAG, ...SOURCE_FLAGS },
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
  writeArtefact(
    io,
    flags.out,
    flags.output === "json"
      ? filtersReport(filter.name, filter)
      : assembly(filter),
  );
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
