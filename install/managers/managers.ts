/**
 * The container managers of this system.
 *
 * @module
 */

import { ask } from "../../host/command.ts";
import type { ManagerName } from "../changes/manifest.ts";
import { findBelow } from "../runtimes.ts";

/** Programs that report a manager's version. */
const PROGRAMS: Readonly<Record<ManagerName, string>> = {
  podman: "podman",
  docker: "dockerd",
  containerd: "containerd",
  crio: "crio",
};

/**
 * Queries a manager of this system for its version.
 *
 * @param target The manager.
 * @returns A version such as `4.3.1`, or `undefined` if it is not installed.
 */
export async function versionOf(
  target: ManagerName,
): Promise<string | undefined> {
  const program = await findBelow("/", PROGRAMS[target]);
  if (program === undefined) return undefined;
  const { stdout } = await ask([program.path, "--version"]);
  return /\bv?(\d+\.\d+[\w.+~-]*)/.exec(stdout)?.[1];
}
