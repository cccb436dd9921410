/**
 * Options, arguments and errors of the commands that set up container managers.
 *
 * @module
 */

import type { TypedPositionalParameter } from "@stricli/core";
import { reasonOf } from "../../host/reason.ts";
import type { InstallRoot } from "../../install/changes/apply.ts";
import { systemLayout, userLayout } from "../../install/changes/layout.ts";
import { type ManagerName, TARGETS } from "../../install/changes/manifest.ts";
import { InstallError } from "../../install/error.ts";
import type { AppContext } from "../command.ts";
import { MachineError, UnprovenError, UsageError } from "../error.ts";
import { EXIT, messageLine } from "../exit.ts";
import type { Io } from "../io.ts";
import { type Flags, OUTPUT_FLAG, type OutputFlags, word } from "./flags.ts";

/** Flags for the location. */
export interface PlaceFlags {
  readonly user: boolean;
  readonly root?: string;
}

/** Flags of `status`. */
export interface StatusFlags extends PlaceFlags, OutputFlags {
  readonly state?: readonly string[];
}

/** Common part of all options without a value. */
export const BOOLEAN = {
  kind: "boolean",
  default: false,
  withNegated: false,
} as const;

/** Flags for the location of the files. */
export const PLACE_FLAGS: Flags<PlaceFlags> = {
  user: { ...BOOLEAN, brief: "Rootless Podman of this user" },
  root: {
    kind: "parsed",
    parse: word,
    optional: true,
    placeholder: "DIR",
    brief: "Root folder of an image (default: /)",
  },
};

/** Option of commands that change files. */
export const DRY_RUN_FLAG: Flags<{ readonly dryRun: boolean }> = {
  dryRun: { ...BOOLEAN, brief: "Print a diff and change nothing" },
};

/** A container manager. */
export const TARGET_ARGUMENT: Omit<
  TypedPositionalParameter<ManagerName, AppContext>,
  "optional"
> = {
  brief: TARGETS.join(", "),
  parse: target,
  placeholder: "MANAGER",
};

/** Reads the name of a manager. */
function target(input: string): ManagerName {
  const found = TARGETS.find((name) => name === input);
  if (found === undefined) throw new Error(`not one of ${TARGETS.join(", ")}`);
  return found;
}

/** Options of commands that report. */
export const STATUS_FLAGS: Flags<StatusFlags> = {
  ...PLACE_FLAGS,
  ...OUTPUT_FLAG,
  state: {
    kind: "parsed",
    parse: word,
    variadic: true,
    optional: true,
    placeholder: "DIR",
    brief: "State folder of runtimes; repeatable",
  },
};

/**
 * Finds the location of an installation.
 *
 * @param flags Options.
 * @param targets The targets.
 * @throws {UsageError} if the options contradict each other.
 */
export function placeOf(
  { user, root }: PlaceFlags,
  targets: readonly ManagerName[],
): InstallRoot {
  if (root !== undefined && !root.startsWith("/")) {
    throw new UsageError(
      `Cannot use --root "${root}": not an absolute path; give one`,
    );
  }
  if (root !== undefined && !isFolder(root)) {
    throw new UsageError(
      `Cannot use --root "${root}": not a folder; create it, or correct the path`,
    );
  }
  if (!user) {
    return { root: root ?? "/", layout: systemLayout() };
  }
  if (root !== undefined) {
    throw new UsageError("Cannot use --user with --root; omit one");
  }
  const other = targets.find((target) => target !== "podman");
  if (other !== undefined) {
    throw new UsageError(
      `Cannot install for ${other} with --user: only Podman runs without root; omit --user`,
    );
  }
  const home = homeFolder();
  const layout = userLayout(home);
  if (!isFolder(home)) {
    throw new UsageError(
      `Cannot use --user: the home folder "${home}" is not a folder; set HOME`,
    );
  }
  return { root: "/", layout };
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** The user's home without links, because the hook does not follow them. */
function homeFolder(): string {
  const home = Deno.env.get("HOME") ?? "";
  try {
    return Deno.realPathSync(home);
  } catch {
    return home;
  }
}

/**
 * Runs a function of `install/` and converts its errors to those of commands.
 *
 * @param io Stream for errors.
 * @param work The function.
 */
export async function reportInstallErrors(
  io: Io,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InstallError)) {
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
      throw new MachineError(
        `Cannot inspect everything: ${reasonOf(error)}; run this as root`,
        { cause: error },
      );
    }
    const { code, message } = error;
    if (code === "usage") throw new UsageError(message, { cause: error });
    if (code === "not-proved") {
      throw new UnprovenError(message, { cause: error });
    }
    if (code !== "not-verified") {
      throw new MachineError(message, { cause: error });
    }
    io.err(messageLine(io, "error", message));
    return EXIT.no;
  }
}
