/**
 * The growth of size, build and attach with the number of listed calls, and
 * with the number of rules about the arguments of one call.
 *
 * @module
 */

import { decode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { attachMicros } from "../../measure/measure.ts";
import { walkOf } from "../../measure/walk.ts";
import { compile } from "../../compiler/compile.ts";
import { SizeError } from "../../compiler/size.ts";
import type { FilterSpec, Libseccomp } from "../../ffi/libseccomp.ts";
import type { StubCall } from "../../ffi/stub.ts";
import type { Policy, Rule } from "../../profile/policy.ts";
import {
  BPF_MAXINSNS,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
} from "../../tables/uapi.ts";
import { threadCpuUs } from "../engine/clock.ts";
import { EXIT_CALL, listedNumbers, listPolicy } from "../engine/lists.ts";
import type { ListOptions } from "./position.ts";
import type { GrowthRow } from "../report.ts";
import { interleave, type RoundPlan } from "../engine/rounds.ts";
import { type Spread, summarize } from "../engine/summary.ts";
import { LINEAR, OURS, TREE, variantOf } from "../engine/variants.ts";

const EPERM = 1;
const SOCKET = 41;
/** Distance of the values, so that no two are neighbors. */
const VALUE_STEP = 3;
/** A call that no rule allows: the last number, or a value above all others. */
const DENIED = "denied";
const DENIED_CALLS: Readonly<Record<GrowthRow["what"], StubCall>> = {
  "listed calls": { nr: 500, args: [] },
  "argument rules": { nr: SOCKET, args: [0xffffn, 0xffffn] },
};
/** Number of builds for a spread. */
const BUILDS = 5;

/** A way to make a filter. */
interface Maker {
  readonly variant: string;
  readonly what: GrowthRow["what"];
  readonly n: number;
  readonly make: () => Program;
}

interface Made extends Maker {
  readonly program?: Program;
  readonly refused?: string;
  readonly buildUs?: Spread;
}

/** The sizes to measure. */
export interface GrowthSizes {
  readonly listed: readonly number[];
  readonly rules: readonly number[];
}

/**
 * Measures growth.
 *
 * @param options The engine, the library by number, and the amount of
 * measuring.
 * @param library The library by name.
 * @param sizes Numbers of calls and rules.
 */
export async function measureGrowth(
  { engine, builder, effort, progress }: ListOptions,
  library: Libseccomp | undefined,
  sizes: GrowthSizes,
): Promise<readonly GrowthRow[]> {
  const makers: Maker[] = [];
  for (const n of sizes.listed) {
    const what = "listed calls";
    const numbers = listedNumbers(n);
    const policy = listPolicy(numbers);
    if (builder !== undefined) {
      const build = (optimize: 1 | 2): Program =>
        builder.build(numbers, optimize);
      makers.push({ variant: LINEAR, what, n, make: () => build(1) });
      makers.push({ variant: TREE, what, n, make: () => build(2) });
    }
    const make = (): Program => compile(policy).program;
    makers.push({ variant: OURS, what, n, make });
  }
  for (const n of sizes.rules) {
    const what = "argument rules";
    const policy = rulesPolicy(n);
    if (library !== undefined && builder !== undefined) {
      const build = (optimize: 1 | 2): Program =>
        exported(library, rulesSpec(n, optimize));
      makers.push({ variant: LINEAR, what, n, make: () => build(1) });
      makers.push({ variant: TREE, what, n, make: () => build(2) });
    }
    const make = (): Program => compile(policy).program;
    makers.push({ variant: OURS, what, n, make });
  }
  const made = makers.map(build);
  const keyOf = ({ variant, what, n }: Maker): string =>
    `${variant} ${what} ${n}`;
  const plans = made.flatMap((entry): readonly RoundPlan[] =>
    entry.program === undefined ? [] : [{
      key: keyOf(entry),
      filter: variantOf("", entry.program).bytes,
      batches: [{ key: DENIED, call: DENIED_CALLS[entry.what] }],
    }]
  );
  const rounds = engine.anyFilter
    ? await interleave(engine, plans, effort, progress)
    : undefined;
  return made.map((entry): GrowthRow => {
    const { variant, what, n, program, refused, buildUs } = entry;
    const attach = rounds?.attach(keyOf(entry)) ?? [];
    const denied = rounds?.calls(keyOf(entry), DENIED) ?? [];
    return {
      variant,
      what,
      n,
      ...(refused === undefined ? {} : { refused }),
      ...(program === undefined ? {} : {
        instructions: program.length,
        predictedUs: attachMicros(program.length, walkOf(program, [])),
      }),
      ...(buildUs === undefined ? {} : { buildUs }),
      ...(attach.length === 0
        ? {}
        : { attachUs: summarize(attach.map((ns) => ns / 1000)) }),
      ...(denied.length === 0 ? {} : { deniedNs: summarize(denied) }),
    };
  });
}

function build(maker: Maker): Made {
  try {
    let program = maker.make();
    if (program.length > BPF_MAXINSNS) {
      return {
        ...maker,
        refused:
          `${program.length} instructions, the kernel accepts ${BPF_MAXINSNS}`,
      };
    }
    const rounds: number[] = [];
    for (let i = 0; i < BUILDS; i++) {
      const start = threadCpuUs();
      program = maker.make();
      rounds.push(threadCpuUs() - start);
    }
    return { ...maker, program, buildUs: summarize(rounds) };
  } catch (error) {
    if (!(error instanceof SizeError || error instanceof RangeError)) {
      throw error;
    }
    return { ...maker, refused: error.message };
  }
}

/** n values of socket's first argument are allowed, and exit. */
export function rulesPolicy(n: number): Policy {
  const base = listPolicy([EXIT_CALL]);
  const [arch] = base.arches;
  if (arch === undefined) throw new Error("Unreachable: a list has one arch");
  const rules = valuesOf(n).map((value): Rule => ({
    first: SOCKET,
    last: SOCKET,
    conditions: [{ arg: 0, op: "eq", mask: 0xffff_ffff_ffff_ffffn, value }],
    value: SECCOMP_RET_ALLOW,
    source: "rules",
  }));
  return { ...base, arches: [{ ...arch, rules: [...rules, ...arch.rules] }] };
}

function rulesSpec(n: number, optimize: 1 | 2): FilterSpec {
  return {
    defaultAction: SECCOMP_RET_ERRNO + EPERM,
    architectures: [],
    rules: [
      { action: SECCOMP_RET_ALLOW, name: "exit", args: [] },
      ...valuesOf(n).map((a) => ({
        action: SECCOMP_RET_ALLOW,
        name: "socket",
        args: [{ arg: 0, op: "eq" as const, a, b: 0n }],
      })),
    ],
    optimize,
  };
}

function valuesOf(n: number): readonly bigint[] {
  return Array.from({ length: n }, (_, i) => BigInt(i * VALUE_STEP));
}

function exported(library: Libseccomp, spec: FilterSpec): Program {
  const result = library.exportFilter(spec);
  switch (result.kind) {
    case "filter":
      return decode(result.bytes);
    case "refused":
      throw new RangeError(`${result.call}: ${result.errnoName}`);
    case "failed":
      throw new RangeError(result.detail);
  }
}
