/**
 * The reading of profiles: the requested one, or that of this machine's runtime
 * if the runtime made the source or will run it.
 *
 * @module
 */

import {
  parseSemantics,
  type RuntimeName,
  type Semantics,
  splitSemantics,
} from "../../profile/semantics/versions.ts";
import { messageLine } from "../exit.ts";
import type { Io } from "../io.ts";

/** Flags for the reading. */
export interface SemanticsFlags {
  /** By default, the newest known crun or the runtime of this machine. */
  readonly semantics?: Semantics;
  readonly quiet?: boolean;
}

/**
 * Reads the value of `--semantics`.
 *
 * @param input A reading such as `runc@1.1.5`.
 * @throws {Error} if it is not a reading.
 */
export function semanticsWord(input: string): Semantics {
  const semantics = parseSemantics(input);
  if (semantics === undefined) {
    throw new Error(
      "not crun or runc, with or without a version such as runc@1.1.5",
    );
  }
  return semantics;
}

/**
 * Determines the reading for several sources together. A file has the same
 * meaning on every machine; sources that run here, or are about to, are read as
 * their runtime does.
 *
 * @param io Stream for a note about the version.
 * @param flags The options.
 * @param words The source words.
 * @returns The options, with a version if the runtime of this machine applies.
 */
export async function withOwnSemantics<T extends SemanticsFlags>(
  io: Io,
  flags: T,
  words: readonly (string | undefined)[],
): Promise<T> {
  const asked = flags.semantics && splitSemantics(flags.semantics);
  if (asked?.version !== undefined) return flags;
  const process = words.find((word) => word?.startsWith("pid:"));
  const bundle = words.find((word) => word?.startsWith("bundle:"));
  if (process === undefined && bundle === undefined) return flags;
  const runtime = asked?.runtime ?? await runtimeOf(process) ?? "crun";
  const { ownSemantics }: typeof import("../../hook/own_semantics.ts") =
    await import("../../hook/own_semantics.ts" as string);
  const { semantics, note } = await ownSemantics({ semantics: runtime });
  // Processes have only filters, and no profile that could be read.
  const profiles = words.some((word) => word?.startsWith("pid:") === false);
  if (note !== undefined && profiles && flags.quiet !== true) {
    io.err(messageLine(io, "note", note, process ?? bundle));
  }
  return { ...flags, semantics };
}

/** The runtime of a process's container, if it is in one. */
async function runtimeOf(
  word: string | undefined,
): Promise<RuntimeName | undefined> {
  const pid = /^pid:([1-9][0-9]{0,9})$/.exec(word ?? "")?.[1];
  if (pid === undefined) return undefined;
  const { findRuntimeOf }: typeof import("../../install/containers.ts") =
    await import("../../install/containers.ts" as string);
  return await findRuntimeOf(Number(pid));
}
