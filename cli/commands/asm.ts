/**
 * `asm`: converts assembly text to a program.
 *
 * @module
 */

import {
  ARCH_FLAG,
  type Format,
  FORMAT_FLAG,
  OUT_FLAG,
  OUTPUT_FLAG,
  type OutputFlags,
  SOURCE_ARGUMENT,
  TELL_FLAGS,
} from "../input/flags.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import { listRefusals } from "../../bpf/check.ts";
import {
  kernelRefusal,
  placeOfFault,
  tellAssumed,
} from "../input/resolve_source.ts";
import { InputError, UsageError } from "../error.ts";
import { report } from "../exit.ts";
import { inputName, type Io, readInput } from "../io.ts";
import { readFilters } from "../input/forms/read_filters.ts";
import { assumptionWords, machineOf, orderName } from "../input/machine.ts";
import { filtersReport } from "../output/filters_report.ts";
import { checkOut, refuseTwoOutputs } from "../output/write.ts";
import { writeFilters } from "../output/write_filters.ts";

/** Flags of `asm`. */
export interface AsmFlags extends OutputFlags {
  readonly arch?: readonly string[];
  readonly format: Format;
  readonly out?: string;
  readonly bigEndian: boolean;
  readonly force: boolean;
  readonly quiet: boolean;
}

/** Maximum number of kernel refusals to print individually. */
const MOST_REFUSALS = 100;

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
      ...OUTPUT_FLAG,
      arch: {
        ...ARCH_FLAG.arch,
        brief: "Architecture of the calls that the text names",
      },
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
    aliases: { f: "format", O: "out", o: "output", q: "quiet" },
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
  refuseTwoOutputs(flags);
  const bytes = await readInput(io, file);
  const name = inputName(file);
  const { arch } = flags;
  const text = await readFilters(io, name, "asm", bytes, {
    ...(arch && { arch }),
    ...(flags.bigEndian && { littleEndian: false }),
  });
  const { programs, littleEndian, order } = text;
  if (flags.bigEndian && littleEndian && order === "given") {
    throw new UsageError(
      `Cannot use --big-endian with ${name}: the text says .${
        orderName(littleEndian)
      }; leave one of them out`,
    );
  }
  if (!flags.force) {
    const refused = programs.flatMap((program, i) =>
      listRefusals(program).map((fault) =>
        new InputError(
          `${kernelRefusal(fault)}; pass --force to write it anyway`,
          { place: placeOfFault(name, fault, i, text), cause: fault },
        )
      )
    );
    const more = refused.length - MOST_REFUSALS;
    const shown = refused.slice(0, MOST_REFUSALS);
    const last = more > 0
      ? new InputError(`${more} more refused instructions`, { place: name })
      : shown.pop();
    for (const error of shown) report(io, error);
    if (last !== undefined) throw last;
  }
  if (!flags.bigEndian) {
    const machine = machineOf(name, text, arch);
    const options = { native: false, flag: "--big-endian" };
    tellAssumed(io, name, flags, [assumptionWords(machine, options)]);
  }
  const stack = { programs, littleEndian: littleEndian && !flags.bigEndian };
  if (flags.output === "json") {
    io.out(filtersReport(name, stack, text));
    if (flags.out === undefined) return;
  }
  await writeFilters(io, stack, flags);
}
