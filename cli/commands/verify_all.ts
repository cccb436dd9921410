/**
 * `verify --all`: lists the confined processes of this machine.
 *
 * @module
 */

import { DigestCache, shortDigest } from "../output/digest.ts";
import { reportJson } from "../output/json.ts";
import { messageOf } from "../../host/reason.ts";
import { EXIT } from "../exit.ts";
import type { OutputFlags } from "../input/flags.ts";
import type { Io } from "../io.ts";
import {
  type Confinement,
  HOST_IS_LITTLE_ENDIAN,
  isDead,
  listProcesses,
  type ProcessInfo,
  readProcess,
  type ThreadGroup,
  threadGroups,
} from "../input/sources/process.ts";
import { formatTable } from "../../host/table.ts";
import {
  exitOf,
  jsonOf,
  type ProcessVerification,
  verify,
  worstExit,
} from "./verify_process.ts";
import type { NamedSubject } from "../input/sides.ts";

/** One confined process. */
interface Row {
  readonly info: ProcessInfo;
  /** Its threads; empty if they could not be read. */
  readonly groups: readonly ThreadGroup[];
  /** Result of the comparison. */
  readonly found: ProcessVerification | undefined;
  /** The reason why its threads could not be read. */
  readonly reason: string | undefined;
}

/** A row with the digest of the filters that it shows; absent without filters. */
interface DigestedRow extends Row {
  readonly digest: string | undefined;
}

/**
 * Lists the confined processes.
 *
 * @param io Stream for the report.
 * @param flags Format of the report.
 * @param against The standard to which they are compared, if any.
 */
export async function tellAll(
  io: Io,
  flags: OutputFlags,
  against: NamedSubject | undefined,
): Promise<number> {
  const found: Row[] = [];
  for (const pid of listProcesses()) {
    const info = readProcess(pid);
    if (info === undefined || ((info.mode ?? 0) === 0 && !info.mixed)) continue;
    const row = rowOf(info, against);
    if (row !== undefined) found.push(row);
  }
  const rows = await groupByDigest(found);
  if (flags.output === "json") {
    const processes = rows.map(jsonOfRow);
    io.out(reportJson({ processes, groups: groupsOf(rows) }));
  } else if (rows.length === 0) {
    io.out("no process is confined\n");
  } else io.out(tableOf(rows, against !== undefined));
  if (against === undefined) return EXIT.ok;
  return worstExit(
    rows.map(({ found }) =>
      found === undefined ? EXIT.machine : exitOf(found.worst)
    ),
  );
}

/** Puts rows whose filters have the same digest next to each other. */
async function groupByDigest(
  rows: readonly Row[],
): Promise<readonly DigestedRow[]> {
  const cache = new DigestCache();
  const groups = new Map<string | undefined, DigestedRow[]>();
  for (const row of rows) {
    const shown = confinementOf(row);
    const digest = shown?.kind === "filters"
      ? await cache.of({
        programs: shown.programs,
        littleEndian: HOST_IS_LITTLE_ENDIAN,
      })
      : undefined;
    const group = groups.get(digest) ?? [];
    groups.set(digest, group);
    group.push({ ...row, digest });
  }
  return [...groups.values()].flat();
}

/** Processes by the digest of their filters. */
function groupsOf(
  rows: readonly DigestedRow[],
): readonly { readonly digest: string; readonly pids: readonly number[] }[] {
  const groups = new Map<string, number[]>();
  for (const { digest, info } of rows) {
    if (digest === undefined) continue;
    groups.set(digest, [...groups.get(digest) ?? [], info.pid]);
  }
  return [...groups].map(([digest, pids]) => ({ digest, pids }));
}

/** Reads one process; `undefined` if it has ended. */
function rowOf(
  info: ProcessInfo,
  against: NamedSubject | undefined,
): Row | undefined {
  let groups: readonly ThreadGroup[];
  try {
    groups = threadGroups(info.pid);
  } catch (error) {
    if (isDead(info.pid)) return undefined;
    const reason = messageOf(error);
    return { info, groups: [], found: undefined, reason };
  }
  const found = against === undefined ? undefined : verify(groups, against);
  const shown = confinementOf({ groups, found });
  const reason = shown?.kind === "unread" ? messageOf(shown.error) : undefined;
  return { info, groups, found, reason };
}

