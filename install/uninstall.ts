/**
 * Uninstalls: restores every byte, unless containers still depend on a wrapper.
 *
 * @module
 */

import { apply, exclusively, type InstallRoot } from "./changes/apply.ts";
import {
  isCached,
  restoreCaches,
  tellSystemd,
} from "./managers/cache_units.ts";
import { readManifest, readPlanInput } from "./changes/installed.ts";
import type { Plan } from "./changes/item.ts";
import type { ManagerName } from "./changes/manifest.ts";
import { planUninstall } from "./changes/plan.ts";
import { stubsFor } from "./users.ts";

/** Options of uninstalling. */
export interface UninstallOptions {
  /** True to only make the plan. */
  readonly dryRun: boolean;
  /** True to put a stub in place of a wrapper that containers use. */
  readonly force?: boolean;
}

/**
 * Undoes installations.
 *
 * @param targets The targets.
 * @param place Location of the installation.
 * @param options Options; `dryRun` makes only the plan.
 * @returns The changes, made or planned.
 * @throws {InstallError} with the reason, if nothing was changed; `in-use` if
 * containers depend on a wrapper.
 */
export async function uninstall(
  targets: readonly ManagerName[],
  place: InstallRoot,
  { dryRun, force = false }: UninstallOptions,
): Promise<Plan> {
  const work = async (): Promise<Plan> => {
    const manifest = await readManifest(place);
    const stubs = await stubsFor(targets, place, manifest, force);
    const paths = [...stubs.values()].map((item) => item.path);
    const input = await readPlanInput(place, manifest, paths);
    const plan = planUninstall(targets, input, stubs);
    if (dryRun || plan.changes.length === 0) return plan;
    const cached = place.root !== "/"
      ? []
      : targets.filter((target) => isCached(manifest, target, place.layout));
    for (const target of cached) {
      await tellSystemd(target, place.layout, "stop");
    }
    await apply(plan, place);
    if (cached.length > 0) await restoreCaches(plan.after, place.layout);
    return plan;
  };
  return dryRun ? await work() : await exclusively(place, work);
}
