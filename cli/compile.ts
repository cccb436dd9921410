/**
 * `compile`: the optimal filter of a profile.
 *
 * @module
 */

import { compileSource } from "./filter.ts";
import type { SourceFlags } from "./flags.ts";
import { type Format, formatProgram } from "./formats.ts";
import { InputError, type Io, UsageError, writeFileWhole } from "./io.ts";
import { loadSource } from "./source.ts";

/** Flags of `compile`. */
export interface CompileFlags extends SourceFlags {
  readonly format: Format;
  readonly out?: string;
}

/** Compiles a profile and writes the filter. */
export async function runCompile(
  io: Io,
  flags: CompileFlags,
  word: string,
): Promise<void> {
  if (flags.out !== undefined && flags.out === word) {
    throw new UsageError(
      `Cannot write to ${flags.out}: it is the source: give another file`,
    );
  }
  const source = await loadSource(io, word, flags.from);
  if (source.kind === "programs") {
    throw new InputError(
      `Cannot compile ${source.name}: a filter (${source.form}), not a profile: use disasm or simulate`,
    );
  }
  const { compilation, resolved } = await compileSource(io, source, flags);
  writeArtefact(
    io,
    flags,
    formatProgram(
      compilation.program,
      flags.format,
      resolved.policy.littleEndian,
    ),
  );
  if (flags.verbose) {
    io.err(`${source.name}: ${compilation.program.length} instructions\n`);
  }
}

/** Writes what a command made; binary never goes to a terminal. */
export function writeArtefact(
  io: Io,
  flags: { readonly out?: string },
  data: string | Uint8Array,
): void {
  if (flags.out !== undefined && flags.out !== "-") {
    writeFileWhole(flags.out, data);
    return;
  }
  if (typeof data !== "string" && io.outIsTerminal) {
    throw new UsageError(
      "Cannot write binary to a terminal: pass -O FILE, or another -f",
    );
  }
  io.out(data);
}
