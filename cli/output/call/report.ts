/**
 * The answer of a source to one call.
 *
 * @module
 */

import { readFilterSource } from "../../input/filter.ts";
import type { SourceFlags } from "../../input/flags.ts";
import type { Io } from "../../io.ts";
import { type AskedCall, type CallReport, reportOf } from "./report_call.ts";

/** A question about one call. */
export interface CallQuestion extends AskedCall {
  /** The source word. */
  readonly source: string;
}

/**
 * Answers a question about one call.
 *
 * @param io Stream for warnings.
 * @param flags Options of the source.
 * @param question The call.
 * @throws {UnprovenError} if the answers cannot be stated and no argument is
 * given.
 */
export async function reportCall(
  io: Io,
  flags: SourceFlags,
  question: CallQuestion,
): Promise<CallReport> {
  const filter = await readFilterSource(io, question.source, flags, {
    native: !question.call.includes(":"),
  });
  return reportOf(filter, question);
}
