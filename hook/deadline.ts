/**
 * The hook's own time limit: managers set none by default, and a hook that
 * hangs blocks every container.
 *
 * @module
 */

import { RefusedError } from "./error.ts";

/**
 * A point in time after which no new work begins.
 *
 * @category Containers
 */
export interface Deadline {
  /** Remaining milliseconds, 0 when it has passed. */
  left(): number;
  /** Throws if it has passed. */
  check(): void;
}

/**
 * Starts a time limit.
 *
 * @param ms Milliseconds from now.
 * @returns The deadline.
 * @category Containers
 */
export function startDeadline(ms: number): Deadline {
  const end = performance.now() + ms;
  const left = (): number => Math.max(0, end - performance.now());
  return {
    left,
    check(): void {
      if (left() === 0) throw deadlinePassed(ms);
    },
  };
}

/**
 * Waits once for a given time. The signal takes 0.2 ms of CPU to set up, while
 * `setTimeout` loads 5 ms worth of modules.
 *
 * @param ms Milliseconds from now, 0 or more.
 * @returns A promise that settles then; until then it keeps the process alive.
 */
export function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    // setTimeout fires immediately for a longer time.
    AbortSignal.timeout(Math.min(Math.ceil(ms), 0x7fff_ffff))
      .addEventListener("abort", () => resolve());
  });
}

/** Reads into a buffer; returns the number of bytes, `null` at the end. */
export type Read = (buffer: Uint8Array) => Promise<number | null>;

/** Number of bytes to request at a time. */
const CHUNK_LENGTH = 0x1_0000;

/**
 * Reads to the end, within limits.
 *
 * @param read Source.
 * @param limit Maximum number of bytes.
 * @param ms Maximum time in milliseconds.
 * @returns All bytes.
 * @throws {RefusedError} `deadline` or `bad-input` if a limit is exceeded.
 */
export async function readWithin(
  read: Read,
  limit: number,
  ms: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const late = after(ms).then(() => {
    throw deadlinePassed(ms);
  });
  // It may reject when nothing is waiting for it.
  late.catch(() => {});
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const buffer = new Uint8Array(CHUNK_LENGTH);
    const length = await Promise.race([read(buffer), late]);
    if (length === null) break;
    size += length;
    if (size > limit) {
      throw new RefusedError(
        "bad-input",
        `Cannot read the input: more than ${limit} bytes: a configuration has a few thousand`,
      );
    }
    chunks.push(buffer.subarray(0, length));
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function deadlinePassed(ms: number): RefusedError {
  return new RefusedError(
    "deadline",
    `Cannot finish within ${ms} ms: raise "deadlineMs" in the settings`,
  );
}
