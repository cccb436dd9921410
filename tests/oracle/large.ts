/**
 * Random profiles whose filters are near the kernel's limit on instructions.
 *
 * @module
 */

import type {
  LinuxSeccomp,
  LinuxSeccompArg,
  LinuxSyscall,
  ScmpAction,
  ScmpOp,
} from "../../profile/formats/oci.ts";
import { archByName } from "../../tables/arch.ts";
import { createRandom, type Random } from "./random.ts";

/** A profile that can be made with any number of rules. */
export interface LargeProfile {
  /** Description of the rules. */
  readonly shape: string;
  /** Makes the profile with its first rules. */
  take(rules: number): LinuxSeccomp;
}

/** Calls of x86_64, x32 and i386. */
const CALLS: readonly string[] = [
  ...["ioctl", "fcntl", "prctl", "mprotect", "madvise", "openat", "clone"],
  ...["personality", "kill", "tgkill", "dup3", "flock", "sched_setscheduler"],
  ...["lseek", "access", "poll", "mremap", "msync", "getpriority", "umask"],
];

const ARCHITECTURES: readonly (readonly string[])[] = [
  ["SCMP_ARCH_X86_64"],
  ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
  ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
];

/** Calls from this number on are newer than libseccomp 2.5.4. */
const NEWER = 335;

/** Calls of `drawWide`: those that all three architectures have. */
const SHARED_CALLS: readonly string[] = (() => {
  const tables = ["x86_64", "x32", "x86"].map((name) => {
    const arch = archByName(name);
    if (arch === undefined) throw new Error(`no ${name}`);
    return arch.syscalls;
  });
  return [...tables[0] ?? []].filter(([name, nr]) =>
    nr < NEWER && tables.every((table) => table.has(name))
  ).map(([name]) => name);
})();

const OPERATORS: readonly ScmpOp[] = [
  ...["SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ"] as const,
  ...["SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"] as const,
];

/** Draws comparisons of one rule. */
type Draw = (random: Random) => readonly LinuxSeccompArg[];

/**
 * Draws a kind of profile: many rules on few calls.
 *
 * @param seed A u32.
 * @returns The profile, whose rules are drawn one after the other.
 */
export function drawLarge(seed: number): LargeProfile {
  const random = createRandom(seed);
  const [shape, draw] = drawShape(random);
  const names = CALLS.slice(0, random.pick([1, 1, 2, 5, 20]));
  return profileOf(random, [shape, draw], names, { perCall: false });
}

/**
 * Draws a kind of profile: few rules on each of many calls, with every operator.
 * libseccomp takes them without hanging.
 *
 * @param seed A u32.
 * @returns The profile, whose rules are drawn one after the other.
 */
export function drawWide(seed: number): LargeProfile {
  const random = createRandom(seed);
  const [shape, draw] = drawWideShape(random);
  const from = random.int(SHARED_CALLS.length);
  const names = [...SHARED_CALLS, ...SHARED_CALLS]
    .slice(from, from + random.pick([30, 100, 200, SHARED_CALLS.length]));
  // Rules of one call do not contradict one another.
  return profileOf(random, [shape, draw], names, { perCall: true });
}

function profileOf(
  random: Random,
  [shape, draw]: readonly [string, Draw],
  names: readonly string[],
  { perCall }: { readonly perCall: boolean },
): LargeProfile {
  const actions = random.int(random.pick([1, 1, 3])) + 1;
  const architectures = random.pick(ARCHITECTURES);
  const rules: LinuxSyscall[] = [];
  return {
    shape: `${shape}, ${names.length} calls, ${actions} actions, ` +
      `${architectures.length} architectures`,
    take(count): LinuxSeccomp {
      while (rules.length < count) {
        const drawn = random.int(actions);
        const name = random.pick(names);
        const number = perCall ? name.length % actions : drawn;
        const action: ScmpAction = number === 0
          ? "SCMP_ACT_ALLOW"
          : "SCMP_ACT_ERRNO";
        rules.push({
          names: [name],
          action,
          ...(number === 0 ? {} : { errnoRet: number + 1 }),
          args: draw(random),
          path: `syscalls[${rules.length}]`,
        });
      }
      return {
        defaultAction: "SCMP_ACT_ERRNO",
        architectures,
        syscalls: rules.slice(0, count),
      };
    },
  };
}

