import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Program } from "../../bpf/instruction.ts";
import { ProgramError } from "../../bpf/error.ts";
import { effective } from "../../bpf/return_value.ts";
import { prepare, run } from "../../bpf/run.ts";
import { argOffset, toWords } from "../../bpf/seccomp_data.ts";
import type { Condition, Policy, Rule } from "../../profile/policy.ts";
import { decide } from "../../verify/decide.ts";
import {
  type Counterexample,
  type Proof,
  type ProofOptions,
  proveEquivalent,
  type Subject,
  type Unproven,
} from "../../verify/equivalence.ts";
import { witnesses } from "../../verify/witnesses.ts";
import {
  createRandom,
  jump,
  plain,
  type Random,
  randomTree,
} from "./programs.ts";
import { compareRandomPairs } from "./random_pairs.ts";

const ALLOW = 0x7fff_0000;
const ERRNO = 0x0005_0001;
const X86_64 = 0xc000_003e;

function program(...instructions: Program): Subject {
  return { kind: "program", program: instructions };
}

function returning(value: number): Program {
  return [plain("ret.k", value)];
}

function prove(
  a: Subject,
  b: Subject,
  options?: ProofOptions,
): Proof | Counterexample | Unproven {
  return proveEquivalent(a, b, options);
}

function policyOf(rules: readonly Rule[], littleEndian = true): Policy {
  return {
    defaultValue: ERRNO,
    badArchValue: 0,
    littleEndian,
    arches: [{ auditArch: X86_64, names: ["x86_64"], rules }],
  };
}

/** The rules one after the other, as the plainest of compilers would. */
function linear(policy: Policy, hiFirst: boolean): Program {
  const body: Program[] = policy.arches.flatMap(({ auditArch, rules }) =>
    rules.map((rule): Program => {
      const tests: Program = rule.conditions.flatMap((condition) =>
        equality(condition, policy.littleEndian, hiFirst)
      );
      const matched = [...tests, plain("ret.k", rule.value)];
      const guard = [
        plain("ld.abs", 4),
        jump("jeq.k", auditArch, 0, 3),
        plain("ld.abs", 0),
        jump("jge.k", rule.first, 0, 1),
        jump("jgt.k", rule.last, 0, 1),
        plain("ja", matched.length),
      ];
      // Every failing test leaves for what follows.
      return [...guard, ...matched].map((instruction, pc, all) =>
        instruction.jf === 255
          ? { ...instruction, jf: all.length - pc - 1 }
          : instruction
      );
    })
  );
  return [
    ...body.flat(),
    plain("ld.abs", 4),
    ...policy.arches.map(({ auditArch }, i) =>
      jump("jeq.k", auditArch, policy.arches.length - i, 0)
    ),
    plain("ret.k", policy.badArchValue),
    plain("ret.k", policy.defaultValue),
  ];
}

function equality(
  { arg, mask, value }: Condition,
  littleEndian: boolean,
  hiFirst: boolean,
): Program {
  const half = (name: "hi" | "lo"): Program => {
    const shift = name === "hi" ? 32n : 0n;
    return [
      plain("ld.abs", argOffset(arg, name, littleEndian)),
      plain("and.k", Number((mask >> shift) & 0xffff_ffffn)),
      jump("jeq.k", Number((value >> shift) & 0xffff_ffffn), 0, 255),
    ];
  };
  return hiFirst
    ? [...half("hi"), ...half("lo")]
    : [...half("lo"), ...half("hi")];
}

function randomRules(random: Random, count: number, numbers: number): Rule[] {
  return Array.from({ length: count }, (_, i) => {
    const first = random.below(numbers);
    const conditions = Array.from(
      { length: random.below(3) },
      (): Condition => {
        const mask = random.pick([
          0xffff_ffff_ffff_ffffn,
          0xffff_ffffn,
          BigInt(random.word()) << 7n,
        ]);
        const value = BigInt(random.below(5)) *
          random.pick([1n, 0x1_0000_0000n]);
        return { arg: random.below(6), op: "eq", mask, value: value & mask };
      },
    );
    return {
      first,
      last: first + random.below(4),
      conditions,
      value: random.pick([ALLOW, ERRNO, 0x0003_0000]),
      source: `rules[${i}]`,
    };
  });
}

