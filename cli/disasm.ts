/**
 * `disasm` and `asm`: programs as text and back.
 *
 * @module
 */

import { check } from "../bpf/check.ts";
import { AssemblyError } from "../bpf/error.ts";
import { parseText } from "../bpf/text.ts";
import { writeArtefact } from "./compile.ts";
import { EXIT } from "./exit.ts";
import { loadFilter } from "./filter.ts";
import type { SourceFlags } from "./flags.ts";
import { assembly, type Format, formatProgram } from "./formats.ts";
import { InputError, type Io, readInputFile } from "./io.ts";

/** Flags of `disasm`. */
export interface DisasmFlags extends SourceFlags {
  readonly out?: string;
}

/** Writes a source as assembly text; several filters of one process follow each other. */
export async function runDisasm(
  io: Io,
  flags: DisasmFlags,
  word: string,
): Promise<number> {
  const filter = await loadFilter(io, word, flags);
  const littleEndian = filter.kind === "programs" ||
    filter.resolved.policy.littleEndian;
  const texts = filter.programs.map((program, i) => {
    const title = filter.programs.length > 1
      ? `; filter ${i + 1} of ${filter.programs.length}, oldest first\n`
      : "";
    return title + assembly(program, littleEndian);
  });
  writeArtefact(io, flags, texts.join("\n"));
  for (const program of filter.programs) {
    const fault = check(program);
    if (fault !== undefined && !flags.quiet) {
      io.err(`warning: The kernel refuses this program: ${fault.message}\n`);
    }
  }
  return EXIT.ok;
}

/** Flags of `asm`. */
export interface AsmFlags {
  readonly format: Format;
  readonly out?: string;
  readonly force: boolean;
}

/** Assembles text. */
export async function runAsm(
  io: Io,
  flags: AsmFlags,
  file: string,
): Promise<number> {
  const bytes = file === "-" ? await io.stdin() : readInputFile(file);
  const name = file === "-" ? "<stdin>" : file;
  const program = (() => {
    try {
      return parseText(new TextDecoder().decode(bytes));
    } catch (error) {
      if (!(error instanceof AssemblyError)) throw error;
      throw new InputError(
        `${name}:${error.line}:${error.column}: ${error.message}`,
        { cause: error },
      );
    }
  })();
  const fault = check(program);
  if (fault !== undefined && !flags.force) {
    throw new InputError(
      `${name}: ${fault.message}: pass --force to write it all the same`,
      { cause: fault },
    );
  }
  writeArtefact(io, flags, formatProgram(program, flags.format, true));
  return EXIT.ok;
}
