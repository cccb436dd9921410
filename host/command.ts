/**
 * Runs programs of the host with a time limit, without input.
 *
 * @module
 */

import { messageOf } from "./reason.ts";

/** Result of a program. */
export interface CommandResult {
  /** Exit status; 124 if it took too long, 127 if it could not start. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Time limit in milliseconds. */
const LIMIT_MS = 20_000;

/** Limit and input. */
export interface AskOptions {
  /** Milliseconds; 20 s by default. */
  readonly limitMs?: number;
  /** Standard input; none by default. */
  readonly input?: Uint8Array;
}

/**
 * Runs a program to its end.
 *
 * @param words The program, by absolute path or by name, and its arguments.
 * @param options Limit and input.
 * @returns Its result; a failing program never throws.
 */
export async function ask(
  words: readonly string[],
  options: AskOptions = {},
): Promise<CommandResult> {
  const { limitMs = LIMIT_MS, input } = options;
  const [program = "", ...args] = words;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), limitMs);
  try {
    const child = new Deno.Command(program, {
      args,
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      signal: abort.signal,
    }).spawn();
    if (input !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(input).catch(() => {});
      await writer.close().catch(() => {});
    }
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return {
      code: abort.signal.aborted ? 124 : code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    };
  } catch (error) {
    const stderr = messageOf(error);
    return { code: 127, stdout: "", stderr };
  } finally {
    clearTimeout(timer);
  }
}
