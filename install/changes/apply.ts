/**
 * Applies a plan: one installation at a time, each file completely or not at
 * all. If a step fails, all earlier steps are undone.
 *
 * @module
 */

import { messageOf } from "../../host/reason.ts";
import { InstallError } from "../error.ts";
import {
  type FileOwner,
  giveTo,
  isTemporary,
  writeWhole,
} from "../../host/files.ts";
import { followLinks, lookAt } from "./disk.ts";
import { type Change, foldersOf, type Plan } from "./item.ts";
import { type Layout, manifestPath } from "./layout.ts";
import { formatManifest, hasNoRecords, type Manifest } from "./manifest.ts";

/** Owner and mode of a file or folder. */
interface Rights extends FileOwner {
  readonly mode: number;
}

/** A change that was made. */
interface Done {
  readonly change: Change;
  /** Owner and mode before the change. */
  readonly rights: Rights | undefined;
}

/** Time to wait for another installation, in milliseconds. */
const WAIT_MS = 60_000;
const RETRY_MS = 100;

/** Prefix of the names of environments in the store. */
const ENVIRONMENT = "environment.";

/** Location to which a plan is applied. */
export interface InstallRoot {
  /** The root folder; `/` for this system. */
  readonly root: string;
  /** The folders below it. */
  readonly layout: Layout;
}

/**
 * Runs a function while no other installation is in progress.
 *
 * @param place Location of the installation.
 * @param work The function.
 * @param waitMs Time to wait for another installation.
 * @returns Its result.
 * @throws {InstallError} `locked` if another one takes too long.
 */
