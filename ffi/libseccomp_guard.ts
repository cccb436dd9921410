/**
 * Runs libseccomp in a child process: a rule set that makes the library hang,
 * write past its buffers or end the process costs only its own answer.
 *
 * One child serves many requests (several hundred small ones per second); if it
 * dies, a new one is started for the next request.
 *
 * @module
 */

import {
  type ExportResult,
  type FilterSpec,
  openLibseccomp,
} from "./libseccomp.ts";
// So that `deno cache` keeps it.
import type {} from "./libseccomp_child.ts";
import { decodeResult, encodeSpec } from "./libseccomp_wire.ts";

/**
 * Longest program that the 16-bit length of `struct sock_fprog` can express.
 */
const MAX_LENGTH = 0xffff;

/**
 * Limits of the child.
 *
 * @category Kernel
 */
export interface GuardOptions {
  /** Time limit of one request in milliseconds, 10,000 by default. */
  readonly timeLimit?: number;
}

/**
 * A running guard; close it after use.
 *
 * @category Kernel
 */
export interface LibseccompGuard extends AsyncDisposable {
  /**
   * Builds a filter in the child. Requests may overlap; they are answered in order.
   *
   * @param spec The filter to build.
   * @returns The answer; the promise never rejects because of the library.
   */
  exportFilter(spec: FilterSpec): Promise<ExportResult>;
  /** Ends the child. */
  close(): Promise<void>;
}

/**
 * Opens a guard.
 *
 * @param options Limits of the child.
 * @returns The guard, or undefined if the host has no libseccomp; needs `--allow-ffi --allow-run --allow-read`.
 * @category Kernel
 */
export function openLibseccompGuard(
  options: GuardOptions = {},
): LibseccompGuard | undefined {
  if (openLibseccomp() === undefined) return undefined;
  return new Guard(options.timeLimit ?? 10_000);
}

/**
 * Builds one filter in a separate child.
 *
 * @param spec The filter to build.
 * @param options Limits of the child.
 * @returns The answer, or undefined if the host has no libseccomp.
 * @category Kernel
 */
export async function exportFilterGuarded(
  spec: FilterSpec,
  options: GuardOptions = {},
): Promise<ExportResult | undefined> {
  const guard = openLibseccompGuard(options);
  if (guard === undefined) return undefined;
  try {
    return await guard.exportFilter(spec);
  } finally {
    await guard.close();
  }
}

/**
 * Bounds the number of instructions of a filter, so that the 16-bit length of a
 * program cannot wrap inside the library.
 *
 * A rule takes at most two copies per architecture (the second through
 * `socketcall` or `ipc`). Each copy has at most one test and one return and,
 * for each comparison, two loads, two masks, three tests and one jump.
 *
 * @param spec The filter to build.
 * @returns An upper bound in instructions.
 * @category Kernel
 */
export function boundInstructions(spec: FilterSpec): number {
  let perArch = 16;
  for (const rule of spec.rules) perArch += 2 * (2 + 8 * rule.args.length);
  return perArch * (spec.architectures.length + 1);
}

class Guard implements LibseccompGuard {
  readonly #timeLimit: number;
  #child: Child | undefined;
  /** Settles with the last request: the child handles one request at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(timeLimit: number) {
    this.#timeLimit = timeLimit;
  }

  exportFilter(spec: FilterSpec): Promise<ExportResult> {
    const bound = boundInstructions(spec);
    if (bound > MAX_LENGTH) {
      return Promise.resolve({
        kind: "failed",
        reason: "size",
        detail: `up to ${bound} instructions, the limit is ${MAX_LENGTH}`,
      });
    }
    const answer = this.#last.then(() => this.#ask(encodeSpec(spec)));
    this.#last = answer.catch(() => {});
    return answer;
  }

  async close(): Promise<void> {
    await this.#last;
    const child = this.#child;
    this.#child = undefined;
    await child?.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #ask(line: string): Promise<ExportResult> {
    const child = this.#child ??= new Child();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill();
    }, this.#timeLimit);
    try {
      const answer = await child.ask(line);
      if (answer !== undefined) return decodeResult(answer);
      this.#child = undefined;
      const how = await child.end();
      return late
        ? {
          kind: "failed",
          reason: "time",
          detail: `no answer in ${this.#timeLimit} ms`,
        }
        : { kind: "failed", reason: "crash", detail: how };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** One process. */
class Child {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor() {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-config",
        "--no-lock",
        "--no-prompt",
        "--allow-ffi",
        import.meta.resolve("./libseccomp_child.ts"),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#reader = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  /** Sends a line and awaits the answer; undefined if the child ended. */
  async ask(line: string): Promise<string | undefined> {
    try {
      await this.#writer.write(new TextEncoder().encode(`${line}\n`));
    } catch {
      // The child has ended: the end of the other pipe shows it below.
    }
    const parts = [this.#rest];
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) return undefined;
      const end = value.indexOf("\n");
      if (end < 0) {
        parts.push(value);
        continue;
      }
      this.#rest = value.slice(end + 1);
      return parts.join("") + value.slice(0, end);
    }
  }

  kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It ended by itself.
    }
  }

  /** Closes the pipes, waits for the end and returns the status. */
  async end(): Promise<string> {
    await this.#writer.close().catch(() => {});
    await this.#reader.cancel().catch(() => {});
    const { code, signal } = await this.#process.status;
    return signal === null ? `exit ${code}` : `killed by ${signal}`;
  }
}
