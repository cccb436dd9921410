/**
 * `cache`: replaces the filters that crun caches with equal ones, with proof.
 *
 * ```text
 * cache optimize    replace each entry by the best equal filter
 * cache status      list the entries, and prove each replaced one again
 * cache restore     restore crun's own files
 * ```
 *
 * @module
 */

import { type CommandDefinition, defineCommand, NAME } from "../command.ts";
import {
  type CacheEntry,
  type CrunCache,
  listEntries,
  openCache,
} from "../../hook/cache/cache.ts";
import {
  type CacheChange,
  optimizeCache,
  restoreCache,
} from "../../hook/cache/optimize_cache.ts";
import { after } from "../../hook/deadline.ts";
import { RefusedError } from "../../hook/error.ts";
import { STATE_FOLDERS } from "../../host/state_folders.ts";
import { findStateFolders } from "../../host/state_roots.ts";
import { formatTable } from "../../host/table.ts";
import { printable, quoteText } from "../../tables/printable.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { MachineError, UsageError } from "../error.ts";
import { EXIT, messageLine } from "../exit.ts";
import {
  OUTPUT_FLAG,
  type OutputFlags,
  TELL_FLAGS,
  word,
} from "../input/flags.ts";
import { BOOLEAN } from "../input/manager.ts";
import type { Io } from "../io.ts";
import { reportJson } from "../output/json.ts";

/** Actions on caches. */
export const CACHE_ACTIONS = ["optimize", "status", "restore"] as const;

type Action = typeof CACHE_ACTIONS[number];

/** Flags of `cache`. */
export interface CacheFlags extends OutputFlags {
  readonly root?: readonly string[];
  readonly dryRun: boolean;
  readonly watch: boolean;
  readonly quiet: boolean;
}

/** Number of digits that distinguish entries for users. */
const SHORT_NAME = 16;
/** Interval of `--watch` in milliseconds. */
const WATCH_MS = 2000;

/** The command. */
export const command: CommandDefinition = defineCommand<CacheFlags, string[]>({
  usage: "[OPTION...] optimize | status | restore",
  examples: ["cache optimize --dry-run", "cache status --root /run/crun"],
  parameters: {
    flags: {
      root: {
        kind: "parsed",
        parse: word,
        variadic: true,
        optional: true,
        placeholder: "DIR",
        brief: "State folder of crun; repeatable",
      },
      dryRun: { ...BOOLEAN, brief: "Report the changes without making them" },
      watch: {
        ...BOOLEAN,
        brief: "optimize: keep running and also optimize new entries",
      },
      ...OUTPUT_FLAG,
      quiet: TELL_FLAGS.quiet,
    },
    aliases: { q: "quiet", o: "output" },
    positional: {
      kind: "array",
      parameter: {
        brief: CACHE_ACTIONS.join(", "),
        parse: (input: string): string => input,
        placeholder: "ACTION",
      },
    },
  },
  run: runCache,
});

/** Runs an action on the caches of this machine. */
export async function runCache(
  io: Io,
  flags: CacheFlags,
  ...words: readonly string[]
): Promise<number> {
  const action = actionOf(words);
  checkUse(action, flags);
  if (action === "status") return await reportCaches(io, flags);
  const seen = new Set<string>();
  for (;;) {
    const caches = await findCaches(io, flags, seen);
    const reports: CacheReport[] = [];
    for (const cache of caches) {
      const changes = action === "optimize"
        ? await optimizeCache(cache, flags)
        : await restoreCache(cache, flags);
      reports.push({ root: cache.root, changes });
    }
    const news = flags.watch ? reports.map((r) => newsOf(r, seen)) : reports;
    if (flags.output === "json") io.out(reportJson({ caches: news }));
    else io.out(news.map((report) => formatReport(report, flags)).join(""));
    if (!flags.watch) return EXIT.ok;
    await after(WATCH_MS);
  }
}

function actionOf(words: readonly string[]): Action {
  const [given, other] = words;
  const action = CACHE_ACTIONS.find((name) => name === given);
  if (action !== undefined && other === undefined) return action;
  throw new UsageError(
    given === undefined
      ? `Missing argument: ACTION; use one of ${CACHE_ACTIONS.join(", ")}`
      : action === undefined
      ? `Cannot read ACTION ${quoteText(given)}: not one of ${
        CACHE_ACTIONS.join(", ")
      }`
      : `Cannot run cache ${action}: it takes no argument; leave ${
        quoteText(other ?? "")
      } out`,
  );
}

function checkUse(action: Action, { watch, dryRun, output }: CacheFlags): void {
  if (watch && (action !== "optimize" || dryRun || output === "json")) {
    throw new UsageError(
      "Cannot use --watch here: it applies to cache optimize, without --dry-run and -o json",
    );
  }
  if (dryRun && action === "status") {
    throw new UsageError(
      "Cannot use --dry-run with cache status: it changes nothing; omit it",
    );
  }
}

