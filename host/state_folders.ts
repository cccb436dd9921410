/**
 * The state folders of OCI runtimes.
 *
 * @module
 */

/**
 * The usual folders: those of Podman and CRI-O, of direct calls, of containerd,
 * Docker and users.
 */
export const STATE_FOLDERS: readonly string[] = [
  "/run/crun",
  "/run/runc",
  "/run/containerd/runc/*",
  "/run/docker/runtime-*/*",
  "/run/user/*/crun",
];

/**
 * Lists the folders that match a pattern.
 *
 * @param pattern An absolute path; `*` stands for any part of one name.
 * @returns Paths; those without `*` need not exist.
 */
export async function expandFolders(
  pattern: string,
): Promise<readonly string[]> {
  let folders = [""];
  for (const part of pattern.split("/").slice(1)) {
    const next: string[] = [];
    for (const folder of folders) {
      if (!part.includes("*")) next.push(`${folder}/${part}`);
      else {
        const [head = "", tail = ""] = part.split("*");
        for (const name of await foldersIn(folder)) {
          if (name.startsWith(head) && name.endsWith(tail)) {
            next.push(`${folder}/${name}`);
          }
        }
      }
    }
    folders = next;
  }
  return folders;
}

/**
 * Lists the names of the folders in a folder.
 *
 * @param folder Folder to search.
 * @returns Sorted names; empty if the folder is missing or cannot be read.
 */
export async function foldersIn(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) names.push(name);
    }
  } catch {
    // The folder is missing or cannot be read by this user.
  }
  return names.sort();
}
