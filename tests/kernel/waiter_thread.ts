/**
 * A thread of `waiter.ts`.
 *
 * @module
 */

import type { Order } from "./waiter.ts";
import { createCaller, wait } from "./waits.ts";

// The global object of a worker, whose type is not among those of a program.
const scope = globalThis as unknown as {
  onmessage: (event: { readonly data: Order }) => void;
  postMessage(message: unknown): void;
};

scope.onmessage = ({ data }): void => {
  scope.postMessage(wait(data.wait, createCaller(), data.fd));
};
scope.postMessage("ready");
