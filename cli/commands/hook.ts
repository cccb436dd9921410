/**
 * `hook`: the entry point that container managers call. The hook parses its own
 * command line (hook/main.ts); this module describes it for help and
 * completions.
 *
 * @module
 */

import { type Flags, word } from "../input/flags.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";

/** Options of the hook that are not settings. */
export interface CallFlags {
  readonly settings?: string;
  readonly strict: boolean;
  readonly requireCertificate: boolean;
  readonly refused?: string;
  readonly locked: boolean;
}

/** Options that replace a setting. */
export interface SettingFlags {
  readonly store?: string;
  readonly log?: string;
  readonly semantics?: string;
  readonly names?: "auto" | "host" | "builtin";
  readonly reference?: "host" | "text";
  readonly verify?: "refuse" | "log";
  readonly deadlineMs?: string;
  readonly runtime?: string;
  readonly runtimeKind?: "crun" | "runc" | "unknown";
}

const BOOLEAN = {
  kind: "boolean",
  default: false,
  withNegated: false,
} as const;

const TEXT = { kind: "parsed", parse: word, optional: true } as const;

/** Flags that `hook` and `runtime` share. */
export const ENTRY_FLAGS: Flags<CallFlags & SettingFlags> = {
  settings: {
    ...TEXT,
    placeholder: "FILE",
    brief: "Settings (default: /etc/seccomp-tree/hook.json)",
  },
  strict: { ...BOOLEAN, brief: "Refuse sections that cannot be optimized" },
  requireCertificate: {
    ...BOOLEAN,
    brief: "Refuse a foreign annotation without a certificate",
  },
  refused: {
    ...TEXT,
    placeholder: "N",
    brief: "Exit status if the container must not start (default: 1)",
  },
  locked: {
    ...BOOLEAN,
    brief: "Assume that the caller holds the lock of the store",
  },
  store: {
    ...TEXT,
    placeholder: "DIR",
    brief: "Folder of the store, or none (default: /var/cache/seccomp-tree)",
  },
  log: {
    ...TEXT,
    placeholder: "LOG",
    brief: "syslog, stderr or a file (default: syslog)",
  },
  semantics: {
    ...TEXT,
    placeholder: "RUNTIME",
    brief: "crun[@X.Y] or runc[@X.Y] (default: this host's crun)",
  },
  names: {
    kind: "enum",
    values: ["auto", "host", "builtin"],
    optional: true,
    brief: "Known syscall names (default: auto)",
  },
  reference: {
    kind: "enum",
    values: ["host", "text"],
    optional: true,
    brief:
      "Prove filters equal to those of the host's libseccomp too (default: host)",
  },
  verify: {
    kind: "enum",
    values: ["refuse", "log"],
    optional: true,
    brief: "Effect of a failed verification (default: refuse)",
  },
  deadlineMs: {
    ...TEXT,
    placeholder: "N",
    brief: "Time limit in milliseconds (default: 10000)",
  },
  runtime: { ...TEXT, placeholder: "FILE", brief: "Path of the runtime" },
  runtimeKind: {
    kind: "enum",
    values: ["crun", "runc", "unknown"],
    optional: true,
    brief: "Kind of the runtime (default: unknown)",
  },
};

/** Thrown if this module is asked to run an entry point. */
export function unread(): never {
  throw new Error("Unreachable: the hook parses its own command line");
}

/** Flags of `hook`. */
export interface HookCommandFlags extends CallFlags, SettingFlags {
  readonly rewriteBundle: boolean;
}

/** The command. */
export const command: CommandDefinition = defineCommand<HookCommandFlags>({
  usage: "[OPTION...] < CONFIGURATION",
  examples: [
    "hook --settings /etc/seccomp-tree/podman.json",
    "hook --rewrite-bundle --log stderr",
  ],
  parameters: {
    flags: {
      ...ENTRY_FLAGS,
      rewriteBundle: {
        ...BOOLEAN,
        brief: "Read a state and rewrite its bundle, for the next container",
      },
    },
  },
  run: unread,
});
