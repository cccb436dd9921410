/**
 * Decides which files and folders can be trusted: those that only root and the
 * user running this program can change.
 *
 * @module
 */

/** Mode bits that let group and others write: 0o020 and 0o002. */
const WRITABLE_BY_OTHERS = 0o022;
/** In a sticky folder, others can add files but cannot replace ours. */
const STICKY = 0o1000;

/** Expected kind of file. */
export type FileKind = "directory" | "file";

/**
 * Reports why a file cannot be trusted.
 *
 * @param info Result of lstat(2).
 * @param kind Expected kind.
 * @param owners Users that may own it.
 * @returns The reason; `undefined` if it can be trusted.
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
 * Reports why a folder or one of its parents cannot be trusted.
 *
 * @param path Absolute and real: without symbolic links, `.` or `..`.
 * @returns The reason, with the folder; `undefined` if nobody else could change
 * it.
 * @throws {Deno.errors.NotFound} if it does not exist.
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
 * Reports why a file or one of its parent folders cannot be trusted.
 *
 * @param path Absolute and real: without symbolic links, `.` or `..`.
 * @returns The reason; `undefined` if nobody else could change it.
 * @throws {Deno.errors.NotFound} if it does not exist.
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
 * Lists a folder and its parents, the root first.
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
 * Lists the users that may own trusted files: root, this user, and inside a
 * user namespace, the overflow user that owns everything unmapped, such as the
 * host's `/` for rootless Podman.
 *
 * @returns User ids.
 */
export async function trustedOwners(): Promise<ReadonlySet<number>> {
  const owners = new Set([0, Deno.uid() ?? 0]);
  try {
    const map = await Deno.readTextFile("/proc/self/uid_map");
    if (!/^\s*0\s+0\s+4294967295\s*$/.test(map)) owners.add(65534);
  } catch {
    // The file cannot be read without -A; assuming no namespace is stricter.
  }
  return owners;
}
