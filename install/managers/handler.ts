/**
 * The program that a manager starts as its OCI runtime: our wrapper or, in
 * `--mode cache`, crun itself.
 *
 * @module
 */

import { cacheItems, keepsFilters } from "./cache_units.ts";
import { InstallError } from "../error.ts";
import type { Item } from "../changes/item.ts";
import type { ManagerName } from "../changes/manifest.ts";
import type { FoundRuntime } from "../runtimes.ts";
import {
  type Mode,
  type TargetFacts,
  type TargetOptions,
  wrapperItems,
  wrapperPath,
} from "./target.ts";

/**
 * Chooses how filters reach the containers of a manager.
 *
 * @param target The manager.
 * @param runtime The runtime that would be used.
 * @param strict True to refuse containers that cannot be optimized.
 * @returns `cache` if the runtime keeps filters: only then no code runs per
 * container.
 */
export function defaultMode(
  target: ManagerName,
  runtime: FoundRuntime | undefined,
  strict: boolean,
): Mode {
  // Refusing a container requires code that runs for each container.
  if (keepsFilters(runtime) && !strict) return "cache";
  return target === "podman" ? "hook" : "wrapper";
}

/**
 * Lists the required files besides a manager's own configuration.
 *
 * @param target The manager.
 * @param facts The machine.
 * @param options Options of the user.
 * @returns The units of `cache`, or the wrapper.
 * @throws {InstallError} `usage` if the runtime keeps no filters; `not-found` if
 * there is no runtime.
 */
export function handlerItems(
  target: ManagerName,
  facts: TargetFacts,
  options: TargetOptions,
): readonly Item[] {
  if (options.mode !== "cache") return wrapperItems(target, facts, options);
  requireCache(facts.runtime);
  return cacheItems(target, facts);
}

/**
 * Names the program that the manager starts.
 *
 * @param target The manager.
 * @param facts The machine.
 * @param options Options of the user.
 */
export function handlerPath(
  target: ManagerName,
  { layout, runtime }: TargetFacts,
  { mode }: Pick<TargetOptions, "mode">,
): string {
  return mode === "cache" && runtime !== undefined
    ? runtime.path
    : wrapperPath(layout, target);
}

/**
 * The version is unknown only below another root, for which the user vouches.
 */
function requireCache(runtime: FoundRuntime | undefined): void {
  if (keepsFilters(runtime)) return;
  if (runtime?.kind === "crun" && runtime.version === undefined) return;
  throw new InstallError(
    "usage",
    `Cannot use --mode cache: ${
      runtime === undefined
        ? "crun was not found"
        : `"${runtime.path}" is ${runtime.kind} ${runtime.version ?? ""}`.trim()
    }; crun 1.14 and later keeps filters: install it, or leave --mode out`,
  );
}
