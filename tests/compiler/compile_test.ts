import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { emulate } from "../../bpf/const_allow.ts";
import { encode } from "../../bpf/encode.ts";
import { prepare, run, runSteps } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { compile } from "../../compiler/compile.ts";
import type { Weights } from "../../compiler/cost.ts";
import type { Objective } from "../../tables/objectives.ts";
import { SizeError } from "../../compiler/size.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { DOCKER_DEFAULT_CAPABILITIES } from "../../profile/host.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import type { Policy, Rule } from "../../profile/policy.ts";
import { resolve } from "../../profile/semantics/resolve.ts";
import { selectFor } from "../../profile/select.ts";
import { archByName, type ArchName } from "../../tables/arch.ts";
import { decide } from "../../verify/decide.ts";
import {
  ALLOW,
  anyPolicy,
  archPolicy,
  assertMeans,
  boundaryArgs,
  boundaryCalls,
  call,
  describeCall,
  EPERM,
  I386,
  KILL,
  LOG,
  policyOf,
  rule,
  SEED,
  TRAP,
  when,
  WORD,
  X86_64,
} from "./shared.ts";

/** Docker's default for a host and these architectures. */
function docker(...names: readonly ArchName[]): Policy {
  const { seccomp } = selectFor(parseProfile(DEFAULT_PROFILE), {
    arch: "x86_64",
    kernel: { major: 6, minor: 1 },
    capabilities: DOCKER_DEFAULT_CAPABILITIES,
  });
  const arches = names.flatMap((name) => archByName(name) ?? []);
  assert(seccomp !== undefined && arches.length === names.length);
  return resolve(seccomp, { arches, semantics: "crun" }).policy;
}

Deno.test("compile() keeps Docker's default within the numbers that are promised", () => {
  const native = compile(docker("x86_64")).program;
  assert(native.length <= 80, `x86_64 alone: ${native.length} instructions`);
  const policy = docker("x86_64", "x86", "x32");
  const { program } = compile(policy);
  assert(program.length <= 290, `three ABIs: ${program.length} instructions`);
  const prepared = prepare(program);
  const steps = (nr: number, args: readonly bigint[], arch: number): number =>
    runSteps(prepared, toWords(call(nr, args, arch), true)).steps;
  let sum = 0;
  for (let nr = 0; nr < 470; nr++) sum += steps(nr, [], X86_64);
  assert(sum / 470 <= 9, `mean ${sum / 470}`);

  // The worst: every number of each table, arguments at their boundaries.
  let worst = 0;
  const args = boundaryArgs(policy);
  for (const { auditArch, rules } of policy.arches) {
    const conditional = new Set(
      rules.filter((r) => r.conditions.length > 0).map((r) => r.first),
    );
    for (let nr = 0; nr < 600; nr++) {
      for (const number of [nr, nr + 0x4000_0000]) {
        worst = Math.max(worst, steps(number, [], auditArch));
        if (!conditional.has(number)) continue;
        // All conditions of the default test only argument 0 or 1.
        for (const [arg, values] of args.entries()) {
          for (const value of values) {
            const given = args.map((_, i) => i === arg ? value : 0n);
            worst = Math.max(worst, steps(number, given, auditArch));
          }
        }
      }
    }
  }
  assert(worst <= 21, `worst ${worst}`);
  assertMeans(program, policy);
});

Deno.test("compile() has no objective with shorter programs than size", () => {
  for (const policy of [docker("x86_64", "x86", "x32"), docker("x86_64")]) {
    const length = (objective: Objective): number =>
      compile(policy, { objective }).program.length;
    const size = length("size");
    for (const other of ["balanced", "uncached", "cached"] as const) {
      assert(size <= length(other), `size ${size}, ${other} ${length(other)}`);
    }
  }
});

Deno.test("compile() means what the policy means", () => {
  // A mask of one bit and a value outside of it, found by the property below.
  const outside = policyOf([
    rule(1, ALLOW, when(0, "ne", 0x10_0000_0003n, 0x8_0000_0001n)),
    rule(2, ALLOW, when(0, "eq", 0x10_0000_0003n, 0x8_0000_0001n)),
  ]);
  assertMeans(compile(outside).program, outside);
  fc.assert(
    fc.property(anyPolicy, (policy) => {
      assertMeans(compile(policy).program, policy, boundaryCalls(policy, 8));
    }),
    { seed: SEED, numRuns: 200 },
  );
});

