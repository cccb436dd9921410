/**
 * `simulate`: what a filter answers to a call.
 *
 * @module
 */

import type { Program } from "../bpf/instruction.ts";
import { formatReturnValue, precedence } from "../bpf/return_value.ts";
import { prepare, trace } from "../bpf/run.ts";
import { type SeccompData, toWords } from "../bpf/seccomp_data.ts";
import { type Arch, archByName, ARCHES } from "../tables/arch.ts";
import { decide } from "../verify/decide.ts";
import { EXIT } from "./exit.ts";
import { type Filter, loadFilter } from "./filter.ts";
import type { SourceFlags } from "./flags.ts";
import { archNames, syscallName } from "./formats.ts";
import { InputError, type Io, readInputFile, UsageError } from "./io.ts";
import { nativeArch } from "./target.ts";

/** Flags of `simulate`. */
export interface SimulateFlags extends SourceFlags {
  readonly output: "text" | "json";
  readonly vectors?: string;
  readonly ip: bigint;
}

/** The answer of one filter. */
interface Answer {
  readonly value: number;
  readonly path: readonly number[];
}

/** The answer of all filters of a source. */
interface Simulation {
  readonly data: SeccompData;
  /** The strictest answer. */
  readonly value: number;
  /** Executed instructions of all filters. */
  readonly steps: number;
  /** One per filter, oldest first. */
  readonly answers: readonly Answer[];
  /** The rule that decided, where the source is a profile. */
  readonly rule?: string;
}

/** Simulates one call, or one per line of a file. */
export async function runSimulate(
  io: Io,
  flags: SimulateFlags,
  words: readonly string[],
): Promise<number> {
  const [word = "default:docker", syscall, ...args] = words;
  const filter = await loadFilter(io, word, flags);
  const simulate = simulator(filter);
  const native = nativeOf(filter);
  if (flags.vectors !== undefined) {
    if (syscall !== undefined) {
      throw new UsageError(
        `Cannot simulate "${syscall}" and a file of vectors at once: leave one out`,
      );
    }
    return await runVectors(io, flags.vectors, native, simulate);
  }
  if (syscall === undefined) {
    throw new UsageError(
      "Cannot simulate: no system call: write a name or a number, such as openat or x86:102",
    );
  }
  if (args.length > 6) {
    throw new UsageError(
      `Cannot simulate ${args.length} arguments: a call has at most 6`,
    );
  }
  const call = parseCall(syscall, native);
  const data: SeccompData = {
    ...call,
    instructionPointer: flags.ip,
    args: Array.from({ length: 6 }, (_, i) => parseWord(args[i] ?? "0")),
  };
  const result = simulate(data);
  io.out(
    flags.output === "json"
      ? `${JSON.stringify({ schemaVersion: 1, ...jsonOf(result) })}\n`
      : textOf(result),
  );
  return EXIT.ok;
}

/** Prepares the filters of a source. */
function simulator(filter: Filter): (data: SeccompData) => Simulation {
  const littleEndian = filter.kind === "programs" ||
    filter.resolved.policy.littleEndian;
  const prepared = filter.programs.map((p: Program) => prepare(p));
  return (data) => {
    const words = toWords(data, littleEndian);
    const answers = prepared.map((p) => trace(p, words));
    const first = answers[0];
    if (first === undefined) throw new InputError("Cannot simulate: no filter");
    const strictest = answers.reduce(
      (a, b) => precedence(b.value) < precedence(a.value) ? b : a,
      first,
    );
    const base = {
      data,
      value: strictest.value,
      steps: answers.reduce((sum, { path }) => sum + path.length, 0),
      answers,
    };
    if (filter.kind === "programs") return base;
    const verdict = decide(filter.resolved.policy, data);
    if (verdict.value !== base.value) {
      throw new Error(
        `Unreachable: the program answers ${
          formatReturnValue(base.value)
        }, the profile ${formatReturnValue(verdict.value)}`,
      );
    }
    return { ...base, rule: verdict.rule?.source ?? "defaultAction" };
  };
}

function nativeOf(filter: Filter): Arch {
  return filter.kind === "profile"
    ? filter.resolved.arches[0] ?? nativeArch()
    : nativeArch();
}

/** Reads `name`, `number`, `arch:name` or `arch:number`. */
function parseCall(
  text: string,
  native: Arch,
): { readonly arch: number; readonly nr: number } {
  const colon = text.indexOf(":");
  const archText = colon === -1 ? native.name : text.slice(0, colon);
  const name = text.slice(colon + 1);
  const arch = archByName(archText);
  const auditArch = arch?.auditArch ??
    (/^0x[0-9a-f]+$/i.test(archText) ? Number(archText) : undefined);
  if (auditArch === undefined || auditArch > 0xffff_ffff) {
    throw new UsageError(
      `Cannot simulate "${text}": unknown architecture "${archText}": use one of ${
        ARCHES.map((a) => a.name).join(", ")
      }, or an AUDIT_ARCH value in hex`,
    );
  }
  if (/^-?(?:0x)?[0-9]/i.test(name)) {
    const value = parseWord(name);
    const nr = Number(BigInt.asUintN(32, value));
    if (value !== BigInt(nr) && value !== BigInt.asUintN(64, BigInt(nr | 0))) {
      throw new UsageError(
        `Cannot simulate number ${name}: out of range: a number has 32 bits`,
      );
    }
    return { arch: auditArch, nr };
  }
  const nr = arch?.syscalls.get(name);
  if (nr === undefined) {
    const elsewhere = ARCHES.filter((a) => a.syscalls.has(name))
      .map((a) => a.name);
    throw new UsageError(
      `Cannot simulate "${name}": unknown on ${archText}${
        elsewhere.length === 0 ? "" : `: it exists on ${elsewhere.join(", ")}`
      }`,
    );
  }
  return { arch: auditArch, nr };
}

