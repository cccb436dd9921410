/**
 * `verify --all`: the confined processes of this machine.
 *
 * @module
 */

import { messageOf } from "./error.ts";
import { EXIT } from "./exit.ts";
import type { OutputFlags } from "./flags.ts";
import type { Io } from "./io.ts";
import {
  listProcesses,
  liveFilters,
  type ProcessInfo,
  readProcess,
} from "./process.ts";
import type { NamedSubject } from "./prove.ts";
import { formatTable } from "./table.ts";
import { exitOf, jsonOf, type Verification, verify } from "./verify.ts";

/** One confined process. */
interface Row {
  readonly info: ProcessInfo;
  readonly found: Verification | undefined;
  /** Why its filters could not be read. */
  readonly reason: string | undefined;
}

/**
 * Tells which processes are confined.
 *
 * @param io Where to.
 * @param flags The form of the report.
 * @param against What they are compared with, if anything.
 */
export function tellAll(
  io: Io,
  flags: OutputFlags,
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