/** Asserts that the kernel's emulator finds every constant ALLOW. */
function assertCached(policy: Policy, numbers: readonly number[]): void {
  const { program } = compile(policy);
  for (const { auditArch, rules } of policy.arches) {
    for (const nr of numbers) {
      const met = rules.filter((r) => r.first <= nr && nr <= r.last);
      const conditional = met.some((r) => r.conditions.length > 0);
      if (conditional) continue;
      const value = met[0]?.value ?? policy.defaultValue;
      assertEquals(
        emulate(program, auditArch, nr).allow,
        value === ALLOW,
        `${auditArch.toString(16)} ${nr}`,
      );
    }
  }
}

const NUMBERS = Array.from({ length: 601 }, (_, nr) => nr);

Deno.test("compile() keeps always allowed calls in the kernel's cache", () => {
  assertCached(docker("x86_64", "x86", "x32"), NUMBERS);
  for (const name of ["aarch64", "riscv64", "s390x", "arm"] as const) {
    assertCached(docker(name), NUMBERS);
  }
  fc.assert(
    fc.property(
      anyPolicy,
      (policy) => assertCached(policy, NUMBERS.slice(0, 16)),
    ),
    { seed: SEED, numRuns: 150 },
  );
});

Deno.test("compile() takes 470 alternating numbers on two architectures", () => {
  const rules = Array.from({ length: 235 }, (_, i) => rule(2 * i, ALLOW));
  const policy = policyOf([], {
    arches: [
      archPolicy(X86_64, rules),
      archPolicy(
        I386,
        rules.map((r) => ({
          ...r,
          first: r.first + 1,
          last: r.last + 1,
        })),
      ),
    ],
  });
  const { program } = compile(policy);
  assertMeans(program, policy);
  assert(program.length <= 660, `${program.length} instructions`);
  assert(program.filter((i) => i.op === "ja").length <= 2);
});

Deno.test("compile() makes 1,000 equalities on one argument a tree", () => {
  const rules = Array.from(
    { length: 1000 },
    (_, i) => rule(1, ALLOW, when(0, "eq", BigInt(7 * i))),
  );
  const policy = policyOf(rules);
  const { program } = compile(policy);
  assert(program.length <= 2000, `${program.length} instructions`);
  const prepared = prepare(program);
  let worst = 0;
  for (let value = 0n; value < 7001n; value++) {
    const words = toWords(call(1, [value]), true);
    const { value: seen, steps } = runSteps(prepared, words);
    assertEquals(seen, value % 7n === 0n && value < 7000n ? ALLOW : EPERM);
    worst = Math.max(worst, steps);
  }
  // arch, nr: 2 loads, 2 tests; low and high word: 2 loads, 1 test; a return.
  assert(worst <= 8 + 2 * Math.log2(1000), `${worst} steps`);
});

Deno.test("compile() fits as many equalities on one argument as the kernel takes", () => {
  const policy = (count: number): Policy =>
    policyOf(Array.from(
      { length: count },
      (_, i) => rule(1, ALLOW, when(0, "eq", BigInt(3 * i))),
    ));
  const tree = compile(policy(2300));
  assertEquals(tree.madeForSize, "nothing");
  const long = compile(policy(3000));
  assertEquals(long.madeForSize, "arguments");
  // 3,025 is what libseccomp takes.
  const { program } = compile(policy(3000), { objective: "size" });
  assert(program.length <= 3025, `${program.length}`);
  const longest = compile(policy(4000));
  const prepared = prepare(longest.program);
  for (let value = 0n; value < 12_002n; value++) {
    const seen = run(prepared, toWords(call(1, [value]), true));
    const allowed = value % 3n === 0n && value < 12_000n;
    assertEquals(seen, allowed ? ALLOW : EPERM, `${value}`);
  }
});

