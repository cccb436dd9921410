/**
 * Detects without reading it whether a file was replaced by another one.
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
 * Reads the identity of a file; follows symbolic links.
 *
 * @param path Absolute path.
 * @returns Size and time of last change.
 */
export async function identify(path: string): Promise<FileIdentity> {
  const { size, mtime } = await Deno.stat(path);
  return { path, size, mtime: Math.floor((mtime?.getTime() ?? 0) / 1000) };
}
