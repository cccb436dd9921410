/**
 * The entry point that container managers call.
 *
 * ```text
 * deno run … hook/main.ts [hook] [OPTION…]         stdin: a configuration or a state
 * deno run … hook/main.ts runtime [OPTION…] -- ARGUMENTS OF THE RUNTIME
 * deno run … hook/main.ts [hook] cache
 * deno run … hook/main.ts [hook] reference
 * ```
 *
 * A *configuration* (Podman's `precreate` stage) is returned on standard
 * output, with the annotation or unchanged. A *state* (`prestart`,
 * `createRuntime`, `poststart`) is verified. `runtime` prepares a bundle for
 * the wrapper. The exit status is 0 if the container may start and 1 if it must
 * not; then standard output is empty.
 *
 * Options: `--settings FILE`, `--strict`, `--require-certificate` (a foreign
 * annotation needs one), `--rewrite-bundle`, and `--NAME VALUE` for each
 * setting: `--store`, `--log`, `--semantics`, `--names`, `--reference`,
 * `--verify`, `--deadlineMs`, `--runtime`, `--runtimeKind`.
 * `--semantics runc@1.1.5` sets the version; without one the runtime is
 * queried. `--refused STATUS` replaces the status 1 for a container that must
 * not start: Deno itself ends with 1 if it cannot start. A dispatcher passes
 * `--locked` if it holds the lock of the store.
 *
 * Without any permission flag, a configuration is still rewritten: with the
 * built-in table of names, as the newest known version of the runtime reads it,
 * and without a store. The log reports this. The store requires `--allow-read`,
 * `--allow-write` and `--allow-sys=uid`; the host's names and the live filter
 * require `-A`, because libraries are called and /proc is read.
 *
 * @module
 */

import { messageOf } from "../host/reason.ts";
import { armAlarm } from "./alarm.ts";
import { readBundle, rewriteRead, textOf } from "./bundle.ts";
import { gatherContext } from "./context.ts";
import {
  type Deadline,
  type Read,
  readWithin,
  startDeadline,
} from "./deadline.ts";
import { RefusedError } from "./error.ts";
import { type Log, openLog } from "./log.ts";
import { contextFor, leaveToRuntime } from "./leave.ts";
import { countContainer, countOf } from "./outcome.ts";
import { levelOf, logLines, type Rewrite, rewriteParsed } from "./precreate.ts";
import {
  type ConfigText,
  MAX_CONFIG_LENGTH,
  parseObject,
  readConfigText,
} from "./rewrite.ts";
import { prepareRuntime, reportToManager } from "./runtime.ts";
import {
  DEFAULTS,
  loadSettings,
  type Settings,
  withSetting,
} from "./settings.ts";
import {
  type ContainerState,
  isState,
  readState,
  verifyContainer,
} from "./state.ts";
import { findMember, type JsonObject } from "../profile/json/value.ts";

/** Parsed arguments. */
export interface HookCall {
  /** Requested task. */
  readonly mode: "hook" | "runtime";
  /** `--settings`. */
  readonly settingsPath?: string;
  /** Settings in the given order. */
  readonly settings: readonly (readonly [string, string])[];
  /** `--rewrite-bundle`. */
  readonly rewriteBundle: boolean;
  /** `--locked`: the caller holds the lock of the store. */
  readonly locked: boolean;
  /** `--refused`: the status if the container must not start. */
  readonly refused: number;
  /** Arguments after `--`. */
  readonly rest: readonly string[];
}

/** Streams of the hook. */
export interface HookStreams {
  /** Reads standard input. */
  readonly read: Read;
  /** Writes a complete result. */
  write(bytes: Uint8Array): void;
  /** Makes the kernel terminate this process after some milliseconds. */
  limit(ms: number): void;
}

/** Status if the time limit passed before a dispatcher's input was read. */
const UNREAD = 4;

/**
 * Time after the hook's own deadline at which the kernel terminates the
 * process.
 */
const ALARM_AFTER_MS = 1000;

/**
 * Reads the arguments.
 *
 * @param args Arguments without the program's name.
 * @returns The task and its options.
 * @throws {RefusedError} `bad-settings` if they are invalid.
 */
