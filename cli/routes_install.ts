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
  user: { ...BOOLEAN, brief: "For rootless Podman of this user" },
  root: {
    kind: "parsed",
    parse: word,
    optional: true,
    placeholder: "DIR",
    brief: "Below this folder, for building images",
  },
} as const;

const DRY_RUN_FLAG = {
  dryRun: { ...BOOLEAN, brief: "Show a diff, change nothing" },
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
  docs: { brief: "Put the filters under every container of a manager" },
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
        brief: "How (default: hook for podman, else wrapper)",
      },
      profile: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "FILE",
        brief: "The one profile of --mode static",
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
        brief: "The runtime behind the wrapper (default: crun)",
      },
      deno: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "PATH",
        brief: "The Deno that containers need (default: this one)",
      },
      strict: { ...BOOLEAN, brief: "Refuse what cannot be optimized" },
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
        brief: "Names that exist: the host's libseccomp, our tables",
      },
      log: {
        kind: "parsed",
        parse: word,
        default: "syslog",
        placeholder: "WHERE",
        brief: "syslog, stderr or a file",
      },
      config: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "FILE",
        brief: "The manager's own file, where it is not the usual one",
      },
      append: { ...BOOLEAN, brief: "Allow lines in containerd's own file" },
      bundle: {
        ...BOOLEAN,
        brief: "Make one file of the program (needs esbuild from npm)",
      },
      reload: { ...BOOLEAN, brief: "Have dockerd read its settings" },
      trial: {
        kind: "boolean",
        default: true,
        brief: "Start a container, verify its filter (default; --no-trial)",
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
  docs: { brief: "Bring every byte back to what it was" },
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
    brief: "Folders where runtimes keep state (default: the usual ones)",
  },
} as const;

/** `status`. */
export const status: Command<AppContext> = buildCommand<
  StatusFlags,
  [],
  AppContext
>({
  docs: { brief: "Say what is installed and what containers run under" },
  loader: lazily(async () => (await import("./commands/status.ts")).runStatus),
  parameters: { flags: STATUS_FLAGS, aliases: { o: "output" } },
});

/** `doctor`. */
export const doctor: Command<AppContext> = buildCommand<
  StatusFlags,
  [],
  AppContext
>({
  docs: { brief: "Find what is wrong, with a remedy for each" },
  loader: lazily(async () => (await import("./commands/doctor.ts")).runDoctor),
  parameters: { flags: STATUS_FLAGS, aliases: { o: "output" } },
});
