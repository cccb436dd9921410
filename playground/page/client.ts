/**
 * Starts the engine: in a worker, so that the page stays responsive; if none
 * may start, in the page.
 *
 * @module
 */

/// <reference lib="dom" />

import type { PageAnswer, Request } from "../messages.ts";
import { elementOf } from "./elements.ts";

/** Asks the engine; answers come in the order of the requests. */
export type Ask = (request: Request) => Promise<PageAnswer>;

/** How long a worker may take to show that it runs, in milliseconds. */
const PATIENCE_MS = 10_000;

/** Starts the engine that the page carries. */
export async function startEngine(): Promise<Ask> {
  const packed = elementOf("engine", HTMLScriptElement).textContent ?? "";
  const bytes = Uint8Array.from(atob(packed), (one) => one.charCodeAt(0));
  const stream = new Blob([bytes]).stream()
    .pipeThrough(new DecompressionStream("deflate-raw"));
  const text = await new Response(stream).blob();
  const url = URL.createObjectURL(
    new Blob([text], { type: "text/javascript" }),
  );
  return await inWorker(url) ?? await inPage(url);
}

async function inWorker(url: string): Promise<Ask | undefined> {
  let worker: Worker;
  try {
    worker = new Worker(url);
  } catch {
    return undefined;
  }
  const waiting = new Map<number, (answer: PageAnswer) => void>();
  let failed: (() => void) | undefined;
  worker.onmessage = ({ data }) => {
    waiting.get(data.id)?.(data.answer);
    waiting.delete(data.id);
  };
  worker.onerror = () => failed?.();
  let count = 0;
  const ask: Ask = (request) =>
    new Promise((resolve) => {
      const id = count++;
      waiting.set(id, resolve);
      worker.postMessage({ id, request });
    });
  const isAlive = await Promise.race([
    ask({ kind: "example", name: "" }).then(() => true),
    new Promise<boolean>((resolve) => {
      failed = () => resolve(false);
      setTimeout(failed, PATIENCE_MS);
    }),
  ]);
  if (!isAlive) worker.terminate();
  return isAlive ? ask : undefined;
}

async function inPage(url: string): Promise<Ask> {
  await new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = resolve;
    script.onerror = () => reject(new Error("Cannot start the engine"));
    document.head.append(script);
  });
  // The script leaves its function there.
  const { seccompTreeEngine } = globalThis as unknown as {
    readonly seccompTreeEngine: Ask;
  };
  return seccompTreeEngine;
}
