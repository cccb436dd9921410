/**
 * `install`: sets up a container manager.
 *
 * @module
 */

import { semanticsWord } from "../input/semantics.ts";
import {
  BOOLEAN,
  DRY_RUN_FLAG,
  PLACE_FLAGS,
  type PlaceFlags,
  placeOf,
  reportInstallErrors,
  TARGET_ARGUMENT,
} from "../input/manager.ts";
import { word } from "../input/flags.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import type { InstallRoot } from "../../install/changes/apply.ts";
import {
  install,
  type InstallRequest,
  type InstallResult,
} from "../../install/install.ts";
import type { ManagerName } from "../../install/changes/manifest.ts";
import type { Mode } from "../../install/managers/target.ts";
import type { Semantics } from "../../profile/semantics/versions.ts";
import { UsageError } from "../error.ts";
import { EXIT, messageLine } from "../exit.ts";
import { tellFindings } from "../input/resolve_source.ts";
import { tellingProfile } from "../input/source.ts";
import { kernelOf } from "../input/target.ts";
import type { Io } from "../io.ts";
import { formatChanges, summary } from "../output/changes.ts";

/** Flags of `install`. */
export interface InstallFlags extends PlaceFlags {
  readonly dryRun: boolean;
  readonly mode?: Mode;
  readonly profile?: string;
  readonly kernel?: string;
  readonly default: boolean;
  readonly runtime?: string;
  readonly deno?: string;
  readonly strict: boolean;
  readonly semantics?: Semantics;
  readonly names: "host" | "builtin";
  readonly reference: "host" | "text";
  readonly log: string;
  readonly config?: string;
  readonly append: boolean;
  readonly bundle: boolean;
  readonly trial: boolean;
  readonly reload: boolean;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  InstallFlags,
  [target: ManagerName]
>({
  usage: "[OPTION...] podman|docker|containerd|crio",
  examples: [
    "install podman --dry-run",
    "install docker --mode wrapper --reload",
  ],
  parameters: {
    flags: {
      ...DRY_RUN_FLAG,
      ...PLACE_FLAGS,
      mode: {
        kind: "enum",
        values: ["cache", "hook", "wrapper", "static"],
        optional: true,
        brief:
          "How filters reach containers (default: cache if crun is 1.14 or later)",
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
        brief: "Deno that runs the hook (default: this one)",
      },
      strict: {
        ...BOOLEAN,
        brief: "Refuse containers whose filter cannot be optimized",
      },
      semantics: {
        kind: "parsed",
        parse: semanticsWord,
        optional: true,
        placeholder: "RUNTIME",
        brief: "crun[@X.Y] or runc[@X.Y] (runc for docker, containerd)",
      },
      names: {
        kind: "enum",
        values: ["host", "builtin"],
        default: "host",
        brief: "Known syscall names",
      },
      reference: {
        kind: "enum",
        values: ["host", "text"],
        default: "host",
        brief:
          "Prove filters equal to those of the host's libseccomp too, or only to the profile",
      },
      log: {
        kind: "parsed",
        parse: word,
        default: "syslog",
        placeholder: "LOG",
        brief: "Log of the hook: syslog, stderr or a file",
      },
      config: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "FILE",
        brief: "Manager's configuration file (default: the usual one)",
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
        brief: "Start a trial container (default; disable with --no-trial)",
      },
    },
    positional: { kind: "tuple", parameters: [TARGET_ARGUMENT] },
  },
  run: runInstall,
});