Deno.test("proveEquivalent() agrees with brute force on random pairs of programs", () => {
  const tally = compareRandomPairs(1_500, 20_240_601);
  // deno-lint-ignore no-console -- the counts are what the test is for
  console.log("random pairs:", tally);
  assert(tally.equal > 400 && tally.different > 400 && tally.unproven < 15);
});

Deno.test("proveEquivalent() finds a policy and its plainest program equal, in both byte orders", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = createRandom(seed);
    const policy = policyOf(randomRules(random, 12, 20), seed % 2 === 0);
    const verdict = prove(
      { kind: "policy", policy },
      program(...linear(policy, random.below(2) === 0)),
    );
    assertEquals(verdict.kind, "equal", `seed ${seed}`);
  }
});

Deno.test("proveEquivalent() refutes a policy with one rule changed, exactly where decide() sees it", () => {
  let different = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const random = createRandom(seed);
    const rules = randomRules(random, 12, 20);
    const policy = policyOf(rules);
    const index = random.below(rules.length);
    const changed = policyOf(
      rules.map((rule, i) =>
        i === index ? { ...rule, value: rule.value ^ 0x0001_0000 } : rule
      ),
    );
    const a: Subject = { kind: "policy", policy };
    const verdict = prove(a, program(...linear(changed, true)));
    const differs = [...witnesses([a], { most: 3_000 })].some((data) =>
      effective(decide(policy, data).value) !==
        effective(decide(changed, data).value)
    );
    if (differs) assertEquals(verdict.kind, "different", `seed ${seed}`);
    if (verdict.kind !== "different") continue;
    different++;
    assertEquals(verdict.a.value, decide(policy, verdict.data).value);
    assertEquals(verdict.b.value, decide(changed, verdict.data).value);
    assert(verdict.b.paths[0]?.[0] === 0);
  }
  assert(different > 15, `${different} different`);
});

Deno.test("proveEquivalent() compares 64-bit orders with half of the bits masked", () => {
  for (const op of ["lt", "le", "gt", "ge", "ne"] as const) {
    const opposite =
      ({ lt: "ge", le: "gt", gt: "le", ge: "lt", ne: "eq" } as const)[op];
    const condition = {
      arg: 3,
      mask: 0xffff_0000_ff00_ffffn,
      value: 0x0012_0000_3400_0056n,
    };
    const rule = { first: 0, last: 0xffff_ffff, source: "" };
    const [a, b] = [
      policyOf([{ ...rule, conditions: [{ ...condition, op }], value: ALLOW }]),
      policyOf([
        { ...rule, conditions: [{ ...condition, op: opposite }], value: ERRNO },
        { ...rule, conditions: [], value: ALLOW },
      ]),
    ];
    const verdict = prove({ kind: "policy", policy: a }, {
      kind: "policy",
      policy: b,
    });
    assertEquals(verdict.kind, "equal", op);
    for (const delta of [-1n, 1n]) {
      const moved = policyOf([{
        ...rule,
        conditions: [{ ...condition, op, value: condition.value + delta }],
        value: ALLOW,
      }]);
      const other = prove({ kind: "policy", policy: a }, {
        kind: "policy",
        policy: moved,
      });
      assertEquals(other.kind, "different", op);
    }
  }
});

