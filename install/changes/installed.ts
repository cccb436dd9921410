/**
 * Current state of an installation: the manifest and the disk.
 *
 * @module
 */

import type { InstallRoot } from "./apply.ts";
import { loadDigest } from "./digest.ts";
import { lookAt, lookAtAll } from "./disk.ts";
import { InstallError } from "../error.ts";
import type { Disk, PlanInput } from "./item.ts";
import { backupFolder, manifestPath } from "./layout.ts";
import { EMPTY_MANIFEST, type Manifest, parseManifest } from "./manifest.ts";
import { backupOf } from "./planner.ts";

/**
 * Reads the manifest.
 *
 * @param place Location of the installation.
 * @returns The manifest; empty if nothing is installed.
 */
export async function readManifest(place: InstallRoot): Promise<Manifest> {
  const path = manifestPath(place.layout);
  const state = await lookAt(place.root, path);
  if (state.kind === "absent") return EMPTY_MANIFEST;
  if (state.kind === "file") return parseManifest(state.text, path);
  throw new InstallError(
    "not-understood",
    `Cannot read "${path}": it is not a text file; remove it`,
  );
}

/**
 * Reads the state of all recorded and requested paths.
 *
 * @param place Location of the installation.
 * @param manifest Current manifest.
 * @param paths Requested paths.
 * @returns The input of a plan.
 */
export async function readPlanInput(
  { root, layout }: InstallRoot,
  manifest: Manifest,
  paths: readonly string[],
): Promise<PlanInput> {
  const records = Object.values(manifest.records).flat();
  const backups = backupFolder(layout);
  const all = [...paths, ...records.map((r) => r.path)];
  const copies = all.map((path) => backupOf(backups, path));
  const disk = await lookAtAll(root, [...all, ...copies]);
  const digest = await loadDigest();
  return { manifest, backups, disk: without(disk, layout), digest };
}

/** The manifest does not count as content of its folder. */
function without(disk: Disk, layout: InstallRoot["layout"]): Disk {
  const folder = disk.get(layout.state);
  if (folder?.kind !== "directory") return disk;
  const own = manifestPath(layout).slice(layout.state.length + 1);
  const names = folder.names.filter((name) => name !== own);
  return new Map([...disk, [layout.state, { ...folder, names }]]);
}
