/**
 * The bundles of containers on this machine, and the profiles of its kubelet.
 *
 * @module
 */

import { findStateFolders } from "../host/state_roots.ts";
import { bundlesIn } from "./containers.ts";

/** A bundle with a seccomp section. */
export interface LiveBundle {
  /** Its folder. */
  readonly path: string;
  /** The exact text of its `config.json`. */
  readonly config: string;
  /** Members of `annotations`. */
  readonly annotations: Readonly<Record<string, unknown>>;
}

/** Folder of the profiles that pods name as `localhostProfile`. */
export const KUBELET_PROFILES = "/var/lib/kubelet/seccomp";

/** Maximum depth of the folders to read below it. */
const DEEPEST = 8;

/**
 * Finds the bundles of running containers.
 *
 * @param folders State folders of runtimes; the usual ones by default.
 * @returns Bundles with a seccomp section, by path.
 */
export async function findBundles(
  folders?: readonly string[],
): Promise<readonly LiveBundle[]> {
  const found = new Map<string, LiveBundle>();
  for (const folder of await findStateFolders(folders)) {
    for (const path of await bundlesIn(folder)) {
      const bundle = await readBundle(path);
      if (bundle !== undefined) found.set(path, bundle);
    }
  }
  return [...found.values()].sort((a, b) => a.path < b.path ? -1 : 1);
}

async function readBundle(path: string): Promise<LiveBundle | undefined> {
  try {
    const config = await Deno.readTextFile(`${path}/config.json`);
    const { linux, annotations = {} } = JSON.parse(config);
    if (linux?.seccomp === undefined) return undefined;
    return { path, config, annotations };
  } catch {
    // The folder has disappeared, or is not a bundle.
    return undefined;
  }
}

/**
 * Lists the profiles of the kubelet, including subfolders.
 *
 * @param folder Folder of profiles; {@linkcode KUBELET_PROFILES} by default.
 * @returns Paths of files that end in `.json`, `.yaml` or `.yml`; empty if the
 * folder is missing.
 */
export async function kubeletProfiles(
  folder: string = KUBELET_PROFILES,
  depth = 0,
): Promise<readonly string[]> {
  const files: string[] = [];
  try {
    for await (const { name, isFile, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (isFile && /\.(?:json|ya?ml)$/.test(name)) files.push(path);
      if (isDirectory && depth < DEEPEST) {
        files.push(...await kubeletProfiles(path, depth + 1));
      }
    }
  } catch {
    // The folder is missing or cannot be read by this user.
  }
  return files.sort();
}