Deno.test("proveEquivalent() lets the first of several matching architectures and rules decide", () => {
  const rule = { first: 7, last: 7, conditions: [], source: "" };
  const twice = policyOf([{ ...rule, value: ALLOW }, {
    ...rule,
    value: ERRNO,
  }]);
  const doubled: Policy = {
    ...twice,
    arches: [...twice.arches, { auditArch: X86_64, names: [], rules: [] }],
  };
  const once = policyOf([{ ...rule, value: ALLOW }]);
  for (const policy of [twice, doubled]) {
    const verdict = prove({ kind: "policy", policy }, {
      kind: "policy",
      policy: once,
    });
    assertEquals(verdict.kind, "equal");
  }
});

Deno.test("proveEquivalent() compares return values as the kernel acts, or bit for bit", () => {
  const alike: readonly (readonly [number, number])[] = [
    [0x0005_1388, 0x0005_0fff],
    [0x1234_5678, 0x8000_0000],
    [0x7fff_0000, 0x7fff_0042],
    [0x0000_0001, 0x0000_0000],
    [0x7fc0_0001, 0x7fc0_0000],
  ];
  for (const [x, y] of alike) {
    const [a, b] = [program(...returning(x)), program(...returning(y))];
    assertEquals(prove(a, b).kind, "equal", x.toString(16));
    assertEquals(prove(a, b, { compare: "bits" }).kind, "different");
  }
  const unlike: readonly (readonly [number, number])[] = [
    [0x0005_0001, 0x0005_0002],
    [0x0003_0001, 0x0003_0002],
    [0x7ff0_0001, 0x7ff0_0002],
    [0x8000_0000, 0x0000_0000],
  ];
  for (const [x, y] of unlike) {
    const verdict = prove(program(...returning(x)), program(...returning(y)));
    assertEquals(verdict.kind, "different", x.toString(16));
  }
});

Deno.test("proveEquivalent() treats every action and data as effective() does", () => {
  const random = createRandom(5);
  const actions = [
    0,
    0x8000,
    3,
    5,
    0x7fc0,
    0x7ff0,
    0x7ffc,
    0x7fff,
    0x1234,
    0xffff,
  ];
  for (let i = 0; i < 400; i++) {
    const value = (): number =>
      ((random.pick(actions) << 16) |
        random.pick([0, 1, 4095, 4096, 0xffff])) >>> 0;
    const [x, y] = [value(), value()];
    const verdict = prove(program(...returning(x)), program(...returning(y)));
    assertEquals(
      verdict.kind === "equal",
      effective(x) === effective(y),
      `${x} ${y}`,
    );
  }
});

Deno.test("proveEquivalent() lets the strictest of stacked filters prevail, among equals the newest", () => {
  const stack = (...values: readonly number[]): Subject => ({
    kind: "stack",
    programs: values.map(returning),
  });
  const cases: readonly (readonly [readonly number[], number])[] = [
    [[], ALLOW],
    [[ALLOW, ERRNO], ERRNO],
    [[ERRNO, ALLOW], ERRNO],
    [[ERRNO, 0x0005_0002], 0x0005_0002],
    [[0x0003_0000, ERRNO, 0x7ff0_0000], 0x0003_0000],
    [[0, 0x8000_0000], 0x8000_0000],
    [[0x7ffc_0000, ALLOW], 0x7ffc_0000],
    // An unknown action ranks by its number: this one is milder than TRACE.
    [[0x7ff8_0000, 0x7ff0_0007], 0x7ff0_0007],
  ];
  for (const [values, expected] of cases) {
    const verdict = prove(stack(...values), program(...returning(expected)), {
      compare: "bits",
    });
    assertEquals(verdict.kind, "equal", values.join());
  }
  const conditional = [
    plain("ld.abs", 0),
    jump("jeq.k", 5, 0, 1),
    ...returning(ERRNO),
    ...returning(ALLOW),
  ];
  const both = [
    plain("ld.abs", 0),
    jump("jeq.k", 5, 0, 1),
    ...returning(ERRNO),
    ...returning(0x7ffc_0000),
  ];
  const verdict = prove(
    { kind: "stack", programs: [conditional, returning(0x7ffc_0000)] },
    program(...both),
  );
  assertEquals(verdict.kind, "equal");
});

