/**
 * Keeps the plugin connected to its runtime, and serves its metrics.
 *
 * @module
 */

import type { Log } from "../hook/log.ts";
import { messageOf } from "../host/reason.ts";
import type { Metrics, StoreSize } from "./metrics.ts";
import { type SeccompPlugin, UnsupportedRuntime } from "./plugin.ts";
import { runSession, type Socket } from "./session.ts";

/** Milliseconds before the first attempt to connect again, doubled each time. */
const FIRST_WAIT_MS = 100;
/** Maximum number of milliseconds between two attempts. */
const MOST_WAIT_MS = 2000;

/** Options of {@linkcode keepConnected}. */
export interface ConnectionOptions {
  /** Path of the runtime's socket. */
  readonly socket: string;
  /** Two digits. */
  readonly index: string;
  readonly plugin: SeccompPlugin;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Ends the plugin. */
  readonly signal: AbortSignal;
}

/**
 * Serves a runtime until a signal ends it. It waits for a runtime that
 * disconnects, which makes a new socket when it starts again.
 *
 * @param options Socket, plugin and signal.
 * @throws {UnsupportedRuntime} if the runtime cannot be served.
 */
export async function keepConnected(options: ConnectionOptions): Promise<void> {
  const { log, metrics, signal } = options;
  let wait = FIRST_WAIT_MS;
  let told = "";
  while (!signal.aborted) {
    try {
      await serveOnce(options, () => {
        wait = FIRST_WAIT_MS;
        told = "";
      });
      if (!signal.aborted) log.write("info", "The runtime disconnected");
    } catch (error) {
      if (error instanceof UnsupportedRuntime) throw error;
      const message = `Cannot serve ${options.socket}: ${messageOf(error)}`;
      // Reported once, not with every attempt.
      if (message !== told && !signal.aborted) log.write("error", message);
      told = message;
    } finally {
      metrics.connected = false;
    }
    await pause(wait, signal);
    wait = Math.min(2 * wait, MOST_WAIT_MS);
  }
}

async function serveOnce(
  { socket: path, index, plugin, metrics, signal }: ConnectionOptions,
  onReady: () => void,
): Promise<void> {
  const connection = await Deno.connect({ transport: "unix", path });
  let isOpen = true;
  const socket: Socket = {
    read: (buffer) => connection.read(buffer),
    write: (bytes) => connection.write(bytes),
    close(): void {
      if (isOpen) connection.close();
      isOpen = false;
    },
  };
  const close = (): void => socket.close();
  signal.addEventListener("abort", close);
  try {
    if (signal.aborted) return;
    metrics.clearContainers();
    await runSession(socket, {
      index,
      plugin,
      onReady: () => {
        metrics.connected = true;
        onReady();
      },
    });
  } catch (error) {
    // The signal closed the socket.
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", close);
    socket.close();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

/** Options of {@linkcode serveMetrics}. */
export interface MetricsOptions {
  readonly hostname: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly metrics: Metrics;
  /** Reads the size of the store. */
  readonly size: () => Promise<StoreSize | undefined>;
  readonly signal: AbortSignal;
}

/**
 * Serves `/metrics` and `/healthz`.
 *
 * @param options Address and counts.
 * @returns The address, and a promise that settles when the server has ended.
 * @throws {Deno.errors.AddrInUse} if the address is in use.
 */
export function serveMetrics(
  { hostname, port, metrics, size, signal }: MetricsOptions,
): { readonly address: string; readonly finished: Promise<void> } {
  const answer = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("Use GET\n", { status: 405 });
    }
    if (pathname === "/healthz") {
      return metrics.connected
        ? new Response("ok\n")
        : new Response("not connected to a runtime\n", { status: 503 });
    }
    if (pathname !== "/metrics") {
      return new Response("Use /metrics or /healthz\n", { status: 404 });
    }
    return new Response(metrics.format(await size()), {
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
    });
  };
  const server = Deno.serve(
    { hostname, port, signal, onListen(): void {} },
    answer,
  );
  const { addr } = server;
  return {
    address: `${addr.hostname}:${addr.port}`,
    finished: server.finished,
  };
}
