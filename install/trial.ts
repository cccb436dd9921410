/**
 * A real container after an installation: does its live filter come out of
 * the store, byte for byte.
 *
 * @module
 */

import { dumpFilters } from "../ffi/dump.ts";
import { openStore } from "../hook/store.ts";
import { ask } from "./command.ts";
import { InstallError } from "./error.ts";
import { findProgram } from "./runtimes.ts";
import { tinyPause } from "./tiny.ts";

/** What a trial found. */
export interface Trial {
  /** Instructions of the live filter. */
  readonly instructions: number;
  /** Name of the store's entry. */
  readonly entry: string;
}

/** Fewer and fewer demands on the machine, until a container starts. */
const ATTEMPTS: readonly (readonly string[])[] = [
  [],
  ["--cgroups=disabled"],
  ["--cgroups=disabled", "--ulimit=host"],
];

/**
 * Starts a container with Podman and looks at its filter.
 *
 * @param store Folder of the store.
 * @returns What was found.
 * @throws {InstallError} `not-verified` where no container starts or its filter is another one.
 */
export async function tryPodman(store: string): Promise<Trial> {
  const podman = await findProgram("/", "podman");
  if (podman === undefined) {
    throw new InstallError("not-found", "Cannot try a container: no podman");
  }
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-trial-" });
  const name = `seccomp-tree-trial-${crypto.randomUUID()}`;
  try {
    await Deno.chmod(folder, 0o755);
    await Deno.writeFile(`${folder}/pause`, tinyPause(), { mode: 0o755 });
    await Deno.chmod(`${folder}/pause`, 0o755);
    await start(podman.path, name, folder);
    const pid = await ask([
      ...[podman.path, "inspect", "--format", "{{.State.Pid}}", name],
    ]);
    return await judge(Number(pid.stdout.trim()), store);
  } finally {
    await ask([podman.path, "rm", "--force", "--time=0", name]);
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

async function start(
  podman: string,
  name: string,
  rootfs: string,
): Promise<void> {
  let message = "";
  for (const words of ATTEMPTS) {
    const { code, stderr } = await ask([
      ...[podman, "run", "--detach", "--name", name, "--network=none"],
      ...[...words, "--rootfs", rootfs, "/pause"],
    ]);
    if (code === 0) return;
    message = stderr.trim();
    await ask([podman, "rm", "--force", "--time=0", name]);
  }
  throw new InstallError(
    "not-verified",
    `Cannot verify: no container starts: ${message}: run "seccomp-tree doctor", or uninstall`,
  );
}

async function judge(pid: number, directory: string): Promise<Trial> {
  const [live, second] = dumpFilters(pid);
  const store = await openStore(directory);
  for (const { name, entry } of await store?.list() ?? []) {
    if (entry === undefined || live === undefined || second !== undefined) {
      continue;
    }
    if (entry.bytes.toHex() === live.toHex()) {
      return { instructions: live.length / 8, entry: name };
    }
  }
  throw new InstallError(
    "not-verified",
    `Cannot verify: the container's filter (${
      live === undefined ? "none" : `${live.length / 8} instructions`
    }) is not in "${directory}": see the hook's log and run "seccomp-tree doctor"`,
  );
}