Deno.test("proveEquivalent() decides arithmetic on words", () => {
  const word = [plain("ld.abs", 16)];
  const end = [...returning(ALLOW), ...returning(ERRNO)];
  const equal: readonly (readonly [string, Program, Program])[] = [
    [
      "w + 5 = 9",
      [...word, plain("add.k", 5), jump("jeq.k", 9, 0, 1), ...end],
      [...word, jump("jeq.k", 4, 0, 1), ...end],
    ],
    ["w − 1 ≥ 0xffff_ffff", [
      ...word,
      plain("sub.k", 1),
      jump("jge.k", 0xffff_ffff, 0, 1),
      ...end,
    ], [...word, jump("jeq.k", 0, 0, 1), ...end]],
    ["−w = 3", [...word, plain("neg"), jump("jeq.k", 3, 0, 1), ...end], [
      ...word,
      jump("jeq.k", 0xffff_fffd, 0, 1),
      ...end,
    ]],
    ["w × 4", [...word, plain("mul.k", 4), jump("jset.k", 4, 0, 1), ...end], [
      ...word,
      jump("jset.k", 1, 0, 1),
      ...end,
    ]],
    ["w ÷ 10 = 7", [
      ...word,
      plain("div.k", 10),
      jump("jeq.k", 7, 0, 1),
      ...end,
    ], [...word, plain("sub.k", 70), jump("jgt.k", 9, 1, 0), ...end]],
    ["w ⊕ ones = 0", [
      ...word,
      plain("xor.k", 0xffff_ffff),
      jump("jeq.k", 0, 0, 1),
      ...end,
    ], [...word, jump("jeq.k", 0xffff_ffff, 0, 1), ...end]],
    ["w >> 31", [...word, plain("rsh.k", 31), jump("jeq.k", 1, 0, 1), ...end], [
      ...word,
      jump("jge.k", 0x8000_0000, 0, 1),
      ...end,
    ]],
    ["w = v by difference", [
      ...word,
      plain("tax"),
      plain("ld.abs", 24),
      plain("sub.x"),
      jump("jeq.k", 0, 0, 1),
      ...end,
    ], [
      ...word,
      plain("tax"),
      plain("ld.abs", 24),
      jump("jeq.x", 0, 0, 1),
      ...end,
    ]],
    ["w × v = v × w", [
      ...word,
      plain("tax"),
      plain("ld.abs", 24),
      plain("mul.x"),
      jump("jeq.k", 77, 0, 1),
      ...end,
    ], [
      plain("ld.abs", 24),
      plain("tax"),
      ...word,
      plain("mul.x"),
      jump("jeq.k", 77, 0, 1),
      ...end,
    ]],
    ["w returned", [...word, plain("ret.a")], [
      ...word,
      plain("st", 3),
      plain("ld.imm", 1),
      plain("ldx.mem", 3),
      plain("txa"),
      plain("ret.a"),
    ]],
    ["÷ X = 0", [
      ...word,
      plain("tax"),
      plain("ld.imm", 6),
      plain("div.x"),
      plain("ret.k", 0),
    ], returning(0)],
    [
      "length",
      [plain("ld.len"), jump("jeq.k", 64, 0, 1), ...end],
      returning(ALLOW),
    ],
  ];
  for (const [name, a, b] of equal) {
    for (const compare of ["effect", "bits"] as const) {
      assertEquals(
        prove(program(...a), program(...b), { compare }).kind,
        "equal",
        name,
      );
    }
  }
});

