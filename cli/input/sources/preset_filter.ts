/**
 * The filter of several sources combined: the strictest of their answers.
 *
 * @module
 */

import { combine } from "../../../pipeline/combine/combine.ts";
import { compilePolicy } from "../../../pipeline/compile_profile.ts";
import { UnprovenError } from "../../error.ts";
import { loadInput } from "../../output/combined.ts";
import type { Io } from "../../io.ts";
import type { LoadedFilter } from "../filter.ts";
import type { SourceFlags } from "../flags.ts";
import { nativeArch, targetFor } from "../target.ts";

/**
 * Combines sources into a proved filter.
 *
 * @throws {UnprovenError} if there is no proved filter.
 *
 * @param io Streams for standard input and warnings.
 * @param words The source words.
 * @param flags Options of sources.
 */
export async function combinedFilter(
  io: Io,
  words: readonly string[],
  flags: SourceFlags,
): Promise<LoadedFilter> {
  const inputs = [];
  for (const word of words) inputs.push(await loadInput(io, word, flags));
  const result = combine(inputs, await targetFor(flags));
  const policy = result.kind === "profile"
    ? result.policy
    : result.kind === "unsaid"
    ? result.toPolicy()
    : undefined;
  const filter = policy && compilePolicy(policy);
  if (filter?.kind !== "proved") {
    throw new UnprovenError(
      filter?.message ??
        "Cannot prove the combined filter: a limit was reached",
    );
  }
  const { program, littleEndian } = filter;
  return {
    kind: "programs",
    name: words.join(", "),
    form: "combined",
    programs: [program],
    littleEndian,
    native: nativeArch(),
    arches: [],
    orderIsAssumed: false,
  };
}
