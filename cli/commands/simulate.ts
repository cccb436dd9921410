/**
 * `simulate`: shows a filter's answer to a call.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { paintVerdicts } from "../output/paint.ts";
import { reportJson } from "../output/json.ts";
import { effective, formatReturnValue } from "../../bpf/return_value.ts";
import { prevailing } from "../../tables/precedence.ts";
import { prepare, trace } from "../../bpf/run.ts";
import { type SeccompData, toWords } from "../../bpf/seccomp_data.ts";
import { type Arch, isKnownName } from "../../tables/arch.ts";
import { quoteText } from "../../tables/printable.ts";
import { commandLine } from "../output/reproduce.ts";
import { decide } from "../../verify/decide.ts";
import {
  describeCall,
  jsonOfCall,
  jsonOfValue,
  parseArguments,
  parseCall,
  parseWord,
} from "../input/call.ts";
import { InputError, UsageError } from "../error.ts";
import { EXIT, messageLine } from "../exit.ts";
import {
  type CompiledSource,
  type LoadedFilter,
  readFilterSource,
} from "../input/filter.ts";
import {
  OUTPUT_FLAG,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
  word,
} from "../input/flags.ts";
import { inputName, type Io, MAX_LINE_LENGTH, readLines } from "../io.ts";
import { refuseTwoStdins } from "../input/source.ts";
import { readVector } from "../input/vectors.ts";

/** Flags of `simulate`. */
export interface SimulateFlags extends SourceFlags {
  readonly output: "text" | "json";
  readonly vectors?: string;
  readonly ip: string;
}

/** The answer of one filter. */
interface Answer {
  readonly value: number;
  readonly path: readonly number[];
}

