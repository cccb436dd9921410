/**
 * Loads what `convert` reads: a profile, or filters with their machine.
 *
 * @module
 */

import type { CombineInput } from "../../pipeline/combine/result.ts";
import type { Arch } from "../../tables/arch.ts";
import type { Io } from "../io.ts";
import type { SourceFlags } from "./flags.ts";
import { machineOf } from "./machine.ts";
import { requireAccepted } from "./resolve_source.ts";
import { loadSource } from "./source.ts";

/** An input, with the machine of a filter. */
export interface ConversionInput {
  readonly input: CombineInput;
  readonly native?: Arch;
}

/**
 * Loads a source.
 *
 * @param io Streams for standard input and warnings.
 * @param word The source word.
 * @param flags Options of sources.
 */
export async function loadConversionInput(
  io: Io,
  word: string,
  flags: SourceFlags,
): Promise<ConversionInput> {
  const source = await loadSource(io, word, flags);
  if (source.kind === "profile") return { input: { profile: source.profile } };
  requireAccepted(source);
  const { programs } = source;
  const { littleEndian, native } = machineOf(source.name, source, flags.arch);
  return { input: { filter: { programs, littleEndian } }, native };
}
