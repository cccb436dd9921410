/**
 * `disasm`: programs as text, which `asm` reads back.
 *
 * @module
 */

import { check } from "../../bpf/check.ts";
import { messageLine } from "../exit.ts";
import { loadFilter } from "../input/filter.ts";
import type { SourceFlags } from "../input/flags.ts";
import { assembly } from "../output/assembly.ts";
import type { Io } from "../io.ts";
import { checkOut, writeArtefact } from "../output/write.ts";

/** Flags of `disasm`. */
export interface DisasmFlags extends SourceFlags {
  readonly out?: string;
}

/** Writes a source as assembly text; several filters of one process follow each other. */
export async function runDisasm(
  io: Io,
  flags: DisasmFlags,
  word = "default:docker",
): Promise<void> {
  checkOut(flags.out, word);
  const filter = await loadFilter(io, word, flags);
  const { programs } = filter;
  writeArtefact(io, flags.out, assembly(filter));
  for (const program of programs) {
    const fault = check(program);
    if (fault === undefined || flags.quiet) continue;
    io.err(
      messageLine(
        io,
        "warning",
        `The kernel refuses this program: ${fault.message}`,
        filter.name,
      ),
    );
  }
}