Deno.test("proveEquivalent() tells products apart by trying where they are too large to compute", () => {
  const product = (k: number): Subject =>
    program(
      plain("ld.abs", 16),
      plain("tax"),
      plain("ld.abs", 24),
      plain("mul.x"),
      jump("jeq.k", k, 0, 1),
      ...returning(ALLOW),
      ...returning(ERRNO),
    );
  const limits = { nodes: 100_000, steps: 400_000 };
  assertEquals(prove(product(77), product(78), { limits }).kind, "different");
});

Deno.test("proveEquivalent() keeps registers apart where paths meet", () => {
  // Whether nr is 1 decides which argument is looked at, by one test for both.
  const shared = [
    plain("ld.abs", 0),
    jump("jeq.k", 1, 0, 2),
    plain("ld.abs", 16),
    plain("ja", 1),
    plain("ld.abs", 24),
    jump("jeq.k", 9, 0, 1),
    ...returning(ALLOW),
    ...returning(ERRNO),
  ];
  const apart = (x: number, y: number): Program => [
    plain("ld.abs", 0),
    jump("jeq.k", 1, 0, 3),
    plain("ld.abs", x),
    jump("jeq.k", 9, 3, 4),
    plain("ret.k", 0),
    plain("ld.abs", y),
    jump("jeq.k", 9, 0, 1),
    ...returning(ALLOW),
    ...returning(ERRNO),
  ];
  assertEquals(
    prove(program(...shared), program(...apart(16, 24))).kind,
    "equal",
  );
  assertEquals(
    prove(program(...shared), program(...apart(24, 16))).kind,
    "different",
  );
});

Deno.test("proveEquivalent() decides a thousand equalities on one argument in any order of tests", () => {
  const rules = Array.from({ length: 1_000 }, (_, i): Rule => ({
    first: 3,
    last: 3,
    conditions: [{
      arg: 0,
      op: "eq",
      mask: 0xffff_ffff_ffff_ffffn,
      value: (BigInt(i) * 0x1_2345_6789n) & 0xff_ffff_ffffn,
    }],
    value: ALLOW,
    source: "",
  }));
  const policy = policyOf(rules);
  const reversed = policyOf(rules.toReversed());
  const verdict = prove({ kind: "policy", policy }, {
    kind: "policy",
    policy: reversed,
  });
  assertEquals(verdict.kind, "equal");
  const some = policyOf(rules.slice(0, 280));
  for (const hiFirst of [true, false]) {
    const filter = linear(policyOf(rules.slice(0, 280).toReversed()), hiFirst);
    const proof = prove(program(...filter), { kind: "policy", policy: some });
    assertEquals(proof.kind, "equal", `hi first: ${hiFirst}`);
  }
  const missing = policyOf(
    rules.with(500, { ...rules[0] as Rule, value: ERRNO }),
  );
  const refuted = prove({ kind: "policy", policy }, {
    kind: "policy",
    policy: missing,
  });
  assert(refuted.kind === "different");
  assertEquals(refuted.data.args[0], rules[500]?.conditions[0]?.value);
});

Deno.test("proveEquivalent() decides 470 alternating numbers and counts them", () => {
  const rules = Array.from({ length: 235 }, (_, i): Rule => ({
    first: 2 * i,
    last: 2 * i,
    conditions: [],
    value: ALLOW,
    source: "",
  }));
  const filter = [
    plain("ld.abs", 4),
    jump("jeq.k", X86_64, 1, 0),
    ...returning(0),
    plain("ld.abs", 0),
    jump("jgt.k", 469, 2, 0),
    jump("jset.k", 1, 1, 0),
    ...returning(ALLOW),
    ...returning(ERRNO),
  ];
  const verdict = prove(
    { kind: "policy", policy: policyOf(rules) },
    program(...filter),
  );
  assert(verdict.kind === "equal");
  assertEquals(verdict.coverage.archIntervals, 3);
  assertEquals(verdict.coverage.nrIntervals, 470 + 2);
  assertEquals(verdict.coverage.offsets, [0, 4]);
});

