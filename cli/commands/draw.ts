/**
 * `draw`: draws filters as decision graphs.
 *
 * @module
 */

import { prepare, trace } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import type { Arch } from "../../tables/arch.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import { type DrawnFilter, type FilterGraph, graphOf } from "../draw/graph.ts";
import { loadPlacing } from "../draw/place.ts";
import { svgOf } from "../draw/svg.ts";
import { dotOf, mermaidOf, treeTextOf } from "../draw/texts.ts";
import { answersOf, type Marked } from "../draw/way.ts";
import { UsageError } from "../error.ts";
import { parseArguments, parseCall } from "../input/call.ts";
import { readFilterSource } from "../input/filter.ts";
import {
  OUT_FLAG,
  type OutFlags,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
  word,
} from "../input/flags.ts";
import { refuseTwoStdins } from "../input/source.ts";
import type { Io } from "../io.ts";
import { checkOut, writeArtefact } from "../output/write.ts";

/** Formats of pictures. */
const FORMATS = ["svg", "dot", "mermaid", "text"] as const;

/** Flags of `draw`. */
export interface DrawFlags extends SourceFlags, OutFlags {
  readonly format: (typeof FORMATS)[number];
  readonly call?: string;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  DrawFlags,
  [a: string, b?: string]
>({
  usage: "[OPTION...] SOURCE [SOURCE]",
  examples: [
    "draw default:docker --call 'socket AF_VSOCK' -O docker.svg",
    "draw before.bpf after.bpf -f dot",
  ],
  parameters: {
    flags: {
      format: {
        kind: "enum",
        values: FORMATS,
        default: "svg",
        brief: "Image format",
      },
      call: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "CALL",
        brief:
          "Highlight the path of this call, such as openat or 'socket AF_VSOCK'",
      },
      ...OUT_FLAG,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, f: "format", O: "out" },
    positional: {
      kind: "tuple",
      parameters: [
        { ...SOURCE_ARGUMENT, placeholder: "SOURCE" },
        { ...SOURCE_ARGUMENT, placeholder: "SOURCE", optional: true },
      ],
    },
  },
  run: runDraw,
});

/** Draws one source, or two side by side. */
export async function runDraw(
  io: Io,
  flags: DrawFlags,
  ...words: readonly (string | undefined)[]
): Promise<void> {
  const given = words.filter((source) => source !== undefined);
  const [first = "", second] = given;
  if (second !== undefined) refuseTwoStdins(first, second);
  for (const source of given) checkOut(flags.out, source);
  const filters: DrawnFilter[] = [];
  let native: Arch | undefined;
  for (const source of given) {
    const stack = await readFilterSource(io, source, flags, {
      native: flags.call !== undefined && !flags.call.includes(":"),
    });
    const { programs, littleEndian, name } = stack;
    native ??= stack.native;
    const own = stack.native.auditArch;
    for (const [i, program] of programs.entries()) {
      const title = programs.length > 1 ? `${name}#${i}` : name;
      filters.push({ title, program, littleEndian, native: own });
    }
  }
  const graphs = filters.map((filter, i) =>
    graphOf(filter, filters.length > 1 ? `g${i}` : "")
  );
  const marked = flags.call === undefined || native === undefined
    ? undefined
    : markCall(flags.call, native, filters);
  const picture = await pictureOf(flags.format, graphs, marked);
  writeArtefact(io, flags.out, picture);
}

/** Runs the marked call on each filter. */
function markCall(
  text: string,
  native: Arch,
  filters: readonly DrawnFilter[],
): Marked {
  const [name = "", ...args] = text.trim().split(/[\s,]+/);
  if (args.length > 6) {
    throw new UsageError(
      `Cannot read --call: ${args.length} arguments; a call has at most 6`,
    );
  }
  const call = parseCall(name, native);
  const data = {
    ...call,
    instructionPointer: 0n,
    args: parseArguments(args, call),
  };
  const answers = filters.map(({ program, littleEndian }) =>
    answersOf(
      program,
      trace(prepare(program), toWords(data, littleEndian)).path,
    )
  );
  return { call: text.trim(), answers };
}

async function pictureOf(
  format: DrawFlags["format"],
  graphs: readonly FilterGraph[],
  marked: Marked | undefined,
): Promise<string> {
  switch (format) {
    case "svg":
      return svgOf(graphs, await loadPlacing(), marked);
    case "dot":
      return dotOf(graphs, marked);
    case "mermaid":
      return mermaidOf(graphs, marked);
    case "text":
      return treeTextOf(graphs, marked);
  }
}
