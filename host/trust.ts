/**
 * Which files and folders may be believed: those that nobody but root and the
 * user running this can change.
 *
 * @module
 */

/** Bits of a mode by which others than the owner may write: 0o020 and 0o002. */
const WRITABLE_BY_OTHERS = 0o022;
/** In a sticky folder others may add files, not replace ours. */
const STICKY = 0o1000;

/** What something has to be. */
export type FileKind = "directory" | "file";

/**
 * Says why something may not be believed.
 *
 * @param info What lstat(2) answers about it.
 * @param kind What it has to be.
 * @param owners Users that may own it.
 * @returns What was seen; `undefined` if all is well.
 */
export function doubtOf(
  info: Deno.FileInfo,
  kind: FileKind,
  owners: ReadonlySet<number>,
): string | undefined {
  if (info.isSymlink) return "it is a symbolic link";
  const isKind = kind === "directory" ? info.isDirectory : info.isFile;
  if (!isKind) return `it is not a ${kind}`;
  if (!owners.has(info.uid ?? -1)) return `it belongs to user ${info.uid}`;
  const mode = (info.mode ?? 0o777) & 0o7777;
  if ((mode & WRITABLE_BY_OTHERS) !== 0) {
    return `others may write to it (mode ${mode.toString(8)})`;
  }
  return undefined;
}

/**
 * Says why a folder may not be believed: for itself, or for one above it.
 *
 * @param path Absolute and real: no symbolic link in it, no `.` or `..`.
 * @returns What was seen, with the folder; `undefined` if nobody else could change it.
 * @throws {Deno.errors.NotFound} When it is not there.
 * @throws {RangeError} if the path is not absolute and plain.
 */
export async function doubtAboutFolder(
  path: string,
): Promise<string | undefined> {
  const owners = await trustedOwners();
  for (const folder of ancestorsOf(path)) {
    const info = await Deno.lstat(folder);
    const doubt = doubtOf(info, "directory", owners);
    const sticky = folder !== path && ((info.mode ?? 0) & STICKY) !== 0 &&
      info.isDirectory && owners.has(info.uid ?? -1);
    if (doubt !== undefined && !sticky) return `"${folder}": ${doubt}`;
  }
  return undefined;
}

/**
 * Says why a file may not be believed: for itself, or for a folder above it.
 *
 * @param path Absolute and real: no symbolic link in it, no `.` or `..`.
 * @returns What was seen; `undefined` if nobody else could change it.
 * @throws {Deno.errors.NotFound} When it is not there.
 * @throws {RangeError} if the path is not absolute and plain.
 */
export async function doubtAboutFile(
  path: string,
): Promise<string | undefined> {
  const folder = path.slice(0, path.lastIndexOf("/")) || "/";
  return await doubtAboutFolder(folder) ??
    doubtOf(await Deno.lstat(path), "file", await trustedOwners());
}

/**
 * Lists a folder and those above it, the root first.
 *
 * @param path An absolute path.
 * @returns `/`, `/var`, `/var/cache` for `/var/cache`.
 * @throws {RangeError} if the path is not absolute and plain.
 */
export function ancestorsOf(path: string): readonly string[] {
  const parts = path.split("/").slice(1);
  if (
    !path.startsWith("/") ||
    (path !== "/" && parts.some((p) => p === "" || p === "." || p === ".."))
  ) {
    throw new RangeError(
      `Cannot use "${path}": not an absolute path without "." and ".."; give one`,
    );
  }
  const list = ["/"];
  if (path === "/") return list;
  parts.forEach((_, i) => list.push(`/${parts.slice(0, i + 1).join("/")}`));
  return list;
}

/**
 * Lists who may own what is believed: root, this user, and inside a user namespace
 * the owner of everything that has none there, such as `/` of the host for rootless
 * Podman.
 *
 * @returns User ids.
 */
export async function trustedOwners(): Promise<ReadonlySet<number>> {
  const owners = new Set([0, Deno.uid() ?? 0]);
  try {
    const map = await Deno.readTextFile("/proc/self/uid_map");
    if (!/^\s*0\s+0\s+4294967295\s*$/.test(map)) owners.add(65534);
  } catch {
    // Not readable without -A: no namespace is assumed, which is stricter.
  }
  return owners;
}
