/**
 * `asm`: converts assembly text to a program.
 *
 * @module
 */

import {
  type Format,
  FORMAT_FLAG,
  OUT_FLAG,
  SOURCE_ARGUMENT,
  TELL_FLAGS,
} from "../input/flags.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import { check } from "../../bpf/check.ts";
import { kernelRefusal } from "../input/filter.ts";
import { InputError, UsageError } from "../error.ts";
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

/** The command. */
export const command: CommandDefinition = defineCommand<
  AsmFlags,
  [file: string]
>({
  usage: "[OPTION...] FILE",
  examples: ["asm filter.s -f raw -O filter.bpf", "asm - -f hex < filter.s"],
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
  run: runAsm,
});

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
      }; leave one of them out`,
    );
  }
  for (const program of programs) {
    const fault = check(program);
    if (fault === undefined || flags.force) continue;
    throw new InputError(
      `${kernelRefusal(fault)}; pass --force to write it anyway`,
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
