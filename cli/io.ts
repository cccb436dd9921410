/**
 * The streams of a command. They are passed as an argument, so that a test can
 * substitute them; commands write nowhere else.
 *
 * @module
 */

import { reasonOf } from "../host/reason.ts";
import { ClosedPipe, InputError, MachineError } from "./error.ts";

/** Streams of a command. */
export interface Io {
  /** Writes results. */
  out(data: string | Uint8Array): void;
  /** Writes all other output. */
  err(text: string): void;
  /**
   * Reads standard input chunk by chunk; each chunk is valid until the next
   * one.
   */
  stdin(): AsyncIterable<Uint8Array>;
  /** True if results go to a terminal. */
  readonly outIsTerminal: boolean;
  /** True if messages have color. */
  readonly color: boolean;
  /** True if results in text have color. */
  readonly outColor: boolean;
}

/** Maximum number of bytes to read from standard input or a file. */
export const MAX_INPUT_LENGTH: number = 64 * 2 ** 20;

/** Maximum length of a line when an input is read by lines, in characters. */
export const MAX_LINE_LENGTH: number = 2 ** 20;

/** Waiting time if a nonblocking pipe is full, in milliseconds. */
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
        // stderr is closed; the exit code still reports the failure.
      }
    },
    stdin: readStdin,
    outIsTerminal: Deno.stdout.isTerminal(),
    color: Deno.stderr.isTerminal() && mayColor(),
    outColor: Deno.stdout.isTerminal() && mayColor(),
  };
}

/** Reports whether the user permits color: https://no-color.org. */
function mayColor(): boolean {
  return (Deno.env.get("NO_COLOR") ?? "") === "";
}

function writeAll(
  stream: { writeSync(data: Uint8Array): number },
  data: Uint8Array,
): void {
  for (let rest = data; rest.length > 0;) {
    try {
      rest = rest.subarray(stream.writeSync(rest));
    } catch (error) {
      // The process at the other end of the pipe may have made it nonblocking.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
    }
  }
}

async function* readStdin(): AsyncGenerator<Uint8Array> {
  try {
    // `Deno.stdin.readable` loads 3 ms worth of modules.
    const buffer = new Uint8Array(CHUNK_LENGTH);
    for (;;) {
      const size = await Deno.stdin.read(buffer);
      if (size === null) return;
      yield buffer.subarray(0, size);
    }
  } catch (error) {
    throw new InputError(`Cannot read standard input: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Bytes to read at a time: few, so that little of the data survives a minor
 * garbage collection and V8 does not grow its heap.
 */
const CHUNK_LENGTH = 1 << 13;

/** Returns the name of an input for messages. */
export function inputName(path: string): string {
  return path === "-" ? "<stdin>" : path;
}

/**
 * Reads an input to its end.
 *
 * @param io Streams.
 * @param path A file or a named pipe; `-` is standard input.
 * @throws {InputError} if it cannot be read, or is too long.
 */
export async function readInput(io: Io, path: string): Promise<Uint8Array> {
  if (path !== "-") return readInputFile(path);
  const chunks = new Chunks("standard input");
  for await (const chunk of io.stdin()) chunks.add(chunk);
  return chunks.whole();
}

/**
 * Reads a file or a named pipe to its end.
 *
 * @param path Its path; a directory or a device is refused.
 * @throws {InputError} if it cannot be read, or is too long.
 */
export function readInputFile(path: string): Uint8Array {
  const chunks = new Chunks(JSON.stringify(path));
  for (const chunk of readFile(path)) chunks.add(chunk);
  return chunks.whole();
}

/**
 * Reads the lines of an input, without a limit on its length.
 *
 * @param io Streams.
 * @param path A file or a named pipe; `-` is standard input.
 * @throws {InputError} if it cannot be read.
 * @returns Lines without line feeds, those of one chunk at a time; `undefined`
 * stands for a line that is too long.
 */
export function readLines(
  io: Io,
  path: string,
): AsyncGenerator<readonly (string | undefined)[]> {
  return splitLines(path === "-" ? io.stdin() : readFile(path));
}

/**
 * Splits chunks into lines; a line that is longer than
 * {@linkcode MAX_LINE_LENGTH} is not kept.
 *
 * @param chunks UTF-8 text.
 * @returns Lines without line feeds, those of one chunk at a time; `undefined`
 * stands for a line that is too long.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<readonly (string | undefined)[]> {
  const decoder = new TextDecoder();
  const limited = (line: string | undefined): string | undefined =>
    (line?.length ?? Infinity) > MAX_LINE_LENGTH ? undefined : line;
  // The beginning of a line that is not complete yet.
  let rest: string | undefined = "";
  for await (const chunk of chunks) {
    const lines = decoder.decode(chunk, { stream: true }).split("\n");
    const [first = "", ...others] = lines;
    rest = limited(rest === undefined ? undefined : rest + first);
    const last = others.pop();
    if (last === undefined) continue;
    yield [rest, ...others.map(limited)];
    rest = limited(last);
  }
  yield [rest === undefined ? undefined : rest + decoder.decode()];
}

/** Reads a file chunk by chunk; each chunk is valid until the next one. */
function* readFile(path: string): Generator<Uint8Array> {
  const shown = JSON.stringify(path);
  try {
    const { isFile, isFifo, isDirectory } = Deno.statSync(path);
    if (!isFile && isFifo !== true) {
      throw new InputError(
        `Cannot read ${shown}: ${
          isDirectory ? "a directory" : "a device"
        }; give a file`,
      );
    }
    using file = Deno.openSync(path);
    const buffer = new Uint8Array(CHUNK_LENGTH);
    for (;;) {
      const size = file.readSync(buffer);
      if (size === null) return;
      yield buffer.subarray(0, size);
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot read ${shown}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** Collects the chunks, up to the limit. */
class Chunks {
  readonly #shown: string;
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(shown: string) {
    this.#shown = shown;
  }

  add(chunk: Uint8Array): void {
    this.#length += chunk.length;
    if (this.#length > MAX_INPUT_LENGTH) {
      throw new InputError(
        `Cannot read ${this.#shown}: more than ${MAX_INPUT_LENGTH} bytes; give a profile or a filter`,
      );
    }
    this.#chunks.push(chunk.slice());
  }

  whole(): Uint8Array {
    const all = new Uint8Array(this.#length);
    let offset = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, offset);
      offset += chunk.length;
    }
    return all;
  }
}
