/**
 * The options of a plan for a manager, and its result.
 *
 * @module
 */

import type { DispatcherOptions } from "../../hook/dispatcher/dispatcher.ts";
import type { DispatcherTools } from "../../hook/dispatcher/tools.ts";
import {
  renderHookDispatcher,
  renderRuntimeWrapper,
} from "../../hook/dispatcher/dispatcher.ts";
import type { Semantics } from "../../profile/semantics/versions.ts";
import { InstallError } from "../error.ts";
import type { Item } from "../changes/item.ts";
import type { Layout } from "../changes/layout.ts";
import type { ManagerName } from "../changes/manifest.ts";
import { FAST, type ProgramFiles, programWords } from "../../hook/program.ts";
import { programFolder } from "../program.ts";
import type { FixedFilter } from "../fixed.ts";
import type { FoundRuntime } from "../runtimes.ts";

/** How filters reach containers. */
export type Mode =
  /** Podman's `precreate` stage. */
  | "hook"
  /** Replacement of the runtime. */
  | "wrapper"
  /**
   * Filters in the cache of crun 1.14 and later, without code per container.
   */
  | "cache"
  /** One filter for all containers, without any code per container. */
  | "static";

/** Options of the user. */
export interface TargetOptions {
  readonly mode: Mode;
  /** True if containers get filters by default. */
  readonly asDefault: boolean;
  readonly strict: boolean;
  /** `host` to also prove filters equal to those of the host's libseccomp. */
  readonly reference: "host" | "text";
  /**
   * Reading; without a version, that of the runtime at the time of the
   * container's creation.
   */
  readonly semantics: Semantics;
  readonly names: "host" | "builtin";
  /** `syslog`, `stderr` or an absolute path. */
  readonly log: string;
  /** True to allow lines at the end of containerd's own file. */
  readonly append: boolean;
  /** Path of the daemon's configuration file, if it is not the usual one. */
  readonly config?: string;
}

/** An existing configuration file. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** Known facts about the machine. */
export interface TargetFacts {
  readonly layout: Layout;
  /** Path of Deno, absolute and real. */
  readonly deno: string;
  /** Programs for dispatchers; absent if nothing runs per container. */
  readonly tools: DispatcherTools | undefined;
  readonly program: ProgramFiles;
  /** The runtime that the wrapper becomes; absent if none was found. */
  readonly runtime: FoundRuntime | undefined;
  /** The manager's version; absent if it cannot be queried. */
  readonly version: string | undefined;
  /** The manager's configuration files, later ones taking precedence. */
  readonly configs: readonly ConfigFile[];
  /** Folders in which dockerd has state besides `/run/docker`. */
  readonly execRoots?: readonly string[];
  /** The filter of `static`, and its profile as text. */
  readonly fixed?: FixedFilter & { readonly profile: string };
}

/** Parts of an installation for a target. */
export interface TargetPlan {
  readonly items: readonly Item[];
  /** Remaining steps for the user, such as reloading a daemon. */
  readonly steps: readonly string[];
  readonly warnings: readonly string[];
}

/** First line of every file of ours. */
export const MARK =
  "# Written by seccomp-tree install; removed by seccomp-tree uninstall.\n";

/**
 * Time limit of the hook in seconds, used twice: for the dispatcher, then for
 * Deno.
 */
const DEADLINE_S = 10;
/** Seconds after which Podman kills the hook. */
export const PODMAN_TIMEOUT_S = 25;

/** Path of a target's settings. */
export function settingsPath(
  { settings }: Layout,
  target: ManagerName,
): string {
  return `${settings}/${target}.json`;
}

/**
 * Path of a target's wrapper; Podman infers the features of a runtime from its
 * name.
 */
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
 * @param options Options of the user.
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
 * @param target The target.
 * @param facts The machine.
 * @param options Options of the user.
 * @throws {InstallError} `not-found` if there is no runtime to execute.
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
      }),
    },
  ];
}

/**
 * Lists reasons why filters would not be used.
 *
 * @param runtime The runtime that the wrapper starts.
 * @returns Warnings; empty if it takes raw filters.
 */
export function runtimeWarnings(
  runtime: FoundRuntime | undefined,
): readonly string[] {
  if (runtime === undefined || runtime.rawFilters === "yes") return [];
  if (runtime.rawFilters === "unknown") {
    return [
      `"${runtime.path}" is assumed to be crun 0.18 or later: ${runtime.reason}`,
    ];
  }
  return [
    `Containers are not optimized: "${runtime.path}" does not take raw filters: ${runtime.reason}; install crun and run this again`,
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
  { log, semantics, names, strict, reference }: TargetOptions,
  runtime: FoundRuntime | undefined,
): Item {
  const settings = {
    store: layout.store,
    log,
    semantics,
    names,
    strict,
    reference,
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
  { semantics, names, strict }: TargetOptions,
): DispatcherOptions {
  if (tools === undefined) throw new Error("Unreachable: nothing dispatches");
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
    // Inside a user namespace, the user has id 0 and the system's root is the
    // overflow user.
    owners: layout.scope === "user" ? [0, 65534] : [0],
    deadlineSeconds: DEADLINE_S,
    strict,
  };
}
