/**
 * `runtime`: the entry point that a wrapper calls before it executes the
 * runtime. The hook parses the command line (hook/main.ts); this module
 * describes it.
 *
 * @module
 */

import { word } from "../input/flags.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import {
  type CallFlags,
  ENTRY_FLAGS,
  type SettingFlags,
  unread,
} from "./hook.ts";

/** The command. */
export const command: CommandDefinition = defineCommand<
  CallFlags & SettingFlags,
  string[]
>({
  usage: "[OPTION...] -- [ARG...]",
  examples: [
    "runtime --settings /etc/seccomp-tree/hook.json -- create web",
    "runtime --store none -- run --bundle /run/bundle web",
  ],
  parameters: {
    flags: ENTRY_FLAGS,
    positional: {
      kind: "array",
      parameter: {
        brief: "Command line of the runtime",
        parse: word,
        placeholder: "ARG",
      },
    },
  },
  run: unread,
});
