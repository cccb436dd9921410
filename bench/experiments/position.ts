/**
 * The first experiment: the time of an allowed call by its place in the list,
 * with and without the kernel's allow cache.
 *
 * @module
 */

import { encode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { provedFilter } from "../engine/inputs.ts";
import type { Engine } from "../engine/model.ts";
import {
  GETPPID,
  type ListBuilder,
  listedNumbers,
  listPolicy,
  moveTo,
  type Probe,
  PROBES,
} from "../engine/lists.ts";
import type { PositionRow, PublishedRow } from "../report.ts";
import {
  type Effort,
  interleave,
  type Progress,
  type RoundPlan,
} from "../engine/rounds.ts";
import { summarize } from "../engine/summary.ts";
import {
  allowVariant,
  LINEAR,
  NONE,
  OURS,
  TREE,
  type Variant,
  variantOf,
  withoutCache,
} from "../engine/variants.ts";

/** Number of calls that the published filter lists. */
const PUBLISHED_LENGTH = 306;

/** Published ticks with libseccomp's tree: minimum of many getppid. */
const PUBLISHED: Readonly<Record<string, number>> = {
  [NONE]: 138,
  [`${LINEAR}, first`]: 256,
  [`${LINEAR}, middle`]: 516,
  [`${LINEAR}, last`]: 1942,
  [TREE]: 312,
};

const MODES = ["cached", "uncached"] as const;

/** Requirements of the measurements of lists. */
export interface ListOptions {
  readonly engine: Engine;
  /** Without it, only our filters are measured. */
  readonly builder: ListBuilder | undefined;
  readonly effort: Effort;
  readonly progress: Progress;
}

/**
 * Measures calls by their place in the list.
 *
 * @param options The engine and the amount of measuring.
 * @param lengths Numbers of calls that the filters list.
 */
export async function measurePositions(
  { engine, builder, effort, progress }: ListOptions,
  lengths: readonly number[],
): Promise<readonly PositionRow[]> {
  const lists = lengths.map((listed) => {
    const numbers = listedNumbers(listed);
    const probes = PROBES.filter(({ nr }) => numbers.includes(nr));
    const variants = [allowVariant(), ...listVariants(numbers, builder)];
    return { listed, numbers, probes, variants };
  });
  const plans: RoundPlan[] = [planOf(NONE, PROBES)];
  for (const { listed, probes, variants } of lists) {
    for (const variant of variants) {
      for (const mode of MODES) {
        const { bytes } = mode === "cached" ? variant : withoutCache(variant);
        plans.push(planOf(keyOf(listed, variant, mode), probes, bytes));
      }
    }
  }
  const rounds = await interleave(engine, plans, effort, progress);
  return lists.flatMap(({ listed, numbers, probes, variants }) =>
    variants.flatMap((variant) =>
      MODES.flatMap((mode) =>
        probes.map((probe): PositionRow => {
          const without = rounds.calls(NONE, probe.name);
          const under = rounds.calls(keyOf(listed, variant, mode), probe.name);
          return {
            variant: variant.name,
            listed,
            mode,
            position: numbers.indexOf(probe.nr) + 1,
            call: probe.name,
            // Round by round, so that a slow round affects both sides.
            addedNs: summarize(under.map((ns, i) => ns - (without[i] ?? NaN))),
          };
        })
      )
    )
  );
}

function keyOf(listed: number, { name }: Variant, mode: string): string {
  return `${name} of ${listed}, ${mode}`;
}

function planOf(
  key: string,
  probes: readonly Probe[],
  filter?: Uint8Array,
): RoundPlan {
  return {
    key,
    ...(filter === undefined ? {} : { filter }),
    batches: probes.map(({ name, nr, args }) => ({
      key: name,
      call: { nr, args },
    })),
  };
}

/** The filters of a list: the library's two, and ours. */
export function listVariants(
  numbers: readonly number[],
  builder: ListBuilder | undefined,
): readonly Variant[] {
  const variants: Variant[] = [];
  if (builder !== undefined) {
    variants.push(variantOf(LINEAR, builder.build(numbers, 1)));
    variants.push(variantOf(TREE, builder.build(numbers, 2)));
  }
  variants.push(variantOf(OURS, provedFilter(listPolicy(numbers)).program));
  return variants;
}

/**
 * Repeats the published experiment: getppid first, in the middle, last among
 * 306 listed calls.
 *
 * @param options The engine and the amount of measuring.
 */
export async function measurePublished(
  { engine, builder, effort, progress }: ListOptions,
): Promise<readonly PublishedRow[]> {
  const { ticksPerNs } = engine;
  if (ticksPerNs === undefined) return [];
  const numbers = listedNumbers(PUBLISHED_LENGTH);
  const layouts: { readonly name: string; readonly program?: Program }[] = [
    { name: NONE },
    allowVariant(),
  ];
  for (const variant of listVariants(numbers, builder)) {
    if (variant.name !== LINEAR) {
      layouts.push(variant);
      continue;
    }
    for (
      const [place, position] of [
        ["first", 1],
        ["middle", PUBLISHED_LENGTH / 2],
        ["last", PUBLISHED_LENGTH],
      ] as const
    ) {
      const program = moveTo(variant.program, GETPPID, numbers, position);
      layouts.push({ name: `${LINEAR}, ${place}`, program });
    }
  }
  const probes = PROBES.filter(({ nr }) => nr === GETPPID);
  const plans = layouts.flatMap(({ name, program }) =>
    MODES.map((mode) => {
      if (program === undefined) return planOf(`${name} ${mode}`, probes);
      const variant = variantOf(name, program);
      const bytes = mode === "cached"
        ? encode(program)
        : withoutCache(variant).bytes;
      return planOf(`${name} ${mode}`, probes, bytes);
    })
  );
  const rounds = await interleave(engine, plans, effort, progress);
  const ticks = (name: string, mode: string): readonly number[] =>
    rounds.calls(`${name} ${mode}`, "getppid").map((ns) => ns * ticksPerNs);
  return layouts.map(({ name }): PublishedRow => {
    const published = PUBLISHED[name];
    return {
      layout: name,
      ...(published === undefined ? {} : { publishedTicks: published }),
      uncachedTicks: summarize(ticks(name, "uncached")),
      cachedTicks: summarize(ticks(name, "cached")),
    };
  });
}