export function parseHookArgs(args: readonly string[]): HookCall {
  const settings: [string, string][] = [];
  let mode: HookCall["mode"] = "hook";
  let settingsPath: string | undefined;
  let rewrite = false;
  let locked = false;
  let refused = 1;
  let i = args[0] === "hook" || args[0] === "runtime" ? 1 : 0;
  if (args[0] === "runtime") mode = "runtime";
  for (; i < args.length && args[i] !== "--"; i++) {
    const word = args[i] ?? "";
    const [name = "", inline] = word.split(/=(.*)/s, 2);
    if (word === "--strict") settings.push(["strict", "true"]);
    else if (word === "--require-certificate") {
      settings.push(["requireCertificate", "true"]);
    } else if (word === "--rewrite-bundle") rewrite = true;
    else if (word === "--locked") locked = true;
    else {
      const value = inline ?? args[++i];
      if (!/^--[A-Za-z]+(?:-[a-z]+)*$/.test(name) || value === undefined) {
        throw new RefusedError(
          "bad-settings",
          `Cannot use argument ${
            JSON.stringify(word)
          }: unknown, or its value is missing; see the head of hook/main.ts`,
        );
      }
      if (name === "--settings") settingsPath = value;
      else if (name === "--refused" && /^[1-9][0-9]?$/.test(value)) {
        refused = Number(value);
      } else settings.push([settingOf(name), value]);
    }
  }
  return {
    mode,
    settings,
    rewriteBundle: rewrite,
    locked,
    refused,
    rest: args.slice(i + 1),
    ...(settingsPath === undefined ? {} : { settingsPath }),
  };
}

/** The setting that an option names: `deadlineMs` for `--deadline-ms`. */
function settingOf(option: string): string {
  return option.slice(2).replace(/-([a-z])/g, (_, c) => c.toUpperCase());
}

/**
 * Performs the task that a manager requests.
 *
 * @param args Arguments without the program's name.
 * @param streams Input and output.
 * @returns The exit status: 0, or `--refused` if the container must not start.
 */
export async function main(
  args: readonly string[],
  streams: HookStreams,
): Promise<number> {
  const task = args[0] === "hook" ? args[1] : args[0];
  if (task === "cache") {
    const { optimizeCaches } = await import("./cache/run.ts");
    return await optimizeCaches(openLog(DEFAULTS.log));
  }
  if (task === "reference") {
    const { buildReference } = await import("./reference_build.ts");
    await buildReference();
    return 0;
  }
  let settings: Settings = DEFAULTS;
  let call: HookCall | undefined;
  try {
    call = parseHookArgs(args);
    settings = await loadSettings(call.settingsPath);
    for (const [name, value] of call.settings) {
      settings = withSetting(settings, name, value);
    }
    streams.limit(settings.deadlineMs + ALARM_AFTER_MS);
    const log = openLog(settings.log);
    const deadline = startDeadline(settings.deadlineMs);
    if (call.mode === "runtime") {
      await prepareRuntime(
        call.rest,
        settings,
        async (config) => ({
          ...await contextFor(config, settings, deadline, log),
          locked: call?.locked === true,
        }),
        log,
      );
      return 0;
    }
    return await runHook(call, settings, { streams, log, deadline });
  } catch (error) {
    const message = messageOf(error);
    const code = error instanceof RefusedError ? error.code : "fault";
    openLog(settings.log).write("error", message, { code });
    if (code === "deadline" && call?.refused === 3 && !settings.strict) {
      // The dispatcher has the input that was not read in time, and knows
      // whether all readers agree on it.
      return UNREAD;
    }
    if (call?.mode === "runtime") reportToManager(call.rest, message);
    await countContainer(settings.store, "refused");
    return call?.refused ?? 1;
  }
}

interface Surroundings {
  readonly streams: HookStreams;
  readonly log: Log;
  readonly deadline: Deadline;
}

