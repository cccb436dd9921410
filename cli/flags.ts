/**
 * The flags that several commands have, in the words of @stricli/core.
 *
 * @module
 */

import type { SourceKind } from "./source.ts";
import type { TargetFlags } from "./target.ts";

/** Flags of commands that read a source. */
export interface SourceFlags extends TargetFlags {
  readonly from?: SourceKind;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

function text(input: string): string {
  if (input === "") throw new Error("empty value");
  return input;
}

/** Definitions of {@linkcode SourceFlags}. */
export const SOURCE_FLAGS = {
  arch: {
    kind: "parsed",
    parse: (input: string): string => text(input),
    variadic: ",",
    optional: true,
    placeholder: "A,B",
    brief: "Architectures, native first (default: this host and the profile's)",
  },
  caps: {
    kind: "parsed",
    parse: (input: string): string => text(input),
    optional: true,
    placeholder: "CAPS",
    brief: "Capabilities: default, none, all or CAP_X,CAP_Y (Docker profiles)",
  },
  kernel: {
    kind: "parsed",
    parse: (input: string): string => text(input),
    optional: true,
    placeholder: "X.Y",
    brief: "Kernel version (default: this host's)",
  },
  semantics: {
    kind: "enum",
    values: ["crun", "runc"],
    default: "crun",
    brief: "Whether runc's ENOSYS stub is part of the meaning",
  },
  names: {
    kind: "enum",
    values: ["builtin", "host"],
    default: "builtin",
    brief: "Names that exist: our tables, or the host's libseccomp",
  },
  unknown: {
    kind: "enum",
    values: ["error", "warn", "ignore"],
    default: "error",
    brief: "Unknown names: error where a rule would deny, warn, ignore",
  },
  strict: {
    kind: "boolean",
    default: false,
    withNegated: false,
    brief: "Refuse doubtful constructs that runtimes accept",
  },
  from: {
    kind: "enum",
    values: [
      "profile",
      "docker",
      "oci",
      "config",
      "raw",
      "base64",
      "hex",
      "asm",
    ],
    optional: true,
    brief: "Kind of the source (default: by looking)",
  },
  quiet: {
    kind: "boolean",
    default: false,
    withNegated: false,
    brief: "No warnings",
  },
  verbose: {
    kind: "boolean",
    default: false,
    withNegated: false,
    brief: "Notes as well, and what was assumed",
  },
} as const;

/** Short forms of {@linkcode SOURCE_FLAGS}. */
export const SOURCE_ALIASES = { q: "quiet", v: "verbose" } as const;

/** Flag of commands that write a report. */
export const OUTPUT_FLAG = {
  output: {
    kind: "enum",
    values: ["text", "json"],
    default: "text",
    brief: "Form of the report",
  },
} as const;

/** Flag of commands that write an artefact. */
export const OUT_FLAG = {
  out: {
    kind: "parsed",
    parse: (input: string): string => text(input),
    optional: true,
    placeholder: "FILE",
    brief: "Write to a file instead of standard output",
  },
} as const;

/** The one source of a command, with its default. */
export const SOURCE_ARGUMENT = {
  brief: "FILE, -, default:docker, pid:N or bundle:DIR",
  parse: (input: string): string => text(input),
  placeholder: "SOURCE",
} as const;
