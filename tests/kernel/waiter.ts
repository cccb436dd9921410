/**
 * A process whose threads wait in calls, for tests that read its filters: takes
 * one JSON argument, `Waiter`, and writes one line, `Waited`, at the end or
 * when the first thread gets a wrong answer.
 *
 * The first thread makes one call after the other. It goes on to the next call
 * when a byte arrives on standard input. Meanwhile, every other thread makes a
 * call of its own. All threads are under the filter.
 *
 * @module
 */

import { loadFilter } from "../../ffi/load.ts";
import { createCaller, type Wait, wait, WAITS } from "./waits.ts";

/** Task of the process. */
export interface Waiter {
  /** Its filter in base64. */
  readonly filter: string;
  /** Calls of the first thread. */
  readonly first: readonly Wait[];
  /** Calls of the other threads, one each. */
  readonly others: readonly Wait[];
  /** Calls of x86, each in a process of its own that another thread awaits. */
  readonly i386?: readonly Wait[];
}

/** Answers of the calls: each answer once, −errno for an error. */
export interface Waited {
  readonly first: Readonly<Record<string, readonly number[]>>;
  readonly others: Readonly<Record<string, readonly number[]>>;
  readonly i386: Readonly<Record<string, readonly number[]>>;
}

/** Task of another thread. */
export interface Order {
  readonly wait: Wait;
  /** A pipe that becomes readable at the end. */
  readonly fd: number;
  /** True if its call is one of x86. */
  readonly i386: boolean;
}

/** Messages of a thread. */
type Posted = "ready" | readonly number[];

async function main(
  { filter, first, others, i386 = [] }: Waiter,
): Promise<void> {
  const caller = createCaller();
  const pipe = new Int32Array(2);
  caller.call("pipe2", caller.put(new Uint8Array(pipe.buffer)), 0n);
  const [end = -1, begin = -1] = pipe;
  const orders: readonly Order[] = [
    ...others.map((wait) => ({ wait, fd: end, i386: false })),
    ...i386.map((wait) => ({ wait, fd: end, i386: true })),
  ];
  const threads = orders.map((order) => ({
    order,
    worker: new Worker(new URL("waiter_thread.ts", import.meta.url), {
      type: "module",
    }),
  }));
  await Promise.all(threads.map(({ worker }) => posted(worker)));
  loadFilter(Uint8Array.fromBase64(filter), {
    flags: ["SECCOMP_FILTER_FLAG_TSYNC"],
  });
  const answers = threads.map(async ({ order, worker }) => {
    worker.postMessage(order);
    const answer = await posted(worker);
    worker.terminate();
    return { order, answer };
  });
  const waited: Record<string, readonly number[]> = {};
  const byte = caller.put(new Uint8Array(1));
  for (const name of first) {
    const answers = waited[name] = wait(name, caller, 0);
    // The test is over.
    if (String(answers) !== String(WAITS[name].answer)) break;
    caller.call("read", 0n, byte, 1n);
  }
  // All other threads see it: there is no reader.
  caller.call("write", BigInt(begin), byte, 1n);
  const all = await Promise.all(answers);
  const result = {
    first: waited,
    others: byName(all.filter(({ order }) => !order.i386)),
    i386: byName(all.filter(({ order }) => order.i386)),
  };
  const line = new TextEncoder().encode(`\n${JSON.stringify(result)}\n`);
  Deno.stdout.writeSync(line);
}

function byName(
  answers: readonly { readonly order: Order; readonly answer: Posted }[],
): Readonly<Record<string, Posted>> {
  return Object.fromEntries(
    answers.map(({ order, answer }) => [order.wait, answer]),
  );
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
