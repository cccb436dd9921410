/**
 * Calls that always run the filter, and the attach itself: under every filter
 * of a profile, in one interleaved run.
 *
 * @module
 */

import { attachMicros } from "../../measure/measure.ts";
import type { StubCall } from "../../ffi/stub.ts";
import type { Engine } from "../engine/model.ts";
import type { AttachRow, CallRow } from "../report.ts";
import {
  type Effort,
  interleave,
  type Progress,
  type RoundPlan,
} from "../engine/rounds.ts";
import { summarize } from "../engine/summary.ts";
import { NONE, type Variant } from "../engine/variants.ts";

interface TimedCall extends StubCall {
  readonly name: string;
  readonly abi: CallRow["abi"];
  readonly why: string;
}

const X32_BIT = 0x4000_0000;

/**
 * Without a filter each of them fails or changes nothing: acct gets a bad path,
 * socket a type that does not exist, and personality only queries.
 */
const CALLS: readonly TimedCall[] = [
  call("getppid", 110, "allowed, from the cache"),
  call("personality(-1)", 135, "arguments decide: allowed", [0xffff_ffffn]),
  call("socket(AF_VSOCK)", 41, "arguments decide: denied", [40n, 0xffffn]),
  call("acct", 163, "denied", [1n]),
  call("bpf", 321, "denied", [0xffffn]),
  call("500", 500, "unknown"),
  { ...call("getppid", X32_BIT + 110, "allowed, never cached"), abi: "x32" },
  { ...call("acct", X32_BIT + 163, "denied", [1n]), abi: "x32" },
  { ...call("getppid", 64, "allowed, from the cache"), abi: "i386" },
  { ...call("acct", 51, "denied", [1n]), abi: "i386" },
  {
    ...call("personality(-1)", 136, "arguments decide: allowed", [
      0xffff_ffffn,
    ]),
    abi: "i386",
  },
];

/** The same calls by the numbers of asm-generic/unistd.h, for the portable engine. */
const GENERIC_CALLS: readonly TimedCall[] = [
  call("getppid", 173, "allowed, from the cache"),
  call("personality(-1)", 92, "arguments decide: allowed", [0xffff_ffffn]),
  call("acct", 89, "denied", [1n]),
  call("600", 600, "unknown"),
].map((timed) => ({ ...timed, abi: "native" as const }));

function call(
  name: string,
  nr: number,
  why: string,
  args: readonly bigint[] = [],
): TimedCall {
  return { name, nr, args, why, abi: "x86_64" };
}

/** Measurements under the filters of a profile. */
export interface FilterTimes {
  readonly calls: readonly CallRow[];
  readonly attach: readonly AttachRow[];
}

/** Kind and amount of measurement. */
export interface CallOptions {
  readonly engine: Engine;
  readonly effort: Effort;
  readonly progress: Progress;
  /** Number of instructions that the kernel emulates at attach, by variant. */
  readonly walked: (variant: string) => number;
}

/**
 * Measures calls and attaches under all filters.
 *
 * @param variants The filters.
 * @param options Options of the measurement.
 */
export async function measureCalls(
  variants: readonly Variant[],
  { engine, effort, progress, walked }: CallOptions,
): Promise<FilterTimes> {
  const timed = await possibleCalls(engine);
  const batches = timed.map(({ name, abi, nr, args }) => ({
    key: `${abi} ${name}`,
    call: { nr, args },
    ...(abi === "i386" ? { entry: "int80" as const } : {}),
  }));
  const plans: RoundPlan[] = [
    { key: NONE, batches },
    ...variants.map(({ name, bytes }) => ({
      key: name,
      filter: bytes,
      batches,
    })),
  ];
  const rounds = await interleave(engine, plans, effort, progress);
  const calls = plans.flatMap(({ key }) =>
    timed.flatMap(({ name, abi, why }): readonly CallRow[] => {
      const series = rounds.calls(key, `${abi} ${name}`);
      if (series.length === 0) return [];
      return [{ variant: key, call: name, abi, why, ns: summarize(series) }];
    })
  );
  const attach = variants.map(({ name, program }): AttachRow => ({
    variant: name,
    us: summarize(rounds.attach(name).map((ns) => ns / 1000)),
    predictedUs: attachMicros(program.length, walked(name)),
  }));
  return { calls, attach };
}

/**
 * Omits calls that would end the child, such as i386 if the kernel does not
 * support it.
 */
async function possibleCalls(engine: Engine): Promise<readonly TimedCall[]> {
  if (Deno.build.arch !== "x86_64") return GENERIC_CALLS;
  // A filter may kill the thread that makes a call of another architecture, and
  // a Deno process without its first thread waits forever.
  if (!engine.anyFilter) return CALLS.filter(({ abi }) => abi === "x86_64");
  const { callNs } = await engine.sample({
    batches: [{ call: { nr: 20, args: [] }, entry: "int80" }],
    count: 1,
  });
  return Number.isNaN(callNs[0])
    ? CALLS.filter(({ abi }) => abi !== "i386")
    : CALLS;
}
