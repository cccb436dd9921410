/**
 * Commands that set this up for container managers: names, flags, words.
 *
 * @module
 */

import { buildCommand, type Command } from "@stricli/core";
import { type Target, TARGETS } from "../install/manifest.ts";
import { OUTPUT_FLAG, word } from "./input/flags.ts";
import { semanticsWord } from "./input/semantics.ts";
import type { InstallFlags } from "./commands/install.ts";
import { type AppContext, lazily } from "./lazy.ts";
import type { StatusFlags } from "./commands/status.ts";
import type { UninstallFlags } from "./commands/uninstall.ts";

const BOOLEAN = {
  kind: "boolean",
  default: false,
  withNegated: false,
} as const;

const PLACE_FLAGS = {
  user: { ...BOOLEAN, brief: "Rootless Podman of this user" },
  root: {
    kind: "parsed",
    parse: word,
    optional: true,
    placeholder: "DIR",
    brief: "Root of an image to work in (default: /)",
  },
} as const;

const DRY_RUN_FLAG = {
  dryRun: { ...BOOLEAN, brief: "Print a diff, change nothing" },
} as const;

const TARGET_ARGUMENT = {
  brief: TARGETS.join(", "),
  parse: target,
  placeholder: "MANAGER",
} as const;

/** Reads the name of a manager. */
function target(input: string): Target {
  const found = TARGETS.find((name) => name === input);
  if (found === undefined) throw new Error(`use one of ${TARGETS.join(", ")}`);
  return found;
}

/** `install`. */
export const install: Command<AppContext> = buildCommand<
  InstallFlags,
  [target: Target],
  AppContext
>({
  docs: { brief: "Set up a container manager to use proved filters" },
  loader: lazily(async () =>
    (await import("./commands/install.ts")).runInstall
  ),
  parameters: {
    flags: {
      ...DRY_RUN_FLAG,
      ...PLACE_FLAGS,
      mode: {
        kind: "enum",
        values: ["hook", "wrapper", "static"],
        optional: true,
        brief:
          "How filters reach containers (default: hook for podman, else wrapper)",
      },
      profile: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "FILE",
        brief: "Profile of --mode static",
      },
      kernel: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "X.Y",
        brief: "Kernel of --mode static (default: this host's)",
      },
      default: { ...BOOLEAN, brief: "Make it the default runtime" },
      runtime: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "PATH",
        brief: "Runtime that the wrapper calls (default: crun)",
      },
      deno: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "PATH",
        brief: "Deno that containers depend on (default: this one)",
      },
      strict: {
        ...BOOLEAN,
        brief: "Refuse containers whose filter cannot be optimized",
      },
      semantics: {
        kind: "parsed",
        parse: semanticsWord,
        optional: true,
        placeholder: "WHOSE",
        brief: "crun[@X.Y] or runc[@X.Y] (runc for docker, containerd)",
      },
      names: {
        kind: "enum",
        values: ["host", "builtin"],
        default: "host",
        brief: "Known syscall names",
      },
      log: {
        kind: "parsed",
        parse: word,
        default: "syslog",
        placeholder: "WHERE",
        brief: "Where the hook logs: syslog, stderr or a file",
      },
      config: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "FILE",
        brief: "Configuration of the manager, if not the usual file",
      },
      append: {
        ...BOOLEAN,
        brief: "Add lines to containerd's own configuration file",
      },
      bundle: {
        ...BOOLEAN,
        brief: "Bundle the program into one file (needs esbuild from npm)",
      },
      reload: { ...BOOLEAN, brief: "Make dockerd reload its configuration" },
      trial: {
        kind: "boolean",
        default: true,
        brief: "Try a container (default; --no-trial)",
      },
    },
    positional: { kind: "tuple", parameters: [TARGET_ARGUMENT] },
  },
});

/** `uninstall`. */
export const uninstall: Command<AppContext> = buildCommand<
  UninstallFlags,
  [...targets: Target[]],
  AppContext
>({
  docs: { brief: "Undo an installation and restore every changed file" },
  loader: lazily(async () => {
    const { runUninstall } = await import("./commands/uninstall.ts");
    return (io, flags: UninstallFlags, ...targets: readonly Target[]) =>
      runUninstall(io, flags, targets);
  }),
  parameters: {
    flags: { ...DRY_RUN_FLAG, ...PLACE_FLAGS },
    positional: { kind: "array", parameter: TARGET_ARGUMENT },
  },
});

const STATUS_FLAGS = {
  ...PLACE_FLAGS,
  ...OUTPUT_FLAG,
  state: {
    kind: "parsed",
    parse: word,
    variadic: true,
    optional: true,
    placeholder: "DIR",
    brief: "Folder where runtimes keep state; repeatable",
  },
} as const;

/** `status`. */
export const status: Command<AppContext> = buildCommand<
  StatusFlags,
  [],
  AppContext
>({
  docs: { brief: "Show what is installed and what containers run under" },
  loader: lazily(async () => (await import("./commands/status.ts")).runStatus),
  parameters: { flags: STATUS_FLAGS, aliases: { o: "output" } },
});

/** `doctor`. */
export const doctor: Command<AppContext> = buildCommand<
  StatusFlags,
  [],
  AppContext
>({
  docs: { brief: "Find what is wrong with an installation, and how to fix it" },
  loader: lazily(async () => (await import("./commands/doctor.ts")).runDoctor),
  parameters: { flags: STATUS_FLAGS, aliases: { o: "output" } },
});
