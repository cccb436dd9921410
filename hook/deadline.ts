/**
 * The hook's own time limit: managers set none by default, and a hook that
 * hangs holds up every container.
 *
 * @module
 */

import { RefusedError } from "./error.ts";

/** A point in time after which nothing more is begun. */
export interface Deadline {
  /** Milliseconds that are left, 0 when it is over. */
  left(): number;
  /** Throws where it is over. */
  check(): void;
}

/**
 * Starts a time limit.
 *
 * @param ms Milliseconds from now.
 * @returns The deadline.
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
 * Reads a stream to its end, within limits.
 *
 * @param stream The stream.
 * @param limit Most bytes.
 * @param ms Most milliseconds.
 * @returns All bytes.
 * @throws {RefusedError} `deadline` or `bad-input` where a limit is passed.
 */
export async function readWithin(
  stream: ReadableStream<Uint8Array>,
  limit: number,
  ms: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(deadlinePassed(ms)), ms);
  });
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) break;
      size += value.length;
      if (size > limit) {
        throw new RefusedError(
          "bad-input",
          `Cannot read the input: more than ${limit} bytes: a configuration has some thousand`,
        );
      }
      chunks.push(value);
    }
  } finally {
    clearTimeout(timer);
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