/** Installs, or shows the changes. */
export async function runInstall(
  io: Io,
  flags: InstallFlags,
  target: ManagerName,
): Promise<number> {
  return await reportInstallErrors(io, async () => {
    const place = placeOf(flags, [target]);
    refuseUseless(flags);
    const { dryRun } = flags;
    const request: InstallRequest = {
      target,
      place,
      dryRun,
      asDefault: flags.default,
      strict: flags.strict,
      semantics: flags.semantics ?? semanticsOf(target),
      names: flags.names,
      reference: flags.reference,
      log: flags.log,
      append: flags.append,
      form: flags.bundle ? "bundle" : "modules",
      ...(flags.mode === undefined ? {} : { mode: flags.mode }),
      ...(flags.config === undefined ? {} : { config: flags.config }),
      ...(flags.deno === undefined ? {} : { deno: flags.deno }),
      ...(flags.runtime === undefined ? {} : { runtime: flags.runtime }),
      ...(flags.mode === "static" ? { kernel: kernelOf(flags.kernel) } : {}),
      ...(flags.profile === undefined ? {} : { profile: flags.profile }),
    };
    const { profile = "" } = flags;
    const outcome = await tellingProfile(io, profile, () => install(request));
    tellFindings(io, profile, outcome.findings, { verbose: false });
    tell(io, outcome, flags);
    const isHere = place.root === "/" && !dryRun;
    if (isHere && flags.reload && target === "docker") {
      const { reloadDocker } = await import("../../install/managers/docker.ts");
      if (!await reloadDocker()) {
        const text =
          "dockerd is not running, or does not know the new runtime; start it";
        io.err(messageLine(io, "warning", text));
      }
    }
    if (!isHere || !flags.trial || outcome.mode === "static") return EXIT.ok;
    await tryOut(io, { target, place, outcome });
    return EXIT.ok;
  });
}

/** Refuses options that would have no effect. */
function refuseUseless(flags: InstallFlags): void {
  if (flags.mode === "static") return;
  for (const name of ["profile", "kernel"] as const) {
    if (flags[name] === undefined) continue;
    throw new UsageError(
      `Cannot use --${name} without --mode static: each container has its own profile; omit it`,
    );
  }
}

/** A completed installation. */
interface Installed {
  readonly target: ManagerName;
  readonly place: InstallRoot;
  readonly outcome: InstallResult;
}

/** Starts a container if possible, and verifies its live filter. */
async function tryOut(
  io: Io,
  { target, place: { layout }, outcome: { mode, handler } }: Installed,
): Promise<void> {
  const { readSettings } = await import("../../install/installed_settings.ts");
  const settings = await readSettings(target, { root: "/", layout });
  // A filter that is not optimized was already reported.
  if (settings.runtime !== undefined && settings.runtimeKind !== "crun") return;
  if (target === "docker") {
    const { knowsRuntime } = await import("../../install/managers/docker.ts");
    if (!await knowsRuntime()) {
      io.err(
        messageLine(
          io,
          "note",
          "Not tried yet: dockerd has not reloaded its settings; run this again with --reload",
        ),
      );
      return;
    }
  }
  const { tryContainer } = await import("../../install/trial.ts");
  const trial = await tryContainer(target, { layout, mode, handler });
  if (trial === undefined) {
    const message =
      `Not tried: this machine cannot start a container with ${target}; see "seccomp-tree status" when one is running`;
    io.err(messageLine(io, "note", message));
    return;
  }
  if (trial.kind === "unreadable") {
    const message =
      `A container started, but its live filter was not verified: ${trial.reason}`;
    io.err(messageLine(io, "note", message));
    return;
  }
  const { entry, instructions, left } = trial;
  const which = entry === undefined
    ? "a filter from crun's cache, proved equal,"
    : `the stored filter ${entry.slice(0, 12)}`;
  io.out(
    `Verified: a container runs ${which} of ${instructions} instructions\n`,
  );
  if (left !== undefined) {
    const message =
      `The host's libseccomp builds a different filter (${left}); the section is left to its runtime from now on`;
    io.err(messageLine(io, "warning", message));
  }
}

/**
 * Docker and containerd run runc by default, so containers need its ENOSYS
 * stub.
 */
function semanticsOf(target: ManagerName): "crun" | "runc" {
  return target === "docker" || target === "containerd" ? "runc" : "crun";
}

function tell(
  io: Io,
  { plan, steps, warnings, reading }: InstallResult,
  flags: InstallFlags,
): void {
  for (const warning of warnings) io.err(messageLine(io, "warning", warning));
  io.err(messageLine(io, "note", reading));
  if (flags.dryRun) io.out(formatChanges(plan.changes));
  else {io.out(
      summary(plan.changes, "Nothing to do: everything is installed\n"),
    );}
  if (plan.changes.length === 0) return;
  for (const step of steps) io.err(messageLine(io, "note", step));
}
