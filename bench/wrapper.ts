/**
 * The wrapper of crun as `install` sets it up, in a folder of its own.
 *
 * @module
 */

import { join } from "@std/path";
import { renderRuntimeWrapper } from "../hook/dispatcher.ts";
import { findTools } from "../hook/tools.ts";

/** A wrapper, ready to call in place of crun. */
export interface Wrapper {
  /** Its path. */
  readonly path: string;
  /** Words of `sh` that empty its store. */
  readonly forget: string;
}

/**
 * Writes a wrapper, its settings and nothing into its store.
 *
 * @param directory A folder that only root can write to.
 * @param crun Path of the real runtime.
 * @throws {RangeError} where the tools of the wrapper are missing.
 */
export async function createWrapper(
  directory: string,
  crun: string,
): Promise<Wrapper> {
  const store = join(directory, "store");
  const settingsPath = join(directory, "hook.json");
  const settings = {
    store,
    log: join(directory, "hook.log"),
    names: "host",
    runtime: crun,
    runtimeKind: "crun",
  };
  await Deno.writeTextFile(settingsPath, JSON.stringify(settings), {
    mode: 0o600,
  });
  const text = renderRuntimeWrapper({
    tools: await findTools(),
    slow: [
      Deno.execPath(),
      ...["run", "--no-prompt", "--no-config", "--no-lock", "--no-remote"],
      ...["--no-npm", "-A", new URL("../hook/main.ts", import.meta.url).href],
    ],
    settingsPath,
    store,
    semantics: "crun",
    names: "host",
    owners: [0],
    deadlineSeconds: 10,
    runtime: crun,
    runtimeKind: "crun",
    strict: false,
  });
  const path = join(directory, "wrapper");
  await Deno.writeTextFile(path, text, { mode: 0o755 });
  return { path, forget: `rm -rf ${store}` };
}
