/**
 * Optimizes given filters, each in a separate process, and prints the cost and
 * the gain: instructions, the minimum number of instructions with tests of `==`
 * and `>=`, mean, processor time and memory.
 *
 * ```sh
 * deno task filters ../shared/data/filters/*.bpf
 * ```
 *
 * The bound counts borders between intervals: a test of `>=` separates one pair
 * of neighbors, `==` at most two. In addition, each deciding word is loaded,
 * and each value is returned. JSET may need fewer.
 *
 * @module
 */

import { basename } from "@std/path";
import type { Range } from "../bpf/range.ts";
import { decodeFilter, type FilterStack } from "../bpf/filter.ts";
import { formatTable } from "../host/table.ts";
import { measure } from "../measure/measure.ts";
import { optimize } from "../pipeline/optimize.ts";
import { ARCHES } from "../tables/arch.ts";
import { type Given, type Manual, start } from "../tools/arguments.ts";
import { digestOf } from "../verify/digest.ts";
import {
  type NumberOutline,
  type Outline,
  outlineOf,
} from "../verify/describe/outline.ts";
import type { Reading } from "../verify/describe/reading.ts";
import { threadCpuUs } from "./engine/clock.ts";

const MANUAL: Manual = {
  usage: "deno task filters FILE...",
  brief:
    "Optimizes raw filters, each in a separate process. Prints instructions,\nbounds, processor time and memory.",
  options: {
    stack: { brief: "Optimize all files as one stack" },
    child: { brief: "Print one row as JSON" },
  },
  words: 1000,
};

/** Measurements of one filter or stack. */
interface Row {
  readonly name: string;
  readonly given: number;
  readonly result: number;
  /** Minimum number of instructions with tests of `==` and `>=`. */
  readonly bound: number;
  readonly mean: readonly [before: number, after: number];
  /** Milliseconds of processor time of the calling thread. */
  readonly optimizeMs: number;
  readonly digestMs: number;
  /** Peak of the process, Deno itself included. */
  readonly peakMb: number;
}

async function main(given: Given): Promise<number> {
  const files = given.words;
  if (given.has("child")) {
    say(JSON.stringify(await rowOf(files)));
    return 0;
  }
  const rows: Row[] = [];
  const sets = given.has("stack") ? [files] : files.map((file) => [file]);
  for (const set of sets) {
    const { stdout, success, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: ["run", "-A", import.meta.filename ?? "", "--child", ...set],
      },
    ).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    // Written by `rowOf` of the same program.
    rows.push(JSON.parse(new TextDecoder().decode(stdout)) as Row);
  }
  say(tableOf(rows));
  return 0;
}

async function rowOf(files: readonly string[]): Promise<Row> {
  const stacks = await Promise.all(
    files.map(async (file) => decodeFilter(await Deno.readFile(file))),
  );
  const programs = stacks.map(({ program }) => program);
  const littleEndian = stacks[0]?.littleEndian ?? true;
  const stack: FilterStack = { programs, littleEndian };
  const before = threadCpuUs();
  const best = optimize(stack);
  const middle = threadCpuUs();
  await digestOf(stack);
  const after = threadCpuUs();
  const status = await Deno.readTextFile("/proc/self/status");
  const results = best.kind === "optimized" ? [best.program] : programs;
  const outline = outlineOf(stack);
  if ("kind" in outline) throw new Error(`no meaning: ${outline.limit}`);
  const arches = ARCHES.filter(({ auditArch, syscallBit }) =>
    syscallBit === 0 && outline.arches.some((a) => a.first === auditArch)
  );
  const meanOf = (all: typeof programs): number =>
    all.reduce(
      (sum, program) => sum + (measure(program, arches).arches[0]?.mean ?? 0),
      0,
    );
  const lengthOf = (all: typeof programs): number =>
    all.reduce((sum, { length }) => sum + length, 0);
  return {
    name: basename(files[0] ?? "", ".bpf") +
      (files.length > 1 ? ` and ${files.length - 1} more` : ""),
    given: lengthOf(programs),
    result: lengthOf(results),
    bound: boundOf(outline),
    mean: [meanOf(programs), meanOf(results)],
    optimizeMs: (middle - before) / 1000,
    digestMs: (after - middle) / 1000,
    peakMb: Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0) / 1024,
  };
}

/** Counts the minimum number of instructions with tests of `==` and `>=`. */
function boundOf({ arches }: Outline): number {
  const borders = new Map<string, Set<number>>();
  const add = (word: string, cells: readonly Range[]): void => {
    const known = borders.get(word) ?? new Set<number>();
    borders.set(word, known);
    for (const { first } of cells.slice(1)) known.add(first);
  };
  const values = new Set<number>();
  const functions = new Set<NumberOutline["answer"]>();
  const collect = (reading: Reading): void => {
    if (reading.kind === "answer") {
      values.add(reading.value);
      return;
    }
    add(`${reading.offset} ${reading.mask}`, reading.cells);
    reading.cells.forEach(({ rest }) => collect(rest));
  };
  const distinct = new Set<string>();
  for (const { numbers } of arches) {
    const key = numbers.map(({ first }) => first).join();
    if (numbers.length > 1) distinct.add(key);
    add("nr", numbers);
    for (const { answer } of numbers) functions.add(answer);
  }
  let loads = distinct.size;
  for (const answer of functions) {
    const [reading] = answer.read(answer.offsets, 4096);
    if (reading === undefined) continue;
    if (reading.kind === "question") loads++;
    collect(reading);
  }
  const archTests = arches.length > 1 ? 1 : 0;
  let tests = 0;
  for (const known of borders.values()) tests += cover(known);
  return 2 * archTests + loads + tests + values.size;
}

/** Fewest tests that cover all borders: `==` covers one and the next, if they adjoin. */
function cover(borders: ReadonlySet<number>): number {
  const sorted = [...borders].sort((a, b) => a - b);
  let tests = 0;
  for (let i = 0; i < sorted.length; i++) {
    tests++;
    const here = sorted[i] ?? 0;
    if (sorted[i + 1] === here + 1) i++;
  }
  return tests;
}

function tableOf(rows: readonly Row[]): string {
  const ratios = rows.map(({ given, result }) => result / given)
    .sort((a, b) => a - b);
  const bounds = rows.map(({ given, bound }) => bound / given)
    .sort((a, b) => a - b);
  const middle = Math.floor((rows.length - 1) / 2);
  const table = formatTable([
    [
      ...["filter", "given", "result", "ratio", "bound", "mean", "optimize ms"],
      ...["digest ms", "peak MB"],
    ],
    ...rows.map((row) => [
      row.name,
      String(row.given),
      String(row.result),
      (row.result / row.given).toFixed(2),
      String(row.bound),
      `${row.mean[0].toFixed(1)} → ${row.mean[1].toFixed(1)}`,
      row.optimizeMs.toFixed(0),
      row.digestMs.toFixed(0),
      row.peakMb.toFixed(0),
    ]),
  ]);
  return `${table}\nmedian ratio ${ratios[middle]?.toFixed(3)}, of the bounds ${
    bounds[middle]?.toFixed(3)
  }`;
}

function say(line: string): void {
  // deno-lint-ignore no-console -- a program for people
  console.log(line);
}

if (import.meta.main) start(MANUAL, main);
