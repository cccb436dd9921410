/**
 * How a file is distinguished from another one at the same path without reading it.
 *
 * @module
 */

/** A file whose change makes a new environment likely. */
export interface FileIdentity {
  /** Absolute path. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Seconds since 1970 of the last change. */
  readonly mtime: number;
}

/**
 * Looks at a file as stat(1) does: at a symbolic link itself, not at its target.
 *
 * @param path Absolute path.
 * @returns Size and time of last change.
 */
export async function identify(path: string): Promise<FileIdentity> {
  const { size, mtime } = await Deno.lstat(path);
  return { path, size, mtime: Math.floor((mtime?.getTime() ?? 0) / 1000) };
}
