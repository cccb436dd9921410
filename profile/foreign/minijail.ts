/**
 * Reads policies of minijail: a line for each call.
 *
 * ```text
 * read: 1
 * socket: arg0 == AF_UNIX || arg0 == AF_INET; return EPERM
 * ```
 *
 * Two programs read such files. minijail0 itself takes an expression, for which
 * it permits the call, and the error for all else. compile_seccomp_policy has
 * more words, such as `allow` and `{ … }`, and takes the action after an
 * expression as that for which it is true: so `arg0 == 1; return EPERM` means
 * the opposite to it. A file that only the second program can read is read as
 * it does, and any other one as minijail0 does.
 *
 * Sources: man minijail0(5) and minijail's syscall_filter.c, bpf.c and
 * tools/parser.py of July 2026.
 *
 * @module
 */

import type { Arch } from "../../tables/arch.ts";
import { SECCOMP_RET_KILL_THREAD } from "../../tables/uapi.ts";
import type { Condition, ReturnValue, Rule } from "../policy.ts";
import { type ForeignPolicy, ForeignReport } from "./foreign_policy.ts";
import {
  type MinijailFilter,
  type MinijailStatement,
  parseMinijail,
} from "./minijail_text.ts";

/** Options of reading. */
export interface MinijailOptions {
  /** Architecture of the machine. */
  readonly native: Arch;
  /** Reads a file that the policy includes; without it, none can be. */
  readonly include?: (path: string) => string;
}

/**
 * Reads a policy.
 *
 * @example A call with a condition
 * ```ts
 * import { archByName } from "../../tables/arch.ts";
 * import { readMinijail } from "./minijail.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const native = archByName("x86_64");
 * if (native === undefined) throw new Error("Unreachable: no x86_64");
 * const text = "socket: arg0 == AF_UNIX; return EPERM\n";
 * const { policy } = readMinijail(text, { native });
 * assertEquals(policy.defaultValue, 0);
 * assertEquals(policy.arches[0]?.rules.map(({ value }) => value), [
 *   0x7fff_0000,
 *   0x0005_0001,
 * ]);
 * ```
 *
 * @param text The policy.
 * @param options The machine, and how files are read.
 * @returns The meaning.
 * @throws {ProfileError} if it cannot be used; it has every problem.
 */
export function readMinijail(
  text: string,
  { native, include }: MinijailOptions,
): ForeignPolicy {
  const report = new ForeignReport(text);
  const parsed = parseMinijail(text, {
    native,
    report,
    ...(include === undefined ? {} : { include }),
  });
  const isCompiled = parsed.dialect === "compiler";
  const fallback = parsed.fallback ?? SECCOMP_RET_KILL_THREAD;
  const calls = new Map<string, readonly MinijailFilter[]>();
  for (const { name, filters, at } of parsed.statements) {
    const before = calls.get(name);
    if (before === undefined) {
      calls.set(name, filters);
      continue;
    }
    if (!isCompiled || before.at(-1)?.clauses === undefined) {
      report.add(
        "error",
        at,
        `The call ${name} has two lines`,
        "join them, or remove one",
      );
    }
    calls.set(name, [...before, ...filters]);
  }
  const rules = [...calls].flatMap(([name, filters]) =>
    rulesOf(native, name, filters, fallback)
  );
  return {
    policy: {
      defaultValue: fallback,
      badArchValue: SECCOMP_RET_KILL_THREAD,
      littleEndian: native.littleEndian,
      arches: [{ auditArch: native.auditArch, names: [native.name], rules }],
    },
    arches: [native],
    diagnostics: report.settle(),
  };
}

/** The rules of a call: the first filter that matches, or the default. */
function rulesOf(
  { syscalls, bits }: Arch,
  name: string,
  filters: MinijailStatement["filters"],
  fallback: ReturnValue,
): readonly Rule[] {
  const nr = syscalls.get(name) ?? 0;
  const rule = (
    value: ReturnValue,
    conditions: readonly Condition[],
  ): Rule => ({ first: nr, last: nr, value, conditions, source: name });
  const rules = filters.flatMap(({ clauses, value }) =>
    (clauses ?? [[]]).map((clause) =>
      rule(value, clause.map((atom) => conditionOf(atom, bits)))
    )
  );
  const isComplete = filters.at(-1)?.clauses === undefined;
  return isComplete ? rules : [...rules, rule(fallback, [])];
}

const MASKS = { 32: 0xffff_ffffn, 64: 0xffff_ffff_ffff_ffffn } as const;

const OPS: Readonly<Record<string, Condition["op"]>> = {
  "==": "eq",
  "!=": "ne",
  "<": "lt",
  "<=": "le",
  ">": "gt",
  ">=": "ge",
};

/** One comparison, of as many bits as the machine has. */
function conditionOf(
  { arg, op, value }: NonNullable<MinijailFilter["clauses"]>[number][number],
  bits: 32 | 64,
): Condition {
  const full = MASKS[bits];
  const cut = value & full;
  // Any of these bits is set.
  if (op === "&") return { arg, op: "ne", mask: cut, value: 0n };
  // No other bit is set.
  if (op === "in") return { arg, op: "eq", mask: full & ~cut, value: 0n };
  return { arg, op: OPS[op] ?? unreachable(op), mask: full, value: cut };
}

function unreachable(op: string): never {
  throw new Error(`Unreachable: operator ${op}`);
}
