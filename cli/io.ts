/**
 * Where a command reads and writes. Commands get it as an argument, so that a
 * test can give them something else, and nothing writes past it.
 *
 * @module
 */

/** Streams and files of a command. */
export interface Io {
  /** Writes results. */
  out(data: string | Uint8Array): void;
  /** Writes everything else. */
  err(text: string): void;
  /** Reads standard input to its end. */
  stdin(): Promise<Uint8Array>;
  /** Whether results go to a terminal. */
  readonly outIsTerminal: boolean;
  /** Whether messages may be colored. */
  readonly color: boolean;
}

/** Thrown where the command line cannot be meant: exit 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Thrown where an input cannot be read or understood: exit 3. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** Thrown where this machine does not allow what was asked: exit 5. */
export class MachineError extends Error {
  override readonly name = "MachineError";
}

/** The reader of the results went away, which is no error. */
export class ClosedPipe extends Error {
  override readonly name = "ClosedPipe";
}

/** Most bytes that are read from standard input or a file. */
export const MAX_INPUT_LENGTH: number = 64 * 2 ** 20;

/** The streams of this process. */
export function processIo(): Io {
  const encoder = new TextEncoder();
  const write = (
    stream: { writeSync(data: Uint8Array): number },
    data: string | Uint8Array,
  ): void => {
    let rest = typeof data === "string" ? encoder.encode(data) : data;
    try {
      while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) throw new ClosedPipe();
      throw error;
    }
  };
  return {
    out: (data) => write(Deno.stdout, data),
    err: (text) => {
      try {
        write(Deno.stderr, text);
      } catch {
        // Nobody listens; the exit code still tells.
      }
    },
    stdin: () => readAll(Deno.stdin.readable),
    outIsTerminal: Deno.stdout.isTerminal(),
    color: Deno.stderr.isTerminal() && (Deno.env.get("NO_COLOR") ?? "") === "",
  };
}

async function readAll(
  stream: ReadableStream<Uint8Array>,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_INPUT_LENGTH) {
      throw new InputError(
        `Cannot read standard input: more than ${MAX_INPUT_LENGTH} bytes`,
      );
    }
  }
  const all = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}

/**
 * Reads a file.
 *
 * @param path Its path; a directory or a device is refused.
 * @throws {InputError} when it cannot be read.
 */
export function readInputFile(path: string): Uint8Array {
  const shown = JSON.stringify(path);
  try {
    const { isFile, isFifo, size } = Deno.statSync(path);
    if (!isFile && isFifo !== true) {
      throw new InputError(`Cannot read ${shown}: not a file`);
    }
    if (size > MAX_INPUT_LENGTH) {
      throw new InputError(
        `Cannot read ${shown}: ${size} bytes, the limit is ${MAX_INPUT_LENGTH}`,
      );
    }
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot read ${shown}: ${reasonOf(error)}`);
  }
}

/**
 * Writes a file so that it is there whole or not at all: a temporary file
 * beside it, then a rename.
 *
 * @param path Its path.
 * @param data What it will hold.
 * @throws {InputError} when it cannot be written; an old file is left as it was.
 */
export function writeFileWhole(path: string, data: string | Uint8Array): void {
  const shown = JSON.stringify(path);
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : data;
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    const mode = existingMode(path);
    Deno.writeFileSync(temporary, bytes, {
      createNew: true,
      ...(mode === undefined ? {} : { mode }),
    });
    Deno.renameSync(temporary, path);
  } catch (error) {
    try {
      Deno.removeSync(temporary);
    } catch {
      // It was never there.
    }
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot write ${shown}: ${reasonOf(error)}`);
  }
}

function existingMode(path: string): number | undefined {
  try {
    const info = Deno.statSync(path);
    if (!info.isFile) {
      throw new InputError(`Cannot write ${JSON.stringify(path)}: not a file`);
    }
    return info.mode === null ? undefined : info.mode & 0o777;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** What the system said, without what Deno adds. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.replace(/ \(os error \d+\).*$/s, "");
}