Deno.test("compile() limits the work on arguments for all calls together", () => {
  // In any order of words, the decision for these rules is large.
  const bits = Array.from({ length: 24 }, (_, i) => 1n << BigInt(i));
  const crosswise = (nr: number): readonly Rule[] =>
    bits.map((bit, i) =>
      rule(
        nr,
        LOG + nr * 32 + i,
        when(0, "eq", bit, bit),
        when(1, "eq", bit, bit),
      )
    );
  const plain = rule(1000, ALLOW, when(0, "eq", 7n));
  const policy = (calls: number): Policy =>
    policyOf([
      ...Array.from({ length: calls }, (_, nr) => crosswise(nr)).flat(),
      plain,
    ]);
  assertEquals(compile(policy(1)).testedInOrder, 1);
  const { program, testedInOrder } = compile(policy(30));
  // A few rules are always few enough.
  assertEquals(testedInOrder, 30);
  const prepared = prepare(program);
  for (const nr of [0, 29, 1000]) {
    for (const a of [0n, 1n, 7n, 0x10_0000n, 0xff_ffffn]) {
      const data = call(nr, [a, a ^ 2n]);
      const seen = run(prepared, toWords(data, true));
      assertEquals(seen, decide(policy(30), data).value, describeCall(data));
    }
  }
});

Deno.test("compile() refuses more than 4,096 instructions and says where they are", () => {
  const rules = (count: number): readonly Rule[] =>
    Array.from(
      { length: count },
      (_, i) => rule(2 * i, ALLOW, when(0, "eq", BigInt(2 * i))),
    );
  const fits = policyOf(rules(700));
  assert(compile(fits).program.length <= 4096);
  const policy = policyOf([], {
    arches: [
      archPolicy(X86_64, rules(1800)),
      archPolicy(I386, [rule(1, ALLOW), rule(3, LOG, when(1, "ge", 5n, WORD))]),
    ],
  });
  const error = assertThrows(() => compile(policy), SizeError);
  assert(error.length > 4096);
  assertEquals(error.shares.length, 2);
  const [first, second] = error.shares;
  assert((first?.numberTests ?? 0) >= 1800);
  assert((first?.argumentTests ?? 0) >= 1800);
  assert((second?.numberTests ?? 99) <= 4);
  assertEquals(second?.argumentTests, 1);
  assertEquals(
    error.message,
    `Cannot load the filter: ${error.length} instructions, the kernel takes 4096 ` +
      `(c000003e: ${first?.numberTests} tests on numbers, ${first?.argumentTests} on arguments; ` +
      `40000003: ${second?.numberTests} tests on numbers, 1 on arguments): remove rules or architectures`,
  );
});

Deno.test("compile() gives up policies with far too many rules", () => {
  const policy = (calls: number, count: number): Policy =>
    policyOf(Array.from(
      { length: calls * count },
      (_, i) => rule(i % calls, ALLOW, when(0, "eq", BigInt(7 * i))),
    ));
  for (const [calls, count] of [[1, 50_000], [450, 200]] as const) {
    const error = assertThrows(() => compile(policy(calls, count)), SizeError);
    assertEquals(
      error.message,
      "Cannot load the filter: more than 32768 instructions, the kernel takes 4096: remove rules or architectures",
    );
  }
  // As many rules that one test decides.
  const range = policyOf(Array.from(
    { length: 40_000 },
    (_, i) => rule(1, ALLOW, when(0, "eq", BigInt(i), WORD)),
  ));
  assert(compile(range).program.length < 20);
});

Deno.test("compile() takes exactly as many instructions as the kernel does", () => {
  // Two numbers of different outcomes in turn: the size is almost linear.
  const policy = (count: number): Policy =>
    policyOf(Array.from({ length: count }, (_, i) => rule(2 * i, LOG + i)));
  const size = (count: number): number => {
    try {
      return compile(policy(count)).program.length;
    } catch (error) {
      assert(error instanceof SizeError);
      return error.length;
    }
  };
  let low = 1980;
  let high = 2010;
  assert(size(low) <= 4096 && size(high) > 4096);
  while (low + 1 < high) {
    const middle = (low + high) >> 1;
    if (size(middle) <= 4096) low = middle;
    else high = middle;
  }
  const { program } = compile(policy(low));
  assert(program.length > 4096 - 8, `${program.length}`);
  assertMeans(program, policy(low));
  assertThrows(() => compile(policy(low + 1)), SizeError);
});

