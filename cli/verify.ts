/**
 * `verify`: does a process run what it should.
 *
 * @module
 */

import type { Program } from "../bpf/instruction.ts";
import {
  type Counterexample,
  type Proof,
  proveEquivalent,
  type Subject,
  type Unproven,
} from "../verify/equivalence.ts";
import { messageOf, UsageError } from "./error.ts";
import { EXIT, report } from "./exit.ts";
import type { OutputFlags, SourceFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import { parsePid } from "./pid.ts";
import {
  listProcesses,
  liveFilters,
  type ProcessInfo,
  readProcess,
} from "./process.ts";
import {
  jsonOfResult,
  loadSubject,
  type NamedSubject,
  recognizable,
  witnessText,
} from "./prove.ts";
import { formatTable } from "./table.ts";

/** Flags of `verify`. */
export interface VerifyFlags extends SourceFlags, OutputFlags {
  readonly against?: string;
  readonly all: boolean;
}

/**
 * What was found: one filter that is equal or not, several of which the
 * combination is compared, none, or nothing that could be told.
 */
type State = "equivalent" | "different" | "stacked" | "unconfined" | "unknown";

/** An answer about one process. */
interface Verification {
  readonly state: State;
  /** Filters in force. */
  readonly filters: readonly Program[];
  /** What the comparison gave; absent where there was none. */
  readonly result?: Proof | Counterexample | Unproven;
}

/** Verifies one process, or lists all that are confined. */
export async function runVerify(
  io: Io,
  flags: VerifyFlags,
  word?: string,
): Promise<number> {
  if (flags.all === (word !== undefined)) {
    throw new UsageError(
      flags.all
        ? "Cannot verify one process and all of them: leave one out"
        : "Cannot verify: no process: write pid:N, or pass --all",
    );
  }
  const against = flags.against === undefined
    ? undefined
    : await loadSubject(io, flags, flags.against);
  if (word === undefined) return tellAll(io, flags, against);
  if (against === undefined) {
    throw new UsageError(
      "Cannot verify: nothing to compare with: pass --against SOURCE",
    );
  }
  const pid = parsePid(word);
  let found: Verification;
  try {
    found = verify(liveFilters(pid), against);
  } catch (error) {
    if (flags.output === "json") {
      const reason = messageOf(error);
      io.out(
        `${
          JSON.stringify({ schemaVersion: 1, pid, state: "unknown", reason })
        }\n`,
      );
    }
    return report(io, error);
  }
  io.out(
    flags.output === "json"
      ? `${
        JSON.stringify({
          schemaVersion: 1,
          pid,
          against: against.word,
          ...jsonOf(found),
        })
      }\n`
      : textOf(pid, found, against),
  );
  return exitOf(found);
}

function verify(
  filters: readonly Program[],
  against: NamedSubject,
): Verification {
  if (filters.length === 0) return { state: "unconfined", filters };
  const stack: Subject = { kind: "stack", programs: filters };
  const result = recognizable(
    proveEquivalent(stack, against.subject),
    [{ word: "", subject: stack }, against],
  );
  if (result.kind === "unproven") return { state: "unknown", filters, result };
  const state = filters.length > 1
    ? "stacked"
    : result.kind === "equal"
    ? "equivalent"
    : "different";
  return { state, filters, result };
}

function exitOf({ result }: Verification): number {
  switch (result?.kind) {
    case "equal":
      return EXIT.ok;
    case "unproven":
      return EXIT.unproven;
    default:
      return EXIT.no;
  }
}

function jsonOf(
  { state, filters, result }: Verification,
): Readonly<Record<string, unknown>> {
  const { state: combination, ...rest } = result === undefined
    ? { state: undefined }
    : jsonOfResult(result);
  return {
    state,
    filters: filters.length,
    lengths: filters.map((program) => program.length),
    ...(state === "stacked"
      ? { combination: combination === "equal" ? "equivalent" : combination }
      : {}),
    ...rest,
  };
}

function textOf(
  pid: number,
  { state, filters, result }: Verification,
  against: NamedSubject,
): string {
  const sizes = filters.map((program) => program.length).join(" + ");
  const what = filters.length === 0
    ? "no filter"
    : `${filters.length} filter${
      filters.length === 1 ? "" : "s"
    }, ${sizes} instructions`;
  const head = `${state}: pid:${pid}, ${what}`;
  switch (result?.kind) {
    case "equal":
      return `${head}: ${
        state === "stacked" ? "the combination is " : ""
      }equal to ${against.word} for every input\n`;
    case "different":
      return witnessText(
        `${head}: ${
          state === "stacked" ? "the combination is " : ""
        }not equal to ${against.word}`,
        result,
        // The process is no word that `simulate` could read after it has ended,
        // but as long as it lives.
        [{ word: `pid:${pid}`, subject: against.subject }, against],
      );
    case "unproven":
      return `${head}: cannot tell: the limit of ${result.limit} was reached\n`;
    default:
      return `${head}\n`;
  }
}

/** One confined process. */
interface Row {
  readonly info: ProcessInfo;
  readonly found: Verification | undefined;
  /** Why its filters could not be read. */
  readonly reason: string | undefined;
}

function tellAll(
  io: Io,
  flags: VerifyFlags,
  against: NamedSubject | undefined,
): number {
  const rows: Row[] = [];
  for (const pid of listProcesses()) {
    const info = readProcess(pid);
    if (info === undefined || (info.mode ?? 0) === 0) continue;
    rows.push(rowOf(info, against));
  }
  if (flags.output === "json") {
    const processes = rows.map(jsonOfRow);
    io.out(`${JSON.stringify({ schemaVersion: 1, processes })}\n`);
  } else if (rows.length === 0) {
    io.out("no process is confined\n");
  } else io.out(tableOf(rows, against !== undefined));
  const wrong = against !== undefined &&
    rows.some(({ found }) => found === undefined || exitOf(found) !== EXIT.ok);
  return wrong ? EXIT.no : EXIT.ok;
}

function rowOf(info: ProcessInfo, against: NamedSubject | undefined): Row {
  try {
    const filters = info.mode === 2 ? liveFilters(info.pid) : [];
    const found: Verification = against === undefined
      ? { state: "unknown", filters }
      : verify(filters, against);
    return { info, found, reason: undefined };
  } catch (error) {
    return { info, found: undefined, reason: messageOf(error) };
  }
}

/** Bytes of machine code for an instruction, about: x86_64, Linux 6.18. */
const JIT_BYTES = 9;
/** Memory of the JIT is handed out in chunks of this size (kernel/bpf/core.c). */
const JIT_CHUNK = 64;

/** Estimates what the compiled filters take. */
export function jitBytes(lengths: readonly number[]): number {
  return lengths.reduce(
    (sum, length) =>
      sum + JIT_CHUNK * Math.ceil((length * JIT_BYTES + JIT_CHUNK) / JIT_CHUNK),
    0,
  );
}

function jsonOfRow(
  { info, found, reason }: Row,
): Readonly<Record<string, unknown>> {
  const lengths = found?.filters.map((program) => program.length);
  return {
    pid: info.pid,
    name: info.name,
    mode: info.mode === 1 ? "strict" : "filter",
    filters: found?.filters.length ?? info.filters ?? null,
    lengths: lengths ?? null,
    jitBytes: lengths === undefined ? null : jitBytes(lengths),
    container: info.container ?? null,
    mixedThreads: info.mixed,
    ...(found?.result === undefined
      ? { state: found === undefined ? "unknown" : null }
      : jsonOf(found)),
    ...(reason === undefined ? {} : { reason }),
  };
}

function tableOf(rows: readonly Row[], compared: boolean): string {
  return formatTable([
    [
      "name",
      "pid",
      "filters",
      "instructions",
      "JIT bytes",
      ...(compared ? ["state"] : []),
      "container",
    ],
    ...rows.map(({ info, found }) => {
      const lengths = found?.filters.map((program) => program.length) ?? [];
      return [
        info.name,
        String(info.pid),
        info.mode === 1 ? "strict" : String(
          found?.filters.length ?? info.filters ?? "?",
        ),
        lengths.length === 0 ? "–" : lengths.join("+"),
        lengths.length === 0 ? "–" : `~${jitBytes(lengths)}`,
        ...(compared ? [found?.state ?? "unknown"] : []),
        info.container?.slice(0, 12) ?? "–",
      ];
    }),
  ]);
}
