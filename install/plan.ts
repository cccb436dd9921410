/**
 * From what should be there and what is there to a list of changes; pure, so
 * that `--dry-run` shows exactly what would be done.
 *
 * A file that is not in the manifest is never touched, a file of ours that
 * somebody changed neither: both are refused, all of them at once.
 *
 * @module
 */

import type { Item, Plan, PlanInput } from "./item.ts";
import { type ManagerName, targetsOf } from "./manifest.ts";
import { Planner } from "./planner.ts";

/**
 * Plans an installation, or its repetition with other options.
 *
 * @param target What for.
 * @param items What should be there: the program's and the target's.
 * @param input What is there.
 * @returns The plan; without changes where all is there.
 * @throws {InstallError} `foreign` with everything that is in the way.
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
 * @param targets What for.
 * @param input What is there.
 * @returns The plan; without changes if nothing is installed.
 * @throws {InstallError} `foreign` with everything that somebody else changed.
 */
export function planUninstall(
  targets: readonly ManagerName[],
  input: PlanInput,
): Plan {
  const planner = new Planner(input);
  for (const target of targets) planner.leave(target, new Set());
  const others = targetsOf(input.manifest).filter((t) => !targets.includes(t));
  if (others.length === 0) planner.leave("program", new Set());
  return planner.finish();
}
