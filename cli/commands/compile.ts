/**
 * `compile`: the optimal filter of a profile.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { readCost } from "../input/cost.ts";
import { InputError } from "../error.ts";
import { messageLine } from "../exit.ts";
import { type CompiledSource, compileSource } from "../input/filter.ts";
import {
  COST_FLAGS,
  type CostFlags,
  type Format,
  FORMAT_FLAG,
  OUT_FLAG,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
} from "../input/flags.ts";
import {
  beyondFilter,
  describeBeyond,
  holdsRemarks,
} from "../output/beyond.ts";
import { formatFilter } from "../output/formats.ts";
import type { Io } from "../io.ts";
import { withOwnSemantics } from "../input/semantics.ts";
import { loadProfile, refuseTwoStdins } from "../input/source.ts";
import { checkOut, writeArtefact } from "../output/write.ts";

/** Flags of `compile`. */
export interface CompileFlags extends SourceFlags, CostFlags {
  readonly format: Format;
  readonly out?: string;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  CompileFlags,
  [word?: string]
>({
  usage: "[OPTION...] [SOURCE]",
  examples: [
    "compile profile.json -f c -O filter.h",
    "compile --arch aarch64,arm -f raw -O filter.bpf default:docker",
  ],
  parameters: {
    flags: { ...FORMAT_FLAG, ...OUT_FLAG, ...COST_FLAGS, ...SOURCE_FLAGS },
    aliases: { ...TELL_ALIASES, f: "format", O: "out" },
    positional: {
      kind: "tuple",
      parameters: [{ ...SOURCE_ARGUMENT, optional: true }],
    },
  },
  run: runCompile,
});

/** Compiles a profile and writes the filter. */
export async function runCompile(
  io: Io,
  flags: CompileFlags,
  word = "default:docker",
): Promise<void> {
  checkOut(flags.out, word);
  refuseTwoStdins(word, flags.weights);
  const source = await loadProfile(
    io,
    word,
    flags,
    ({ form, name }) =>
      new InputError(
        `Cannot compile a filter (${form}); give a profile, or use optimize, disasm, simulate or prove`,
        { place: name },
      ),
  );
  const cost = await readCost(io, flags);
  const own = await withOwnSemantics(io, flags, [word]);
  const compiled = await compileSource(io, source, own, cost);
  const { name, resolved } = compiled;
  const beyond = beyondFilter(resolved.seccomp);
  const data = await formatFilter(resolved, flags.format, beyond);
  writeArtefact(io, flags.out, data);
  const remark = describeBeyond(beyond, flags.format);
  if (remark !== undefined && !holdsRemarks(flags.format) && !flags.quiet) {
    io.err(messageLine(io, "note", remark, name));
  }
  if (flags.verbose) {
    io.err(messageLine(io, "note", summary(compiled), compiled.name));
  }
}

function summary({ resolved }: CompiledSource): string {
  const { program, trees } = resolved;
  const proven = trees.filter((tree) => tree.proven).map((tree) =>
    tree.names.join("+")
  );
  const optimal = proven.length === 0
    ? ""
    : `, no better tree for ${proven.join(", ")}`;
  return `${program.length} instructions, proved equal to the profile${optimal}`;
}