Deno.test("compile() is one return if nothing matters", () => {
  const table: readonly (readonly [string, Policy, number])[] = [
    ["no architecture", policyOf([], { arches: [] }), 1],
    ["all answers alike", policyOf([], { defaultValue: KILL }), 1],
    ["a default", policyOf([]), 4],
  ];
  for (const [name, policy, length] of table) {
    const { program } = compile(policy);
    assertEquals(program.length, length, name);
    assertMeans(program, policy);
  }
});

Deno.test("compile() takes the edges of the system call numbers", () => {
  const policy = policyOf([
    rule(0, ALLOW),
    rule(0xffff_ffff, LOG),
    rule([0x4000_0000, 0xffff_fffe], KILL),
    rule([5, 0xffff_ffff], TRAP, when(0, "eq", 1n)),
  ]);
  assertMeans(compile(policy).program, policy);
});

/** A policy with each kind of comparison on several numbers. */
const MIXED: readonly Rule[] = [
  rule(1, ALLOW, when(0, "lt", 38n)),
  rule(1, ALLOW, when(0, "gt", 40n)),
  rule(2, LOG, when(1, "eq", 6n, 6n)),
  rule(3, ALLOW),
  rule(4, TRAP, when(5, "ge", 1n << 33n), when(0, "ne", 3n)),
  rule(9, ALLOW),
  rule(90, ALLOW),
  rule(91, KILL),
];

Deno.test("compile() gives the same bytes for the same policy", () => {
  const bytes = (rules: readonly Rule[], littleEndian = true): string =>
    encode(compile(policyOf(rules, { littleEndian })).program).toString();
  const expected = bytes(MIXED);
  assertEquals(
    bytes(MIXED.map((r) => ({ ...r, source: "elsewhere" }))),
    expected,
  );
  fc.assert(
    fc.property(
      fc.shuffledSubarray(MIXED.slice(2), { minLength: MIXED.length - 2 }),
      (rest) => {
        // Rules of one number keep their order; numbers do not.
        assertEquals(bytes([...rest, ...MIXED.slice(0, 2)]), expected);
      },
    ),
    { seed: SEED, numRuns: 30 },
  );
  assert(bytes(MIXED, false) !== expected);
});

Deno.test("compile() counts the tests that it expects", () => {
  const { arches } = compile(policyOf([rule([0, 234], ALLOW)]));
  assertEquals(arches.map((a) => [a.tests, a.intervals]), [[1, 2]]);
});

/** Weights of the first numbers, each half the one before. */
function halving(auditArch: number): Weights {
  const shares = Array.from(
    { length: 30 },
    (_, i) => [7 * i, 2 ** -i] as const,
  );
  return new Map([[auditArch, new Map(shares)]]);
}

Deno.test("compile() proves the optimum of a histogram under its default limit on depth", () => {
  const policy = docker("x86_64", "x32");
  const [tree] = compile(policy, { weights: halving(X86_64) }).arches;
  assert(tree !== undefined && tree.proven, `not proven at ${tree?.depth}`);
  // Three tests less, the limit binds.
  const maxDepth = Math.ceil(Math.log2(tree.intervals)) + 4;
  const bound = { weights: halving(X86_64), maxDepth };
  const [flat] = compile(policy, bound).arches;
  assert(flat !== undefined && !flat.proven && flat.depth === maxDepth);
  assert(flat.cost > 1.005 * tree.cost, `${flat.cost} and ${tree.cost}`);
});

Deno.test("compile() bounds what is possible under a limit on depth", () => {
  const policy = docker("x86_64");
  const options = { weights: halving(X86_64), maxDepth: 7 };
  const plain = compile(policy, options);
  const bounded = compile(policy, { ...options, boundWork: 5e6 });
  assertEquals(bounded.program, plain.program);
  const [before] = plain.arches;
  const [after] = bounded.arches;
  assert(before !== undefined && after !== undefined && !after.proven);
  const gap = (lowerBound: number): number => before.cost / lowerBound - 1;
  const gaps = `${gap(before.lowerBound)} → ${gap(after.lowerBound)}`;
  assert(gap(before.lowerBound) > 0.05, gaps);
  assert(gap(after.lowerBound) < 0.02, gaps);
});

Deno.test("compile() decides by both byte orders", () => {
  for (const littleEndian of [true, false]) {
    const policy = policyOf(MIXED, { littleEndian });
    assertMeans(compile(policy).program, policy);
  }
});
