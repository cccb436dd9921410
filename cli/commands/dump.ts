/**
 * `dump`: the filters of a live process, as files or text.
 *
 * @module
 */

import type { Program } from "../../bpf/instruction.ts";
import { UsageError } from "../error.ts";
import { EXIT, messageLine } from "../exit.ts";
import type { OutFlags } from "../input/flags.ts";
import type { Format } from "../output/format_names.ts";
import { formatProgram } from "../output/formats.ts";
import type { Io } from "../io.ts";
import { parsePid } from "../input/pid.ts";
import { liveFilters, readProcess } from "../input/process.ts";
import { writeArtefact } from "../output/write.ts";

/** Flags of `dump`. */
export interface DumpFlags extends OutFlags {
  readonly format: Format;
  readonly thread: boolean;
  readonly index?: number;
  readonly quiet: boolean;
}

/** Writes the filters of a process, oldest first. */
export async function runDump(
  io: Io,
  flags: DumpFlags,
  word: string,
): Promise<number> {
  const pid = parsePid(word);
  const all = liveFilters(pid, flags.thread);
  if (all.length === 0) {
    io.err(messageLine(io, "note", "no filter", `pid:${pid}`));
    return EXIT.no;
  }
  if (!flags.thread && !flags.quiet && readProcess(pid)?.mixed === true) {
    io.err(
      messageLine(
        io,
        "warning",
        "its threads have different filters: these are of the first one: name others with --thread",
        `pid:${pid}`,
      ),
    );
  }
  const chosen = choose(all, flags.index);
  if (chosen.length > 1 && flags.out !== undefined && flags.out !== "-") {
    for (const [i, program] of chosen.entries()) {
      const data = await formatProgram(program, flags.format, true);
      writeArtefact(io, `${flags.out}.${i}`, data);
    }
    return EXIT.ok;
  }
  if (chosen.length > 1 && flags.format === "raw") {
    throw new UsageError(
      `Cannot write ${chosen.length} filters as one: pass -O FILE for files FILE.0 to FILE.${
        chosen.length - 1
      }, or --index N for one of them`,
    );
  }
  const [first] = chosen;
  if (chosen.length === 1 && first !== undefined) {
    const data = await formatProgram(first, flags.format, true);
    writeArtefact(io, flags.out, data);
    return EXIT.ok;
  }
  const texts = await Promise.all(chosen.map(async (program, i) => {
    const title = flags.format === "asm"
      ? `; filter ${i} of ${chosen.length}, oldest first\n`
      : "";
    return `${title}${await formatProgram(program, flags.format, true)}`;
  }));
  writeArtefact(io, flags.out, texts.join(flags.format === "asm" ? "\n" : ""));
  return EXIT.ok;
}

function choose(
  all: readonly Program[],
  index: number | undefined,
): readonly Program[] {
  if (index === undefined) return all;
  const one = all[index];
  if (one === undefined) {
    throw new UsageError(
      `Cannot dump filter ${index}: there are ${all.length}: they count from 0, the oldest`,
    );
  }
  return [one];
}
