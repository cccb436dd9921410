/**
 * Calls under 1 to 16 filters of the same kind, as in nested services,
 * containers and sandboxes.
 *
 * A filter cannot be removed, so each kind is stacked in a separate process in
 * each round.
 *
 * @module
 */

import { childWords } from "../../host/child.ts";
import type { StackedRow } from "../report.ts";
import type { Progress } from "../engine/rounds.ts";
import { summarize } from "../engine/summary.ts";
import type { Variant } from "../engine/variants.ts";

const CHILD = "bench/experiments/stacked_child.ts";

/** The child's answer for each height of the stack. */
export interface StackedTimes {
  readonly filters: number;
  /** Ticks of attaching the last one. */
  readonly attachTicks: number;
  /** Ticks of a call, by its name. */
  readonly callTicks: Readonly<Record<string, number>>;
}

/** The size of the stack. */
export interface StackedOptions {
  readonly ticksPerNs: number;
  /** Maximum number of filters. */
  readonly height: number;
  readonly rounds: number;
  readonly progress: Progress;
}

/**
 * Measures stacks.
 *
 * @param variants The filters; each must let Deno live.
 * @param options The amount of measuring.
 */
export async function measureStacked(
  variants: readonly Variant[],
  { ticksPerNs, height, rounds, progress }: StackedOptions,
): Promise<readonly StackedRow[]> {
  const series = new Map<string, number[]>();
  const add = (key: string, ticks: number): void => {
    const list = series.get(key) ?? [];
    list.push(ticks / ticksPerNs);
    series.set(key, list);
  };
  for (let round = 0; round < rounds; round++) {
    for (const { name, bytes } of variants) {
      for (const times of await stack(bytes, height)) {
        const key = `${name} ${times.filters}`;
        add(key, times.attachTicks);
        for (const [call, ticks] of Object.entries(times.callTicks)) {
          add(`${key} ${call}`, ticks);
        }
      }
    }
    progress(round + 1, rounds);
  }
  const rows: StackedRow[] = [];
  for (const { name } of variants) {
    for (let filters = 1; filters <= height; filters++) {
      const key = `${name} ${filters}`;
      const attach = series.get(key);
      if (attach === undefined) continue;
      for (const call of ["getppid", "acct"]) {
        const ns = series.get(`${key} ${call}`);
        if (ns === undefined) continue;
        rows.push({
          variant: name,
          filters,
          call,
          ns: summarize(ns),
          attachUs: summarize(attach).median / 1000,
        });
      }
    }
  }
  return rows;
}

async function stack(
  bytes: Uint8Array,
  height: number,
): Promise<readonly StackedTimes[]> {
  const [program, ...args] = await childWords(CHILD);
  const { success, stdout } = await new Deno.Command(program, {
    args: [...args, bytes.toHex(), String(height)],
    stdin: "null",
    stderr: "null",
  }).output();
  if (!success) return [];
  // The child is our own code.
  return JSON.parse(new TextDecoder().decode(stdout)) as StackedTimes[];
}
