/**
 * `runtime`: what a wrapper calls before it becomes the runtime. The hook reads
 * its words by itself (hook/main.ts); this describes them.
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
