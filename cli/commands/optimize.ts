/**
 * `optimize`: finds the best filter that is equal to a given one, or to a stack
 * of them.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import type { Filter } from "../../bpf/filter.ts";
import { encodeBase64 } from "../../bpf/base64.ts";
import { formatTable } from "../../host/table.ts";
import { type Measure, measure } from "../../measure/measure.ts";
import { weightsFor } from "../../pipeline/compile_profile.ts";
import { optimize, type OptimizeOptions } from "../../pipeline/optimize.ts";
import { ARCHES } from "../../tables/arch.ts";
import { printable } from "../../tables/printable.ts";
import { UnprovenError, UsageError } from "../error.ts";
import { messageLine } from "../exit.ts";
import { costOptions, readCost } from "../input/cost.ts";
import {
  COST_FLAGS,
  type CostFlags,
  type Format,
  FORMAT_FLAG,
  LIMIT_FLAGS,
  type LimitFlags,
  limitsOf,
  OUT_FLAG,
  OUTPUT_FLAG,
  type OutputFlags,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
} from "../input/flags.ts";
import { withOwnSemantics } from "../input/semantics.ts";
import { refuseTwoStdins } from "../input/source.ts";
import type { Io } from "../io.ts";
import { loadStack } from "../input/stack.ts";
import { describeBeyond } from "../output/beyond.ts";
import { digestFor } from "../output/digest.ts";
import { formatFilter } from "../output/formats.ts";
import { reportJson } from "../output/json.ts";
import { checkOut, refuseTwoOutputs, writeArtefact } from "../output/write.ts";

/** Flags of `optimize`. */
export interface OptimizeFlags
  extends SourceFlags, CostFlags, LimitFlags, OutputFlags {
  readonly format: Format;
  readonly out?: string;
  readonly effect: boolean;
}

/**
 * Bytes of machine code per instruction, measured on x86_64
 * (docs/benchmarks.md).
 */
const JIT_BYTES = 12.3;

/** The command. */
export const command: CommandDefinition = defineCommand<
  OptimizeFlags,
  string[]
>({
  usage: "[OPTION...] SOURCE...",
  examples: [
    "optimize runc.bpf -f raw -O best.bpf",
    "optimize pid:1234 -v -f annotation",
  ],
  parameters: {
    flags: {
      ...FORMAT_FLAG,
      ...OUT_FLAG,
      ...OUTPUT_FLAG,
      effect: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Preserve the kernel's actions, not every bit returned",
      },
      ...LIMIT_FLAGS,
      ...COST_FLAGS,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, f: "format", O: "out", o: "output" },
    positional: { kind: "array", parameter: SOURCE_ARGUMENT, minimum: 1 },
  },
  run: runOptimize,
});

