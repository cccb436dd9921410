/**
 * The modules that run in a child process, for compiled binaries:
 * `BINARY __child MODULE [ARG…]`.
 *
 * @module
 */

import { UsageError } from "./error.ts";

/** Runs a module with its arguments. */
type Child = (args: readonly string[]) => Promise<void>;

const CHILDREN: Readonly<Record<string, Child>> = {
  "bench/engine/process_child.ts": async () =>
    await (await import("../bench/engine/process_child.ts")).measureJob(),
  "bench/experiments/memory_child.ts": async (args) =>
    (await import("../bench/experiments/memory_child.ts")).holdFilters(args),
  "bench/experiments/stacked_child.ts": async (args) =>
    (await import("../bench/experiments/stacked_child.ts")).timeStack(args),
  "hook/main.ts": async (args) =>
    await (await import("../hook/main.ts")).serve(args),
  "hook/reference_child.ts": async () =>
    await (await import("../hook/reference_build.ts")).buildReference(),
};

/**
 * Runs a module in this process.
 *
 * @param args Path of the module below the project's root, then its arguments.
 * @throws {UsageError} if the path is not one of these modules.
 */
export async function runChild(
  [path = "", ...args]: readonly string[],
): Promise<void> {
  const child = Object.hasOwn(CHILDREN, path) ? CHILDREN[path] : undefined;
  if (child === undefined) throw new UsageError(`Unknown child "${path}"`);
  await child(args);
}
