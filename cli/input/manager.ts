/**
 * Options and arguments of the commands that set up container managers.
 *
 * @module
 */

import { type ManagerName, TARGETS } from "../../install/changes/manifest.ts";
import { type Flags, OUTPUT_FLAG, type OutputFlags, word } from "./flags.ts";
import type { AppContext } from "../command.ts";
import type { TypedPositionalParameter } from "@stricli/core";

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
