/**
 * Builders and judges for the tests of the passes.
 *
 * @module
 */

import fc from "fast-check";
import { assertEquals } from "@std/assert";
import type { Program } from "../../bpf/instruction.ts";
import { prepare, run } from "../../bpf/run.ts";
import { type SeccompData, toWords } from "../../bpf/seccomp_data.ts";
import type { Branch, Decision } from "../../compiler/decision.ts";
import type {
  ArchPolicy,
  Condition,
  ConditionOp,
  Policy,
  Rule,
} from "../../profile/policy.ts";
import { decide } from "../../verify/decide.ts";

export const ALLOW = 0x7fff_0000;
export const EPERM = 0x0005_0001;
export const KILL = 0;
export const LOG = 0x7ffc_0000;
export const TRAP = 0x0003_0000;
export const X86_64 = 0xc000_003e;
export const I386 = 0x4000_0003;
export const ALL = 0xffff_ffff_ffff_ffffn;
export const WORD = 0xffff_ffffn;
/** One seed for all property tests; fast-check prints it with a failure. */
export const SEED = 20_260_101;

/** A comparison of a whole argument, or of the bits of a mask. */
export function when(
  arg: number,
  op: ConditionOp,
  value: bigint,
  mask: bigint = ALL,
): Condition {
  return { arg, op, value, mask };
}

/** A rule for one number or for a range. */
export function rule(
  numbers: number | readonly [number, number],
  value: number,
  ...conditions: readonly Condition[]
): Rule {
  const [first, last] = typeof numbers === "number"
    ? [numbers, numbers]
    : numbers;
  return { first, last, conditions, value, source: `${first}` };
}

/** A policy of one architecture. */
export function policyOf(
  rules: readonly Rule[],
  options: Partial<Policy> & { readonly auditArch?: number } = {},
): Policy {
  const { auditArch = X86_64, ...rest } = options;
  return {
    defaultValue: EPERM,
    badArchValue: KILL,
    littleEndian: true,
    arches: [archPolicy(auditArch, rules)],
    ...rest,
  };
}

/** One architecture of a policy. */
export function archPolicy(
  auditArch: number,
  rules: readonly Rule[],
): ArchPolicy {
  return { auditArch, names: [auditArch.toString(16)], rules };
}

/** A call of x86_64. */
export function call(
  nr: number,
  args: readonly bigint[] = [],
  arch: number = X86_64,
): SeccompData {
  return {
    nr,
    arch,
    instructionPointer: 0n,
    args: Array.from({ length: 6 }, (_, i) => args[i] ?? 0n),
  };
}

/** Follows a decision by its tests, one by one. */
export function follow(
  root: Decision,
  data: SeccompData,
  littleEndian = true,
): { readonly value: number; readonly tests: readonly Branch[] } {
  const words = toWords(data, littleEndian);
  const tests: Branch[] = [];
  let node = root;
  while (node.kind === "branch") {
    tests.push(node);
    const word = words[node.offset / 4] ?? 0;
    node = holds(node, word) ? node.yes : node.no;
  }
  if (node.kind !== "leaf") throw new Error("No policy has pieces");
  return { value: node.value, tests };
}

function holds({ op, mask, k }: Branch, word: number): boolean {
  const masked = (word & mask) >>> 0;
  switch (op) {
    case "eq":
      return masked === k;
    case "ge":
      return masked >= k;
    case "set":
      return (word & k) !== 0;
  }
}

/** Writes a decision as nested tests, for comparison. */
export function show(node: Decision): string {
  if (node.kind === "piece") return `piece of ${node.program.length}`;
  if (node.kind === "leaf") return node.value.toString(16);
  const mask = node.mask === 0xffff_ffff ? "" : `&${node.mask.toString(16)}`;
  return `[${node.offset}]${mask} ${node.op} ${node.k} ? (${
    show(node.yes)
  }) : (${show(node.no)})`;
}

/** Values at which some comparison of a policy may change its answer, by argument. */
export function boundaryArgs(policy: Policy): readonly (readonly bigint[])[] {
  const values = Array.from({ length: 6 }, () => new Set<bigint>([0n, ALL]));
  for (const { rules } of policy.arches) {
    for (const { conditions } of rules) {
      for (const { arg, value, mask } of conditions) {
        for (const base of [value, value | (ALL ^ mask), value & WORD]) {
          for (const step of [-1n, 0n, 1n]) {
            const near = (base + step) & ALL;
            values[arg]?.add(near).add(near ^ (1n << 32n));
          }
        }
      }
    }
  }
  return values.map((set) => [...set]);
}

