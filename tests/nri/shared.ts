/**
 * A plugin in this process, on a socket of its own, and the policies that tests
 * give it.
 *
 * @module
 */

import { DEFAULTS } from "../../hook/settings.ts";
import { Filters } from "../../nri/filters.ts";
import { HookSource } from "../../nri/hook_source.ts";
import { Metrics } from "../../nri/metrics.ts";
import { SeccompPlugin } from "../../nri/plugin.ts";
import { keepConnected } from "../../nri/run.ts";
import { type Behavior, FakeRuntime, type Plain } from "./fake_runtime.ts";

/** The annotation of crun. */
export const KEY = "run.oci.seccomp_bpf_data";

/** A policy as containerd sends it. */
export const POLICY: Plain = {
  defaultAction: "SCMP_ACT_ERRNO",
  defaultErrno: { value: 38 },
  architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
  syscalls: [
    { names: ["read", "write", "exit_group"], action: "SCMP_ACT_ALLOW" },
    {
      names: ["personality"],
      action: "SCMP_ACT_ALLOW",
      args: [{
        index: 0,
        value: "18446744073709551615",
        op: "SCMP_CMP_EQ",
      }],
    },
    { names: ["kcmp"], action: "SCMP_ACT_ERRNO", errnoRet: { value: 0 } },
  ],
};

/** The same as the runtime writes it into the container's configuration. */
export const SECTION =
  '{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],"syscalls":[{"names":["read","write","exit_group"],"action":"SCMP_ACT_ALLOW"},{"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":18446744073709551615,"op":"SCMP_CMP_EQ"}]},{"names":["kcmp"],"action":"SCMP_ACT_ERRNO","errnoRet":0}]}';

/** A container to create. */
export function creation(
  policy: Plain | undefined,
  { handler = "crun", id = "c1", annotations = {} }: {
    readonly handler?: string;
    readonly id?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  } = {},
): Plain {
  return {
    pod: { id: "p", name: "web", namespace: "shop", runtimeHandler: handler },
    container: {
      id,
      podSandboxId: "p",
      name: "nginx",
      annotations,
      args: ["sleep", "1"],
      linux: policy === undefined ? {} : { seccompPolicy: policy },
    },
  };
}

/** A running plugin. */
export interface RunningPlugin extends AsyncDisposable {
  /** The socket on which it looks for a runtime. */
  readonly socket: string;
  readonly filters: Filters;
  readonly metrics: Metrics;
  /** Messages of its log. */
  readonly messages: readonly string[];
  /** Its end. */
  readonly finished: Promise<void>;
  /** Starts a runtime and waits until the plugin has registered. */
  connect(behavior?: Behavior): Promise<FakeRuntime>;
}

/** Starts a plugin without a runtime. */
export async function startPlugin(
  { store, handlers = ["crun"] }: {
    readonly store?: string;
    readonly handlers?: readonly string[];
  } = {},
): Promise<RunningPlugin> {
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-nri-" });
  await Deno.chmod(folder, 0o700);
  const messages: string[] = [];
  const log = { write: (_: string, text: string) => void messages.push(text) };
  const settings = {
    ...DEFAULTS,
    store: store ?? `${await Deno.realPath(folder)}/store`,
    names: "builtin",
    semantics: "crun@1.28",
    reference: "text",
    deadlineMs: 60_000,
  } as const;
  const metrics = new Metrics();
  const source = new HookSource(settings, log);
  const filters = new Filters(source, metrics, log);
  const plugin = new SeccompPlugin({
    handlers: new Set(handlers),
    filters,
    metrics,
    log,
  });
  await source.refresh();
  const stop = new AbortController();
  const socket = `${folder}/nri.sock`;
  const runtimes: FakeRuntime[] = [];
  const finished = keepConnected({
    ...{ socket, index: "99", plugin, metrics, log },
    signal: stop.signal,
  });
  finished.catch(() => {});
  return {
    socket,
    filters,
    metrics,
    messages,
    finished,
    async connect(behavior = {}): Promise<FakeRuntime> {
      await Deno.remove(socket).catch(() => {});
      const runtime = new FakeRuntime(socket, behavior);
      runtimes.push(runtime);
      await runtime.ready;
      return runtime;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      stop.abort();
      for (const runtime of runtimes) runtime.close();
      await finished.catch(() => {});
      await filters.idle();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
