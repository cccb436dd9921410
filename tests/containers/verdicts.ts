/**
 * Runs the probe in a container and judges its answers.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { decode } from "../../bpf/encode.ts";
import { prepare, run } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import {
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_DATA,
  SECCOMP_RET_ERRNO,
} from "../../tables/uapi.ts";
import type { Json } from "./config.ts";
import type { ProfileSection } from "./docker_default.ts";
import {
  createBundle,
  type Outcome,
  type Runtime,
  succeed,
} from "./harness.ts";
import { annotateBundle } from "./annotate.ts";
import { ALLOWED, buildProbe, type ProbeRow, readVerdicts } from "./probe.ts";
import { describeRow, rowData } from "./rows.ts";

/** A container to probe. */
export interface ProbeOptions {
  /** Its `linux.seccomp`. */
  readonly section: ProfileSection;
  /** The calls to ask about. */
  readonly rows: readonly ProbeRow[];
  /** Options of `compile`; if absent, no annotation is made. */
  readonly annotate?: readonly string[] | undefined;
  /** `process.rlimits`. */
  readonly rlimits?: Json;
}

/** Result of a probe, and the filter that it ran under. */
export interface ProbeOutcome extends Outcome {
  /** `struct sock_filter[]` of the annotation; empty without one. */
  readonly filter: Uint8Array;
}

/** Answers of a probe. */
export interface Verdicts {
  /** One answer per row. */
  readonly verdicts: readonly number[];
  /** `struct sock_filter[]` of the annotation; empty without one. */
  readonly filter: Uint8Array;
}

/**
 * Runs the probe in a container of its own.
 *
 * @param runtime The runtime.
 * @param options Profile, calls, annotation.
 * @returns Its result.
 */
export async function runProbe(
  runtime: Runtime,
  { section, rows, annotate, rlimits }: ProbeOptions,
): Promise<ProbeOutcome> {
  await using bundle = await createBundle({
    args: ["/probe"],
    seccomp: section,
    files: { "/probe": buildProbe(rows) },
    ...(rlimits === undefined ? {} : { rlimits }),
  });
  const filter = annotate === undefined
    ? new Uint8Array()
    : await annotateBundle(bundle.configPath, annotate);
  return { ...await bundle.run(runtime), filter };
}

/**
 * Runs the probe and reads its answers.
 *
 * @param runtime The runtime.
 * @param options Profile, calls, annotation.
 * @returns One answer per row.
 */
export async function verdictsOf(
  runtime: Runtime,
  options: ProbeOptions,
): Promise<Verdicts> {
  const outcome = await runProbe(runtime, options);
  succeed(outcome);
  return {
    verdicts: readVerdicts(outcome.stdout, options.rows.length),
    filter: outcome.filter,
  };
}

/** Fails with the first rows whose answers differ. */
export function assertSameVerdicts(
  actual: readonly number[],
  expected: readonly number[],
  rows: readonly ProbeRow[],
): void {
  const differences = rows.flatMap((row, i) =>
    actual[i] === expected[i]
      ? []
      : [`${describeRow(row)}: ${actual[i]}, not ${expected[i]}`]
  );
  assertEquals(differences.slice(0, 10), [], `${differences.length} differ`);
}

/**
 * Checks that the probe's answers are those that the interpreter computes from
 * the filter, and that both outcomes occur on each way into the kernel that was
 * probed.
 */
export function assertFilterSaysSo(
  { verdicts, filter }: Verdicts,
  rows: readonly ProbeRow[],
): void {
  const program = prepare(decode(filter));
  const seen = new Set<string>();
  const abis = new Set<string>();
  const probed: ProbeRow[] = [];
  const actual: number[] = [];
  const expected: number[] = [];
  for (const [i, row] of rows.entries()) {
    if (row.abi === "executed") continue;
    const { nr, arch } = rowData(row);
    const value = run(program, toWords(rowData(row), true));
    const verdict = verdicts[i] ?? 0;
    const abi = `${arch} ${nr >= 0x4000_0000}`;
    abis.add(abi);
    seen.add(`${abi} ${verdict}`);
    probed.push(row);
    actual.push(verdict);
    expected.push(toResult(value));
  }
  assertSameVerdicts(actual, expected, probed);
  assert(
    seen.size >= 2 * abis.size,
    `allowed and denied on each ABI: ${[...seen]}`,
  );
}

/** Checks that calls that ran fail if and only if the probe reports it. */
export function assertEnforced(
  verdicts: readonly number[],
  rows: readonly ProbeRow[],
): void {
  const asked = new Map<string, number>();
  rows.forEach((row, i) => {
    if (row.abi === "syscall") asked.set(key(row), verdicts[i] ?? 0);
  });
  let denied = 0;
  rows.forEach((row, i) => {
    if (row.abi !== "executed") return;
    const verdict = asked.get(key(row));
    if (verdict === undefined) return;
    if (verdict !== ALLOWED) denied++;
    assertEquals(
      (verdicts[i] ?? 0) === verdict,
      verdict !== ALLOWED,
      `${describeRow(row)} returned ${verdicts[i]}, asked: ${verdict}`,
    );
  });
  assert(denied > 0, "at least one harmless call is denied");
}

function key({ nr, args }: ProbeRow): string {
  return `${nr} ${args}`;
}

/** Result of a probed call under a verdict. */
function toResult(value: number): number {
  if (value === SECCOMP_RET_ALLOW) return ALLOWED;
  const action = (value & SECCOMP_RET_ACTION_FULL) >>> 0;
  assertEquals(action, SECCOMP_RET_ERRNO, "the profile only allows and denies");
  return -(value & SECCOMP_RET_DATA);
}
