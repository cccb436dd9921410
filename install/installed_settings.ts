/**
 * The settings that installations have written.
 *
 * @module
 */

import type { SemanticsSetting } from "../hook/environment.ts";
import {
  DEFAULTS,
  parseSettings,
  semanticsSetting,
  type Settings,
} from "../hook/settings.ts";
import type { InstallRoot } from "./changes/apply.ts";
import { lookAt } from "./changes/disk.ts";
import { readManifest } from "./changes/installed.ts";
import { type ManagerName, targetsOf } from "./changes/manifest.ts";
import { settingsPath } from "./managers/target.ts";

/**
 * Reads the settings of a target.
 *
 * @param target The target.
 * @param place Location of the installation.
 * @returns The settings; the built-in ones if there is no good file.
 */
export async function readSettings(
  target: ManagerName,
  { root, layout }: InstallRoot,
): Promise<Settings> {
  const state = await lookAt(root, settingsPath(layout, target));
  if (state.kind !== "file") return DEFAULTS;
  try {
    return parseSettings(state.text);
  } catch {
    return DEFAULTS;
  }
}

/**
 * Lists the readings in the settings of installations.
 *
 * @param place Location of the installation.
 * @returns The reading in each manager's settings.
 */
export async function installedSemantics(
  place: InstallRoot,
): Promise<readonly SemanticsSetting[]> {
  const settings: SemanticsSetting[] = [];
  for (const target of targetsOf(await readManifest(place))) {
    settings.push(semanticsSetting(await readSettings(target, place)));
  }
  return settings;
}