/** Finds the caches; reports other users' caches once and leaves them alone. */
async function findCaches(
  io: Io,
  flags: CacheFlags,
  seen: Set<string> = new Set(),
): Promise<readonly CrunCache[]> {
  const caches: CrunCache[] = [];
  for (const root of await findStateFolders(flags.root)) {
    try {
      const cache = await openCache(root);
      if (cache !== undefined) caches.push(cache);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      if (flags.root !== undefined) {
        throw new MachineError(error.message, { cause: error });
      }
      if (!flags.quiet && !seen.has(root)) {
        io.err(messageLine(io, "note", error.message));
      }
      seen.add(root);
    }
  }
  if (caches.length === 0 && !flags.quiet && !seen.has("")) {
    const where = flags.root ?? STATE_FOLDERS;
    io.err(
      messageLine(
        io,
        "note",
        `no cache of crun in ${
          where.join(", ")
        }: crun 1.14 and later makes one when it starts a container; name another folder by --root`,
      ),
    );
  }
  seen.add("");
  return caches;
}

/** Result of an action on a cache. */
interface CacheReport {
  readonly root: string;
  readonly changes: readonly CacheChange[];
}

/** Omits results that were reported before. */
function newsOf(report: CacheReport, seen: Set<string>): CacheReport {
  const news = report.changes.filter(({ name, kind }) => {
    const word = `${report.root}/${name} ${kind}`;
    if (kind !== "left") return true;
    const isNew = !seen.has(word);
    seen.add(word);
    return isNew;
  });
  return { ...report, changes: news };
}

function formatReport(
  { root, changes }: CacheReport,
  { dryRun }: CacheFlags,
): string {
  return changes.map((change) => {
    const place = `${root}: ${change.name.slice(0, SHORT_NAME)}`;
    return printable(`${place}: ${describeChange(change, dryRun)}`) + "\n";
  }).join("");
}

function describeChange(
  { kind, before, after, detail }: CacheChange,
  dryRun: boolean,
): string {
  const would = dryRun ? "would be " : "";
  switch (kind) {
    case "replaced":
      return `${would}replaced: ${before} → ${after} instructions, proved equal`;
    case "restored":
      return `${would}restored: ${after} instructions`;
    case "removed":
      return `${would}removed: no container used it`;
    case "left":
      return `left unchanged: ${detail}`;
  }
}

/** Reported data of an entry. */
interface AboutEntry {
  readonly name: string;
  readonly state: CacheEntry["state"];
  /** Instructions; absent if it is doubtful. */
  readonly instructions?: number;
  /** Instructions of crun's original filter, if it was replaced. */
  readonly original?: number;
  readonly containers: number;
  readonly detail: string;
}

async function reportCaches(io: Io, flags: CacheFlags): Promise<number> {
  const caches: {
    readonly root: string;
    readonly entries: readonly AboutEntry[];
  }[] = [];
  for (const cache of await findCaches(io, flags)) {
    const entries = await listEntries(cache);
    caches.push({ root: cache.root, entries: entries.map(aboutEntry) });
  }
  const entries = caches.flatMap((cache) => cache.entries);
  const isBad = entries.some(({ state, detail }) =>
    state === "doubtful" || (state === "tree" && detail !== PROVED)
  );
  const code = isBad ? EXIT.no : EXIT.ok;
  if (flags.output === "json") {
    io.out(reportJson({ caches }));
    return code;
  }
  const count = (state: CacheEntry["state"]): number =>
    entries.filter((entry) => entry.state === state).length;
  const doubtful = count("doubtful");
  io.out(
    `${entries.length} ${entries.length === 1 ? "entry" : "entries"}: ${
      count("tree")
    } tree, ${count("libseccomp")} libseccomp${
      doubtful === 0 ? "" : `, ${doubtful} doubtful`
    }\n`,
  );
  if (entries.length === 0) return code;
  io.out("\n");
  io.out(formatTable([
    ["folder", "entry", "filter", "instructions", "was", "containers", "note"],
    ...caches.flatMap(({ root, entries }) =>
      entries.map((entry) => [
        root,
        entry.name.slice(0, SHORT_NAME),
        entry.state,
        String(entry.instructions ?? "–"),
        String(entry.original ?? "–"),
        String(entry.containers),
        entry.detail,
      ])
    ),
  ], { left: [0, 1, 2, 6] }));
  return code;
}

const PROVED = "proved equal";

function aboutEntry(entry: CacheEntry): AboutEntry {
  const { name, state, filter, original, containers } = entry;
  return {
    name,
    state,
    ...(filter === undefined ? {} : { instructions: filter.program.length }),
    ...(original === undefined ? {} : { original: original.program.length }),
    containers,
    detail: detailOf(entry),
  };
}

function detailOf({ state, filter, original, detail }: CacheEntry): string {
  if (state !== "tree" || filter === undefined || original === undefined) {
    return detail;
  }
  const proof = proveEquivalent(original, filter);
  switch (proof.kind) {
    case "equal":
      return PROVED;
    case "different":
      return `DIFFERENT from crun's own filter; run "${NAME} cache restore" and find out who changed the entry`;
    case "unproven":
      return "not proved within the limits";
  }
}
