/**
 * Finds programs.
 *
 * @module
 */

/** Folders with a system's programs, in search order. */
export const PROGRAM_FOLDERS: readonly string[] = [
  "/usr/local/bin",
  "/usr/local/sbin",
  "/usr/bin",
  "/usr/sbin",
  "/bin",
  "/sbin",
  "/usr/libexec",
];

/** Options of a search. */
export interface ProgramSearch {
  /** Folders in order; those of `PATH` by default. */
  readonly folders?: readonly string[];
  /**
   * Maps a path to its real location, such as below another root; unchanged by
   * default.
   */
  readonly at?: (path: string) => Promise<string>;
}

/**
 * Finds a program by its name.
 *
 * @param name The name, without a folder.
 * @param search Folders to search.
 * @returns Path of the first regular file with an execute bit, as written in
 * the folders.
 */
export async function findProgram(
  name: string,
  { folders = pathFolders(), at = (path) => Promise.resolve(path) }:
    ProgramSearch = {},
): Promise<string | undefined> {
  for (const folder of folders) {
    const path = `${folder}/${name}`;
    try {
      const { isFile, mode } = await Deno.stat(await at(path));
      if (isFile && ((mode ?? 0) & 0o111) !== 0) return path;
    } catch {
      // Continue with the next folder.
    }
  }
  return undefined;
}

/** Absolute folders of `PATH`. */
function pathFolders(): readonly string[] {
  return (Deno.env.get("PATH") ?? "").split(":")
    .filter((folder) => folder.startsWith("/"));
}
