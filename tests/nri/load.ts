/**
 * Creates containers at a steady rate, and reports how long the plugin took and
 * how much memory it has.
 *
 * ```sh
 * deno task nri-load [--count N] [--rate N]
 * ```
 *
 * The plugin runs in a process of its own, the runtime in this one. Every answer
 * is compared with the first filter. Half of the containers are removed again.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { type Given, type Manual, start } from "../../tools/arguments.ts";
import { FakeRuntime } from "./fake_runtime.ts";
import { creation, KEY, POLICY } from "./shared.ts";

const MAIN = fromFileUrl(new URL("../../cli/main.ts", import.meta.url));
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** Resident memory of a process in MiB. */
function memoryOf(pid: number): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+([0-9]+)/m.exec(text)?.[1]) / 1024;
}

const MANUAL: Manual = {
  usage: "deno task nri-load [OPTION...]",
  brief:
    "Creates containers at a steady rate against the NRI plugin, and reports its\ntimes and its memory.",
  options: {
    count: { brief: "Number of containers (default: 10000)", placeholder: "N" },
    rate: { brief: "Containers per second (default: 50)", placeholder: "N" },
  },
};

async function main(given: Given): Promise<number> {
  const count = given.number("count") ?? 10_000;
  const rate = given.number("rate") ?? 50;
  const folder = await Deno.realPath(await Deno.makeTempDir());
  await Deno.chmod(folder, 0o700);
  const socket = `${folder}/nri.sock`;
  const runtime = new FakeRuntime(socket);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--config", CONFIG, MAIN, "nri"],
      ...["--socket", socket, "--store", `${folder}/store`],
      ...["--semantics", "crun@1.28", "--metrics", "127.0.0.1:0"],
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const reader = child.stderr.getReader();
  let log = "";
  while (!/Metrics: (http[^"]+)/.test(log)) {
    const { value } = await reader.read();
    log += new TextDecoder().decode(value);
  }
  const [, address = ""] = /Metrics: (http[^"]+)/.exec(log) ?? [];
  await runtime.ready;
  const create = async (id: string): Promise<string | undefined> => {
    const answer = await runtime.call(
      "CreateContainer",
      creation(POLICY, { id }),
    );
    return answer.result.adjust?.annotations?.[KEY];
  };
  let right: string | undefined;
  while (right === undefined) {
    right = await create("first");
    await pause(100);
  }
  const before = memoryOf(child.pid);
  const start = performance.now();
  let wrong = 0;
  for (let i = 0; i < count; i++) {
    if (await create(`c${i}`) !== right) wrong++;
    if (i % 2 === 1) {
      await runtime.call("StateChange", {
        event: 11,
        container: { id: `c${i}` },
      });
    }
    await pause(start + (i + 1) * 1000 / rate - performance.now());
  }
  const after = memoryOf(child.pid);
  const text = await (await fetch(address)).text();
  const buckets = text.match(/^.*answer_seconds_(?:bucket|count).*$/gm) ?? [];
  // deno-lint-ignore no-console -- the report of this program
  console.log([
    `${count} creations at ${rate}/s, ${wrong} wrong`,
    `memory ${before.toFixed(1)} MiB before, ${after.toFixed(1)} MiB after`,
    ...buckets,
  ].join("\n"));
  reader.cancel();
  child.kill("SIGTERM");
  await child.status;
  runtime.close();
  await Deno.remove(folder, { recursive: true });
  return wrong === 0 ? 0 : 1;
}

if (import.meta.main) start(MANUAL, main);
