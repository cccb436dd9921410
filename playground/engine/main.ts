/**
 * The program of the worker. Where a page may start no worker, it runs in the
 * page itself, and leaves its function for it.
 *
 * @module
 */

import type { PageAnswer, Request } from "../messages.ts";
import { PageEngine } from "./answer.ts";

/** The parts of a worker's scope, or of a page's, that are used. */
interface Scope {
  readonly document?: unknown;
  onmessage?: (event: { readonly data: unknown }) => void;
  postMessage(message: unknown): void;
  seccompTreeEngine?: (request: Request) => Promise<PageAnswer>;
}

// Both a worker and a page have these.
const scope = globalThis as unknown as Scope;
const engine = new PageEngine();
// Requests are answered in order: each may need what the last one loaded.
let last: Promise<unknown> = Promise.resolve();

function answer(request: Request): Promise<PageAnswer> {
  const next = last.then(() => engine.answer(request));
  last = next;
  return next;
}

if (scope.document === undefined) {
  scope.onmessage = ({ data }) => {
    // The page sends nothing else.
    const { id, request } = data as {
      readonly id: number;
      readonly request: Request;
    };
    answer(request).then((result) => {
      scope.postMessage({ id, answer: result });
    });
  };
} else {
  scope.seccompTreeEngine = answer;
}
