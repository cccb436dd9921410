/**
 * The engine for machines without the stub: a Deno process that loads the
 * filter, makes the calls and ends. Its clock is clock_gettime.
 *
 * @module
 */

import { childWords } from "../../host/child.ts";
import type { Engine, Job, Sample } from "./model.ts";

const CHILD = "bench/engine/process_child.ts";

/**
 * Time after which a child is killed whose filter keeps it from ending, in
 * milliseconds.
 */
const TIME_LIMIT = 5_000;

/** The child's input; numbers that may exceed 2^53 are text. */
export interface ChildJob {
  /** The filter in hex; empty for no filter. */
  readonly filter: string;
  readonly count: number;
  readonly calls: readonly {
    readonly nr: number;
    readonly args: readonly string[];
  }[];
}

/** Opens the engine. */
export function processEngine(): Engine {
  return {
    name: "process",
    clock: "clock_gettime",
    ticksPerNs: undefined,
    anyFilter: false,
    sample,
  };
}

async function sample({ filter, batches, count }: Job): Promise<Sample> {
  const job: ChildJob = {
    filter: (filter ?? new Uint8Array()).toHex(),
    count,
    calls: batches.filter(({ entry }) => entry !== "int80").map(({ call }) => ({
      nr: call.nr,
      args: call.args.map(String),
    })),
  };
  const [program, ...args] = await childWords(CHILD);
  const child = new Deno.Command(program, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(job)));
  await writer.close();
  const timer = setTimeout(() => child.kill("SIGKILL"), TIME_LIMIT);
  const { stdout } = await child.output();
  clearTimeout(timer);
  // The child is ours: it writes a sample, or nothing if a filter killed it.
  const text = new TextDecoder().decode(stdout);
  const measured = text === ""
    ? { attachNs: null, callNs: [] }
    : JSON.parse(text) as {
      readonly attachNs: number | null;
      readonly callNs: readonly number[];
    };
  let next = 0;
  return {
    attachNs: measured.attachNs ?? NaN,
    callNs: batches.map(({ entry }) =>
      entry === "int80" ? NaN : measured.callNs[next++] ?? NaN
    ),
  };
}
