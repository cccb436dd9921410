import { assert, assertEquals } from "@std/assert";
import type { Program } from "../../bpf/instruction.ts";
import { prepare, run } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import type { Subject } from "../../verify/core/subject.ts";
import { createRandom, jump, plain } from "./programs.ts";
import { randomTree } from "./trees.ts";
import { ALLOW, ERRNO, program, returning } from "./subjects.ts";

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
        proveEquivalent(program(...a), program(...b), { compare }).kind,
        "equal",
        name,
      );
    }
  }
});

Deno.test("proveEquivalent() distinguishes products by trial inputs if they are too large to compute", () => {
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
  assertEquals(
    proveEquivalent(product(77), product(78), { limits }).kind,
    "different",
  );
});

Deno.test("proveEquivalent() never takes one product or quotient for another", () => {
  const of = (op: "mul.x" | "div.x", first: number, second: number): Subject =>
    program(
      // Without zeros, only the product or quotient can make a difference.
      plain("ld.abs", second),
      jump("jeq.k", 0, 7, 0),
      plain("ld.abs", first),
      jump("jeq.k", 0, 5, 0),
      plain("tax"),
      plain("ld.abs", second),
      plain(op),
      jump("jeq.k", 7, 0, 1),
      ...returning(ALLOW),
      ...returning(ERRNO),
    );
  const limits = { nodes: 100_000, steps: 400_000 };
  const pairs = [
    [of("mul.x", 16, 24), of("mul.x", 24, 16), "unproven"],
    [of("div.x", 16, 24), of("div.x", 16, 24), "equal"],
    [of("div.x", 16, 24), of("div.x", 24, 16), "different"],
    [of("mul.x", 16, 24), of("div.x", 16, 24), "different"],
    [of("mul.x", 16, 24), of("mul.x", 16, 32), "different"],
  ] as const;
  for (const [a, b, expected] of pairs) {
    assertEquals(proveEquivalent(a, b, { limits }).kind, expected);
  }
});

Deno.test("proveEquivalent() distinguishes registers at meeting paths", () => {
  // The value of nr decides which argument is tested, by one test for both.
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
    proveEquivalent(program(...shared), program(...apart(16, 24))).kind,
    "equal",
  );
  assertEquals(
    proveEquivalent(program(...shared), program(...apart(24, 16))).kind,
    "different",
  );
});

Deno.test("proveEquivalent() decides chains of 4096 instructions", () => {
  const chain = (last: number, allow = ALLOW): Program => [
    plain("ld.abs", 0),
    ...Array.from({ length: 2_047 }, (_, i) => [
      jump("jeq.k", Math.imul(i, 0x9e37_79b1) >>> 0, 0, 1),
      plain("ret.k", i % 3 === 0 ? allow : 0x0005_0000 + i),
    ]).flat(),
    plain("ret.k", last),
  ];
  assertEquals(chain(0).length, 4_096);
  assertEquals(
    proveEquivalent(program(...chain(0)), program(...chain(0, ALLOW + 1))).kind,
    "equal",
  );
  assertEquals(
    proveEquivalent(program(...chain(0)), program(...chain(ALLOW))).kind,
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
  const verdict = proveEquivalent(a, b);
  assert(verdict.kind === "unproven");
  assertEquals(
    verdict.allowed,
    verdict.limit === "nodes" ? 1_500_000 : 4_000_000,
  );
  const steps = proveEquivalent(a, b, { limits: { steps: 1_000 } });
  assertEquals(steps, { kind: "unproven", limit: "steps", allowed: 1_000 });
  const interrupted = proveEquivalent(a, b, { interrupted: () => true });
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
  const verdict = proveEquivalent(
    program(...needle),
    program(...returning(ERRNO)),
  );
  assert(verdict.kind === "different");
  assertEquals([...toWords(verdict.data, true)], secret);
  assertEquals(run(prepare(needle), toWords(verdict.data, true)), ALLOW);
  assertEquals(verdict.b.paths, [[0]]);
});

Deno.test("proveEquivalent() decides what a register holds after a thousand meetings of paths", () => {
  // Each bit of two words, counted or not into a word that is read at the end.
  const parity = (reversed: boolean): Program => {
    const bits = Array.from({ length: 64 }, (_, i) => reversed ? 63 - i : i);
    return [
      plain("st", 0),
      ...Array.from({ length: 10 }, () => bits).flat().flatMap((i) => [
        plain("ld.abs", 16 + 4 * (i >> 5)),
        jump("jset.k", (1 << (i & 31)) >>> 0, 0, 3),
        plain("ld.mem", 0),
        plain("xor.k", 1 << (i % 7)),
        plain("st", 0),
      ]),
      plain("ld.mem", 0),
      plain("xor.k", ALLOW),
      plain("ret.a"),
    ];
  };
  assertEquals(parity(false).length, 3_204);
  assertEquals(
    proveEquivalent(program(...parity(false)), program(...parity(true)), {
      compare: "bits",
    }).kind,
    "equal",
  );
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
  assertEquals(
    proveEquivalent(program(...tree), program(...dead)).kind,
    "equal",
  );
});