/** The answer of all filters of a source. */
interface Simulation {
  readonly data: SeccompData;
  /** The value on which the kernel acts. */
  readonly value: number;
  /** Number of instructions executed in all filters. */
  readonly steps: number;
  /** One per filter, oldest first. */
  readonly answers: readonly Answer[];
  /** The rule that decided, if the source is a profile. */
  readonly rule?: string;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  SimulateFlags,
  string[]
>({
  usage: "[OPTION...] SOURCE SYSCALL [ARG...]",
  examples: [
    "simulate default:docker socket AF_VSOCK SOCK_STREAM",
    "simulate filter.bpf --vectors calls.jsonl",
  ],
  parameters: {
    flags: {
      ...OUTPUT_FLAG,
      vectors: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "FILE",
        brief: "File of calls to simulate, one JSON object per line",
      },
      ip: {
        kind: "parsed",
        parse: word,
        default: "0",
        placeholder: "ADDR",
        brief: "Instruction pointer of the call",
      },
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: {
      kind: "array",
      parameter: {
        brief:
          "Source of the filter, a call as [ARCH:]NAME or [ARCH:]NUMBER, and up to six arguments",
        parse: (input: string): string => input,
        placeholder: "SOURCE SYSCALL ARG",
      },
    },
  },
  run: runSimulate,
});

/** Simulates one call, or one per line of a file. */
export async function runSimulate(
  io: Io,
  flags: SimulateFlags,
  ...words: readonly string[]
): Promise<number> {
  const [word, syscall, ...args] = words;
  if (word === undefined) {
    throw new UsageError(
      "Missing argument: SOURCE; write a source and a call, such as default:docker openat",
    );
  }
  if (isCallName(word)) {
    throw new UsageError(
      `Missing argument: SOURCE; ${quoteText(word)} is a system call: write "${
        commandLine(["simulate", "default:docker", ...words])
      }"`,
    );
  }
  if ((syscall === undefined) === (flags.vectors === undefined)) {
    throw new UsageError(
      syscall === undefined
        ? "Missing argument: SYSCALL; write a name or a number, such as openat or x86:102"
        : `Cannot use --vectors with the call "${syscall}"; omit one`,
    );
  }
  if (args.length > 6) {
    throw new UsageError(
      `Too many arguments: ${args.length} for the call; a call has at most 6`,
    );
  }
  refuseTwoStdins(word, flags.vectors);
  const instructionPointer = parseWord(flags.ip, "--ip");
  // Numbers can be checked before the source is read, names only afterward.
  for (const arg of args) if (/^-?[0-9][^|]*$/.test(arg)) parseWord(arg);
  const filter = await readFilterSource(io, word, flags, {
    native: syscall?.includes(":") !== true,
  });
  const simulate = createSimulator(filter);
  const { native } = filter;
  if (syscall === undefined) {
    return await runVectors(io, flags.vectors ?? "", native, simulate);
  }
  const call = parseCall(syscall, native);
  const result = simulate({
    ...call,
    instructionPointer,
    args: parseArguments(args, call),
  });
  io.out(
    flags.output === "json"
      ? reportJson(jsonOf(result))
      : paintVerdicts(io, textOf(result)),
  );
  return EXIT.ok;
}

/** Reports whether a word given as the source can only be a call. */
function isCallName(word: string): boolean {
  if (!isKnownName(word.replace(/^[\w-]+:/, ""))) return false;
  try {
    Deno.lstatSync(word);
    return false;
  } catch {
    return true;
  }
}

/** Prepares the filters of a source. */
function createSimulator(
  filter: LoadedFilter,
): (data: SeccompData) => Simulation {
  const prepared = filter.programs.map((program) => prepare(program));
  return (data) => {
    const words = toWords(data, filter.littleEndian);
    const answers = prepared.map((program) => trace(program, words));
    const value = prevailing(answers.map((answer) => answer.value));
    const steps = answers.reduce((sum, { path }) => sum + path.length, 0);
    const base = { data, value, steps, answers };
    if (filter.kind === "programs") return base;
    const verdict = decide(filter.resolved.policy, data);
    if (verdict.value !== value) {
      throw new Error(
        `Unreachable: the program answers ${
          formatReturnValue(value, data.arch)
        }, the profile ${formatReturnValue(verdict.value, data.arch)}`,
      );
    }
    const rule = verdict.rule?.source ??
      (isFiltered(filter, data.arch)
        ? "none: defaultAction"
        : "none: the profile is not for this architecture");
    return { ...base, rule };
  };
}

function isFiltered({ resolved }: CompiledSource, arch: number): boolean {
  return resolved.policy.arches.some(({ auditArch }) => auditArch === arch);
}

/** Maximum number of messages about lines that cannot be read. */
const MOST_TOLD = 20;
/** Number of characters of results to write at once. */
const BLOCK_LENGTH = 1 << 13;

/**
 * Simulates every line of a file of JSON objects, one line at a time, so that a
 * file of any length takes little memory. Lines that cannot be read are
 * reported and skipped.
 */
async function runVectors(
  io: Io,
  file: string,
  native: Arch,
  simulate: (data: SeccompData) => Simulation,
): Promise<number> {
  const counts = { read: 0, wrong: 0, unread: 0 };
  let number = 0;
  let out = "";
  const answer = (line: string | undefined): void => {
    number++;
    if (line?.trim() === "") return;
    try {
      if (line === undefined) {
        throw new InputError(
          `Cannot read vector: longer than ${MAX_LINE_LENGTH} characters`,
        );
      }
      const { data, expect } = readVector(line, native);
      const result = simulate(data);
      const matches = expect === undefined || expect === result.value;
      const expected = expect === undefined
        ? {}
        : { expect: formatReturnValue(expect, data.arch), ok: matches };
      out += `${JSON.stringify({ ...jsonOf(result), ...expected })}\n`;
      counts.read++;
      if (!matches) counts.wrong++;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      counts.unread++;
      if (counts.unread > MOST_TOLD) return;
      const place = `${inputName(file)}:${number}`;
      io.err(messageLine(io, "error", error.message, place));
    }
  };
  for await (const lines of readLines(io, file)) {
    for (const line of lines) {
      answer(line);
      if (out.length < BLOCK_LENGTH) continue;
      io.out(out);
      out = "";
    }
  }
  io.out(out);
  const { read, wrong, unread } = counts;
  if (wrong > 0) io.err(`${wrong} of ${read} vectors differ\n`);
  if (unread > 0) {
    io.err(`${unread} of ${read + unread} lines cannot be read\n`);
  }
  return unread > 0 ? EXIT.input : wrong > 0 ? EXIT.no : EXIT.ok;
}

function jsonOf(result: Simulation): Readonly<Record<string, unknown>> {
  const { data, value, steps, answers, rule } = result;
  return {
    ...jsonOfCall(data),
    ...jsonOfValue(value, data.arch),
    steps,
    paths: answers.map(({ path }) => path),
    ...(rule === undefined ? {} : { rule }),
  };
}

/** The kernel's effect for a value that it changes. */
function actedOn(value: number, arch: number): string | undefined {
  const acted = formatReturnValue(effective(value), arch);
  return acted === formatReturnValue(value, arch) ? undefined : acted;
}

function textOf({ data, value, steps, answers, rule }: Simulation): string {
  const acted = actedOn(value, data.arch);
  const lines = [
    formatReturnValue(value, data.arch),
    ...(acted === undefined ? [] : [`  acted  as ${acted}, by the kernel`]),
    `  call   ${describeCall(data)}`,
    ...(rule === undefined ? [] : [`  rule   ${rule}`]),
    `  steps  ${steps}`,
    ...answers.map(({ path, value: own }, i) => {
      const which = answers.length > 1
        ? `filter ${i}, ${formatReturnValue(own, data.arch)}: `
        : "";
      return `  path   ${which}${path.join(" ")}`;
    }),
  ];
  return `${lines.join("\n")}\n`;
}
