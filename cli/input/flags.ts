/**
 * Flags that several commands share, as @stricli/core defines flags.
 *
 * @module
 */

import type {
  FlagParametersForType,
  TypedPositionalParameter,
} from "@stricli/core";
import { type Objective, OBJECTIVES } from "../../tables/objectives.ts";
import {
  DEFAULT_PROOF_LIMITS,
  NODE_BYTES,
  type ProofLimits,
  STEP_MICROSECONDS,
} from "../../verify/limits.ts";
import { SOURCE_KINDS } from "./source_kinds.ts";
import type { AppContext } from "../command.ts";
import { semanticsWord } from "./semantics.ts";
import type { TargetFlags } from "./target.ts";

/** Flags of commands that read a source. */
export interface SourceFlags extends TargetFlags {
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** Flags that define the best filter. */
export interface CostFlags {
  readonly objective?: Objective;
  readonly weights?: string;
  readonly background?: number;
  readonly maxDepth?: number;
  readonly optimum: boolean;
}

/** Flags of commands that write a report. */
export interface OutputFlags {
  readonly output: "text" | "json";
}

/** Flags of commands that prove. */
export interface LimitFlags {
  readonly nodes?: number;
  readonly steps?: number;
}

/** Flags of commands that write an artifact. */
export interface OutFlags {
  readonly out?: string;
}

/** Definitions of flags. */
export type Flags<T> = FlagParametersForType<T, AppContext>;

/** Definition of an argument that is not a flag. */
export type Positional = Omit<
  TypedPositionalParameter<string, AppContext>,
  "optional"
>;

/** Reads a word that must not be empty. */
export function word(input: string): string {
  if (input === "") throw new Error("empty");
  return input;
}

/** Reads comma-separated words. */
function words(input: string): readonly string[] {
  return input.split(",").map((part) => word(part.trim()));
}

/** Reads an integer from 0 up. */
export function count(input: string): number {
  if (!/^[0-9]{1,6}$/.test(input)) {
    throw new Error("not an integer from 0 to 999999");
  }
  return Number(input);
}

/** Reads a limit. */
function limit(input: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(input)) {
    throw new Error("not an integer from 1 to 999999999");
  }
  return Number(input);
}

/** Reads a number from 0 to 1. */
function share(input: string): number {
  const value = /^(?:[0-9]+\.?[0-9]*|\.[0-9]+)$/.test(input)
    ? Number(input)
    : NaN;
  if (!(value >= 0 && value <= 1)) throw new Error("not a number from 0 to 1");
  return value;
}

const BOOLEAN = {
  kind: "boolean",
  default: false,
  withNegated: false,
} as const;

/** Names of the flags that describe the target of a profile. */
export const TARGET_FLAG_NAMES: ReadonlySet<string> = new Set([
  "arch",
  "caps",
  "kernel",
  "semantics",
  "names",
  "unknown",
  "strict",
  "from",
]);

/** Flag that names architectures. */
export const ARCH_FLAG: Flags<Pick<SourceFlags, "arch">> = {
  arch: {
    kind: "parsed",
    parse: words,
    optional: true,
    placeholder: "A,B",
    brief: "Architectures, native first (default: this host's)",
  },
};

/** Flags for the level of reports. */
export const TELL_FLAGS: Flags<Pick<SourceFlags, "quiet" | "verbose">> = {
  quiet: { ...BOOLEAN, brief: "Print errors only" },
  verbose: { ...BOOLEAN, brief: "Also print notes" },
};

/** Flag that names the kind of a source. */
export const FROM_FLAG: Flags<Pick<SourceFlags, "from">> = {
  from: {
    kind: "enum",
    values: SOURCE_KINDS,
    optional: true,
    placeholder: "KIND",
    brief: "Input format (default: autodetect)",
  },
};

