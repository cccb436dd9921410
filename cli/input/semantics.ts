/**
 * Whose reading of profiles counts: what was asked for, or the runtime of this
 * machine when a source is what that runtime made or will run.
 *
 * @module
 */

import { ownSemantics } from "../../hook/own_semantics.ts";
import {
  parseSemantics,
  type RuntimeName,
  type Semantics,
  splitSemantics,
} from "../../profile/semantics/versions.ts";
import { messageLine } from "../exit.ts";
import type { Io } from "../io.ts";

/** Flags that say whose reading counts. */
export interface SemanticsFlags {
  /** The newest known crun, or the runtime of this machine, if absent. */
  readonly semantics?: Semantics;
  readonly quiet?: boolean;
}

/**
 * Reads the word after `--semantics`.
 *
 * @param input Such as `runc@1.1.5`.
 * @throws {Error} if it names no reading.
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
 * Decides whose reading counts for several sources together. A file reads alike
 * on every machine; what runs here, or is about to, reads as its runtime does.
 *
 * @param io Where a note about the version goes.
 * @param flags The options.
 * @param words The source words.
 * @returns The options, with a version when the runtime of this machine counts.
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
  const { semantics, note } = await ownSemantics({ semantics: runtime });
  // Processes alone have filters, and no profile that could be read.
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
  const { findRuntimeOf } = await import("../../install/containers.ts");
  return await findRuntimeOf(Number(pid));
}
