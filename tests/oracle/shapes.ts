/**
 * The shapes of the rules of one call in which libseccomp's own filter is a
 * reference.
 *
 * @module
 */

import type {
  LinuxSeccompArg,
  LinuxSyscall,
  ScmpOp,
} from "../../profile/formats/oci.ts";
import type { Random } from "./random.ts";

/** An action with its data. */
export type Outcome = Pick<LinuxSyscall, "action" | "errnoRet">;

/** An entry of one name, in order of arrival. */
export type Entry = Outcome & Pick<LinuxSyscall, "args">;

/** All operators. */
export const OPS: readonly ScmpOp[] = [
  "SCMP_CMP_EQ",
  "SCMP_CMP_MASKED_EQ",
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
];

/** A few values that are close to one another in a relevant way. */
export function drawValues(random: Random): bigint[] {
  const highs = [0n, 0n, BigInt(random.pick([1, 2, 0x7fff_ffff, 0xffff_ffff]))];
  const low = BigInt(random.pick([0, 1, 5, 0x7fff_fffe, 0xffff_fffd]));
  const values: bigint[] = [];
  const count = 2 + random.int(5);
  for (let i = 0; i < count; i++) {
    const lo = random.chance(0.9)
      ? low + BigInt(random.int(3))
      : BigInt(random.u32());
    values.push(random.pick(highs) << 32n | lo);
  }
  return values;
}

/** One comparison. */
export function drawArg(
  random: Random,
  op: ScmpOp,
  index: number,
  values: readonly bigint[],
): LinuxSeccompArg {
  const value = random.pick(values);
  if (op !== "SCMP_CMP_MASKED_EQ") {
    const valueTwo = random.chance(0.1) ? 7n : 0n; // ignored
    return { index, op, value, valueTwo };
  }
  const mask = random.pick([
    1n,
    3n,
    0xffff_ffffn,
    0xffff_ffff_ffff_ffffn,
    0xffff_ffff_0000_0000n,
    0x1_0000_0001n,
    0n,
    BigInt(random.u32()) << BigInt(random.int(33)),
  ]);
  return { index, op, value: mask, valueTwo: value };
}

const PARTIAL_MASKS = [1n, 3n, 0x1_0000_0001n, 0xff00_0000_00f0n, 0n];

/** An unconditional rule, before, between or after others. */
export function unconditional(
  random: Random,
  outcomes: readonly Outcome[],
): Entry[] {
  const rules = random.chance(0.3) ? equalities(random, outcomes) : [];
  rules.splice(random.int(rules.length + 1), 0, {
    ...random.pick(outcomes),
    args: [],
  });
  return rules;
}

/** One rule with any comparisons. */
export function single(random: Random, outcomes: readonly Outcome[]): Entry[] {
  const values = drawValues(random);
  const indices = [0, 1, 2, 3, 4, 5].filter(() => random.chance(0.4));
  const args = indices.map((index) =>
    drawArg(random, random.pick(OPS), index, values)
  );
  return [{ ...random.pick(outcomes), args }];
}

/** Rules of equalities. */
export function equalities(
  random: Random,
  outcomes: readonly Outcome[],
): Entry[] {
  const values = drawValues(random);
  const rules: Entry[] = [];
  const count = 1 + random.int(5);
  for (let i = 0; i < count; i++) {
    rules.push({
      ...random.pick(outcomes),
      args: equalArgs(random, values, random.chance(0.2) ? 5 : 2),
    });
  }
  return rules;
}

/** Up to `most` comparisons, at least one, in any order. */
function equalArgs(
  random: Random,
  values: readonly bigint[],
  most: number,
): LinuxSeccompArg[] {
  const args: LinuxSeccompArg[] = [];
  do {
    const index = random.int(most === 2 ? 3 : 6);
    if (args.some((arg) => arg.index === index)) continue;
    const op = random.pick<ScmpOp>([
      "SCMP_CMP_EQ",
      "SCMP_CMP_EQ",
      "SCMP_CMP_MASKED_EQ",
    ]);
    const arg = drawArg(random, op, index, values);
    args.push(
      op === "SCMP_CMP_EQ"
        ? arg
        : { ...arg, value: random.pick(PARTIAL_MASKS) },
    );
  } while (args.length === 0 || (args.length < most && random.chance(0.6)));
  return args;
}

