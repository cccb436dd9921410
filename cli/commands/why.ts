/**
 * `why`: runs a command under a filter and shows each denied call.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { actionOf, formatReturnValue } from "../../bpf/return_value.ts";
import { prepare, run } from "../../bpf/run.ts";
import { type SeccompData, toWords } from "../../bpf/seccomp_data.ts";
import { SyscallError } from "../../ffi/error.ts";
import { openLibc } from "../../ffi/libc.ts";
import { readProcText } from "../../ffi/live/proc.ts";
import {
  type Denial,
  supervise,
  type SuperviseResult,
} from "../../ffi/traced/supervise.ts";
import { endBySignal } from "../../ffi/traced/terminal.ts";
import { messageOf } from "../../host/reason.ts";
import { formatTable } from "../../host/table.ts";
import { observePolicy, observeProgram } from "../../pipeline/observe.ts";
import {
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_LOG,
  SECCOMP_RET_USER_NOTIF,
} from "../../tables/uapi.ts";
import { decide } from "../../verify/decide.ts";
import { InputError, UnprovenError, UsageError } from "../error.ts";
import { EXIT, messageLine } from "../exit.ts";
import { type CallMemory, readCallMemory } from "../input/call_memory.ts";
import { type LoadedFilter, readFilterSource } from "../input/filter.ts";
import {
  OUTPUT_FLAG,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
} from "../input/flags.ts";
import { PlaceFinder } from "../input/place.ts";
import type { Io } from "../io.ts";
import {
  denialCall,
  denialLines,
  jsonOfDenial,
  type NamedDenial,
} from "../output/denials.ts";
import { decidingRule } from "../output/call/rules.ts";
import { reportJson } from "../output/json.ts";

/** Flags of `why`. */
export interface WhyFlags extends SourceFlags {
  readonly output: "text" | "json";
  readonly summary: boolean;
  readonly allowAll: boolean;
}

/** Exit codes of a shell that cannot run a command. */
const CANNOT_EXECUTE = 126;
const NOT_FOUND = 127;
const ENOENT = 2;
const SIGNAL_EXIT = 128;

const SWITCH = { kind: "boolean", default: false, withNegated: false } as const;

