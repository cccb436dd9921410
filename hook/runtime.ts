/**
 * The wrapper's slow path, called if the `sh` dispatcher has no answer. It
 * rewrites the bundle and exits; the dispatcher then executes the real runtime,
 * because an exec from Deno would pass on an ignored SIGPIPE and a raised limit
 * on open files.
 *
 * @module
 */

import { type ConfigText, readConfigText } from "./rewrite.ts";
import { badBundle, lookAtBundle, rewriteRead } from "./bundle.ts";
import { leaveToRuntime } from "./leave.ts";
import { RefusedError } from "./error.ts";
import { quoteText } from "../tables/printable.ts";
import { appendLine, formatLine, type Log, short } from "./log.ts";
import { countContainer, countOf } from "./outcome.ts";
import { levelOf, logLines, type RewriteContext } from "./precreate.ts";
import { parseRuntimeArgs, type RuntimeCall } from "./runtime_args.ts";
import type { Settings } from "./settings.ts";

/**
 * Prepares the container that a command line creates.
 *
 * @param args The runtime's arguments.
 * @param settings The runtime and other settings.
 * @param context Collects the context; called only if needed.
 * @param log Log of messages.
 * @throws {RefusedError} if the container must not start.
 */
export async function prepareRuntime(
  args: readonly string[],
  settings: Settings,
  context: (config: ConfigText) => Promise<RewriteContext>,
  log: Log,
): Promise<void> {
  const call = parseRuntimeArgs(args);
  if (call.kind === "other") return;
  const obstacle = obstacleOf(call, settings);
  if (obstacle !== undefined) {
    if (settings.strict) {
      throw new RefusedError(
        "not-optimized",
        `Cannot optimize the filter: ${obstacle}: start without strict`,
      );
    }
    log.write("warning", `Filter not optimized: ${obstacle}`);
    return;
  }
  let config: ConfigText | undefined;
  try {
    const { path, text, doubt } = await lookAtBundle(call.bundle, call.config);
    config = readConfigText(text);
    // An unconfined container is left unchanged, regardless of store and
    // library.
    if (config.section === undefined) return;
    if (doubt !== undefined && config.annotation === undefined) {
      throw badBundle(path, doubt);
    }
    const rewrite = await rewriteRead(path, config, await context(config));
    for (const line of logLines(rewrite)) {
      log.write(levelOf(rewrite), line, { bundle: call.bundle });
    }
    await countContainer(settings.store, countOf(rewrite));
    if (rewrite.kind === "added" && rewrite.from === "compiler") {
      const { key } = rewrite.entry;
      log.write("info", "Filter compiled and proved", { key });
    }
  } catch (error) {
    leaveToRuntime(error, config, settings, log);
    await countContainer(settings.store, "left");
  }
}

/** Explains why a call cannot be handled. */
function obstacleOf(
  call: RuntimeCall,
  { runtimeKind }: Settings,
): string | undefined {
  if (runtimeKind !== "crun") {
    return `the runtime (${runtimeKind}) is not known to take raw filters; use crun 0.18 or later`;
  }
  if (call.kind === "unclear") {
    return "the runtime was called with an unknown option";
  }
  if (call.config?.includes("/")) {
    return `the configuration "${call.config}" is outside of the bundle`;
  }
  return undefined;
}

/**
 * Writes a refusal where managers look for a runtime's last message: the file
 * of `--log`, as JSON or as text.
 *
 * @param args The runtime's arguments.
 * @param message The reason why the container does not start.
 */
export function reportToManager(
  args: readonly string[],
  message: string,
): void {
  const { log, logFormat } = parseRuntimeArgs(args);
  if (log === undefined || /^$|^(?:journald|syslog):/.test(log)) return;
  const text = `seccomp-tree: ${message}`;
  try {
    appendLine(
      log.startsWith("file:") ? log.slice("file:".length) : log,
      logFormat === "json"
        ? formatLine("error", text, new Date().toISOString())
        : quoteText(short(text)).slice(1, -1),
    );
  } catch {
    // Standard error and the hook's own log report it as well.
  }
}
