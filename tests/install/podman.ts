/**
 * Podman in a sandbox: containers of the tests' files, without images and
 * network.
 *
 * @module
 */

import { findSleep, uniqueSeconds } from "./filters.ts";
import type { Sandbox } from "./sandbox.ts";

/** Root file system of the containers. */
export const ROOTFS = "/var/lib/rootfs";
/** Log of the hook. */
export const LOG = "/var/lib/hook.log";

/** Command that runs a container without network on the test's files. */
export function podman(
  options: readonly string[],
  ...command: string[]
): string[] {
  return [
    ...["podman", "run", "--network=none", ...options],
    ...["--rootfs", ROOTFS, ...command],
  ];
}

/** Starts a container that sleeps; returns its init's process id. */
export async function sleeper(
  box: Sandbox,
  name: string,
  ...options: string[]
): Promise<number> {
  const seconds = uniqueSeconds();
  const words = ["--detach", "--name", name, ...options];
  await box.ok(...podman(words, "sleep", seconds));
  return await findSleep(seconds);
}

/** Removes a container. */
export async function remove(box: Sandbox, name: string): Promise<void> {
  await box.ok("podman", "rm", "--force", "--time=0", name);
}
