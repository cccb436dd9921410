/**
 * `nri`: a plugin that stays connected to containerd and gives new containers
 * their proved filters, with no process per container.
 *
 * @module
 */

import { DEFAULTS } from "../../hook/settings.ts";
import { openLog } from "../../hook/log.ts";
import type { Environment } from "../../hook/environment.ts";
import { messageOf } from "../../host/reason.ts";
import { Filters } from "../../nri/filters.ts";
import { HookSource } from "../../nri/hook_source.ts";
import { Metrics } from "../../nri/metrics.ts";
import { SeccompPlugin, UnsupportedRuntime } from "../../nri/plugin.ts";
import { keepConnected, serveMetrics } from "../../nri/run.ts";
import { quoteText } from "../../tables/printable.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import { MachineError, UsageError } from "../error.ts";
import { EXIT } from "../exit.ts";
import { word } from "../input/flags.ts";
import type { Io } from "../io.ts";
import {
  HOOK_FLAGS,
  type HookFlags,
  refusing,
  settingsOf,
} from "./store_open.ts";

/** The socket of containerd. */
const SOCKET = "/var/run/nri/nri.sock";
/** The word that stands for the profiles that pods can name. */
const KUBELET = "kubelet";

/** Flags of `nri`. */
export interface NriFlags extends HookFlags {
  readonly socket?: string;
  readonly handlers: readonly string[];
  readonly index: string;
  readonly metrics?: Address;
  readonly prime?: readonly string[];
}

/** An address to listen on. */
interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** The command. */
export const command: CommandDefinition = defineCommand<NriFlags, []>({
  usage: "[OPTION...]",
  examples: [
    "nri --handlers default,crun",
    "nri --prime kubelet --metrics 127.0.0.1:9464",
  ],
  parameters: {
    flags: {
      socket: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "PATH",
        brief: `Socket of the runtime (default: ${SOCKET})`,
      },
      handlers: {
        kind: "parsed",
        parse: handlersOf,
        default: "crun",
        placeholder: "NAME,NAME",
        brief: "Runtime handlers that are crun; default is the default one",
      },
      index: {
        kind: "parsed",
        parse: indexOf,
        default: "99",
        placeholder: "NN",
        brief: "Place among the plugins, two digits",
      },
      prime: {
        kind: "parsed",
        parse: word,
        variadic: true,
        optional: true,
        placeholder: "SOURCE",
        brief:
          "Compile this profile at the start, kubelet for /var/lib/kubelet/seccomp; repeatable",
      },
      metrics: {
        kind: "parsed",
        parse: addressOf,
        optional: true,
        placeholder: "ADDR:PORT",
        brief: "Serve /metrics and /healthz on this address",
      },
      ...HOOK_FLAGS,
    },
    aliases: { q: "quiet" },
  },
  run: runNri,
});

function handlersOf(input: string): readonly string[] {
  const names = input.split(",");
  const bad = names.find((name) => !/^[\w.-]{1,63}$/.test(name));
  if (bad === undefined) return names;
  throw new UsageError(
    `Cannot read the handler ${
      quoteText(bad)
    }; use names such as crun, and default for the default handler`,
  );
}

function indexOf(input: string): string {
  if (/^[0-9]{2}$/.test(input)) return input;
  throw new UsageError(
    `Cannot read the index ${quoteText(input)}; use two digits, such as 99`,
  );
}

function addressOf(input: string): Address {
  const [, hostname = "", port = ""] =
    /^(\[[0-9a-fA-F:.]+\]|[\w.-]+):([0-9]{1,5})$/.exec(input) ?? [];
  if (hostname === "" || Number(port) > 65_535) {
    throw new UsageError(
      `Cannot read the address ${quoteText(input)}; use one such as ${
        quoteText("127.0.0.1:9464")
      }`,
    );
  }
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
}

/** Serves a runtime until SIGTERM or SIGINT. */
export async function runNri(io: Io, flags: NriFlags): Promise<number> {
  return await refusing(io, () => serve(io, flags));
}

async function serve(io: Io, flags: NriFlags): Promise<number> {
  const log = openLog("stderr");
  const settings = {
    ...await settingsOf(flags),
    // Inside of an image, the library is not the node's.
    names: flags.names ?? "builtin",
    reference: "text",
    deadlineMs: DEFAULTS.deadlineMs,
  } as const;
  const metrics = new Metrics();
  const source = new HookSource(settings, log);
  const filters = new Filters(source, metrics, log);
  source.onChange = () => filters.forget();
  const environment = await source.refresh();
  const handlers = new Set(flags.handlers);
  const plugin = new SeccompPlugin({ handlers, filters, metrics, log });
  const stop = new AbortController();
  const { signal } = stop;
  const end = (): void => stop.abort();
  Deno.addSignalListener("SIGTERM", end);
  Deno.addSignalListener("SIGINT", end);
  try {
    const served = flags.metrics === undefined
      ? undefined
      : listen(flags.metrics, { metrics, size: () => source.size(), signal });
    if (served !== undefined) {
      log.write("info", `Metrics: http://${served.address}/metrics`);
    }
    await prime(io, flags, environment, filters);
    await keepConnected({
      socket: flags.socket ?? SOCKET,
      index: flags.index,
      plugin,
      metrics,
      log,
      signal,
    });
    await served?.finished;
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof UnsupportedRuntime)) throw error;
    throw new MachineError(error.message, { cause: error });
  } finally {
    stop.abort();
    Deno.removeSignalListener("SIGTERM", end);
    Deno.removeSignalListener("SIGINT", end);
  }
}

function listen(
  { hostname, port }: Address,
  options: Omit<Parameters<typeof serveMetrics>[0], "hostname" | "port">,
): ReturnType<typeof serveMetrics> {
  try {
    return serveMetrics({ hostname, port, ...options });
  } catch (error) {
    throw new MachineError(
      `Cannot serve metrics on ${hostname}:${port}: ${
        messageOf(error)
      }; choose another address`,
      { cause: error },
    );
  }
}

/** Has filters made before a container needs them. */
async function prime(
  io: Io,
  { prime = [], quiet }: NriFlags,
  environment: Environment,
  filters: Filters,
): Promise<void> {
  if (prime.length === 0) return;
  const { primedSections } = await import("./store_prime.ts");
  const options = { quiet, kubelet: prime.includes(KUBELET) };
  const words = prime.filter((name) => name !== KUBELET);
  for (const section of await primedSections(io, words, options, environment)) {
    await filters.find(section);
  }
}