async function runHook(
  call: HookCall,
  settings: Settings,
  around: Surroundings,
): Promise<number> {
  const { streams, deadline } = around;
  const left = deadline.left();
  const bytes = await readWithin(streams.read, MAX_CONFIG_LENGTH, left);
  if (bytes.length === 0) {
    throw new RefusedError(
      "bad-input",
      "Cannot read the input: it is empty; give a configuration or a container's state",
    );
  }
  const text = textOf(bytes);
  const document = parseObject(text);
  const { root } = document;
  if (isState(root)) {
    return await runVerification(readState(root), call, settings, around);
  }
  if (!isConfig(root)) {
    throw new RefusedError(
      "bad-input",
      "Cannot read the input: neither a configuration nor a container's state: call this as a hook",
    );
  }
  const config = readConfigText(text, document);
  const { log } = around;
  const rewrite = config.section === undefined
    // This does not depend on the store or the library.
    ? undefined
    : await rewriteOrLeave(config, call, settings, around);
  if (rewrite?.kind !== "added") {
    streams.write(bytes);
    return 0;
  }
  if (rewrite.from === "compiler") {
    log.write("info", "Filter compiled and proved", { key: rewrite.entry.key });
  }
  streams.write(new TextEncoder().encode(rewrite.text));
  return 0;
}

async function rewriteOrLeave(
  config: ConfigText,
  { locked }: HookCall,
  settings: Settings,
  { deadline, log }: Surroundings,
): Promise<Rewrite | undefined> {
  try {
    const context = await contextFor(config, settings, deadline, log);
    const rewrite = await rewriteParsed(config, { ...context, locked });
    for (const line of logLines(rewrite)) log.write(levelOf(rewrite), line);
    await countContainer(settings.store, countOf(rewrite));
    return rewrite;
  } catch (error) {
    leaveToRuntime(error, config, settings, log);
    await countContainer(settings.store, "left");
    return undefined;
  }
}

function isConfig(root: JsonObject): boolean {
  return ["ociVersion", "process", "root", "linux"].some((key) =>
    findMember(root, key) !== undefined
  );
}

async function runVerification(
  state: ContainerState,
  call: HookCall,
  settings: Settings,
  { log, deadline }: Surroundings,
): Promise<number> {
  const about = { container: state.id, status: state.status };
  const isLenient = settings.verify === "log";
  try {
    const { path, text } = await readBundle(state.bundle);
    const config = readConfigText(text);
    if (config.section === undefined) return 0;
    // Only the create stage may refuse a section that cannot be optimized, not
    // a later hook.
    const context = {
      ...await gatherContext(settings, deadline, log),
      strict: false,
    };
    const { kind, detail, live, rewrite } = await verifyContainer(
      state,
      context,
      config,
    );
    if (live === "cannot-tell") {
      const message =
        "Cannot read the live filter here: this requires root, no filter on this process, and a kernel with checkpoint-restore";
      if (settings.strict) throw new RefusedError("not-verified", message);
      log.write("warning", message, about);
    }
    const canOptimize = rewrite.kind === "added";
    if (call.rewriteBundle && canOptimize) {
      await rewriteRead(path, config, context);
      log.write(
        "info",
        "Bundle rewritten for the next create; this container keeps the filter that its runtime made",
        about,
      );
      return 0;
    }
    if (kind === "plain" && (canOptimize || settings.strict)) {
      throw new RefusedError("not-verified", `Cannot verify: ${detail}`);
    }
    log.write("info", `Verified (${kind}, live: ${live}): ${detail}`, about);
    return 0;
  } catch (error) {
    if (!(error instanceof RefusedError) || !isLenient) throw error;
    log.write("warning", error.message, { ...about, code: error.code });
    return 0;
  }
}

/** The streams of this process. */
function processStreams(): HookStreams {
  return {
    // `Deno.stdin.readable` loads 3 ms worth of modules.
    read: (buffer) => Deno.stdin.read(buffer),
    write(bytes): void {
      let rest = bytes;
      while (rest.length > 0) {
        rest = rest.subarray(Deno.stdout.writeSync(rest));
      }
    },
    limit: armAlarm,
  };
}

/**
 * Performs the task that a manager requests, on the streams of this process,
 * and ends it.
 *
 * @param args Arguments without the program's name.
 */
export function serve(args: readonly string[]): Promise<never> {
  // Exits even if a read or a late lock is pending.
  return main(args, processStreams()).then(
    (code) => Deno.exit(code),
    () => Deno.exit(1),
  );
}

if (import.meta.main) serve(Deno.args);
