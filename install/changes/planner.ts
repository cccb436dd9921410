/**
 * The bookkeeping of a plan: changes in their order, records during and after
 * them, and all obstacles.
 *
 * @module
 */

import { InstallError } from "../error.ts";
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

/** A plan under construction: changes and their records. */
export class Planner {
  readonly #disk: PlanInput["disk"];
  readonly #backups: PlanInput["backups"];
  readonly #digest: PlanInput["digest"];
  readonly #changes: Change[] = [];
  readonly #problems: string[] = [];
  /** Paths of folders that the plan creates. */
  readonly #made = new Set<string>();
  /** Records by owner and path: while the plan is applied, and after it. */
  readonly #during = new Map<Owner, Map<string, InstallRecord>>();
  readonly #after = new Map<Owner, Map<string, InstallRecord>>();

  /** @param input Manifest and state of the disk. */
  constructor({ manifest, disk, backups, digest }: PlanInput) {
    this.#disk = disk;
    this.#backups = backups;
    this.#digest = digest;
    for (const [owner, list] of Object.entries(manifest.records)) {
      // Owners are the keys of Manifest.records.
      const key = owner as Owner;
      this.#during.set(key, new Map(list.map((r) => [r.path, r])));
      this.#after.set(key, new Map(list.map((r) => [r.path, r])));
    }
  }

  /**
   * Plans the creation of items; returns their paths and those of their
   * folders.
   */
  reach(owner: Owner, items: readonly Item[]): Set<string> {
    const wanted = new Set<string>();
    for (const item of items) {
      for (const folder of foldersOf(item.path)) {
        this.#makeFolder(owner, folder, { mode: 0o755, cache: false });
        wanted.add(folder);
      }
      wanted.add(item.path);
      if (item.kind === "json" || item.kind === "block") {
        wanted.add(backupOf(this.#backups, item.path));
      }
      this.#collect(() => {
        if (item.kind === "directory") {
          const { mode, cache = false } = item;
          this.#makeFolder(owner, item.path, { mode, cache });
        } else if (item.kind === "file") this.#writeFile(owner, item);
        else this.#edit(owner, item);
      });
    }
    return wanted;
  }

  /** Plans the removal of an owner's records that are no longer needed. */
  leave(owner: Owner, keep: ReadonlySet<string>): void {
    for (const record of inwardOut([...this.#recordsOf(owner).values()])) {
      if (keep.has(record.path)) continue;
      this.#collect(() => this.#takeAway(owner, record));
    }
  }

  /**
   * Ends the plan.
   *
   * @throws {InstallError} `foreign` with every obstacle.
   */
  finish(): Plan {
    if (this.#problems.length > 0) {
      throw new InstallError(
        "foreign",
        `Cannot continue, nothing was changed: ${
          this.#problems.join("; ")
        }: move it away, or bring it back to what it was`,
      );
    }
    return {
      changes: this.#changes,
      during: collectRecords(this.#during),
      after: collectRecords(this.#after),
    };
  }

  #makeFolder(
    owner: Owner,
    path: string,
    { mode, cache }: { readonly mode: number; readonly cache: boolean },
  ): void {
    if (this.#made.has(path)) return;
    const state = this.#stateOf(path);
    if (state.kind === "directory") return;
    if (state.kind !== "absent") {
      this.#problems.push(
        `"${path}" is ${describeState(state)}, not a folder`,
      );
      return;
    }
    this.#made.add(path);
    this.#changes.push({ kind: "mkdir", path, mode });
    this.#remember(owner, { kind: "directory", path, cache });
  }

  #writeFile(
    owner: Owner,
    item: Extract<Item, { readonly kind: "file" }>,
  ): void {
    const { path, mode, text } = item;
    const state = this.#stateOf(path);
    const record = this.#recorded(path);
    const sha256 = this.#digest(text);
    if (state.kind === "absent") {
      this.#changes.push({ kind: "write", path, mode, after: text });
      this.#remember(owner, { kind: "file", path, sha256: [sha256] });
      return;
    }
    if (state.kind !== "file" || record?.kind !== "file") {
      this.#problems.push(
        `"${path}" exists and does not belong to this installation (${
          describeState(state)
        })`,
      );
      return;
    }
    if (!record.sha256.includes(state.sha256)) {
      this.#problems.push(`"${path}" was changed since it was installed`);
      return;
    }
    const then: InstallRecord = { kind: "file", path, sha256: [sha256] };
    if (state.sha256 === sha256) {
      this.#remember(owner, then);
      return;
    }
    const before = state.text;
    this.#changes.push({ kind: "write", path, mode, before, after: text });
    this.#remember(
      owner,
      { ...then, sha256: [state.sha256, sha256] },
      then,
    );
  }

