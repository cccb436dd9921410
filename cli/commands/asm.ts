/**
 * `asm`: assembly text becomes a program.
 *
 * @module
 */

import { check } from "../../bpf/check.ts";
import { InputError } from "../error.ts";
import type { Format } from "../output/format_names.ts";
import { formatProgram } from "../output/formats.ts";
import { inputName, type Io, readInput } from "../io.ts";
import { readAssembly } from "../input/source.ts";
import { refuseOverwrite, writeArtefact } from "../output/write.ts";

/** Flags of `asm`. */
export interface AsmFlags {
  readonly format: Format;
  readonly out?: string;
  readonly bigEndian: boolean;
  readonly force: boolean;
}

/** Assembles text. */
export async function runAsm(
  io: Io,
  flags: AsmFlags,
  file: string,
): Promise<void> {
  refuseOverwrite(flags.out, file);
  const bytes = await readInput(io, file);
  const name = inputName(file);
  const program = await readAssembly(name, bytes);
  const fault = check(program);
  if (fault !== undefined && !flags.force) {
    throw new InputError(
      `${fault.message}: pass --force to write it all the same`,
      { place: name, cause: fault },
    );
  }
  const data = await formatProgram(program, flags.format, !flags.bigEndian);
  writeArtefact(io, flags.out, data);
}
