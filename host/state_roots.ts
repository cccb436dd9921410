/**
 * Finds the state folders of OCI runtimes on this machine, including those of a
 * dockerd with another `--exec-root`.
 *
 * @module
 */

import { findProcesses } from "./processes.ts";
import { expandFolders, STATE_FOLDERS } from "./state_folders.ts";

/** The settings of dockerd. */
export const DAEMON_JSON = "/etc/docker/daemon.json";

/**
 * Lists the folders in which runtimes keep state.
 *
 * @param patterns Paths in which `*` stands for any part of one name; by default
 * the usual ones, and those of dockerd.
 * @returns Paths; those of patterns without `*` need not exist.
 */
export async function findStateFolders(
  patterns?: readonly string[],
): Promise<readonly string[]> {
  const found = new Set<string>();
  for (
    const pattern of patterns ??
      [
        ...STATE_FOLDERS,
        ...(await findExecRoots()).map((root) => `${root}/runtime-*/*`),
      ]
  ) {
    for (const folder of await expandFolders(pattern)) found.add(folder);
  }
  return [...found];
}

/**
 * Lists the folders of dockerd, if it uses one other than
 * `/run/docker`.
 */
export async function findExecRoots(): Promise<readonly string[]> {
  const roots = new Set<string>();
  for (const { words } of await findProcesses((name) => name === "dockerd")) {
    const at = words.indexOf("--exec-root");
    const inline = words.find((word) => word.startsWith("--exec-root="));
    const root = at >= 0 ? words[at + 1] : inline?.split("=")[1];
    if (root?.startsWith("/")) roots.add(root);
  }
  try {
    const settings = JSON.parse(await Deno.readTextFile(DAEMON_JSON));
    const root: unknown = settings["exec-root"];
    if (typeof root === "string" && root.startsWith("/")) roots.add(root);
  } catch {
    // The file does not exist, or is invalid, which dockerd itself reports.
  }
  // Nobody else reads a path with a line break.
  return [...roots].filter((root) => !root.includes("\n")).map((root) =>
    root.replace(/\/+$/, "")
  );
}
