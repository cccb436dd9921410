/**
 * Writes a policy for minijail0: a line for each call that is not killed.
 *
 * minijail0 permits calls for which an expression is true; all others are
 * killed, or get one error. Named calls that the source denies with an error
 * have a line of their own, because the default of minijail0 kills.
 *
 * @module
 */

import { readMinijail } from "../../../profile/foreign/minijail.ts";
import type { Condition, ReturnValue } from "../../../profile/policy.ts";
import { errnoName } from "../../../tables/errno.ts";
import {
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_DATA,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_THREAD,
} from "../../../tables/uapi.ts";
import { strictest } from "../../../verify/pointwise.ts";
import type { SourceView } from "../source_view.ts";
import type { WrittenPolicy } from "./written.ts";

/** Labels that minijail0 has room for: one for each clause, and two a call. */
const MOST_LABELS = 512;

/**
 * Writes a policy.
 *
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param view The source.
 */
export function writeMinijail(view: SourceView): WrittenPolicy {
  const writer = new MinijailWriter(view);
  const { native } = view;
  const lines = [...native.syscalls]
    .toSorted(([a], [b]) => a < b ? -1 : 1)
    .flatMap(([name, nr]) => writer.line(name, nr));
  const text = `# minijail0 -S FILE, on ${native.name}\n${
    lines.map((line) => `${line}\n`).join("")
  }`;
  return {
    text,
    policy: readMinijail(text, { native }).policy,
    arches: [native],
    reasons: {
      calls: writer.reasons,
      fallback: "minijail0 kills on calls that its policy does not name",
      arch: "a policy of minijail is for one architecture, and kills on others",
    },
  };
}

class MinijailWriter {
  readonly reasons = new Map<string, string>();
  readonly #view: SourceView;
  #labels = 0;

  constructor(view: SourceView) {
    this.#view = view;
  }

  line(name: string, nr: number): readonly string[] {
    const { native, functions } = this.#view;
    const only = functions.constantOf(functions.at(native, nr));
    if (only !== undefined) return this.#constant(name, only);
    const answers = this.#view.answersOf(native, nr);
    if (answers === undefined) {
      return this.#denied(
        name,
        nr,
        "no comparisons of arguments say its condition",
      );
    }
    const others = answers.filter((value) => value !== SECCOMP_RET_ALLOW);
    const clauses = answers.includes(SECCOMP_RET_ALLOW)
      ? this.#clauses(nr)
      : undefined;
    if (clauses === undefined) {
      return this.#denied(name, nr, "its answers need more than one condition");
    }
    const labels = clauses.length + 2;
    if (this.#labels + labels > MOST_LABELS) {
      return this.#denied(name, nr, "minijail0 has room for 512 labels");
    }
    this.#labels += labels;
    if (others.length > 1) {
      this.reasons.set(
        name,
        "minijail0 has one answer where its expression is false",
      );
    }
    const rest = this.#denial(name, others.reduce(strictest));
    const text = clauses.map((clause) =>
      clause.flatMap((one) => atomsOf(one, native.bits)).join(" && ")
    ).join(" || ");
    return [`${name}: ${text}${rest === "" ? "" : `; ${rest}`}`];
  }

  /** The fewest clauses that permit a call. */
  #clauses(nr: number): readonly (readonly Condition[])[] | undefined {
    const { native } = this.#view;
    const isPermitted = (value: ReturnValue): boolean =>
      value === SECCOMP_RET_ALLOW;
    return this.#view.clausesOf(native, nr, isPermitted) ??
      this.#view.partsOf(native, nr, isPermitted);
  }

  #constant(name: string, value: ReturnValue): readonly string[] {
    if (value === SECCOMP_RET_ALLOW) return [`${name}: 1`];
    const text = this.#denial(name, value);
    return text === "" ? [] : [`${name}: ${text}`];
  }

  /** A line that denies a call for all arguments. */
  #denied(name: string, nr: number, reason: string): readonly string[] {
    const { native, functions } = this.#view;
    this.reasons.set(name, reason);
    const value = this.#view.safeOf(functions.at(native, nr));
    return this.#constant(
      name,
      value === SECCOMP_RET_ALLOW ? SECCOMP_RET_KILL_THREAD : value,
    );
  }

  /** The error of a denial; empty if the call is killed. */
  #denial(name: string, value: ReturnValue): string {
    const action = (value & SECCOMP_RET_ACTION_FULL) >>> 0;
    if (action === SECCOMP_RET_ERRNO) {
      const errno = value & SECCOMP_RET_DATA;
      const { auditArch } = this.#view.native;
      return `return ${errnoName(errno, auditArch) ?? errno}`;
    }
    if (value !== SECCOMP_RET_KILL_THREAD && !this.reasons.has(name)) {
      this.reasons.set(name, "minijail0 permits, kills or gives an error");
    }
    return "";
  }
}

const OPS: Readonly<Record<Condition["op"], string>> = {
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};

/** Comparisons that are true together if a condition is. */
function atomsOf(
  { arg, op, mask, value }: Condition,
  bits: 32 | 64,
): readonly string[] {
  const full = (1n << BigInt(bits)) - 1n;
  const hex = (number: bigint): string => `0x${number.toString(16)}`;
  if (mask === full) return [`arg${arg} ${OPS[op]} ${hex(value)}`];
  if (op !== "eq") throw new Error(`Unreachable: ${op} under a mask`);
  const atoms: string[] = [];
  const clear = mask & ~value;
  if (clear !== 0n) atoms.push(`arg${arg} in ${hex(full & ~clear)}`);
  for (let bit = 1n; bit <= full; bit <<= 1n) {
    if ((value & mask & bit) !== 0n) atoms.push(`arg${arg} & ${hex(bit)}`);
  }
  return atoms;
}
