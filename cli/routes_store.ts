/**
 * Commands about precompiled filters: names, flags, words.
 *
 * @module
 */

import { buildCommand, type Command } from "@stricli/core";
import {
  type Flags,
  FROM_FLAG,
  OUTPUT_FLAG,
  TELL_FLAGS,
  word,
} from "./input/flags.ts";
import { semanticsWord } from "./input/semantics.ts";
import { type AppContext, lazily } from "./lazy.ts";
import type { StoreFlags } from "./commands/store_open.ts";
import type { HookFlags } from "./commands/store_open.ts";

const HOOK_FLAGS: Flags<HookFlags> = {
  store: {
    kind: "parsed",
    parse: word,
    optional: true,
    placeholder: "DIR",
    brief: "Folder of the store (default: /var/cache/seccomp-tree)",
  },
  user: {
    kind: "boolean",
    default: false,
    withNegated: false,
    brief: "Store of this user's rootless Podman",
  },
  settings: {
    kind: "parsed",
    parse: word,
    optional: true,
    placeholder: "FILE",
    brief: "Settings file, such as /etc/seccomp-tree/podman.json",
  },
  semantics: {
    kind: "parsed",
    parse: semanticsWord,
    optional: true,
    placeholder: "WHOSE",
    brief: "crun[@X.Y] or runc[@X.Y] (default: this host's crun)",
  },
  names: {
    kind: "enum",
    values: ["host", "builtin"],
    optional: true,
    brief: "Known syscall names (default: host, else builtin)",
  },
  quiet: TELL_FLAGS.quiet,
};

/** `store`. */
export const store: Command<AppContext> = buildCommand<
  StoreFlags,
  string[],
  AppContext
>({
  docs: { brief: "List, show, remove and prepare stored filters" },
  loader: lazily(async () => (await import("./commands/store.ts")).runStore),
  parameters: {
    flags: {
      ...HOOK_FLAGS,
      caps: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "CAPS",
        brief: "prime: capabilities: default, none, all or CAP_X,CAP_Y",
      },
      kernel: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "X.Y",
        brief: "prime: kernel version (default: this host's)",
      },
      from: { ...FROM_FLAG.from, brief: "prime: format of the profiles" },
      ...OUTPUT_FLAG,
    },
    aliases: { q: "quiet", o: "output" },
    positional: {
      kind: "array",
      parameter: {
        brief: "ls, show KEY, gc, or prime PROFILE...",
        parse: (input: string): string => input,
        placeholder: "ACTION KEY|PROFILE",
      },
    },
  },
});

/** `rewrite`. */
export const rewrite: Command<AppContext> = buildCommand<
  HookFlags,
  [bundle: string],
  AppContext
>({
  docs: { brief: "Add the compiled filter to the config.json of a bundle" },
  loader: lazily(async () =>
    (await import("./commands/rewrite.ts")).runRewrite
  ),
  parameters: {
    flags: HOOK_FLAGS,
    aliases: { q: "quiet" },
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "Folder that holds config.json",
        parse: word,
        placeholder: "BUNDLE",
      }],
    },
  },
});