export async function exclusively<T>(
  { root, layout }: InstallRoot,
  work: () => Promise<T>,
  waitMs: number = WAIT_MS,
): Promise<T> {
  const path = await followLinks(root, `${layout.lock}/.`).catch(() => root);
  // flock(2) accepts a folder, so no lock file remains.
  using folder = await Deno.open(path === "" ? "/" : path);
  for (let waited = 0; !await folder.tryLock(true); waited += RETRY_MS) {
    if (waited >= waitMs) {
      throw new InstallError(
        "locked",
        `Cannot lock "${path}": another installation is running; try again when it has finished`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return await work();
}

/**
 * Applies a plan. Interrupts wait until it is done.
 *
 * @param plan The plan, made under {@linkcode exclusively}.
 * @param place Location of the installation.
 * @throws {InstallError} `failed` or `foreign`, after everything was undone.
 */
export async function apply(plan: Plan, place: InstallRoot): Promise<void> {
  const ignore = (): void => {};
  const signals: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) Deno.addSignalListener(signal, ignore);
  try {
    await applyAll(plan, place);
  } finally {
    for (const signal of signals) Deno.removeSignalListener(signal, ignore);
  }
}

async function applyAll(plan: Plan, place: InstallRoot): Promise<void> {
  const manifest = manifestPath(place.layout);
  const around = new Set([...foldersOf(manifest)]);
  // The manifest's own folders are created first and removed last.
  const isAround = (c: Change): boolean => around.has(c.path);
  const first = plan.changes.filter((c) => c.kind === "mkdir" && isAround(c));
  const last = plan.changes.filter((c) => c.kind === "rmdir" && isAround(c));
  const rest = plan.changes.filter((c) =>
    !first.includes(c) && !last.includes(c)
  );
  const done: Done[] = [];
  const old = await lookAt(place.root, manifest);
  const rights = await rightsOf(await followLinks(place.root, manifest));
  try {
    for (const change of first) await carryOut(change, place, done);
    await writeManifest(plan.during, place);
    for (const change of rest) await carryOut(change, place, done);
    await writeManifest(plan.after, place);
    for (const change of last) await carryOut(change, place, done);
  } catch (error) {
    const left = await undo(done, place);
    if (left.length === 0) {
      const real = await followLinks(place.root, manifest);
      if (old.kind === "file") await writeText(real, old.text, rights);
      else await Deno.remove(real).catch(() => {});
      await undoFolders(first, place);
    }
    const reason = messageOf(error);
    throw new InstallError(
      error instanceof InstallError ? error.code : "failed",
      left.length === 0
        ? `Cannot continue, all changes were undone: ${reason}`
        : `Cannot continue, and cannot undo ${left.join(", ")}: ${reason}`,
      { cause: error },
    );
  }
}

async function writeManifest(
  manifest: Manifest,
  place: InstallRoot,
): Promise<void> {
  const path = await followLinks(place.root, manifestPath(place.layout));
  if (!hasNoRecords(manifest)) {
    return await writeText(path, formatManifest(manifest), { mode: 0o644 });
  }
  await Deno.remove(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

async function carryOut(
  change: Change,
  place: InstallRoot,
  done: Done[],
): Promise<void> {
  const real = await followLinks(place.root, change.path);
  const rights = await rightsOf(real);
  switch (change.kind) {
    case "mkdir":
      await Deno.mkdir(real);
      await Deno.chmod(real, change.mode);
      break;
    case "rmdir":
      await removeFolder(real, change.cache);
      break;
    case "write":
      await expectText(change.path, change.before, place);
      await writeText(real, change.after, { mode: change.mode });
      break;
    case "remove":
      await expectText(change.path, change.before, place);
      await Deno.remove(real);
      break;
    default:
      change satisfies never;
  }
  done.push({ change, rights });
}

async function rightsOf(path: string): Promise<Rights | undefined> {
  try {
    const { mode, uid, gid } = await Deno.lstat(path);
    return { mode: (mode ?? 0o600) & 0o7777, uid, gid };
  } catch {
    return undefined;
  }
}

/** Checks that no file has changed since the plan was made. */
async function expectText(
  path: string,
  text: string | undefined,
  { root }: InstallRoot,
): Promise<void> {
  const state = await lookAt(root, path);
  const now = state.kind === "file" ? state.text : undefined;
  const same = text === undefined ? state.kind === "absent" : now === text;
  if (!same) {
    throw new InstallError(
      "foreign",
      `"${path}" has just been changed: run this again`,
    );
  }
}

/**
 * Removes a folder; in the store, removes only entries and the links of
 * environments, so that other files are kept.
 */
async function removeFolder(path: string, cache: boolean): Promise<void> {
  if (cache) {
    for await (const { name, isFile } of Deno.readDir(path)) {
      const isOurs = isFile || name.startsWith(ENVIRONMENT);
      if (isOurs) await Deno.remove(`${path}/${name}`, { recursive: true });
    }
  }
  try {
    await sweep(path);
    await Deno.remove(path);
  } catch (error) {
    if (!/not empty/i.test(String(error))) throw error;
  }
}

/** Writes a file; an existing one keeps its owner and mode. */
async function writeText(
  path: string,
  text: string,
  rights: Partial<Rights> | undefined,
): Promise<void> {
  await sweep(path.slice(0, path.lastIndexOf("/")));
  const { mode, uid, gid } = rights ?? {};
  writeWhole(path, text, {
    ...(mode === undefined ? {} : { mode }),
    ...(uid === undefined || gid === undefined ? {} : { owner: { uid, gid } }),
  });
}

/**
 * Removes leftovers of an installation that was killed; the lock ensures that
 * no other one is running.
 */
async function sweep(folder: string): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && isTemporary(name)) await Deno.remove(`${folder}/${name}`);
  }
}

/** Undoes changes in reverse order; reports those that it could not undo. */
async function undo(
  done: readonly Done[],
  place: InstallRoot,
): Promise<readonly string[]> {
  const left: string[] = [];
  for (const { change, rights } of [...done].reverse()) {
    try {
      const real = await followLinks(place.root, change.path);
      if (change.kind === "rmdir") await makeAgain(real, rights);
      else if (change.kind === "remove") {
        await writeText(real, change.before, rights);
      } else if (change.kind === "write") {
        if (change.before === undefined) await Deno.remove(real);
        else await writeText(real, change.before, rights);
      } else if (!isManifestFolder(change, place)) await Deno.remove(real);
    } catch {
      left.push(`"${change.path}"`);
    }
  }
  return left;
}

/**
 * Restores a removed folder, unless it was kept because it contains other
 * files.
 */
async function makeAgain(
  path: string,
  rights: Rights | undefined,
): Promise<void> {
  if (rights === undefined || await rightsOf(path) !== undefined) return;
  // Only this user can see it until its owner is set.
  await Deno.mkdir(path, { mode: rights.mode & 0o700 });
  giveTo(rights, path);
  // The umask has cleared bits of the mode, and chown may have.
  await Deno.chmod(path, rights.mode);
}

function isManifestFolder({ path }: Change, { layout }: InstallRoot): boolean {
  return foldersOf(manifestPath(layout)).includes(path);
}

async function undoFolders(
  made: readonly Change[],
  { root }: InstallRoot,
): Promise<void> {
  for (const { path } of [...made].reverse()) {
    await Deno.remove(await followLinks(root, path)).catch(() => {});
  }
}