/** Optimizes all sources as one stack, the first one attached first. */
export async function runOptimize(
  io: Io,
  flags: OptimizeFlags,
  ...words: readonly string[]
): Promise<void> {
  const [first] = words;
  if (first === undefined) throw new UsageError("Missing argument: SOURCE");
  refuseTwoOutputs(flags);
  checkOut(flags.out, first);
  refuseTwoStdins(...words, flags.weights);
  const target = await withOwnSemantics(io, flags, words);
  const cost = await readCost(io, flags);
  const stack = await loadStack(io, words, target);
  const { workLimit, counts, ...rest } = costOptions(cost, undefined);
  const options: OptimizeOptions = {
    ...rest,
    ...(workLimit === undefined ? {} : { workLimit }),
    ...(counts === undefined ? {} : { weights: weightsFor(counts, ARCHES) }),
    compare: flags.effect ? "effect" : "bits",
    limits: limitsOf(flags),
  };
  const { programs, littleEndian, name, arches, beyond } = stack;
  const best = optimize({ programs, littleEndian }, options);
  if (best.kind === "not-optimized") throw new UnprovenError(best.message);
  const [given] = programs;
  const kept = best.kind === "already-best";
  if (kept && (programs.length > 1 || given === undefined)) {
    // A stack that was not improved has no single program to write.
    io.out(
      flags.output === "json"
        ? reportJson({
          source: name,
          result: best.kind,
          filters: programs.length,
        })
        : `${printable(name)}: already best: ${programs.length} filters\n`,
    );
    return;
  }
  const filter: Filter = {
    program: kept ? given ?? [] : best.program,
    littleEndian,
  };
  const before = programs.map((program) => measure(program, arches));
  const after = measure(filter.program, arches);
  const line = kept
    ? `${printable(name)}: already best: ${filter.program.length} instructions`
    : `${printable(name)}: ${summary(before, after)}, proved equal`;
  const writesFile = flags.out !== undefined;
  if (flags.output === "json") {
    io.out(reportJson({
      source: name,
      result: best.kind,
      compare: options.compare,
      objective: options.objective,
      pieces: kept ? 0 : best.pieces,
      before: totals(before),
      after: totals([after]),
      ...beyond,
      digest: await digestFor({ programs, littleEndian }) ?? null,
      littleEndian,
      base64: encodeBase64(kept ? await raw(filter) : best.bytes),
    }));
  } else {
    // The filter goes to standard output unless a file is given.
    if (writesFile) io.out(`${line}\n`);
    else if (!flags.quiet) io.err(messageLine(io, "note", line));
    if (flags.verbose) io.err(table(name, before, after));
    const remark = describeBeyond(beyond, flags.format);
    if (remark !== undefined && !flags.quiet) {
      io.err(messageLine(io, "note", remark, name));
    }
  }
  if (writesFile || flags.output !== "json") {
    const data = await formatFilter(filter, flags.format, beyond);
    writeArtefact(io, flags.out, data);
  }
}

async function raw(filter: Filter): Promise<Uint8Array> {
  const data = await formatFilter(filter, "raw");
  if (typeof data === "string") throw new Error("Unreachable: raw is bytes");
  return data;
}

/** The cost of a stack, on the native architecture. */
interface Totals {
  readonly instructions: number;
  readonly mean: number;
  readonly worst: number;
  /**
   * Calls that never run the filter; the minimum over the stack, `null` without
   * a cache.
   */
  readonly cached: number | null;
  /** Predicted microseconds to attach. */
  readonly attach: number;
  /** Estimated bytes of machine code. */
  readonly jitBytes: number;
}

function totals(measures: readonly Measure[]): Totals {
  const sum = (of: (m: Measure) => number): number =>
    measures.reduce((total, m) => total + of(m), 0);
  const cached = measures.map((m) => m.arches[0]?.cached ?? null);
  const instructions = sum((m) => m.length);
  return {
    instructions,
    mean: sum((m) => m.arches[0]?.mean ?? 0),
    worst: sum((m) => m.arches[0]?.worst ?? 0),
    cached: cached.includes(null)
      ? null
      : Math.min(...cached.map((count) => count ?? 0)),
    attach: sum((m) => m.attach),
    jitBytes: Math.round(JIT_BYTES * instructions),
  };
}

/** `1158 → 240 instructions, mean 290 → 8.5, worst 706 → 17`. */
function summary(before: readonly Measure[], after: Measure): string {
  const [old, now] = [totals(before), totals([after])];
  return `${old.instructions} → ${now.instructions} instructions, mean ${
    short(old.mean)
  } → ${short(now.mean)}, worst ${old.worst} → ${now.worst}`;
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

function table(
  name: string,
  before: readonly Measure[],
  after: Measure,
): string {
  const row = (label: string, t: Totals): readonly string[] => [
    label,
    String(t.instructions),
    t.mean.toFixed(2),
    String(t.worst),
    t.cached === null ? "–" : String(t.cached),
    t.attach.toFixed(0),
    String(t.jitBytes),
  ];
  return formatTable([
    [
      ...["filter", "instructions", "mean", "worst", "cached", "attach µs"],
      "JIT bytes",
    ],
    row(name, totals(before)),
    row("optimized", totals([after])),
  ]);
}
