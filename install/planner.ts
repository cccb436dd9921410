/**
 * The bookkeeping of a plan: changes in their order, records during and after
 * them, and everything that is in the way.
 *
 * @module
 */

import { InstallError } from "./error.ts";
import {
  type Change,
  describeState,
  type FileState,
  foldersOf,
  type Item,
  type Plan,
  type PlanInput,
} from "./item.ts";
import { collectRecords, type InstallRecord, type Owner } from "./manifest.ts";
import { applyEdit, baseOf, type EditItem } from "./plan_edit.ts";

/** Collects changes and what is remembered of them. */
export interface Planner {
  /** Makes items be there; returns their paths and those of their folders. */
  reach(owner: Owner, items: readonly Item[]): Set<string>;
  /** Takes away what an owner had and no longer wants. */
  leave(owner: Owner, keep: ReadonlySet<string>): void;
  /**
   * Ends the plan.
   *
   * @throws {InstallError} `foreign` with everything that is in the way.
   */
  finish(): Plan;
}

/**
 * Starts a plan.
 *
 * @param input What is installed and what is there.
 * @returns The planner, with no change yet.
 */
export function createPlanner(
  { manifest, disk, backups, digest }: PlanInput,
): Planner {
  const changes: Change[] = [];
  const problems: string[] = [];
  const during = new Map<Owner, Map<string, InstallRecord>>();
  const after = new Map<Owner, Map<string, InstallRecord>>();
  for (const [owner, list] of Object.entries(manifest.records)) {
    // Owners are the keys of Manifest.records.
    const key = owner as Owner;
    during.set(key, new Map(list.map((r) => [r.path, r])));
    after.set(key, new Map(list.map((r) => [r.path, r])));
  }
  const planned = new Set<string>();
  const recordsOf = (owner: Owner): Map<string, InstallRecord> =>
    after.get(owner) ?? new Map();
  const remember = (owner: Owner, now: InstallRecord, then = now): void => {
    during.get(owner)?.set(now.path, now);
    recordsOf(owner).set(then.path, then);
  };
  const stateOf = (path: string): FileState =>
    disk.get(path) ?? { kind: "absent" };
  const recorded = (path: string): InstallRecord | undefined =>
    [...after.values()].map((m) => m.get(path)).find((r) => r !== undefined);

  const makeFolder = (
    owner: Owner,
    path: string,
    options: { readonly mode: number; readonly cache: boolean },
  ): void => {
    if (planned.has(path)) return;
    const state = stateOf(path);
    if (state.kind === "directory") return;
    if (state.kind !== "absent") {
      problems.push(`"${path}" is ${describeState(state)}, not a folder`);
      return;
    }
    planned.add(path);
    changes.push({ kind: "mkdir", path, mode: options.mode });
    remember(owner, { kind: "directory", path, cache: options.cache });
  };

  const writeFile = (
    owner: Owner,
    item: Extract<Item, { readonly kind: "file" }>,
  ): void => {
    const { path, mode, text } = item;
    const state = stateOf(path);
    const record = recorded(path);
    const sha256 = digest(text);
    if (state.kind === "absent") {
      changes.push({ kind: "write", path, mode, after: text });
      remember(owner, { kind: "file", path, sha256: [sha256] });
      return;
    }
    if (state.kind !== "file" || record?.kind !== "file") {
      problems.push(
        `"${path}" is there and not of this installation (${
          describeState(state)
        })`,
      );
      return;
    }
    if (!record.sha256.includes(state.sha256)) {
      problems.push(`"${path}" was changed since it was installed`);
      return;
    }
    const then: InstallRecord = { kind: "file", path, sha256: [sha256] };
    if (state.sha256 === sha256) {
      remember(owner, then);
      return;
    }
    const before = state.text;
    changes.push({ kind: "write", path, mode, before, after: text });
    remember(owner, { ...then, sha256: [state.sha256, sha256] }, then);
  };

  /** Keeps a copy of somebody else's file, for people. */
  const backUp = (owner: Owner, path: string, text: string): void => {
    const copy = backupOf(backups, path);
    writeFile(owner, { kind: "file", path: copy, mode: 0o600, text });
  };

  const edit = (owner: Owner, item: EditItem): void => {
    const { path } = item;
    const state = stateOf(path);
    if (state.kind !== "absent" && state.kind !== "file") {
      problems.push(`"${path}" is ${describeState(state)}, not a file`);
      return;
    }
    const now = state.kind === "file" ? state.text : undefined;
    const record = recorded(path);
    const base = baseOf(now, record, digest);
    const { text, undo } = applyEdit(base ?? "", item);
    if (base !== undefined) backUp(owner, path, base);
    remember(owner, {
      kind: "edit",
      path,
      before: base ?? null,
      after: digest(text),
      undo,
    });
    if (now === text) return;
    changes.push({
      kind: "write",
      path,
      mode: 0o644,
      ...(now === undefined ? {} : { before: now }),
      after: text,
    });
  };

  const removeFolder = (
    record: Extract<InstallRecord, { readonly kind: "directory" }>,
    state: FileState,
  ): void => {
    const { path, cache } = record;
    if (state.kind !== "directory") return;
    const gone = new Set(
      changes.flatMap((c) =>
        c.kind === "remove" || c.kind === "rmdir" ? [c.path] : []
      ),
    );
    if (cache || state.names.every((name) => gone.has(`${path}/${name}`))) {
      changes.push({ kind: "rmdir", path, cache });
      return;
    }
    // Something else of ours is in it: it goes with the last of that.
    const others = [...after.values()].flatMap((m) => [...m.keys()]);
    if (others.some((other) => other.startsWith(`${path}/`))) {
      after.get("program")?.set(path, record);
    }
  };

  const takeAway = (owner: Owner, record: InstallRecord): void => {
    const { path } = record;
    const state = stateOf(path);
    const forget = (): void => {
      recordsOf(owner).delete(path);
    };
    if (state.kind === "absent") return forget();
    switch (record.kind) {
      case "directory":
        forget();
        return removeFolder(record, state);
      case "file":
        if (state.kind !== "file" || !record.sha256.includes(state.sha256)) {
          problems.push(`"${path}" was changed since it was installed`);
          return;
        }
        changes.push({
          kind: "remove",
          path,
          before: state.text,
          mode: state.mode,
        });
        return forget();
      case "edit": {
        if (state.kind !== "file") {
          problems.push(`"${path}" is ${describeState(state)}, not a file`);
          return;
        }
        const before = state.text;
        const base = baseOf(before, record, digest);
        if (base === undefined) {
          changes.push({ kind: "remove", path, before, mode: state.mode });
        } else if (base !== before) {
          changes.push({
            kind: "write",
            path,
            mode: 0o644,
            before,
            after: base,
          });
        }
        return forget();
      }
      default:
        record satisfies never;
    }
  };

  /** Collects what is refused, so that all of it is told at once. */
  const collect = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof InstallError)) throw error;
      problems.push(error.message);
    }
  };

  return {
    reach(owner, items): Set<string> {
      const wanted = new Set<string>();
      for (const item of items) {
        for (const folder of foldersOf(item.path)) {
          makeFolder(owner, folder, { mode: 0o755, cache: false });
          wanted.add(folder);
        }
        wanted.add(item.path);
        if (item.kind === "json" || item.kind === "block") {
          wanted.add(backupOf(backups, item.path));
        }
        collect(() => {
          if (item.kind === "directory") {
            const { mode, cache = false } = item;
            makeFolder(owner, item.path, { mode, cache });
          } else if (item.kind === "file") writeFile(owner, item);
          else edit(owner, item);
        });
      }
      return wanted;
    },
    leave(owner, keep): void {
      for (const record of inwardOut([...recordsOf(owner).values()])) {
        if (!keep.has(record.path)) collect(() => takeAway(owner, record));
      }
    },
    finish(): Plan {
      if (problems.length > 0) {
        throw new InstallError(
          "foreign",
          `Cannot go on, nothing was changed: ${
            problems.join("; ")
          }: move it away, or bring it back to what it was`,
        );
      }
      return {
        changes,
        during: collectRecords(during),
        after: collectRecords(after),
      };
    },
  };
}

/** Files, the last made first, then folders before those above them. */
function inwardOut(
  records: readonly InstallRecord[],
): readonly InstallRecord[] {
  const isFolder = (r: InstallRecord): boolean => r.kind === "directory";
  return [
    ...records.filter((r) => !isFolder(r)).reverse(),
    ...records.filter(isFolder).sort((a, b) => b.path.length - a.path.length),
  ];
}

/** Where the copy of a file lies. */
export function backupOf(backups: string, path: string): string {
  return `${backups}/${path.slice(1).replaceAll("/", "-")}`;
}
