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
import { archByAnyName } from "../../tables/arch_names.ts";
import { argumentsOf } from "../../tables/arguments.ts";
import { UsageError } from "../error.ts";
import { EXIT, messageLine } from "../exit.ts";
import { archRemedy } from "../output/names.ts";
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
  string[]
>({
  usage: "[OPTION...] [[ARCH:]NAME|NR...]",
  examples: ["syscalls openat x86:11", "syscalls '*at' --arch arm64"],
  parameters: {
    flags: { ...OUTPUT_FLAG, ...ARCH_FLAG },
    aliases: { o: "output" },
    positional: {
      kind: "array",
      parameter: {
        brief:
          "Names, patterns such as '*at', or numbers of system calls (default: all)",
        parse: word,
        placeholder: "NAME|NR",
      },
    },
  },
  run: runSyscalls,
});

/** The meaning of a word. */
interface Query {
  readonly word: string;
  readonly arches: readonly Arch[];
  readonly matches: (name: string, nr: number | null) => boolean;
  /** True if the word is a name without a pattern. */
  readonly isName: boolean;
}

/** Prints the numbers of names, the names of numbers, or whole tables. */
export function runSyscalls(
  io: Io,
  flags: SyscallsFlags,
  ...words: readonly string[]
): number {
  const arches = flags.arch?.map(archOf) ?? ARCHES;
  const queries = words.length === 0
    ? [everything(arches)]
    : words.map((word) => readQuery(word, arches));
  const results = queries.map((query) =>
    query.arches.flatMap((arch) => rowsOf(arch, query))
  );
  const found = [
    ...new Map(
      results.flat().map((row) => [`${row.arch} ${row.name}`, row]),
    ).values(),
  ];
  if (flags.output === "json") {
    io.out(reportJson({ tables: SYSCALL_TABLE_VERSION, syscalls: found }));
  } else if (found.length > 0) {
    io.out(formatTable([
      ["name", "arch", "number", "through", "arguments"],
      ...found.map(({ name, arch, nr, through, arguments: names }) => [
        name,
        arch,
        nr === null ? "–" : String(nr),
        through ?? "",
        names?.join(", ") ?? "",
      ]),
    ], { left: [0, 4] }));
  }
  const missing = queries.filter((_, i) => results[i]?.length === 0);
  for (const query of missing) {
    io.err(messageLine(io, "error", notFound(query)));
  }
  return missing.length === 0 ? EXIT.ok : EXIT.no;
}

function everything(arches: readonly Arch[]): Query {
  return { word: "", arches, matches: () => true, isName: false };
}

/** Reads `NAME`, `x32_NAME`, a pattern or a number, with or without `ARCH:`. */
function readQuery(word: string, arches: readonly Arch[]): Query {
  const [, prefix, rest = word] = /^([\w-]+):(.*)$/s.exec(word) ??
    /^(x32)_(.*)$/is.exec(word) ?? [];
  const arch = prefix === undefined ? undefined : archByAnyName(prefix);
  if (prefix !== undefined && arch === undefined) {
    throw new UsageError(
      `Cannot read ${quoteText(word)}: unknown architecture ${
        quoteText(prefix)
      }; ${archRemedy(prefix)}`,
    );
  }
  const query = { word: rest, arches: arch === undefined ? arches : [arch] };
  if (/^(?:0x[0-9a-f]+|[0-9]+)$/i.test(rest)) {
    const number = Number(rest);
    return { ...query, matches: (_, nr) => nr === number, isName: false };
  }
  if (/[*?[]/.test(rest)) {
    const pattern = globOf(rest);
    return { ...query, matches: (name) => pattern.test(name), isName: false };
  }
  const wanted = rest.toLowerCase();
  return { ...query, matches: (name) => name === wanted, isName: true };
}

/** A pattern of a shell: `*`, `?`, `[a-z]`, `[!a]`. */
function globOf(pattern: string): RegExp {
  const source = pattern.replace(
    /\[(!?)([^\]\\]+)\]|[\s\S]/g,
    (part, not: string | undefined, set: string | undefined) =>
      set !== undefined
        ? `[${not === "!" ? "^" : ""}${set.replaceAll("^", "\\^")}]`
        : part === "*"
        ? ".*"
        : part === "?"
        ? "."
        : part.replace(/[\\^$.|+()[\]{}]/g, "\\$&"),
  );
  try {
    return new RegExp(`^${source}$`, "i");
  } catch (error) {
    throw new UsageError(
      `Cannot read pattern ${
        quoteText(pattern)
      }: its brackets are not a set of characters; write [a-z]`,
      { cause: error },
    );
  }
}

function notFound({ word, arches, isName }: Query): string {
  const shown = quoteText(word);
  if (isName && isKnownName(word.toLowerCase())) {
    const others = ARCHES.filter(({ syscalls }) =>
      syscalls.has(word.toLowerCase())
    );
    return `Cannot find ${shown} on ${
      arches.map(({ name }) => name).join(", ")
    }; it exists on ${others.map(({ name }) => name).join(", ")}`;
  }
  const names = arches.flatMap(({ syscalls }) => [...syscalls.keys()]);
  const near = isName ? didYouMean(word, names) : undefined;
  return `Cannot find system call ${shown}${
    near === undefined ? "" : `; did you mean "${near}"`
  }`;
}

interface Row {
  readonly name: string;
  readonly arch: string;
  readonly nr: number | null;
  readonly through?: string;
  readonly arguments?: readonly string[];
}

function rowsOf(arch: Arch, { matches }: Query): readonly Row[] {
  const through = new Map(
    arch.multiplexed.map(({ name, nr, call }) => [name, `${nr}, call ${call}`]),
  );
  const row = (name: string, nr: number | null): Row => {
    const behind = through.get(name);
    const names = argumentsOf(arch, name)?.map(({ name }) => name);
    return {
      name,
      arch: arch.name,
      nr,
      ...(behind === undefined ? {} : { through: behind }),
      ...(names === undefined ? {} : { arguments: names }),
    };
  };
  const direct = [...arch.syscalls].filter(([name, nr]) => matches(name, nr))
    .map(([name, nr]) => row(name, nr));
  const hidden = [...through.keys()]
    .filter((name) => !arch.syscalls.has(name) && matches(name, null))
    .map((name) => row(name, null));
  return [...direct, ...hidden];
}