/** Numbers at which some rule of a policy begins or ends, and their neighbors. */
export function boundaryNumbers(policy: Policy): readonly number[] {
  const numbers = new Set<number>([0, 0xffff_ffff, 0x4000_0000, 0x3fff_ffff]);
  for (const { rules } of policy.arches) {
    for (const { first, last } of rules) {
      for (
        const nr of [first - 1, first, first + 1, last - 1, last, last + 1]
      ) {
        if (nr >= 0 && nr <= 0xffff_ffff) numbers.add(nr);
      }
    }
  }
  return [...numbers];
}

/** Calls at the boundaries of a policy, one argument varied at a time plus `mixes` random ones each. */
export function boundaryCalls(
  policy: Policy,
  mixes = 20,
): readonly SeccompData[] {
  const args = boundaryArgs(policy);
  const calls: SeccompData[] = [];
  let state = 1;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const arches = [...policy.arches.map((a) => a.auditArch), 0x1234];
  for (const arch of arches) {
    for (const nr of boundaryNumbers(policy)) {
      calls.push(call(nr, [], arch));
      for (const [arg, values] of args.entries()) {
        if (values.length === 2) continue;
        for (const value of values) {
          calls.push(
            call(nr, args.map((_, i) => i === arg ? value : 0n), arch),
          );
        }
      }
      for (let i = 0; i < mixes; i++) {
        const mixed = args.map((values) => values[next(values.length)] ?? 0n);
        calls.push(call(nr, mixed, arch));
      }
    }
  }
  return calls;
}

/** Asserts that a program answers all calls as its policy does. */
export function assertMeans(
  program: Program,
  policy: Policy,
  calls: readonly SeccompData[] = boundaryCalls(policy),
): void {
  const prepared = prepare(program);
  for (const data of calls) {
    const seen = run(prepared, toWords(data, policy.littleEndian));
    const { value } = decide(policy, data);
    if (seen !== value) assertEquals(seen, value, describeCall(data));
  }
}

/** A call in one line. */
export function describeCall({ arch, nr, args }: SeccompData): string {
  return `arch ${arch.toString(16)} nr ${nr} args ${
    args.map((a) => a.toString(16)).join(",")
  }`;
}

const anyValue = fc.oneof(
  fc.bigInt(0n, 6n),
  fc.constantFrom(
    0n,
    1n,
    WORD - 1n,
    WORD,
    WORD + 1n,
    WORD + 2n,
    WORD << 32n,
    ALL - 1n,
    ALL,
  ),
  fc.bigInt(0n, ALL),
);
const anyMask = fc.oneof(
  { weight: 4, arbitrary: fc.constant(ALL) },
  { weight: 2, arbitrary: fc.constant(WORD) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      0n,
      1n,
      2n,
      6n,
      0x8000_0000n,
      0x1_0000_0000n,
      0xff_0000_00f0n,
      WORD << 32n,
    ),
  },
  { weight: 1, arbitrary: fc.bigInt(0n, ALL) },
);

/**
 * Any comparison; the bits of a value outside of the mask are often cleared.
 */
export const anyCondition: fc.Arbitrary<Condition> = fc.record({
  arg: fc.oneof(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 5 })),
  op: fc.constantFrom<ConditionOp>("eq", "ne", "lt", "le", "gt", "ge"),
  mask: anyMask,
  value: anyValue,
  cut: fc.integer({ min: 0, max: 9 }),
}).map(({ cut, value, ...rest }) => ({
  ...rest,
  value: cut === 0 ? value : value & rest.mask,
}));

const anyNumber = fc.oneof(
  fc.integer({ min: 0, max: 12 }),
  fc.constantFrom(0x3fff_ffff, 0x4000_0000, 0xffff_fffe, 0xffff_ffff),
);

/** Any rule about few numbers. */
export const anyRule: fc.Arbitrary<Rule> = fc.record({
  numbers: fc.oneof(
    { weight: 3, arbitrary: anyNumber.map((n) => [n, n] as const) },
    { weight: 1, arbitrary: fc.tuple(anyNumber, anyNumber) },
  ),
  value: fc.constantFrom(ALLOW, EPERM, LOG, TRAP, KILL, 0x0005_0026),
  conditions: fc.array(anyCondition, { maxLength: 3 }),
}).map(({ numbers: [a, b], value, conditions }) =>
  rule([Math.min(a, b), Math.max(a, b)], value, ...conditions)
);

/** Any policy of one or two architectures. */
export const anyPolicy: fc.Arbitrary<Policy> = fc.record({
  defaultValue: fc.constantFrom(EPERM, ALLOW, KILL),
  badArchValue: fc.constantFrom(KILL, EPERM),
  littleEndian: fc.boolean(),
  first: fc.array(anyRule, { maxLength: 10 }),
  second: fc.option(fc.array(anyRule, { maxLength: 6 }), { nil: undefined }),
}).map(({ first, second, ...rest }) => ({
  ...rest,
  arches: [
    archPolicy(X86_64, first),
    ...(second === undefined ? [] : [archPolicy(I386, second)]),
  ],
}));