/** Reads a 64-bit argument: decimal, hex, octal, binary, negative. */
function parseWord(text: string): bigint {
  const match = /^(-?)(0x[0-9a-f]+|0o[0-7]+|0b[01]+|[0-9]+)$/i.exec(text);
  const value = match === null ? undefined : BigInt(match[2] ?? "0");
  const limit = match?.[1] === "-" ? 2n ** 63n : 2n ** 64n - 1n;
  if (value === undefined || value > limit) {
    throw new UsageError(
      `Cannot read argument "${text}": not a 64-bit integer: write 38, 0x26 or -1`,
    );
  }
  return BigInt.asUintN(64, match?.[1] === "-" ? -value : value);
}

/** Simulates every line of a file of JSON objects. */
async function runVectors(
  io: Io,
  file: string,
  native: Arch,
  simulate: (data: SeccompData) => Simulation,
): Promise<number> {
  const bytes = file === "-" ? await io.stdin() : readInputFile(file);
  const name = file === "-" ? "<stdin>" : file;
  const lines = new TextDecoder().decode(bytes).split("\n");
  let wrong = 0;
  let seen = 0;
  let out = "";
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const { data, expect } = readVector(line, native, `${name}:${i + 1}`);
    const result = simulate(data);
    const verdict = formatReturnValue(result.value);
    const matches = expect === undefined || sameVerdict(expect, verdict);
    seen++;
    if (!matches) wrong++;
    out += JSON.stringify({
      ...jsonOf(result),
      ...(expect === undefined ? {} : { expect, ok: matches }),
    }) + "\n";
  }
  io.out(out);
  if (wrong > 0) io.err(`${wrong} of ${seen} vectors differ\n`);
  return wrong > 0 ? EXIT.no : EXIT.ok;
}

function sameVerdict(expect: string, verdict: string): boolean {
  const same = (text: string): string =>
    text === "KILL" ? "KILL_THREAD" : text === "NOTIFY" ? "USER_NOTIF" : text;
  return same(expect) === same(verdict);
}

function readVector(
  line: string,
  native: Arch,
  place: string,
): { readonly data: SeccompData; readonly expect?: string } {
  const bad = (what: string): InputError =>
    new InputError(
      `${place}: ${what}: write {"arch":"x86_64","nr":0,"args":["0x0"]}, "syscall" may stand for "nr"`,
    );
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw bad("Cannot read vector: not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw bad("Cannot read vector: not an object");
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  const args = fields.get("args") ?? [];
  if (!Array.isArray(args) || args.length > 6) {
    throw bad("Cannot read args: not an array of up to six");
  }
  const nr = fields.get("nr") ?? fields.get("syscall");
  if (nr === undefined) throw bad("Cannot read vector: no nr");
  const archText = fields.get("arch") ?? native.name;
  const expect = fields.get("expect");
  try {
    return {
      data: {
        ...parseCall(`${archText}:${nr}`, native),
        instructionPointer: parseWord(String(fields.get("ip") ?? "0")),
        args: Array.from({ length: 6 }, (_, i) => parseWord(textArg(args[i]))),
      },
      ...(typeof expect === "string" ? { expect } : {}),
    };
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error));
  }
}

function textArg(value: unknown): string {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    return "a number beyond 2^53, write it as a string";
  }
  return String(value ?? "0");
}

function jsonOf(result: Simulation): Readonly<Record<string, unknown>> {
  const { data, value, steps, answers, rule } = result;
  return {
    arch: archNames(data.arch) ?? hex(data.arch),
    nr: data.nr,
    syscall: syscallName(data.arch, data.nr) ?? null,
    args: data.args.map((arg) => `0x${arg.toString(16)}`),
    value,
    verdict: formatReturnValue(value),
    steps,
    paths: answers.map(({ path }) => path),
    ...(rule === undefined ? {} : { rule }),
  };
}

function textOf({ data, value, steps, answers, rule }: Simulation): string {
  const name = syscallName(data.arch, data.nr) ?? "unknown";
  const arch = archNames(data.arch) ?? hex(data.arch);
  const args = data.args.map((arg) => `0x${arg.toString(16)}`).join(", ");
  const lines = [
    `${formatReturnValue(value)}`,
    `  call   ${name}(${args}), number ${data.nr} on ${arch}`,
    ...(rule === undefined ? [] : [`  rule   ${rule}`]),
    `  steps  ${steps}`,
    ...answers.map(({ path, value: own }, i) => {
      const which = answers.length > 1
        ? ` filter ${i + 1}: ${formatReturnValue(own)}`
        : "";
      return `  path  ${which} ${path.join(" ")}`;
    }),
  ];
  return `${lines.join("\n")}\n`;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
