/**
 * The options that a plan for a manager takes, and its result.
 *
 * @module
 */

import type { DispatcherOptions } from "../hook/dispatcher/dispatcher.ts";
import type { DispatcherTools } from "../hook/dispatcher/tools.ts";
import {
  renderHookDispatcher,
  renderRuntimeWrapper,
} from "../hook/dispatcher/dispatcher.ts";
import type { Semantics } from "../profile/semantics/versions.ts";
import { InstallError } from "./error.ts";
import type { Item } from "./item.ts";
import type { Layout } from "./layout.ts";
import type { ManagerName } from "./manifest.ts";
import { FAST, type ProgramFiles, programWords } from "../hook/program.ts";
import { programFolder } from "./program.ts";
import type { FixedFilter } from "./fixed.ts";
import type { FoundRuntime } from "./runtimes.ts";

/** How filters reach containers. */
export type Mode =
  /** Podman's `precreate` stage. */
  | "hook"
  /** In place of the runtime. */
  | "wrapper"
  /** One filter for all containers, without any code per container. */
  | "static";

/** What the user asked for. */
export interface TargetOptions {
  readonly mode: Mode;
  /** Whether containers get it without asking. */
  readonly asDefault: boolean;
  readonly strict: boolean;
  /** Whose reading counts; without a version, that of the runtime when a container asks. */
  readonly semantics: Semantics;
  readonly names: "host" | "builtin";
  /** `syslog`, `stderr` or an absolute path. */
  readonly log: string;
  /** Whether containerd's own file may get lines of ours at its end. */
  readonly append: boolean;
  /** Daemon's configuration file, if it is not the usual one. */
  readonly config?: string;
}

/** A configuration file that is there. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** What is known of the machine. */
export interface TargetFacts {
  readonly layout: Layout;
  /** Path of Deno, absolute and real. */
  readonly deno: string;
  readonly tools: DispatcherTools;
  readonly program: ProgramFiles;
  /** The runtime that the wrapper becomes; absent if none was found. */
  readonly runtime: FoundRuntime | undefined;
  /** The manager's version; absent if it cannot be asked. */
  readonly version: string | undefined;
  /** The manager's configuration files, later ones prevailing. */
  readonly configs: readonly ConfigFile[];
  /** The filter of `static`, and its profile as text. */
  readonly fixed?: FixedFilter & { readonly profile: string };
}

/** What a target consists of. */
export interface TargetPlan {
  readonly items: readonly Item[];
  /** What is left to do, such as reloading a daemon. */
  readonly steps: readonly string[];
  readonly warnings: readonly string[];
}

/** First line of every file of ours. */
export const MARK =
  "# Written by seccomp-tree install; taken away by seccomp-tree uninstall.\n";

/** Seconds that the hook may take, twice: the dispatcher, then Deno. */
const DEADLINE_S = 10;
/** Seconds after which Podman ends the hook. */
export const PODMAN_TIMEOUT_S = 25;

/** Path of a target's settings. */
export function settingsPath(
  { settings }: Layout,
  target: ManagerName,
): string {
  return `${settings}/${target}.json`;
}

/** Path of a target's wrapper; Podman knows what a runtime can do by its name. */
export function wrapperPath({ library }: Layout, target: ManagerName): string {
  return `${library}/${target}/crun`;
}

/** Path of Podman's hook. */
export function hookPath({ library }: Layout): string {
  return `${library}/podman/hook`;
}

/**
 * Lists the hook and its settings.
 *
 * @param facts The machine.
 * @param options What was asked for.
 */
export function hookItems(
  facts: TargetFacts,
  options: TargetOptions,
): readonly Item[] {
  return [
    settingsItem("podman", facts, options, undefined),
    {
      kind: "file",
      path: hookPath(facts.layout),
      mode: 0o755,
      text: renderHookDispatcher(dispatcher("podman", facts, options)),
    },
  ];
}

/**
 * Lists the wrapper and its settings.
 *
 * @param target What for.
 * @param facts The machine.
 * @param options What was asked for.
 * @throws {InstallError} `not-found` if there is no runtime to become.
 */
export function wrapperItems(
  target: ManagerName,
  facts: TargetFacts,
  options: TargetOptions,
): readonly Item[] {
  const { runtime, layout } = facts;
  if (runtime === undefined) {
    throw new InstallError(
      "not-found",
      "Cannot find an OCI runtime; install crun 0.18 or later, or name one with --runtime",
    );
  }
  return [
    settingsItem(target, facts, options, runtime),
    {
      kind: "file",
      path: wrapperPath(layout, target),
      mode: 0o755,
      text: renderRuntimeWrapper({
        ...dispatcher(target, facts, options),
        runtime: runtime.path,
        runtimeKind: kindOf(runtime),
        strict: options.strict,
      }),
    },
  ];
}

/**
 * Says what keeps filters from being used.
 *
 * @param runtime The runtime that the wrapper starts.
 * @returns Warnings; none if it takes raw filters.
 */
export function runtimeWarnings(
  runtime: FoundRuntime | undefined,
): readonly string[] {
  if (runtime === undefined || runtime.rawFilters === "yes") return [];
  if (runtime.rawFilters === "unknown") {
    return [
      `"${runtime.path}" is taken for crun 0.18 or later: ${runtime.reason}`,
    ];
  }
  return [
    `Containers are not optimized: "${runtime.path}" takes no raw filters: ${runtime.reason}: install crun and run this again`,
  ];
}

function kindOf(runtime: FoundRuntime): "crun" | "runc" | "unknown" {
  if (runtime.rawFilters === "no") {
    return runtime.kind === "runc" ? "runc" : "unknown";
  }
  return runtime.kind === "crun" ? "crun" : "unknown";
}

function settingsItem(
  target: ManagerName,
  { layout }: TargetFacts,
  { log, semantics, names, strict }: TargetOptions,
  runtime: FoundRuntime | undefined,
): Item {
  const settings = {
    store: layout.store,
    log,
    semantics,
    names,
    strict,
    deadlineMs: DEADLINE_S * 1000,
    ...(runtime === undefined
      ? {}
      : { runtime: runtime.path, runtimeKind: kindOf(runtime) }),
  };
  return {
    kind: "file",
    path: settingsPath(layout, target),
    mode: 0o644,
    text: `${JSON.stringify(settings, null, 2)}\n`,
  };
}

function dispatcher(
  target: ManagerName,
  { layout, tools, deno, program }: TargetFacts,
  { semantics, names }: TargetOptions,
): DispatcherOptions {
  return {
    tools,
    slow: programWords(deno, program, programFolder(layout), FAST),
    withoutJit: programWords(
      deno,
      program,
      programFolder(layout),
      "--jitless",
    ),
    settingsPath: settingsPath(layout, target),
    store: layout.store,
    semantics,
    names,
    // Inside a user's namespace the user is 0, and the system's root nobody.
    owners: layout.scope === "user" ? [0, 65534] : [0],
    deadlineSeconds: DEADLINE_S,
  };
}
