/**
 * The wrapper of crun as `install` of the single file sets it up, in a separate
 * folder.
 *
 * @module
 */

import { dirname, join } from "@std/path";
import {
  type DispatcherOptions,
  renderHookDispatcher,
  renderRuntimeWrapper,
} from "../../hook/dispatcher/dispatcher.ts";
import {
  type DispatcherTools,
  findTools,
} from "../../hook/dispatcher/tools.ts";
import { FAST, programWords, readProgram } from "../../hook/program.ts";

/** A wrapper that can be called in place of crun. */
export interface Wrapper {
  /** Its path. */
  readonly path: string;
  /** Podman's hook, with the same store. */
  readonly hook: string;
  /** Shell command that empties its store. */
  readonly forget: string;
}

/**
 * Writes a wrapper, its settings and an empty store.
 *
 * @param directory A folder that only root can write to.
 * @param crun Path of the real runtime.
 * @param tools Programs that it calls; by default those that `install` takes.
 * @throws {RangeError} if the tools of the wrapper are missing.
 */
export async function createWrapper(
  directory: string,
  crun: string,
  tools?: DispatcherTools,
): Promise<Wrapper> {
  const store = join(directory, "store");
  const settingsPath = join(directory, "wrapper.json");
  const hookSettingsPath = join(directory, "hook.json");
  const settings = { store, log: join(directory, "hook.log"), names: "host" };
  for (
    const [file, more] of [
      [settingsPath, { runtime: crun, runtimeKind: "crun" }],
      [hookSettingsPath, {}],
    ] as const
  ) {
    const text = JSON.stringify({ ...settings, ...more });
    await Deno.writeTextFile(file, text, { mode: 0o600 });
  }
  const folder = join(directory, "program");
  const program = await readProgram(Deno.execPath(), "bundle");
  for (const [path, text] of program.files) {
    await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
    await Deno.writeTextFile(join(folder, path), text);
  }
  const options: DispatcherOptions = {
    tools: tools ?? await findTools(),
    slow: programWords(Deno.execPath(), program, folder, FAST),
    settingsPath,
    store,
    semantics: "crun",
    names: "host",
    owners: [0],
    deadlineSeconds: 10,
    strict: false,
  };
  const path = join(directory, "wrapper");
  const hook = join(directory, "hook");
  const wrapper = {
    runtime: crun,
    runtimeKind: "crun",
  } as const;
  for (
    const [file, program] of [
      [path, renderRuntimeWrapper({ ...options, ...wrapper })],
      [
        hook,
        renderHookDispatcher({ ...options, settingsPath: hookSettingsPath }),
      ],
    ] as const
  ) await Deno.writeTextFile(file, program, { mode: 0o755 });
  return { path, hook, forget: `rm -rf ${store}` };
}
