/**
 * A thread of `waiter.ts`.
 *
 * @module
 */

import type { Order } from "./waiter.ts";
import { createCaller, createI386Caller, wait, WAITS } from "./waits.ts";

// The global object of a worker, whose type is not among those of a program.
const scope = globalThis as unknown as {
  onmessage: (event: { readonly data: Order }) => void;
  postMessage(message: unknown): void;
};

scope.onmessage = ({ data }): void => {
  const caller = data.i386 ? createI386Caller(data.wait) : createCaller();
  const answers = wait(data.wait, caller, data.fd);
  if (String(answers) !== String(WAITS[data.wait].answer)) {
    // The test is over, even if the first thread still waits.
    const line = JSON.stringify({ [data.wait]: answers });
    Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
    Deno.kill(Deno.pid, "SIGKILL");
  }
  scope.postMessage(answers);
};
scope.postMessage("ready");