/** Definitions of {@linkcode SourceFlags}. */
export const SOURCE_FLAGS: Flags<SourceFlags> = {
  ...TELL_FLAGS,
  ...ARCH_FLAG,
  caps: {
    kind: "parsed",
    parse: word,
    optional: true,
    placeholder: "CAPS",
    brief: "Capabilities: default, none, all or CAP_X,CAP_Y",
  },
  kernel: {
    kind: "parsed",
    parse: word,
    optional: true,
    placeholder: "X.Y",
    brief: "Kernel version (default: this host's)",
  },
  semantics: {
    kind: "parsed",
    parse: semanticsWord,
    optional: true,
    placeholder: "RUNTIME",
    brief: "Runtime: crun[@X.Y] (default), runc[@X.Y]",
  },
  names: {
    kind: "enum",
    values: ["builtin", "host"],
    optional: true,
    brief: "Known syscall names (default: builtin)",
  },
  unknown: {
    kind: "enum",
    values: ["deny-error", "error", "warn", "ignore"],
    default: "deny-error",
    placeholder: "HOW",
    brief: "Handling of unknown syscall names",
  },
  strict: {
    ...BOOLEAN,
    brief: "Refuse doubtful constructs that runtimes accept",
  },
  ...FROM_FLAG,
};

/** Short forms of {@linkcode TELL_FLAGS}. */
export const TELL_ALIASES = { q: "quiet", v: "verbose" } as const;

/** Definitions of {@linkcode CostFlags}. */
export const COST_FLAGS: Flags<CostFlags> = {
  objective: {
    kind: "enum",
    values: OBJECTIVES,
    optional: true,
    placeholder: "NAME",
    brief: "Cost to minimize (default: balanced, or chosen by --kernel)",
  },
  weights: {
    kind: "parsed",
    parse: word,
    optional: true,
    placeholder: "FILE",
    brief: "File of call counts, such as strace -c output",
  },
  background: {
    kind: "parsed",
    parse: share,
    optional: true,
    placeholder: "SHARE",
    brief: "Share of weight spread over all calls (default: 0.5)",
  },
  maxDepth: {
    kind: "parsed",
    parse: count,
    optional: true,
    placeholder: "N",
    brief: "Maximum tests per syscall number; 0 for no limit",
  },
  optimum: {
    ...BOOLEAN,
    brief: "Spend more time to prove that no tree is better",
  },
};

/** Flag of commands that write a report. */
export const OUTPUT_FLAG: Flags<OutputFlags> = {
  output: {
    kind: "enum",
    values: ["text", "json"],
    default: "text",
    brief: "Report format",
  },
};

/** Flags of commands that prove. */
export const LIMIT_FLAGS: Flags<LimitFlags> = {
  nodes: {
    kind: "parsed",
    parse: limit,
    optional: true,
    placeholder: "N",
    brief:
      `Nodes per attempt, ≤ ${NODE_BYTES} bytes each (default: ${DEFAULT_PROOF_LIMITS.nodes})`,
  },
  steps: {
    kind: "parsed",
    parse: limit,
    optional: true,
    placeholder: "N",
    brief:
      `Steps of all attempts, ~${STEP_MICROSECONDS} µs each (default: ${DEFAULT_PROOF_LIMITS.steps})`,
  },
};

/**
 * The limits of a proof that were given.
 *
 * @param flags The flags.
 */
export function limitsOf({ nodes, steps }: LimitFlags): Partial<ProofLimits> {
  return {
    ...(nodes === undefined ? {} : { nodes }),
    ...(steps === undefined ? {} : { steps }),
  };
}

/** Forms of a filter. */
export const FORMATS = [
  "raw",
  "base64",
  "hex",
  "asm",
  "c",
  "go",
  "rust",
  "json",
  "annotation",
] as const;

/** A form of a filter. */
export type Format = typeof FORMATS[number];

/** Flag of commands that write filters. */
export const FORMAT_FLAG: Flags<{ readonly format: Format }> = {
  format: {
    kind: "enum",
    values: FORMATS,
    default: "base64",
    placeholder: "FORMAT",
    brief: "Output format",
  },
};

/** Flag of commands that write an artifact. */
export const OUT_FLAG: Flags<OutFlags> = {
  out: {
    kind: "parsed",
    parse: word,
    optional: true,
    placeholder: "FILE",
    brief: "Output file (default: standard output)",
  },
};

/** Destination of a certificate. */
export interface CertificateFlags {
  readonly certificate?: string;
}

/** Option for a certificate. */
export const CERTIFICATE_FLAG: Flags<CertificateFlags> = {
  certificate: {
    kind: "parsed",
    parse: word,
    optional: true,
    placeholder: "FILE",
    brief: "Also write a certificate that others can check",
  },
};

/** One source of a command. */
export const SOURCE_ARGUMENT: Positional = {
  brief: "FILE, -, default:, preset:, pid:, bundle: or oci:",
  parse: word,
  placeholder: "SOURCE",
};
