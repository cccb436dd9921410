/**
 * Decides when a container starts with the filter that its runtime makes from
 * the untouched section. It would have that filter without this program, so a
 * failure of the optimizer is not a reason to refuse the container.
 *
 * Only what would weaken a policy is refused: an annotation that is not proved
 * equal to the section, and a configuration that two readers could read
 * differently. With `strict`, anything that is not optimized is refused as
 * well.
 *
 * @module
 */

import { messageOf } from "../host/reason.ts";
import { gatherContext } from "./context.ts";
import type { Deadline } from "./deadline.ts";
import { type RefusalCode, RefusedError } from "./error.ts";
import type { Log } from "./log.ts";
import type { RewriteContext } from "./precreate.ts";
import type { ConfigText } from "./rewrite.ts";
import type { Settings } from "./settings.ts";

/** Refusals that protect a policy, or that `strict` requests. */
const KEPT: ReadonlySet<RefusalCode> = new Set([
  "bad-config",
  "bad-input",
  "bad-settings",
  "foreign-annotation",
  "not-optimized",
]);

/**
 * Leaves a configuration to its runtime after an error, or passes the error on.
 *
 * @param error The error.
 * @param config The configuration; absent if it could not be read.
 * @param settings The settings.
 * @param log Log of errors.
 * @throws {Error} the error, if the container must not start.
 */
export function leaveToRuntime(
  error: unknown,
  config: ConfigText | undefined,
  { strict }: Settings,
  log: Log,
): void {
  const code = error instanceof RefusedError ? error.code : "fault";
  if (
    strict || config?.annotation !== undefined ||
    (code !== "fault" && KEPT.has(code))
  ) throw error;
  log.write("error", `Filter not optimized: ${messageOf(error)}`, { code });
}

/**
 * Collects the context. If the store cannot be trusted, an annotation is
 * checked without it.
 *
 * @param config The configuration.
 * @param settings The settings.
 * @param deadline Time limit.
 * @param log Log of messages.
 * @returns The context.
 * @throws {RefusedError} `doubtful-store`.
 */
export async function contextFor(
  config: ConfigText,
  settings: Settings,
  deadline: Deadline,
  log: Log,
): Promise<RewriteContext> {
  try {
    return await gatherContext(settings, deadline, log);
  } catch (error) {
    const isDoubtful = error instanceof RefusedError &&
      error.code === "doubtful-store";
    if (!isDoubtful || settings.strict || config.annotation === undefined) {
      throw error;
    }
    log.write("error", error.message, { code: error.code });
    const withoutStore = { ...settings, store: undefined };
    return await gatherContext(withoutStore, deadline, log);
  }
}
