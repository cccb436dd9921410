/**
 * `asm`: assembly text becomes a program.
 *
 * @module
 */

import { check } from "../../bpf/check.ts";
import { InputError, UsageError } from "../error.ts";
import type { Format } from "../output/format_names.ts";
import { inputName, type Io, readInput } from "../io.ts";
import { readAssembly } from "../input/source.ts";
import { tellAssumed } from "../input/filter.ts";
import { assumptionWords, machineOf, orderName } from "../input/machine.ts";
import { checkOut } from "../output/write.ts";
import { writeFilters } from "../output/write_filters.ts";

/** Flags of `asm`. */
export interface AsmFlags {
  readonly format: Format;
  readonly out?: string;
  readonly bigEndian: boolean;
  readonly force: boolean;
  readonly quiet: boolean;
}

/** Assembles text. */
export async function runAsm(
  io: Io,
  flags: AsmFlags,
  file: string,
): Promise<void> {
  checkOut(flags.out, file);
  const bytes = await readInput(io, file);
  const name = inputName(file);
  const text = await readAssembly(name, bytes);
  const { programs, littleEndian, order } = text;
  if (flags.bigEndian && littleEndian && order === "given") {
    throw new UsageError(
      `Cannot use --big-endian with ${name}: the text says .${
        orderName(littleEndian)
      }: leave one of them out`,
    );
  }
  for (const program of programs) {
    const fault = check(program);
    if (fault === undefined || flags.force) continue;
    throw new InputError(
      `${fault.message}: pass --force to write it all the same`,
      { place: name, cause: fault },
    );
  }
  if (!flags.bigEndian) {
    const machine = machineOf(name, text, undefined);
    const options = { native: false, flag: "--big-endian" };
    tellAssumed(io, name, flags, [assumptionWords(machine, options)]);
  }
  const stack = { programs, littleEndian: littleEndian && !flags.bigEndian };
  await writeFilters(io, stack, flags);
}
