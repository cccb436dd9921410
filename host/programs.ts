/**
 * Finding programs.
 *
 * @module
 */

/** Folders with programs of a system, in the order of search. */
export const PROGRAM_FOLDERS: readonly string[] = [
  "/usr/local/bin",
  "/usr/local/sbin",
  "/usr/bin",
  "/usr/sbin",
  "/bin",
  "/sbin",
  "/usr/libexec",
];

/** How to look. */
export interface ProgramSearch {
  /** Folders in their order; those of `PATH` if absent. */
  readonly folders?: readonly string[];
  /** Where a path really is, such as below another root; the path itself if absent. */
  readonly at?: (path: string) => Promise<string>;
}

/**
 * Finds a program by its name.
 *
 * @param name The name, without a folder.
 * @param search Where to look.
 * @returns Path of the first regular file that somebody may execute, as the folders name it.
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
      // The next folder.
    }
  }
  return undefined;
}

/** Absolute folders of `PATH`. */
function pathFolders(): readonly string[] {
  return (Deno.env.get("PATH") ?? "").split(":")
    .filter((folder) => folder.startsWith("/"));
}
