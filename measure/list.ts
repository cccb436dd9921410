/**
 * A policy as a list: one rule after the other, as libseccomp writes filters
 * unless a tree is requested. It is a reference for measurements, and never
 * loaded.
 *
 * @module
 */

import type { Instruction, Op, Program } from "../bpf/instruction.ts";
import { ARCH_OFFSET, argOffset, NR_OFFSET } from "../bpf/seccomp_data.ts";
import type { ArchPolicy, Condition, Policy, Rule } from "../profile/policy.ts";
import { BPF_MAXINSNS } from "../tables/uapi.ts";

/** Most instructions that a conditional jump passes. */
const MOST_PASSED = 255;

/** An instruction whose jumps may lead out of the part that is being written. */
interface Draft {
  readonly op: Op;
  readonly k: number;
  /** Way of a test that succeeds or fails; the next instruction if absent. */
  readonly yes?: "success" | "failure";
  readonly no?: "success" | "failure";
}

/**
 * Writes the list of a policy.
 *
 * @example One rule
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { listProgram } from "./list.ts";
 *
 * const rule = { first: 39, last: 39, conditions: [], value: 0x7fff_0000, source: "getpid" };
 * const list = listProgram({
 *   defaultValue: 0x0005_0001,
 *   badArchValue: 0,
 *   littleEndian: true,
 *   arches: [{ auditArch: 0xc000_003e, names: ["x86_64"], rules: [rule] }],
 * });
 * assertEquals(list?.length, 8);
 * ```
 *
 * @param policy The policy.
 * @returns The program; `undefined` if the kernel would refuse its length.
 */
export function listProgram(policy: Policy): Program | undefined {
  const { arches, badArchValue } = policy;
  const bodies = arches.map((arch) => bodyOf(arch, policy));
  const head: Instruction[] = [instruction("ld.abs", ARCH_OFFSET)];
  let ahead = 0;
  for (const [i, { auditArch }] of arches.entries()) {
    const body = bodies[i];
    if (body === undefined) return undefined;
    // The rest of the head, and the bodies before this one.
    const passed = 2 * (arches.length - 1 - i) + 1 + ahead;
    head.push(
      { op: "jeq.k", jt: 0, jf: 1, k: auditArch },
      instruction("ja", passed),
    );
    ahead += body.length;
  }
  head.push(instruction("ret.k", badArchValue));
  const program = [...head, ...bodies.flatMap((body) => body ?? [])];
  return program.length > BPF_MAXINSNS ? undefined : program;
}

function instruction(op: Op, k: number): Instruction {
  return { op, jt: 0, jf: 0, k };
}

/** The rules of one architecture; `undefined` if a rule is too long. */
function bodyOf(
  { rules }: ArchPolicy,
  { defaultValue, littleEndian }: Policy,
): Program | undefined {
  const body: Instruction[] = [instruction("ld.abs", NR_OFFSET)];
  for (const rule of rules) {
    const block = blockOf(rule, littleEndian);
    if (block === undefined) return undefined;
    for (const each of block) body.push(each);
  }
  body.push(instruction("ret.k", defaultValue));
  return body;
}

/** Tests of the number, of the conditions, and the answer. */
function blockOf(
  { first, last, conditions, value }: Rule,
  littleEndian: boolean,
): Program | undefined {
  const parts = conditions.map((one) => conditionDraft(one, littleEndian));
  const inner: Instruction[] = [];
  // Failures of conditions lead behind the answer, which has to be loaded past.
  const length = parts.reduce((sum, part) => sum + part.length, 0) + 1;
  for (const part of parts) {
    const end = inner.length + part.length;
    for (const { op, k, yes, no } of part) {
      const distance = (way: Draft["yes"]): number =>
        way === undefined
          ? 0
          : (way === "success" ? end : length) - inner.length - 1;
      const [jt, jf] = [distance(yes), distance(no)];
      if (Math.max(jt, jf) > MOST_PASSED) return undefined;
      inner.push({ op, jt, jf, k });
    }
  }
  inner.push(instruction("ret.k", value));
  // The accumulator has an argument then.
  if (parts.length > 0) inner.push(instruction("ld.abs", NR_OFFSET));
  if (inner.length + 1 > MOST_PASSED) return undefined;
  const passed = inner.length;
  return first === last
    ? [{ op: "jeq.k", jt: 0, jf: passed, k: first }, ...inner]
    : [
      { op: "jge.k", jt: 0, jf: passed + 1, k: first },
      { op: "jgt.k", jt: passed, jf: 0, k: last },
      ...inner,
    ];
}

/** One condition, word by word. */
function conditionDraft(
  { arg, op, mask, value }: Condition,
  littleEndian: boolean,
): readonly Draft[] {
  const load = (half: "lo" | "hi"): readonly Draft[] => {
    const bits = halfOf(mask, half);
    return [
      { op: "ld.abs", k: argOffset(arg, half, littleEndian) },
      ...(bits === 0xffff_ffff ? [] : [{ op: "and.k", k: bits } as const]),
    ];
  };
  const high = halfOf(value, "hi");
  const low = halfOf(value, "lo");
  if (op === "eq" || op === "ne") {
    const [hit, miss] = op === "eq"
      ? ["success", "failure"] as const
      : ["failure", "success"] as const;
    return [
      ...load("hi"),
      { op: "jeq.k", k: high, no: miss },
      ...load("lo"),
      { op: "jeq.k", k: low, yes: hit, no: miss },
    ];
  }
  const isUp = op === "gt" || op === "ge";
  const [above, below] = isUp
    ? ["success", "failure"] as const
    : ["failure", "success"] as const;
  const test = op === "gt" || op === "le" ? "jgt.k" : "jge.k";
  return [
    ...load("hi"),
    { op: "jgt.k", k: high, yes: above },
    { op: "jeq.k", k: high, no: below },
    ...load("lo"),
    { op: test, k: low, yes: above, no: below },
  ];
}

function halfOf(value: bigint, half: "lo" | "hi"): number {
  return Number(BigInt.asUintN(32, half === "lo" ? value : value >> 32n));
}
