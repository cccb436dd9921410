/**
 * `rewrite`: adds the precompiled filter to a bundle, for users who run crun
 * directly.
 *
 * @module
 */

import { word } from "../input/flags.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import { printable } from "../../tables/printable.ts";
import { join } from "@std/path";
import { readBundle, rewriteBundle } from "../../hook/bundle.ts";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import { RefusedError } from "../../hook/error.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { EXIT, messageLine } from "../exit.ts";
import { tellingProfile } from "../input/source.ts";
import { type Io, readInputFile } from "../io.ts";
import {
  HOOK_FLAGS,
  type HookFlags,
  logTo,
  MOST_MS,
  refusing,
  settingsOf,
  tellSection,
} from "./store_open.ts";

/**
 * Reports all problems of a configuration with their positions in the file, if
 * the hook refuses it: the hook itself reports only the first one.
 */
async function placing<T>(
  io: Io,
  path: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RefusedError && error.code === "bad-config") {
      const bytes = readInputFile(path);
      await tellingProfile(
        io,
        path,
        () => parseProfile(bytes, { kind: "config" }),
      );
    }
    throw error;
  }
}

/** Reasons for which an unchanged bundle is correct. */
const FINE: readonly string[] = ["unconfined", "annotated"];

/** The command. */
export const command: CommandDefinition = defineCommand<
  HookFlags,
  [bundle: string]
>({
  usage: "[OPTION...] BUNDLE",
  examples: ["rewrite /run/bundle", "rewrite --store none ."],
  parameters: {
    flags: HOOK_FLAGS,
    aliases: { q: "quiet" },
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "Folder that contains config.json",
        parse: word,
        placeholder: "BUNDLE",
      }],
    },
  },
  run: runRewrite,
});

/**
 * Rewrites a bundle's configuration.
 *
 * @param io Streams.
 * @param flags Options.
 * @param directory The bundle.
 * @returns The exit code: 1 if its annotation and section are different
 * filters, 4 if the section cannot be optimized, 5 if the host's names are not
 * available.
 */
export async function runRewrite(
  io: Io,
  flags: HookFlags,
  directory: string,
): Promise<number> {
  return await refusing(io, async () => {
    const settings = { ...await settingsOf(flags), strict: false };
    const log = logTo(io, flags);
    const context = await gatherContext(settings, startDeadline(MOST_MS), log);
    const { path, text, rewrite } = await placing(
      io,
      join(directory, "config.json"),
      async () => ({
        ...await readBundle(directory),
        rewrite: await rewriteBundle(directory, context),
      }),
    );
    tellSection(io, { name: path, text }, context.environment, flags);
    if (rewrite.kind === "added") {
      for (const warning of rewrite.warnings) log.write("warning", warning);
      const { entry: { bytes, key }, from } = rewrite;
      io.out(
        `added ${
          bytes.length / 8
        } instructions, proved equal to linux.seccomp (${from}), key ${key}\n`,
      );
      return EXIT.ok;
    }
    const { reason, detail } = rewrite;
    if (FINE.includes(reason)) {
      io.out(`unchanged: ${printable(detail)}\n`);
      return EXIT.ok;
    }
    io.err(messageLine(io, "error", `Cannot optimize the filter: ${detail}`));
    return context.obstacle === undefined ? EXIT.unproven : EXIT.machine;
  });
}
