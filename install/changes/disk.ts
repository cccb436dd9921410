/**
 * Reads the disk, below a root folder and never outside: symbolic links are
 * followed as if that folder were `/`.
 *
 * @module
 */

import { isTemporary } from "../../host/files.ts";
import { sha256 } from "../../hook/store/digest.ts";
import { InstallError } from "../error.ts";
import { type Disk, type FileState, foldersOf } from "./item.ts";

/** Maximum size of a file to read, in bytes. */
const MOST_BYTES = 16 * 2 ** 20;
/**
 * Maximum number of links on the way to a file, as in Linux
 * (path_resolution(7)).
 */
const MOST_LINKS = 40;

/**
 * Finds the real location of a path.
 *
 * @param root The root folder; `/` for this system.
 * @param path Absolute, below the root.
 * @returns The path on this machine; its last part is not followed.
 * @throws {InstallError} `not-understood` if links form a loop.
 */
export async function followLinks(root: string, path: string): Promise<string> {
  const top = root === "/" ? "" : root.replace(/\/+$/, "");
  let links = 0;
  let rest = path.split("/").filter((part) => part !== "" && part !== ".");
  let real: string[] = [];
  while (rest.length > 1) {
    const [part = "", ...others] = rest;
    rest = others;
    if (part === "..") {
      real.pop();
      continue;
    }
    const link = await readLink(`${top}/${[...real, part].join("/")}`);
    if (link === undefined) {
      real.push(part);
      continue;
    }
    if (++links > MOST_LINKS) {
      throw new InstallError(
        "not-understood",
        `Cannot follow "${path}": too many symbolic links`,
      );
    }
    if (link.startsWith("/")) real = [];
    rest = [
      ...link.split("/").filter((p) => p !== "" && p !== "."),
      ...rest,
    ];
  }
  return `${top}/${[...real, ...rest].join("/")}`;
}

/**
 * Finds the real location of a file, following its own link as well.
 *
 * @param root The root folder; `/` for this system.
 * @param path Absolute, below the root.
 * @returns The path on this machine.
 * @throws {InstallError} `not-understood` if links form a loop.
 */
export async function locateFile(root: string, path: string): Promise<string> {
  // A name below it makes locate() follow the last link as well.
  return (await followLinks(root, `${path}/x`)).slice(0, -2);
}

async function readLink(path: string): Promise<string | undefined> {
  try {
    return await Deno.readLink(path);
  } catch {
    return undefined;
  }
}

/**
 * Reads the state of one path.
 *
 * @param root The root folder.
 * @param path Absolute, below the root.
 * @returns Its state.
 */
export async function lookAt(root: string, path: string): Promise<FileState> {
  const real = await followLinks(root, path);
  let info: Deno.FileInfo;
  try {
    info = await Deno.lstat(real);
  } catch (error) {
    const none = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (none) return { kind: "absent" };
    throw error;
  }
  if (info.isDirectory) {
    return { kind: "directory", names: await namesIn(real) };
  }
  if (info.isSymlink) {
    const target = await Deno.readLink(real);
    return { kind: "other", what: `a symbolic link to "${target}"` };
  }
  if (!info.isFile) return { kind: "other", what: "not a regular file" };
  if (info.size > MOST_BYTES) {
    return { kind: "other", what: `a file of ${info.size} bytes` };
  }
  const bytes = await Deno.readFile(real);
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
    return { kind: "file", text, sha256: await sha256(bytes) };
  } catch {
    return { kind: "other", what: "a file that is not text" };
  }
}

/**
 * Reads the states of paths and of all folders above them.
 *
 * @param root The root folder.
 * @param paths Absolute paths below the root.
 * @returns Their states.
 */
export async function lookAtAll(
  root: string,
  paths: Iterable<string>,
): Promise<Disk> {
  const all = new Set<string>();
  for (const path of paths) {
    for (const folder of foldersOf(path)) all.add(folder);
    all.add(path);
  }
  const disk = new Map<string, FileState>();
  for (const path of all) {
    const isFolder = path !== "/" &&
      [...all].some((p) => p.startsWith(`${path}/`));
    const state = await lookAt(root, path);
    // A folder may be a link, as /lib is on Debian.
    const linked = isFolder && state.kind === "other"
      ? await followed(root, path)
      : state;
    disk.set(path, linked);
  }
  return disk;
}

async function followed(root: string, path: string): Promise<FileState> {
  // The appended name makes followLinks() follow the folder's own link as well.
  const real = (await followLinks(root, `${path}/x`)).slice(0, -2);
  try {
    return { kind: "directory", names: await namesIn(real) };
  } catch {
    return {
      kind: "other",
      what: "a symbolic link that does not lead to a folder",
    };
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!isTemporary(name)) names.push(name);
  }
  return names;
}