Deno.test("proveEquivalent() decides chains of 4096 instructions", () => {
  const chain = (last: number): Program => [
    plain("ld.abs", 0),
    ...Array.from({ length: 2_047 }, (_, i) => [
      jump("jeq.k", Math.imul(i, 0x9e37_79b1) >>> 0, 0, 1),
      plain("ret.k", i % 3 === 0 ? ALLOW : 0x0005_0000 + i),
    ]).flat(),
    plain("ret.k", last),
  ];
  assertEquals(chain(0).length, 4_096);
  assertEquals(prove(program(...chain(0)), program(...chain(0))).kind, "equal");
  assertEquals(
    prove(program(...chain(0)), program(...chain(ALLOW))).kind,
    "different",
  );
});

Deno.test("proveEquivalent() gives up on programs built to outgrow it, and says why", () => {
  const random = createRandom(3);
  // Does some subset of 64 random numbers have this sum?
  const sum = [
    plain("ld.imm", 0),
    plain("st", 0),
    ...Array.from({ length: 64 }, (_, i) => [
      plain("ld.abs", 16 + 4 * (i >> 5)),
      jump("jset.k", (1 << (i & 31)) >>> 0, 0, 3),
      plain("ld.mem", 0),
      plain("add.k", random.word()),
      plain("st", 0),
    ]).flat(),
    plain("ld.mem", 0),
    jump("jeq.k", 12_345, 0, 1),
    ...returning(ALLOW),
    ...returning(ERRNO),
  ];
  const [a, b] = [program(...sum), program(...returning(ERRNO))];
  const verdict = prove(a, b);
  assert(verdict.kind === "unproven");
  assertEquals(
    verdict.allowed,
    verdict.limit === "nodes" ? 1_000_000 : 4_000_000,
  );
  const steps = prove(a, b, { limits: { steps: 1_000 } });
  assertEquals(steps, { kind: "unproven", limit: "steps", allowed: 1_000 });
  const interrupted = prove(a, b, { interrupted: () => true });
  assertEquals(interrupted, { kind: "unproven", limit: "interrupted" });
});

Deno.test("proveEquivalent() is not deceived by a difference on one input of 2^512", () => {
  const words = Array.from({ length: 16 }, (_, i) => 4 * i);
  const random = createRandom(11);
  const secret = words.map(() => random.word());
  const tests = words.map((offset, i) => [
    plain("ld.abs", offset),
    jump("jeq.k", secret[i] ?? 0, 0, 255),
  ]).flat().map((instruction, pc) =>
    instruction.jf === 255
      ? { ...instruction, jf: 2 * words.length - pc }
      : instruction
  );
  const needle = [...tests, ...returning(ALLOW), ...returning(ERRNO)];
  const verdict = prove(program(...needle), program(...returning(ERRNO)));
  assert(verdict.kind === "different");
  assertEquals([...toWords(verdict.data, true)], secret);
  assertEquals(run(prepare(needle), toWords(verdict.data, true)), ALLOW);
  assertEquals(verdict.b.paths, [[0]]);
});

Deno.test("proveEquivalent() ignores what cannot run", () => {
  const tree = randomTree(createRandom(4), 10);
  const dead = [
    plain("ja", 2),
    plain("div.x"),
    plain("ret.a"),
    plain("ld.imm", 3),
    jump("jgt.k", 5, 0, 1),
    ...returning(0x0003_0000),
    ...tree,
  ];
  assertEquals(prove(program(...tree), program(...dead)).kind, "equal");
});

Deno.test("proveEquivalent() refuses programs that the kernel refuses, and two byte orders", () => {
  assertThrows(
    () => prove(program(plain("ld.abs", 3)), program(...returning(0))),
    ProgramError,
  );
  assertThrows(
    () =>
      prove(
        { kind: "policy", policy: policyOf([], true) },
        { kind: "policy", policy: policyOf([], false) },
      ),
    TypeError,
    "Cannot compare for two byte orders",
  );
});