/** The command. */
export const command: CommandDefinition = defineCommand<WhyFlags, string[]>({
  usage: "[OPTION...] [SOURCE] -- COMMAND [ARG...]",
  examples: [
    "why -- unshare -r true",
    "why --summary profile.json -- nginx -t",
  ],
  parameters: {
    flags: {
      ...OUTPUT_FLAG,
      summary: {
        ...SWITCH,
        brief: "Count identical calls, and print the counts at the end",
      },
      allowAll: {
        ...SWITCH,
        brief: "Let calls that would get an errno proceed, and show them",
      },
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: {
      kind: "array",
      parameter: {
        brief:
          "Source of the filter (default: default:docker), --, the command and its arguments; messages go to standard error",
        parse: (input: string): string => input,
        placeholder: "SOURCE COMMAND",
      },
    },
  },
  run: runWhy,
});

/** Runs a command and shows its denied calls; exits as the command does. */
export async function runWhy(
  io: Io,
  flags: WhyFlags,
  ...words: readonly string[]
): Promise<number> {
  const separator = words.indexOf("--");
  const [source = "default:docker", ...others] = words.slice(0, separator);
  const [name, ...args] = words.slice(separator + 1);
  if (separator < 0 || name === undefined) {
    throw new UsageError(
      "Missing argument: COMMAND; write -- before the command, such as why default:docker -- ls",
    );
  }
  if (others.length > 0) {
    throw new UsageError("Too many arguments: only one source may precede --");
  }
  const tells = { ...flags, quiet: flags.quiet || !flags.verbose };
  const filter = await readFilterSource(io, source, tells);
  const answer = createAnswerer(filter);
  const observer = observerOf(filter);
  const teller = new Teller(io, flags, filter);
  let result: SuperviseResult;
  try {
    result = supervise<CallMemory>({
      ...{ command: name, args, observer, answer },
      allowAll: flags.allowAll,
      permits: (data) =>
        [SECCOMP_RET_ALLOW, SECCOMP_RET_LOG].includes(actionOf(answer(data))),
      inspect: readCallMemory,
      onDenial: (denial) => teller.tell(denial),
      onExec: (pid) => teller.forget(pid),
    });
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    io.err(messageLine(io, "error", messageOf(error)));
    if (!error.syscall.startsWith("execve")) return EXIT.machine;
    return error.errno === ENOENT ? NOT_FOUND : CANNOT_EXECUTE;
  }
  teller.end();
  return exitAs(result);
}

/** The original filter's answer to a call. */
function createAnswerer(
  { programs, littleEndian, name }: LoadedFilter,
): (data: SeccompData) => number {
  const [program] = programs;
  if (program === undefined || programs.length > 1 || !littleEndian) {
    throw new InputError(
      "Cannot run under this source: give one filter for this machine",
      { place: name },
    );
  }
  const notifies = program.some(({ op, k }) =>
    op === "ret.k" && actionOf(k) === SECCOMP_RET_USER_NOTIF
  );
  if (notifies) {
    throw new InputError(
      "Cannot observe a filter with USER_NOTIF: a process has one listener, and this program needs it",
      { place: name },
    );
  }
  const prepared = prepare(program);
  return (data) => run(prepared, toWords(data, true));
}

/** The observing filter, proved. */
function observerOf(filter: LoadedFilter): Uint8Array<ArrayBuffer> {
  const [program = []] = filter.programs;
  const found = filter.kind === "profile"
    ? observePolicy(filter.resolved.policy)
    : observeProgram(program);
  if (found.kind === "observation") return found.bytes;
  throw new UnprovenError(`Cannot observe ${filter.name}: ${found.message}`);
}

/** Ends as the command did. */
function exitAs({ code, signal = 0 }: SuperviseResult): number {
  if (code !== undefined) return code;
  endBySignal(signal);
  return SIGNAL_EXIT + signal;
}

/** Shows denied calls, or counts them. */
class Teller {
  readonly #io: Io;
  readonly #flags: WhyFlags;
  readonly #filter: LoadedFilter;
  readonly #places = new PlaceFinder();
  readonly #counts = new Map<string, { first: NamedDenial; count: number }>();
  /** Paths of programs by process, and rules by call. */
  readonly #programs = new Map<number, string | undefined>();
  readonly #rules = new Map<string, string>();
  #denials = 0;

  constructor(io: Io, flags: WhyFlags, filter: LoadedFilter) {
    this.#io = io;
    this.#flags = flags;
    this.#filter = filter;
  }

  tell(denial: Denial<CallMemory>): void {
    this.#denials++;
    const named = this.#name(denial);
    if (this.#flags.summary) return this.#count(named);
    this.#io.err(
      this.#flags.output === "json"
        ? reportJson(jsonOfDenial(named))
        : denialLines(named),
    );
  }

  #name(denial: Denial<CallMemory>): NamedDenial {
    const { pid, tid, data } = denial;
    return {
      ...denial,
      exe: this.#program(pid),
      comm: readProcText(openLibc(), `/proc/${tid}/comm`, COMM_BYTES),
      place: this.#places.find(pid, data.instructionPointer),
      rule: this.#rule(data),
    };
  }

  #program(pid: number): string | undefined {
    if (this.#programs.has(pid)) return this.#programs.get(pid);
    if (this.#programs.size >= MAX_KEPT) this.#programs.clear();
    let exe: string | undefined;
    try {
      exe = Deno.readLinkSync(`/proc/${pid}/exe`);
    } catch {
      // It has ended.
    }
    this.#programs.set(pid, exe);
    return exe;
  }

  /** Forgets what is known about a process that becomes another program. */
  forget(pid: number): void {
    this.#programs.delete(pid);
    this.#places.forget(pid);
  }

  #rule(data: SeccompData): string | undefined {
    if (this.#filter.kind !== "profile") return undefined;
    const key = `${data.arch} ${data.nr} ${data.args.join(" ")}`;
    const known = this.#rules.get(key);
    if (known !== undefined) return known;
    const { arch } = decide(this.#filter.resolved.policy, data);
    const text = arch === undefined
      ? "the profile is not for this architecture"
      : decidingRule(this.#filter, data);
    if (this.#rules.size >= MAX_KEPT) this.#rules.clear();
    this.#rules.set(key, text);
    return text;
  }

  #count(denial: NamedDenial): void {
    const key = `${denialCall(denial)} ${denial.value}`;
    const known = this.#counts.get(key);
    if (known !== undefined) known.count++;
    else if (this.#counts.size < MAX_COUNTED) {
      this.#counts.set(key, { first: denial, count: 1 });
    }
  }

  end(): void {
    const counted = [...this.#counts.values()].sort((a, b) =>
      b.count - a.count
    );
    if (this.#flags.summary && this.#flags.output === "json") {
      const calls = counted.map(({ first, count }) => ({
        count,
        ...jsonOfDenial(first),
      }));
      this.#io.err(reportJson({ denials: this.#denials, calls }));
      return;
    }
    if (counted.length > 0) {
      this.#io.err(formatTable([
        ["count", "call", "answer", "rule"],
        ...counted.map(({ first, count }) => [
          String(count),
          denialCall(first),
          formatReturnValue(first.value, first.data.arch),
          first.rule ?? "",
        ]),
      ], { left: [1, 2, 3] }));
    }
    if (this.#flags.quiet || this.#flags.output === "json") return;
    const text = this.#denials === 0
      ? "no call was denied"
      : `${this.#denials} ${this.#denials === 1 ? "call" : "calls"} denied`;
    this.#io.err(messageLine(this.#io, "note", text));
  }
}

/** Maximum number of processes and of rules to remember. */
const MAX_KEPT = 1000;

/** Bytes of /proc/PID/comm. */
const COMM_BYTES = 32;

/** Maximum number of different calls to count separately. */
const MAX_COUNTED = 10_000;
