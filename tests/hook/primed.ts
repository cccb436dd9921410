/**
 * A store with filters in it, and dispatchers whose slow path only reports that
 * it was called.
 *
 * @module
 */

import { assert } from "@std/assert";
import { encodeBase64 } from "../../bpf/base64.ts";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import { renderHookDispatcher } from "../../hook/dispatcher/dispatcher.ts";
import { openLog } from "../../hook/log.ts";
import { rewriteConfig } from "../../hook/precreate.ts";
import { addAnnotation, readConfigText } from "../../hook/rewrite.ts";
import { DEFAULTS, type Settings } from "../../hook/settings.ts";
import { PATIENCE_S } from "../machine.ts";
import {
  dispatcherOptions,
  NAMES,
  type Setup,
  type ToolSet,
  writeProgram,
} from "./shared.ts";

/** Puts the filters of configurations into the setup's store. */
export async function prime(
  setup: Setup,
  texts: readonly string[],
  more: Partial<Settings> = {},
): Promise<void> {
  const log = openLog({ file: setup.logPath });
  const context = await gatherContext(
    { ...DEFAULTS, store: setup.store, names: NAMES, ...more },
    startDeadline(1000 * PATIENCE_S),
    log,
  );
  for (const text of texts) await rewriteConfig(text, context);
}

/** A hook whose slow path only reports that it was called, with its input. */
export async function stubbedHook(
  setup: Setup,
  { tools }: ToolSet,
  deadlineSeconds: number = PATIENCE_S,
): Promise<string> {
  const slow = await writeProgram(
    setup.directory,
    "slow",
    "#!/bin/sh\nprintf SLOW:\nexec cat\n",
  );
  const options = dispatcherOptions(setup, tools, [slow]);
  return await writeProgram(
    setup.directory,
    "hook",
    renderHookDispatcher({ ...options, deadlineSeconds }),
  );
}

/** The filter of the small section, made without the store. */
export async function annotated(text: string): Promise<string> {
  const context = await gatherContext(
    { ...DEFAULTS, store: undefined, names: NAMES },
    startDeadline(1000 * PATIENCE_S),
    openLog("stderr"),
  );
  const rewrite = await rewriteConfig(text, context);
  assert(rewrite.kind === "added");
  return addAnnotation(readConfigText(text), encodeBase64(rewrite.entry.bytes));
}
