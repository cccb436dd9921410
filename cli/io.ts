/**
 * Where a command reads and writes. Commands get it as an argument, so that a
 * test can give them something else, and nothing writes past it.
 *
 * @module
 */

import { ClosedPipe, InputError, MachineError, reasonOf } from "./error.ts";

/** Streams of a command. */
export interface Io {
  /** Writes results. */
  out(data: string | Uint8Array): void;
  /** Writes everything else. */
  err(text: string): void;
  /** Reads standard input to its end. */
  stdin(): Promise<Uint8Array>;
  /** Whether results go to a terminal. */
  readonly outIsTerminal: boolean;
  /** Whether messages are colored. */
  readonly color: boolean;
}

/** Most bytes that are read from standard input or a file. */
export const MAX_INPUT_LENGTH: number = 64 * 2 ** 20;

/** How long a full pipe that does not block is left alone, in milliseconds. */
const WAIT_MS = 2;

/** The streams of this process. */
export function processIo(): Io {
  const encoder = new TextEncoder();
  return {
    out: (data) => {
      try {
        writeAll(
          Deno.stdout,
          typeof data === "string" ? encoder.encode(data) : data,
        );
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) throw new ClosedPipe();
        throw new MachineError(
          `Cannot write to standard output: ${reasonOf(error)}`,
          { cause: error },
        );
      }
    },
    err: (text) => {
      try {
        writeAll(Deno.stderr, encoder.encode(text));
      } catch {
        // Nobody listens; the exit code still tells.
      }
    },
    stdin: readStdin,
    outIsTerminal: Deno.stdout.isTerminal(),
    color: Deno.stderr.isTerminal() && (Deno.env.get("NO_COLOR") ?? "") === "",
  };
}

function writeAll(
  stream: { writeSync(data: Uint8Array): number },
  data: Uint8Array,
): void {
  for (let rest = data; rest.length > 0;) {
    try {
      rest = rest.subarray(stream.writeSync(rest));
    } catch (error) {
      // Whoever has the other end of the pipe may have made it not block.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
    }
  }
}

async function readStdin(): Promise<Uint8Array> {
  const chunks = createChunks("standard input");
  try {
    // `Deno.stdin.readable` loads 3 ms worth of modules.
    for (;;) {
      const buffer = new Uint8Array(CHUNK_LENGTH);
      const size = await Deno.stdin.read(buffer);
      if (size === null) break;
      chunks.add(buffer.subarray(0, size));
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot read standard input: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  return chunks.whole();
}

/** Collects what is read, up to the limit. */
interface Chunks {
  add(chunk: Uint8Array): void;
  whole(): Uint8Array;
}

function createChunks(shown: string): Chunks {
  const chunks: Uint8Array[] = [];
  let length = 0;
  return {
    add(chunk): void {
      length += chunk.length;
      if (length > MAX_INPUT_LENGTH) {
        throw new InputError(
          `Cannot read ${shown}: more than ${MAX_INPUT_LENGTH} bytes: give a profile or a filter`,
        );
      }
      chunks.push(chunk);
    },
    whole(): Uint8Array {
      const all = new Uint8Array(length);
      let offset = 0;
      for (const chunk of chunks) {
        all.set(chunk, offset);
        offset += chunk.length;
      }
      return all;
    },
  };
}

/** Bytes read at a time. */
const CHUNK_LENGTH = 1 << 16;

/**
 * Reads a file or a named pipe.
 *
 * @param path Its path; a directory or a device is refused.
 * @throws {InputError} when it cannot be read, or is too long.
 */
export function readInputFile(path: string): Uint8Array {
  const shown = JSON.stringify(path);
  try {
    const { isFile, isFifo, isDirectory } = Deno.statSync(path);
    if (!isFile && isFifo !== true) {
      throw new InputError(
        `Cannot read ${shown}: ${
          isDirectory ? "a directory" : "a device"
        }: give a file`,
      );
    }
    const chunks = createChunks(shown);
    using file = Deno.openSync(path);
    for (;;) {
      const chunk = new Uint8Array(CHUNK_LENGTH);
      const count = file.readSync(chunk);
      if (count === null) return chunks.whole();
      chunks.add(chunk.subarray(0, count));
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot read ${shown}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}
