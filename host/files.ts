/**
 * Writes files that are complete or absent for every reader, even if this
 * process dies: a temporary file in the same folder, flushed to the disk, then
 * a rename.
 *
 * @module
 */

/** Name of a file that is not complete yet. */
const TEMPORARY =
  /^\.seccomp-tree\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

/** Mode of a new file, before the umask. */
const NEW_MODE = 0o666;

/** Options of a write. */
export interface WholeOptions {
  /** Exact mode of a new file; 0666 less the umask by default. */
  readonly mode?: number;
  /** Owner of a new file; the user that writes it by default. */
  readonly owner?: FileOwner;
}

/** The user and the group that own a file; null if unknown. */
export interface FileOwner {
  readonly uid: number | null;
  readonly gid: number | null;
}

/**
 * Recognizes the name of a file that `writeWhole` has not finished.
 *
 * @param name A name without its folder.
 * @returns True if it is one.
 */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/**
 * Writes a file completely or not at all. The new file keeps the mode and owner
 * of the one that it replaces; a link itself is replaced. The content reaches
 * the disk before the name does.
 *
 * @param path The file, in a folder that exists.
 * @param data Its content.
 * @param options The mode and the owner of a new file.
 * @throws {Error} The system's error; then the old file is untouched and no
 * temporary one is left.
 */
export function writeWhole(
  path: string,
  data: string | Uint8Array,
  { mode, owner }: WholeOptions = {},
): void {
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : data;
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const temporary = `${folder}.seccomp-tree.${crypto.randomUUID()}.tmp`;
  const old = oldFile(path);
  const wanted = old?.mode ?? mode;
  try {
    {
      using file = Deno.openSync(temporary, {
        write: true,
        createNew: true,
        // Until it is complete, only its owner can read the file.
        mode: wanted === undefined ? NEW_MODE : wanted & 0o600,
      });
      for (let rest = bytes; rest.length > 0;) {
        rest = rest.subarray(file.writeSync(rest));
      }
      file.syncSync();
    }
    giveTo(old ?? owner, temporary);
    // The umask has cleared bits of the mode, and chown may have.
    if (wanted !== undefined) Deno.chmodSync(temporary, wanted);
    Deno.renameSync(temporary, path);
  } catch (error) {
    remove(temporary);
    throw error;
  }
  syncFolder(folder === "" ? "." : folder);
}

/** Attributes that a new file inherits from the one that it replaces. */
interface OldFile extends FileOwner {
  readonly mode: number;
}

function oldFile(path: string): OldFile | undefined {
  try {
    const { isFile, isSymlink, mode, uid, gid } = Deno.lstatSync(path);
    if (isSymlink) return undefined;
    if (!isFile) throw new Error("not a regular file");
    return { mode: (mode ?? NEW_MODE) & 0o7777, uid, gid };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Changes the owner of a file or folder, if it differs.
 *
 * @param owner The owner; nothing happens if absent.
 * @param path The file or folder.
 * @throws {Error} The system's error: only root may change the owner of files.
 */
export function giveTo(owner: FileOwner | undefined, path: string): void {
  const { uid, gid } = Deno.lstatSync(path);
  if (owner !== undefined && (uid !== owner.uid || gid !== owner.gid)) {
    Deno.chownSync(path, owner.uid, owner.gid);
  }
}

/** Flushes the name itself, so that it survives a power cut. */
function syncFolder(path: string): void {
  try {
    using folder = Deno.openSync(path);
    folder.syncSync();
  } catch {
    // Not every file system or sandbox supports this. The content is flushed
    // anyway.
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // The file does not exist.
  }
}
