/**
 * Writes the filters of one thread.
 *
 * @module
 */

import type { Format } from "../input/flags.ts";
import type { FilterStack } from "../../bpf/filter.ts";
import { UsageError } from "../error.ts";
import type { Io } from "../io.ts";
import { formatFilter, formatStack } from "./formats.ts";
import { writeArtefact } from "./write.ts";

/**
 * Writes filters to a file, to one file per filter if there are several, or to
 * standard output.
 *
 * @param io Streams.
 * @param stack The filters, at least one.
 * @param options The format, and the file: standard output if absent or `-`.
 * @throws {UsageError} if the format cannot contain several filters.
 */
export async function writeFilters(
  io: Io,
  stack: FilterStack,
  { format, out }: { readonly format: Format; readonly out?: string },
): Promise<void> {
  const { programs, littleEndian } = stack;
  const [program] = programs;
  if (program !== undefined && programs.length === 1) {
    const filter = { program, littleEndian };
    writeArtefact(io, out, await formatFilter(filter, format));
    return;
  }
  if (out !== undefined && out !== "-") {
    for (const [i, program] of programs.entries()) {
      const data = await formatFilter({ program, littleEndian }, format);
      writeArtefact(io, `${out}.${i}`, data);
    }
    return;
  }
  if (format === "raw" || format === "annotation") {
    throw new UsageError(
      `Cannot write ${programs.length} filters as one; pass -O FILE for files FILE.0 to FILE.${
        programs.length - 1
      }, or another -f`,
    );
  }
  writeArtefact(io, out, await formatStack(stack, format));
}
