/**
 * Follows a growing file by its name, as `tail -F` does, and continues with the
 * new file after a rotation.
 *
 * @module
 */

import { reasonOf } from "../../host/reason.ts";
import { quoteText } from "../../tables/printable.ts";
import { InputError } from "../error.ts";

/** Polling interval at the end of the file, in milliseconds. */
const LOOK_MS = 250;

const CHUNK_LENGTH = 1 << 16;

/** Options of following. */
export interface FollowOptions {
  /** Called if the file does not exist, was replaced or was truncated. */
  readonly notice: (text: string) => void;
  /** Ends the following; by default it never ends. */
  readonly signal?: AbortSignal;
}

/**
 * Reads a file from its beginning, then everything appended to it.
 *
 * @param path Its path; it may appear later.
 * @param options Receiver of notices, and the end.
 * @throws {InputError} if it cannot be read.
 * @returns Chunks; each is valid until the next one.
 */
export async function* followFile(
  path: string,
  { notice, signal }: FollowOptions,
): AsyncGenerator<Uint8Array> {
  const shown = quoteText(path);
  const buffer = new Uint8Array(CHUNK_LENGTH);
  let missing = false;
  const ended = (): boolean => signal?.aborted === true;
  for (let first = true; !ended(); first = false) {
    using file = openFile(path);
    if (file === undefined) {
      if (!missing) notice(`${shown} does not exist; waiting for it`);
      missing = true;
      await pause();
      continue;
    }
    if (!first) notice(`${shown} ${missing ? "appeared" : "was replaced"}`);
    missing = false;
    let position = 0;
    while (!ended()) {
      const size = file.readSync(buffer);
      if (size !== null) {
        position += size;
        yield buffer.subarray(0, size);
        continue;
      }
      const now = file.statSync();
      if (now.size < position) {
        notice(`${shown} was truncated; reading from its beginning`);
        file.seekSync(0, Deno.SeekMode.Start);
        position = 0;
        yield LINE_FEED;
      } else if (isOther(path, now)) {
        // The rest of the old file, written before the rotation.
        const rest = file.readSync(buffer);
        yield rest === null ? LINE_FEED : buffer.subarray(0, rest);
        if (rest === null) break;
        position += rest;
      } else await pause();
    }
  }
}

/** Ends an incomplete line of a file that will not grow. */
const LINE_FEED = new Uint8Array([10]);

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

/** Opens a file; `undefined` if it does not exist. */
function openFile(path: string): Deno.FsFile | undefined {
  try {
    if (Deno.statSync(path).isDirectory) {
      throw new InputError(
        `Cannot read ${quoteText(path)}: a directory; give a file`,
      );
    }
    return Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof InputError) throw error;
    throw new InputError(
      `Cannot read ${quoteText(path)}: ${reasonOf(error)}`,
      { cause: error },
    );
  }
}

/** Reports whether the path no longer names the open file, but another one. */
function isOther(path: string, { dev, ino }: Deno.FileInfo): boolean {
  try {
    const named = Deno.statSync(path);
    return named.dev !== dev || named.ino !== ino;
  } catch {
    // It was moved, and its successor does not exist yet.
    return false;
  }
}
