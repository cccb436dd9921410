/**
 * `status`: shows what is installed and what is active.
 *
 * @module
 */

import {
  placeOf,
  reportInstallErrors,
  STATUS_FLAGS,
  type StatusFlags,
} from "../input/manager.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import { DigestCache, shortDigest } from "../output/digest.ts";
import { reportJson } from "../output/json.ts";
import { formatMetrics } from "../output/prometheus.ts";
import { decode } from "../../bpf/encode.ts";
import { FILTER_KINDS, type FoundContainer } from "../../install/containers.ts";
import { HOST_IS_LITTLE_ENDIAN } from "../input/sources/process.ts";
import type { ManagerStatus } from "../../install/manager_status.ts";
import { gatherStatus, type Status } from "../../install/status.ts";
import { EXIT } from "../exit.ts";
import type { Io } from "../io.ts";
import { formatTable } from "../../host/table.ts";

/** The command. */
export const command: CommandDefinition = defineCommand<
  FleetFlags,
  []
>({
  usage: "[OPTION...]",
  examples: ["status", "status -o prometheus"],
  parameters: {
    flags: {
      ...STATUS_FLAGS,
      output: {
        kind: "enum",
        values: ["text", "json", "prometheus"],
        default: "text",
        brief: "Report format",
      },
    },
    aliases: { o: "output" },
  },
  run: runStatus,
});

/** Flags of `status`. */
type FleetFlags = Omit<StatusFlags, "output"> & {
  readonly output: "text" | "json" | "prometheus";
};

/** Prints the status. */
export async function runStatus(io: Io, flags: FleetFlags): Promise<number> {
  return await reportInstallErrors(io, async () => {
    const status = await gatherStatus(
      placeOf(flags, []),
      flags.state === undefined ? {} : { states: flags.state },
    );
    const containers = await withDigests(status.containers);
    io.out(
      flags.output === "prometheus"
        ? formatMetrics(status)
        : flags.output === "json"
        ? reportJson({ ...status, containers })
        : formatStatus({ ...status, containers }),
    );
    return EXIT.ok;
  });
}

/** A container with the digest of its live filters instead of their bytes. */
type DigestedContainer = Omit<FoundContainer, "live"> & {
  readonly digest?: string;
};

/** Replaces the bytes of live filters by their digest. */
async function withDigests(
  containers: readonly FoundContainer[],
): Promise<readonly DigestedContainer[]> {
  const cache = new DigestCache();
  const digested: DigestedContainer[] = [];
  for (const { live, ...rest } of containers) {
    const digest = live && await cache.of({
      programs: live.map((bytes) => decode(bytes)),
      littleEndian: HOST_IS_LITTLE_ENDIAN,
    });
    digested.push({ ...rest, ...(digest === undefined ? {} : { digest }) });
  }
  return digested;
}

/**
 * Writes a status as text.
 *
 * @param status The status.
 */
export function formatStatus(
  status: Omit<Status, "containers"> & {
    readonly containers: readonly DigestedContainer[];
  },
): string {
  const { machine, runtimes, readings, managers, store, containers } = status;
  const lines = [
    ["kernel", `${machine.kernel} ${machine.arch}`],
    ["allow cache", machine.allowCache ? "yes (5.11 or later)" : "no"],
    ["JIT", machine.jit],
    ["JIT memory", memory(machine)],
    ["live filters", live(machine.checkpointRestore)],
    [
      "profiles",
      readings.length === 0 ? "?" : `read as by ${readings.join("; ")}`,
    ],
    ["libseccomp", machine.libseccomp?.replace(/ sha256:.*/, "") ?? "none"],
    [
      "store",
      `${store.directory}: ${store.current} filters, ${store.stale} stale, ${store.left.length} sections left to the runtime, ${store.problems.length} doubtful`,
    ],
    ["starts", startsOf(store.starts)],
    ...status.caches.map(({ root, tree, libseccomp, doubtful }) => [
      "crun's cache",
      `${root}: ${tree} tree, ${libseccomp} libseccomp${
        doubtful === 0 ? "" : `, ${doubtful} doubtful`
      }`,
    ]),
  ];
  return [
    `${totalsOf(containers)}\n\n`,
    leftTable(lines),
    section(
      ["runtime", "version", "raw filters", "why"],
      runtimes.map((r) => [r.path, r.version ?? "?", r.rawFilters, r.reason]),
    ),
    section(
      ["manager", "version", "state"],
      managers.filter((m) => m.installed || m.version !== undefined)
        .map((m) => [m.name, m.version ?? "?", stateOf(m)]),
    ),
    section(
      [
        "manager",
        "container",
        "pid",
        "runtime",
        "filter",
        "instructions",
        "digest",
      ],
      containers.map((c) => [
        c.manager ?? "–",
        c.name ?? c.id.slice(0, 24),
        String(c.pid),
        c.runtime,
        c.detail === "" ? c.filter : `${c.filter} (${c.detail})`,
        String(c.instructions ?? "-"),
        shortDigest(c.digest),
      ]),
    ),
  ].join("");
}

/** Summarizes the containers that hook and wrapper started. */
function startsOf(
  { hit, miss, left, refused, failed }: Status["store"]["starts"],
): string {
  return `${hit} hits, ${miss} misses, ${
    left + failed
  } left to the runtime (${failed} after a compiler that failed), ${refused} refused`;
}

/** `14 containers: 6 tree, 7 libseccomp, 1 none`. */
function totalsOf(containers: readonly DigestedContainer[]): string {
  const counts = FILTER_KINDS.map((kind) => ({
    kind,
    count: containers.filter(({ filter }) => filter === kind).length,
  }));
  const number = containers.length;
  const words = `${number} ${number === 1 ? "container" : "containers"}`;
  if (number === 0) return words;
  return `${words}: ${
    counts.filter(({ count }) => count > 0)
      .map(({ kind, count }) => `${count} ${kind}`).join(", ")
  }`;
}

/** Lays out columns that all align to the left. */
function leftTable(rows: readonly (readonly string[])[]): string {
  return formatTable(rows, { left: [0, 1, 2, 3, 4, 5, 6] });
}

function section(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  return rows.length === 0 ? "" : `\n${leftTable([head, ...rows])}`;
}

function memory({ jitLimit, jitUse }: Status["machine"]): string {
  const mib = (bytes: number | undefined): string =>
    bytes === undefined ? "?" : `${Math.ceil(bytes / 2 ** 20)} MiB`;
  return `${mib(jitUse)} of ${mib(jitLimit)}`;
}

function live(checkpointRestore: boolean | undefined): string {
  if (checkpointRestore === undefined) return "unknown";
  return checkpointRestore ? "readable" : "not readable";
}

function stateOf(
  { installed, damaged, notOptimized }: ManagerStatus,
): string {
  if (!installed) return "not installed";
  if (damaged.length > 0) return `damaged: ${damaged.length} paths`;
  return notOptimized === undefined
    ? "active"
    : `not optimized: ${notOptimized}`;
}
