/**
 * `minimize`: the smallest profile with the same meaning.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import {
  LIMIT_FLAGS,
  type LimitFlags,
  OUT_FLAG,
  OUTPUT_FLAG,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  TELL_ALIASES,
} from "../input/flags.ts";
import type { Io } from "../io.ts";
import { COMBINED_FORMATS, type CombinedFlags } from "../output/combined.ts";
import { checkOut, refuseTwoOutputs } from "../output/write.ts";
import { combineSources } from "./combine.ts";

/** Flags of `minimize`. */
export interface MinimizeFlags extends CombinedFlags, LimitFlags {
  readonly keepOrder: boolean;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  MinimizeFlags,
  [word: string]
>({
  usage: "[OPTION...] SOURCE",
  examples: [
    "minimize profile.json -O small.json",
    "minimize --keep-order --arch x86_64 default:docker",
  ],
  parameters: {
    flags: {
      keepOrder: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Keep the order of the profile's calls",
      },
      format: {
        kind: "enum",
        values: COMBINED_FORMATS,
        default: "profile",
        placeholder: "FORMAT",
        brief: "Output format",
      },
      ...OUT_FLAG,
      ...OUTPUT_FLAG,
      ...LIMIT_FLAGS,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, f: "format", O: "out", o: "output" },
    positional: { kind: "tuple", parameters: [SOURCE_ARGUMENT] },
  },
  run: runMinimize,
});

/** Writes the smallest equal profile. */
export async function runMinimize(
  io: Io,
  flags: MinimizeFlags,
  word: string,
): Promise<number> {
  refuseTwoOutputs(flags);
  checkOut(flags.out);
  return await combineSources(io, flags, [word], {
    operation: "intersect",
    edits: [],
    orOriginal: true,
  });
}
