/**
 * Ratios of our filters to libseccomp's in a run, one number each, so that two
 * runs can be compared.
 *
 * @module
 */

import { PRECOMPILED } from "../experiments/build.ts";
import { SETUPS } from "../experiments/containers.ts";
import type { PositionRow, Report } from "../report.ts";
import {
  compareSpreads,
  type Comparison,
  type Spread,
} from "../engine/summary.ts";
import { LINEAR, OURS, TREE } from "../engine/variants.ts";

/** One ratio. */
export interface Ratio {
  /** The two quantities. */
  readonly name: string;
  /** Medians, ours divided by theirs; minima of wall times. */
  readonly ratio: number;
  /** Relation of the intervals; absent if the figures are counts. */
  readonly comparison?: Comparison;
}

/** Number of calls in the list of the headline picture. */
export const PICTURE_LENGTH = 306;

/**
 * Computes all ratios of a run.
 *
 * @param report The run.
 */
export function ratiosOf(report: Report): readonly Ratio[] {
  return [
    ...sizeRatios(report),
    ...attachRatios(report),
    ...buildRatios(report),
    ...memoryRatios(report),
    ...callRatios(report),
    ...positionRatios(report),
    ...containerRatios(report),
  ];
}

function timed(name: string, ours: Spread, theirs: Spread): Ratio {
  return {
    name,
    ratio: ours.median / theirs.median,
    comparison: compareSpreads(ours, theirs),
  };
}

function sizeRatios({ variants }: Report): readonly Ratio[] {
  const find = (name: string): number | undefined =>
    variants.find(({ variant }) => variant === name)?.instructions;
  const ours = find(OURS);
  return [LINEAR, TREE].flatMap((other) => {
    const theirs = find(other);
    return ours === undefined || theirs === undefined
      ? []
      : [{ name: `instructions / ${other}`, ratio: ours / theirs }];
  });
}

function attachRatios({ attach }: Report): readonly Ratio[] {
  const find = (name: string): Spread | undefined =>
    attach.find(({ variant }) => variant === name)?.us;
  const ours = find(OURS);
  return [LINEAR, TREE].flatMap((other) => {
    const theirs = find(other);
    return ours === undefined || theirs === undefined
      ? []
      : [timed(`attach / ${other}`, ours, theirs)];
  });
}

function buildRatios({ attach, build }: Report): readonly Ratio[] {
  const whole = (variant: string, way: string): Spread | undefined => {
    const attached = attach.find((row) => row.variant === variant)?.us;
    const built = build.find((row) => row.way === way)?.us;
    if (attached === undefined || built === undefined) return undefined;
    return {
      min: attached.min + built.min,
      low: attached.low + built.low,
      median: attached.median + built.median,
      high: attached.high + built.high,
      rounds: Math.min(attached.rounds, built.rounds),
    };
  };
  const ours = whole(OURS, PRECOMPILED);
  return [LINEAR, TREE].flatMap((other) => {
    const theirs = whole(other, other);
    return ours === undefined || theirs === undefined ? [] : [
      timed(
        `precompiled bytes and attach / build and attach of ${other}`,
        ours,
        theirs,
      ),
    ];
  });
}

function memoryRatios({ memory }: Report): readonly Ratio[] {
  const find = (name: string): Report["memory"][number] | undefined =>
    memory.find(({ variant }) => variant === name);
  const ours = find(OURS);
  return [LINEAR, TREE].flatMap((other) => {
    const theirs = find(other);
    if (ours === undefined || theirs === undefined) return [];
    const sum = (row: Report["memory"][number]): number =>
      row.imageBytes + row.programBytes + row.keptBytes;
    return [
      {
        name: `JIT image / ${other}`,
        ratio: ours.imageBytes / theirs.imageBytes,
      },
      { name: `kernel memory / ${other}`, ratio: sum(ours) / sum(theirs) },
    ];
  });
}

function callRatios({ calls }: Report): readonly Ratio[] {
  return calls.filter(({ variant }) => variant === OURS).flatMap((row) =>
    [LINEAR, TREE].flatMap((other) => {
      const theirs = calls.find(({ variant, call, abi }) =>
        variant === other && call === row.call && abi === row.abi
      );
      return theirs === undefined
        ? []
        : [timed(`${row.abi} ${row.call} / ${other}`, row.ns, theirs.ns)];
    })
  );
}

/** The slowest place of a list, without the cache. */
export function worstPlace(
  { position }: Report,
  name: string,
  length: number = PICTURE_LENGTH,
): PositionRow | undefined {
  return position.filter(({ variant, mode, listed }) =>
    variant === name && mode === "uncached" && listed === length
  ).sort((a, b) => b.addedNs.median - a.addedNs.median)[0];
}

function positionRatios(report: Report): readonly Ratio[] {
  const ours = worstPlace(report, OURS);
  return [LINEAR, TREE].flatMap((other) => {
    const theirs = worstPlace(report, other);
    return ours === undefined || theirs === undefined ? [] : [
      timed(
        `slowest place of ${PICTURE_LENGTH}, added, no cache / ${other}`,
        ours.addedNs,
        theirs.addedNs,
      ),
    ];
  });
}

function containerRatios({ containers, storm }: Report): readonly Ratio[] {
  const ratios = containers
    .filter(({ setup }) => setup === SETUPS.annotation || setup === SETUPS.hit)
    .flatMap((row) => {
      const theirs = containers.find(({ command, setup }) =>
        command === row.command && setup === SETUPS.section
      );
      if (theirs === undefined) return [];
      const how = row.setup === SETUPS.hit ? " through our wrapper" : "";
      const name = `${row.command}${how}, wall time / libseccomp at each start`;
      return row.cpuMs === undefined || theirs.cpuMs === undefined
        // Wall time includes other processes: the fastest start includes the
        // least of them.
        ? [{
          ...timed(name, row.wallMs, theirs.wallMs),
          ratio: row.wallMs.min / theirs.wallMs.min,
        }]
        : [timed(name.replace("wall time", "CPU"), row.cpuMs, theirs.cpuMs)];
    });
  const find = (setup: string): Spread | undefined =>
    storm.find((row) => row.setup === setup)?.execCpuMs;
  const ours = find(SETUPS.annotation);
  const theirs = find(SETUPS.section);
  if (ours === undefined || theirs === undefined) return ratios;
  return [
    ...ratios,
    timed(
      "storm of crun exec, CPU / libseccomp at each start",
      ours,
      theirs,
    ),
  ];
}