  #edit(owner: Owner, item: EditItem): void {
    const { path } = item;
    const state = this.#stateOf(path);
    if (state.kind !== "absent" && state.kind !== "file") {
      this.#problems.push(`"${path}" is ${describeState(state)}, not a file`);
      return;
    }
    const now = state.kind === "file" ? state.text : undefined;
    const base = baseOf(now, this.#recorded(path), this.#digest);
    const { text, undo } = applyEdit(base ?? "", item);
    if (base !== undefined) this.#backUp(owner, path, base);
    this.#remember(owner, {
      kind: "edit",
      path,
      before: base ?? null,
      after: this.#digest(text),
      undo,
    });
    if (now === text) return;
    this.#changes.push({
      kind: "write",
      path,
      mode: 0o644,
      ...(now === undefined ? {} : { before: now }),
      after: text,
    });
  }

  /** Keeps a copy of a file that we do not own, for the user. */
  #backUp(owner: Owner, path: string, text: string): void {
    const copy = backupOf(this.#backups, path);
    this.#writeFile(owner, { kind: "file", path: copy, mode: 0o600, text });
  }

  #takeAway(owner: Owner, record: InstallRecord): void {
    const { path } = record;
    const state = this.#stateOf(path);
    const forget = (): void => {
      this.#recordsOf(owner).delete(path);
    };
    if (state.kind === "absent") return forget();
    switch (record.kind) {
      case "directory":
        forget();
        return this.#removeFolder(record, state);
      case "file":
        if (state.kind !== "file" || !record.sha256.includes(state.sha256)) {
          this.#problems.push(`"${path}" was changed since it was installed`);
          return;
        }
        this.#changes.push({ kind: "remove", path, before: state.text });
        return forget();
      case "edit":
        if (state.kind !== "file") {
          this.#problems.push(
            `"${path}" is ${describeState(state)}, not a file`,
          );
          return;
        }
        this.#undoEdit(record, state);
        return forget();
      default:
        record satisfies never;
    }
  }

  #undoEdit(
    record: Extract<InstallRecord, { readonly kind: "edit" }>,
    state: Extract<FileState, { readonly kind: "file" }>,
  ): void {
    const { path } = record;
    const before = state.text;
    const base = baseOf(before, record, this.#digest);
    if (base === undefined) {
      this.#changes.push({ kind: "remove", path, before });
    } else if (base !== before) {
      this.#changes.push({
        kind: "write",
        path,
        mode: 0o644,
        before,
        after: base,
      });
    }
  }

  #removeFolder(
    record: Extract<InstallRecord, { readonly kind: "directory" }>,
    state: FileState,
  ): void {
    const { path, cache } = record;
    if (state.kind !== "directory") return;
    const gone = new Set(
      this.#changes.flatMap((c) =>
        c.kind === "remove" || c.kind === "rmdir" ? [c.path] : []
      ),
    );
    if (cache || state.names.every((name) => gone.has(`${path}/${name}`))) {
      this.#changes.push({ kind: "rmdir", path, cache });
      return;
    }
    // The file contains other changes of ours, and is removed with the last
    // one.
    const others = [...this.#after.values()].flatMap((m) => [...m.keys()]);
    if (others.some((other) => other.startsWith(`${path}/`))) {
      this.#after.get("program")?.set(path, record);
    }
  }

  /** Collects refusals, so that all of them are reported at once. */
  #collect(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof InstallError)) throw error;
      this.#problems.push(error.message);
    }
  }

  #remember(owner: Owner, now: InstallRecord, then = now): void {
    this.#during.get(owner)?.set(now.path, now);
    this.#recordsOf(owner).set(then.path, then);
  }

  #recordsOf(owner: Owner): Map<string, InstallRecord> {
    return this.#after.get(owner) ?? new Map();
  }

  #recorded(path: string): InstallRecord | undefined {
    return [...this.#after.values()].map((m) => m.get(path))
      .find((r) => r !== undefined);
  }

  #stateOf(path: string): FileState {
    return this.#disk.get(path) ?? { kind: "absent" };
  }
}

/**
 * Files in reverse order of creation, then folders, children before parents.
 */
function inwardOut(
  records: readonly InstallRecord[],
): readonly InstallRecord[] {
  const isFolder = (r: InstallRecord): boolean => r.kind === "directory";
  return [
    ...records.filter((r) => !isFolder(r)).reverse(),
    ...records.filter(isFolder).sort((a, b) => b.path.length - a.path.length),
  ];
}

/** Path of the copy of a file. */
export function backupOf(backups: string, path: string): string {
  return `${backups}/${path.slice(1).replaceAll("/", "-")}`;
}
