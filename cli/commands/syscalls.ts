/**
 * `syscalls`: prints the tables of system calls.
 *
 * @module
 */

import { ARCH_FLAG, OUTPUT_FLAG, word } from "../input/flags.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import { reportJson } from "../output/json.ts";
import { didYouMean } from "../../tables/suggest.ts";
import { quoteText } from "../../tables/printable.ts";
import {
  type Arch,
  ARCHES,
  isKnownName,
  SYSCALL_TABLE_VERSION,
} from "../../tables/arch.ts";
import { EXIT, messageLine } from "../exit.ts";
import type { Io } from "../io.ts";
import { formatTable } from "../../host/table.ts";
import { archOf } from "../input/target.ts";

/** Flags of `syscalls`. */
export interface SyscallsFlags {
  readonly arch?: readonly string[];
  readonly output: "text" | "json";
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  SyscallsFlags,
  [word?: string]
>({
  usage: "[OPTION...] [NAME|NR]",
  examples: ["syscalls openat", "syscalls 59 --arch x86_64"],
  parameters: {
    flags: { ...OUTPUT_FLAG, ...ARCH_FLAG },
    aliases: { o: "output" },
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "System call (default: all)",
        parse: word,
        placeholder: "NAME|NR",
        optional: true,
      }],
    },
  },
  run: runSyscalls,
});

/** Prints the numbers of a name, the names of a number, or whole tables. */
export function runSyscalls(
  io: Io,
  flags: SyscallsFlags,
  word?: string,
): number {
  const arches = flags.arch?.map(archOf) ?? ARCHES;
  const number = word !== undefined && /^(?:0x[0-9a-f]+|[0-9]+)$/i.test(word)
    ? Number(word)
    : undefined;
  const found = arches.flatMap((arch) => rowsOf(arch, word, number));
  if (flags.output === "json") {
    io.out(reportJson({ tables: SYSCALL_TABLE_VERSION, syscalls: found }));
  } else if (found.length > 0) {
    io.out(formatTable([
      ["name", "arch", "number", "through"],
      ...found.map(({ name, arch, nr, through }) => [
        name,
        arch,
        nr === null ? "–" : String(nr),
        through ?? "",
      ]),
    ]));
  }
  if (found.length > 0) return EXIT.ok;
  io.err(messageLine(io, "error", notFound(word ?? "", arches)));
  return EXIT.no;
}

function notFound(word: string, arches: readonly Arch[]): string {
  const shown = quoteText(word);
  if (isKnownName(word)) {
    const others = ARCHES.filter(({ syscalls }) => syscalls.has(word));
    return `Cannot find ${shown} on ${
      arches.map(({ name }) => name).join(", ")
    }; it exists on ${others.map(({ name }) => name).join(", ")}`;
  }
  const names = arches.flatMap(({ syscalls }) => [...syscalls.keys()]);
  const near = didYouMean(word, names);
  return `Cannot find system call ${shown}${
    near === undefined ? "" : `; did you mean "${near}"`
  }`;
}

interface Row {
  readonly name: string;
  readonly arch: string;
  readonly nr: number | null;
  readonly through?: string;
}

function rowsOf(
  arch: Arch,
  word: string | undefined,
  number: number | undefined,
): readonly Row[] {
  const through = new Map(
    arch.multiplexed.map(({ name, nr, call }) => [name, `${nr}, call ${call}`]),
  );
  const row = (name: string, nr: number | null): Row => {
    const behind = through.get(name);
    return {
      name,
      arch: arch.name,
      nr,
      ...(behind === undefined ? {} : { through: behind }),
    };
  };
  const direct = [...arch.syscalls].filter(([name, nr]) =>
    word === undefined || (number === undefined ? name === word : nr === number)
  ).map(([name, nr]) => row(name, nr));
  const hidden = number !== undefined ? [] : [...through.keys()]
    .filter((name) => !arch.syscalls.has(name))
    .filter((name) => word === undefined || name === word)
    .map((name) => row(name, null));
  return [...direct, ...hidden];
}