/** The thread of the answer, or else the first thread. */
function confinementOf(
  { groups, found }: Pick<Row, "groups" | "found">,
): Confinement | undefined {
  const at = found === undefined ? 0 : found.all.indexOf(found.worst);
  return groups[at]?.confinement;
}

/**
 * Bytes of machine code per instruction: Docker's default filter for three
 * architectures has 229 instructions and 2,821 bytes (x86_64, Linux 6.18).
 */
const JIT_BYTES = 12.3;
/**
 * The kernel allocates memory of the JIT in chunks of this size
 * (kernel/bpf/core.c).
 */
const JIT_CHUNK = 64;

/**
 * Estimates the memory of the compiled filters in bytes, each with a header of
 * one chunk.
 */
export function jitBytes(lengths: readonly number[]): number {
  return lengths.reduce(
    (sum, length) =>
      sum + JIT_CHUNK * Math.ceil((length * JIT_BYTES + JIT_CHUNK) / JIT_CHUNK),
    0,
  );
}

/** Names of the modes of threads. */
const MODES: Readonly<Record<Exclude<Confinement["kind"], "unread">, string>> =
  { none: "none", strict: "strict", filters: "filter" };

function jsonOfRow(row: DigestedRow): Readonly<Record<string, unknown>> {
  const { info, groups, found, reason, digest } = row;
  const shown = confinementOf(row);
  const known = shown === undefined || shown.kind === "unread"
    ? undefined
    : shown;
  const lengths = known && lengthsOf(known);
  return {
    pid: info.pid,
    name: info.name,
    mode: known === undefined
      ? info.mode === 1 ? "strict" : "filter"
      : MODES[known.kind],
    filters: lengths?.length ?? info.filters ?? null,
    lengths: lengths ?? null,
    jitBytes: lengths === undefined ? null : jitBytes(lengths),
    digest: digest ?? null,
    container: info.container ?? null,
    mixedThreads: groups.length > 1,
    ...(found === undefined
      ? { state: known === undefined ? "unknown" : null }
      : jsonOf(found)),
    ...(reason === undefined ? {} : { reason }),
  };
}

function lengthsOf(confinement: Confinement): readonly number[] {
  return confinement.kind === "filters"
    ? confinement.programs.map((program) => program.length)
    : [];
}

function tableOf(rows: readonly DigestedRow[], compared: boolean): string {
  return formatTable([
    [
      "name",
      "pid",
      "filters",
      "instructions",
      "JIT bytes",
      "digest",
      ...(compared ? ["state"] : []),
      "container",
    ],
    ...rows.map((row) => {
      const { info, groups, found, digest } = row;
      const shown = confinementOf(row);
      const lengths = shown === undefined ? [] : lengthsOf(shown);
      return [
        info.name,
        String(info.pid),
        found === undefined && groups.length > 1
          ? groups.map(({ confinement }) => countOf(confinement)).join(", ")
          : countOf(shown, info),
        lengths.length === 0 ? "–" : lengths.join("+"),
        lengths.length === 0 ? "–" : `~${jitBytes(lengths)}`,
        shortDigest(digest),
        ...(compared ? [stateOf(found)] : []),
        info.container?.slice(0, 12) ?? "–",
      ];
    }),
  ]);
}

/** Number of filters, if known. */
function countOf(
  confinement: Confinement | undefined,
  info?: ProcessInfo,
): string {
  switch (confinement?.kind) {
    case "none":
      return "0";
    case "strict":
      return "strict";
    case "filters":
      return String(confinement.programs.length);
    case "unread":
    case undefined:
      return info?.mode === 1 ? "strict" : String(info?.filters ?? "?");
  }
}

/** The answer, and its threads if it is not for all of them. */
function stateOf(found: ProcessVerification | undefined): string {
  if (found === undefined) return "unknown";
  const { all, worst } = found;
  return all.length === 1
    ? worst.state
    : `${worst.state} (thread ${worst.tids[0]})`;
}