function drawWideShape(random: Random): readonly [string, Draw] {
  const value = drawValues(random);
  const ops = random.chance(0.3) ? [random.pick(OPERATORS)] : OPERATORS;
  const most = random.int(3) + 1;
  const sharesValues = random.chance(0.5);
  const pool = poolOf(value, random.pick([4, 16, 64]), random);
  const from = sharesValues ? pool : value;
  const draw: Draw = (random) => {
    const indices = [0, 1, 2, 3, 4, 5].sort(() => random.int(3) - 1);
    return indices.slice(0, random.int(most) + 1).map((index) => {
      const op = random.pick(ops);
      const isMasked = op === "SCMP_CMP_MASKED_EQ";
      const word = from();
      return {
        index,
        op,
        value: word,
        valueTwo: isMasked ? from() & word : 0n,
      };
    });
  };
  const kinds = ops.length === 1 ? ops[0] : "all operators";
  return [
    `${kinds}, up to ${most} comparisons${sharesValues ? " of few" : ""}`,
    draw,
  ];
}

function drawShape(random: Random): readonly [string, Draw] {
  const value = drawValues(random);
  const arg = (index: number, op: ScmpOp, from = value): LinuxSeccompArg => ({
    index,
    op,
    value: from(),
    valueTwo: 0n,
  });
  const few = poolOf(value, random.pick([2, 8, 64]), random);
  const masks = poolOf(value, random.pick([1, 3, 12]), random);
  const masked = (index: number): LinuxSeccompArg => {
    const mask = masks() | 1n;
    return {
      index,
      op: "SCMP_CMP_MASKED_EQ",
      value: mask,
      valueTwo: value() & mask,
    };
  };
  const bit = (index: number): LinuxSeccompArg => {
    const mask = 1n << BigInt(random.int(64));
    return { index, op: "SCMP_CMP_MASKED_EQ", value: mask, valueTwo: mask };
  };
  const equal = (index: number): LinuxSeccompArg => arg(index, "SCMP_CMP_EQ");
  const shapes: readonly (readonly [string, Draw])[] = [
    ["equalities", () => [equal(1)]],
    ["equalities on any argument", () => [equal(random.int(6))]],
    ["masks", () => [masked(0)]],
    ["masks and equalities", () => [random.chance(0.5) ? masked(0) : equal(0)]],
    ["pairs", () => [equal(0), equal(1)]],
    ["pairs of few", () => [arg(0, "SCMP_CMP_EQ", few), equal(2)]],
    ["few last", () => [equal(0), arg(3, "SCMP_CMP_EQ", few)]],
    ["triples", () => [arg(0, "SCMP_CMP_EQ", few), equal(1), equal(2)]],
    ["bits crosswise", () => [bit(0), bit(1)]],
    ["masks and pairs", () => [masked(0), equal(1)]],
    ["bounds", () => [arg(0, "SCMP_CMP_GE"), arg(1, "SCMP_CMP_LE")]],
    ["bounds and equalities", () => [arg(0, "SCMP_CMP_GT"), equal(1)]],
    ["equalities and bounds", () => [equal(0), arg(1, "SCMP_CMP_LT")]],
    ["not equal", () => [arg(0, "SCMP_CMP_NE", few), equal(1)]],
  ];
  return random.pick(shapes);
}

/** Draws values of one kind. */
function drawValues(random: Random): () => bigint {
  const word = (): bigint => BigInt(random.u32());
  const high = random.int(4) + 1;
  let next = 3n;
  return random.pick<() => bigint>([
    word,
    (): bigint => BigInt(random.int(0x1_0000)),
    (): bigint => BigInt(random.int(high)) << 32n | word(),
    (): bigint => word() << 32n | word(),
    (): bigint => next += 7n,
  ]);
}

function poolOf(
  value: () => bigint,
  size: number,
  random: Random,
): () => bigint {
  const values = Array.from({ length: size }, value);
  return () => random.pick(values);
}