/**
 * Rules with common beginnings or ends, so that many contradict or are
 * redundant.
 */
export function tails(random: Random, outcomes: readonly Outcome[]): Entry[] {
  const values = [1n, 1n, 0x1_0000_0001n].slice(0, 2 + random.int(2));
  const few = outcomes.slice(0, 2);
  const rules: Entry[] = [];
  const count = 3 + random.int(4);
  while (rules.length < count) {
    const args = [0, 1, 2].filter(() => random.chance(0.5)).map((index) =>
      drawArg(random, "SCMP_CMP_EQ", index, values)
    );
    if (args.length > 0) rules.push({ ...random.pick(few), args });
  }
  return rules;
}

/**
 * One comparison in each rule; all bounds share the high word.
 *
 * The drawn outcomes and orders avoid cases on which versions differ
 * (GHSA-4q85-33p6-j5g6).
 */
export function bounds(random: Random, outcomes: readonly Outcome[]): Entry[] {
  const high = BigInt(random.pick([0, 0, 1, 0xffff_ffff])) << 32n;
  const values = [
    ...new Set(drawValues(random).map((v) => high | v & 0xffff_ffffn)),
  ].sort((a, b) => a < b ? -1 : 1);
  const index = random.int(2);
  const lower: Entry[] = values.filter(() => random.chance(0.5)).map((
    value,
  ) => ({
    ...random.pick(outcomes),
    args: [
      drawArg(random, random.pick(["SCMP_CMP_GT", "SCMP_CMP_GE"]), index, [
        value,
      ]),
    ],
  }));
  const agreed = random.pick(outcomes);
  const others: Entry[] = [];
  const count = random.int(5);
  for (let i = 0; i < count; i++) {
    const op = random.pick(OPS);
    if (op === "SCMP_CMP_GT" || op === "SCMP_CMP_GE") continue;
    const isFree = op === "SCMP_CMP_EQ" || op === "SCMP_CMP_MASKED_EQ" ||
      (op !== "SCMP_CMP_NE" && high === 0n);
    others.push({
      ...(isFree ? random.pick(outcomes) : agreed),
      args: [drawArg(random, op, random.int(2), values)],
    });
  }
  const rules: Entry[] = [];
  if (random.chance(0.5)) {
    lower.reverse();
    rules.push({
      ...(high === 0n ? random.pick(outcomes) : agreed),
      args: [drawArg(random, "SCMP_CMP_LE", index, values.slice(-1))],
    });
  } else {
    rules.push(...lower.splice(0, 1));
  }
  while (lower.length + others.length > 0) {
    const isLower = random.int(lower.length + others.length) < lower.length;
    rules.push(...(isLower ? lower : others).splice(0, 1));
  }
  return rules;
}

/** For calls of 32-bit architectures only: all comparisons of one argument. */
export function narrow(random: Random, outcomes: readonly Outcome[]): Entry[] {
  const values = drawValues(random);
  const rules: Entry[] = [];
  const count = 2 + random.int(6);
  for (let i = 0; i < count; i++) {
    rules.push({
      ...random.pick(outcomes),
      args: [drawArg(random, random.pick(OPS), random.int(2), values)],
    });
  }
  return rules;
}

/** Rules of several equalities beside single comparisons of other outcomes. */
export function mixed(random: Random, outcomes: readonly Outcome[]): Entry[] {
  const values = drawValues(random).map((v) => v & 0xffff_ffffn);
  const [first, ...others] = outcomes;
  const [other] = others;
  if (first === undefined || other === undefined) return [];
  const rules: Entry[] = [];
  const count = 2 + random.int(4);
  for (let i = 0; i < count; i++) {
    if (random.chance(0.5)) {
      rules.push({ ...first, args: equalArgs(random, values, 3) });
      continue;
    }
    const op = random.pick(OPS.filter((op) => op !== "SCMP_CMP_NE"));
    const arg = drawArg(random, op, random.int(3), values);
    rules.push({
      ...(op === "SCMP_CMP_GT" || op === "SCMP_CMP_GE"
        ? other
        : random.pick(others)),
      args: [
        op === "SCMP_CMP_MASKED_EQ"
          ? { ...arg, value: random.pick(PARTIAL_MASKS) }
          : arg,
      ],
    });
  }
  return rules;
}
