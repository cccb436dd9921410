/**
 * A process whose threads wait in calls, for tests that look at it: takes one
 * JSON argument, `Waiter`, and writes one line, `Waited`, at the end or when the
 * first thread gets a wrong answer.
 *
 * The first thread makes one call after the other. It goes on to the next call
 * when a byte arrives on standard input. Meanwhile, every other thread makes a
 * call of its own. All threads are under the filter.
 *
 * @module
 */

import { loadFilter } from "../../ffi/load.ts";
import { createCaller, type Wait, wait, WAITS } from "./waits.ts";

/** What the process does. */
export interface Waiter {
  /** Its filter in base64. */
  readonly filter: string;
  /** Calls of the first thread. */
  readonly first: readonly Wait[];
  /** Calls of the other threads, one each. */
  readonly others: readonly Wait[];
}

/** What the calls answered: each answer once, −errno for an error. */
export interface Waited {
  readonly first: Readonly<Record<string, readonly number[]>>;
  readonly others: Readonly<Record<string, readonly number[]>>;
}

/** What another thread does. */
export interface Order {
  readonly wait: Wait;
  /** A pipe that is readable in the end. */
  readonly fd: number;
}

/** Whatever a thread posts. */
type Posted = "ready" | readonly number[];

async function main({ filter, first, others }: Waiter): Promise<void> {
  const caller = createCaller();
  const pipe = new Int32Array(2);
  caller.call("pipe2", caller.put(new Uint8Array(pipe.buffer)), 0n);
  const [end = -1, begin = -1] = pipe;
  const workers = others.map(() =>
    new Worker(new URL("waiter_thread.ts", import.meta.url), { type: "module" })
  );
  await Promise.all(workers.map(posted));
  loadFilter(Uint8Array.fromBase64(filter), {
    flags: ["SECCOMP_FILTER_FLAG_TSYNC"],
  });
  const answers = others.map(async (wait, i) => {
    const worker = workers[i];
    if (worker === undefined) throw new Error("Unreachable: no worker");
    const order: Order = { wait, fd: end };
    worker.postMessage(order);
    return [wait, await posted(worker)];
  });
  const waited: Record<string, readonly number[]> = {};
  const byte = caller.put(new Uint8Array(1));
  for (const name of first) {
    const answers = waited[name] = wait(name, caller, 0);
    // The test is over.
    if (String(answers) !== String(WAITS[name].answer)) break;
    caller.call("read", 0n, byte, 1n);
  }
  // All other threads see it: nobody reads.
  caller.call("write", BigInt(begin), byte, 1n);
  const result = {
    first: waited,
    others: Object.fromEntries(await Promise.all(answers)),
  };
  const line = new TextEncoder().encode(`\n${JSON.stringify(result)}\n`);
  Deno.stdout.writeSync(line);
  for (const worker of workers) worker.terminate();
}

function posted(worker: Worker): Promise<Posted> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }): void => resolve(data);
    worker.onerror = reject;
  });
}

if (import.meta.main) {
  // The argument comes from the test.
  main(JSON.parse(Deno.args[0] ?? "") as Waiter);
}
