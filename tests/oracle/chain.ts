/**
 * A rule as a chain of tests on 32-bit words in rising order of argument. On a
 * 64-bit architecture a comparison takes two or three of them:
 *
 * ```text
 *   a == v   hi == v.hi ─yes─▶ lo == v.lo ─yes─▶ next
 *   a != v   hi == v.hi ─no──▶ next,  ─yes─▶ lo == v.lo ─no─▶ next
 *   a >  v   hi >  v.hi ─yes─▶ next,  ─no──▶ hi == v.hi ─yes─▶ lo > v.lo ─yes─▶ next
 *   a <= v   hi >  v.hi ─no──▶ hi == v.hi ─no─▶ next,  ─yes─▶ lo > v.lo ─no─▶ next
 * ```
 *
 * If a comparison has two continuations, each has its own copy of the following
 * tests.
 *
 * @module
 */

import type { LinuxSeccompArg, ScmpOp } from "../../profile/formats/oci.ts";

/**
 * Continuation on one side of a test: an outcome, further tests, or nothing.
 */
export interface Side {
  /** The outcome; nothing follows it. */
  value?: number;
  /** The bound that gave a shared high word its outcome. */
  bound: bigint;
  /** Tests in the order of evaluation. */
  level: Test[];
}

/** A test of one word. */
export interface Test {
  /** `2 * argument`, plus 1 for the high word. */
  readonly slot: number;
  readonly compare: "eq" | "masked" | "gt" | "ge";
  /** Operator of the rule that brought the test; orders a level. */
  readonly origin: ScmpOp;
  readonly mask: number;
  readonly datum: number;
  readonly yes: Side;
  readonly no: Side;
}

/** The rules of one system call. */
export interface CallTree {
  /** Outcome of every call, once there is an unconditional rule. */
  value?: number;
  /** Tests in the order of evaluation. */
  level: Test[];
  /**
   * Decides whether a rule can be added, by agreement below one side of a test
   * (observed on 2.5.4 and 2.6.1); absent once `level` is the same.
   */
  library?: CallTree;
}

/** Makes the chain of a rule; undefined if there is nothing to test. */
export function makeChain(
  args: readonly LinuxSeccompArg[],
  bits: 32 | 64,
  value: number,
): Test | undefined {
  const [arg, ...rest] = args;
  if (arg === undefined) return undefined;
  const masked = arg.op === "SCMP_CMP_MASKED_EQ";
  const mask = masked ? arg.value : 0xffff_ffff_ffff_ffffn;
  const datum = (masked ? arg.valueTwo : arg.value) & mask;
  const bound = datum;
  const dead = (): Side => ({ bound, level: [] });
  const next = (): Side => {
    const following = makeChain(rest, bits, value);
    return following === undefined
      ? { value, bound, level: [] }
      : { bound, level: [following] };
  };
  const lead = (test: Test): Side => ({ bound, level: [test] });
  const make = (
    half: "lo" | "hi",
    compare: Test["compare"],
    yes: Side,
    no: Side,
  ): Test => ({
    slot: 2 * arg.index + (half === "hi" ? 1 : 0),
    compare,
    origin: arg.op,
    mask: Number(half === "hi" ? mask >> 32n : mask & 0xffff_ffffn),
    datum: Number(half === "hi" ? datum >> 32n : datum & 0xffff_ffffn),
    yes,
    no,
  });
  switch (arg.op) {
    case "SCMP_CMP_EQ":
    case "SCMP_CMP_MASKED_EQ": {
      const compare = masked ? "masked" : "eq";
      const lo = make("lo", compare, next(), dead());
      return bits === 32 ? lo : make("hi", compare, lead(lo), dead());
    }
    case "SCMP_CMP_NE": {
      const lo = make("lo", "eq", dead(), next());
      return bits === 32 ? lo : make("hi", "eq", lead(lo), next());
    }
    case "SCMP_CMP_GT":
    case "SCMP_CMP_GE": {
      const compare = arg.op === "SCMP_CMP_GT" ? "gt" : "ge";
      const lo = make("lo", compare, next(), dead());
      if (bits === 32) return lo;
      const same = make("hi", "eq", lead(lo), dead());
      return make("hi", "gt", next(), lead(same));
    }
    case "SCMP_CMP_LT":
    case "SCMP_CMP_LE": {
      const compare = arg.op === "SCMP_CMP_LE" ? "gt" : "ge";
      const lo = make("lo", compare, dead(), next());
      if (bits === 32) return lo;
      const same = make("hi", "eq", lead(lo), next());
      return make("hi", "gt", dead(), lead(same));
    }
  }
}

/** Reports whether two tests are the same. */
export function isSame(a: Test, b: Test): boolean {
  return a.slot === b.slot && a.compare === b.compare &&
    a.datum === b.datum && a.mask === b.mask;
}

/** Reports whether `a` comes after `b` on one level. */
export function isLater(a: Test, b: Test): boolean {
  if (a.slot !== b.slot) return a.slot < b.slot;
  const rankA = rank(a.origin);
  const rankB = rank(b.origin);
  if (rankA !== rankB) return rankA < rankB;
  return rankA === 2 ? a.datum > b.datum : a.datum < b.datum;
}

function rank(op: ScmpOp): number {
  if (op === "SCMP_CMP_GT" || op === "SCMP_CMP_GE") return 1;
  return op === "SCMP_CMP_LT" || op === "SCMP_CMP_LE" ? 2 : 3;
}

/** Reports whether a side leads anywhere. */
export function isUsed(side: Side): boolean {
  return side.value !== undefined || side.level.length > 0;
}

/** Reports whether no test follows. */
export function isLast(test: Test): boolean {
  return test.yes.level.length === 0 && test.no.level.length === 0;
}

/** Reports whether every outcome of a level and below is `value`. */
export function allLeadTo(level: readonly Test[], value: number): boolean {
  return level.every(({ yes, no }) =>
    [yes, no].every((side) =>
      (side.value ?? value) === value && allLeadTo(side.level, value)
    )
  );
}
