/**
 * Computes the changes from the desired and the current state; a pure function,
 * so that `--dry-run` shows exactly what would be done.
 *
 * A plan never touches a file that is not in the manifest, or one of our files
 * that someone has changed: it refuses, and reports all such files together.
 *
 * @module
 */

import { foldersOf, type Item, type Plan, type PlanInput } from "./item.ts";
import { type ManagerName, targetsOf } from "./manifest.ts";
import { Planner } from "./planner.ts";

/**
 * Plans an installation, or its repetition with other options.
 *
 * @param target The target.
 * @param items Desired parts: the program's and the target's.
 * @param input Current state.
 * @returns The plan; without changes if everything is already installed.
 * @throws {InstallError} `foreign` with every obstacle.
 */
export function planInstall(
  target: ManagerName,
  items: Readonly<Record<"program" | "target", readonly Item[]>>,
  input: PlanInput,
): Plan {
  const planner = new Planner(input);
  const program = planner.reach("program", items.program);
  const own = planner.reach(target, items.target);
  planner.leave("program", program);
  planner.leave(target, own);
  return planner.finish();
}

/**
 * Plans to undo an installation.
 *
 * @param targets The targets.
 * @param input Current state.
 * @param stubs Replacements of wrappers that containers use.
 * @returns The plan; without changes if nothing is installed.
 * @throws {InstallError} `foreign` with everything that others have changed.
 */
export function planUninstall(
  targets: readonly ManagerName[],
  input: PlanInput,
  stubs: ReadonlyMap<ManagerName, Item> = new Map(),
): Plan {
  const planner = new Planner(input);
  for (const target of targets) {
    const stub = stubs.get(target);
    const keep = stub === undefined ? [] : planner.reach(target, [stub]);
    planner.leave(target, new Set(keep));
  }
  const others = targetsOf(input.manifest).filter((t) => !targets.includes(t));
  // The manifest lists the stubs.
  const kept = stubs.size === 0 ? [] : foldersOf(input.backups);
  if (others.length === 0) planner.leave("program", new Set(kept));
  return planner.finish();
}
