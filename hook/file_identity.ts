/**
 * Distinguishes a file from another one at the same path without reading it.
 *
 * @module
 */

/**
 * A file whose change suggests a new environment.
 *
 * @category Containers
 */
export interface FileIdentity {
  /** Absolute path. */
  readonly path: string;
  /** Size in bytes. */
  readonly size: number;
  /** Time of the last change, in seconds since 1970. */
  readonly mtime: number;
}

/**
 * Reads the identity of a file, of the target of a symbolic link.
 *
 * @param path Absolute path.
 * @returns Size and time of last change.
 */
export async function identify(path: string): Promise<FileIdentity> {
  const { size, mtime } = await Deno.stat(path);
  return { path, size, mtime: Math.floor((mtime?.getTime() ?? 0) / 1000) };
}
