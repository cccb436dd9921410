import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProgramError } from "../../bpf/error.ts";
import { effective } from "../../bpf/return_value.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import type { Subject } from "../../verify/core/subject.ts";
import { createRandom, jump, plain } from "./programs.ts";
import { compareRandomPairs } from "./random_pairs.ts";
import { ALLOW, ERRNO, policyOf, program, returning } from "./subjects.ts";

Deno.test("proveEquivalent() agrees with brute force on random pairs of programs", () => {
  // FUZZ_PAIRS=10000 FUZZ_SEED=1 deno test … looks further.
  const pairs = Number(Deno.env.get("FUZZ_PAIRS") ?? 1_500);
  const seed = Number(Deno.env.get("FUZZ_SEED") ?? 20_240_601);
  const tally = compareRandomPairs(pairs, seed);
  // deno-lint-ignore no-console -- the counts are what the test is for
  console.log(`random pairs from seed ${seed}:`, tally);
  assert(tally.equal > pairs / 4 && tally.different > pairs / 4);
  assert(tally.unproven < pairs / 100);
});

Deno.test("proveEquivalent() handles empty stacks", () => {
  const deny = {
    defaultValue: ERRNO,
    badArchValue: ERRNO,
    littleEndian: true,
    arches: [],
  };
  const allow = { ...deny, defaultValue: ALLOW, badArchValue: ALLOW };
  const cases: readonly (readonly [Subject, Subject, string])[] = [
    [deny, allow, "different"],
    [deny, { programs: [] }, "different"],
    [{ programs: [] }, deny, "different"],
    [allow, { programs: [] }, "equal"],
    [deny, deny, "equal"],
    [{ programs: [] }, { programs: [] }, "equal"],
    [{ programs: [] }, { programs: [returning(ERRNO)] }, "different"],
  ];
  for (const [i, [a, b, kind]] of cases.entries()) {
    assertEquals(proveEquivalent(a, b).kind, kind, `case ${i}`);
  }
});

Deno.test("proveEquivalent() spends no more nodes than it is allowed", () => {
  // The 32 bits of a word are 32 nodes before anything is compared.
  const a = [
    plain("ld.abs", 16),
    jump("jeq.k", 5, 0, 1),
    plain("ret.k", 1),
    plain("ret.k", 2),
  ];
  const b = [
    plain("ld.abs", 16),
    jump("jeq.k", 5, 1, 0),
    plain("ret.k", 2),
    plain("ret.k", 1),
  ];
  const compare = "bits";
  assertEquals(proveEquivalent(a, b, { compare }).kind, "equal");
  assertEquals(proveEquivalent(a, b, { compare, limits: { nodes: 30 } }), {
    kind: "unproven",
    limit: "nodes",
    allowed: 30,
  });
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
    assertEquals(proveEquivalent(a, b).kind, "equal", x.toString(16));
    assertEquals(proveEquivalent(a, b, { compare: "bits" }).kind, "different");
  }
  const unlike: readonly (readonly [number, number])[] = [
    [0x0005_0001, 0x0005_0002],
    [0x0003_0001, 0x0003_0002],
    [0x7ff0_0001, 0x7ff0_0002],
    [0x8000_0000, 0x0000_0000],
  ];
  for (const [x, y] of unlike) {
    const verdict = proveEquivalent(
      program(...returning(x)),
      program(...returning(y)),
    );
    assertEquals(verdict.kind, "different", x.toString(16));
  }
});

Deno.test("proveEquivalent() uses the strictest of stacked filters, among equals the newest", () => {
  const stack = (...values: readonly number[]): Subject => ({
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
    const verdict = proveEquivalent(
      stack(...values),
      program(...returning(expected)),
      {
        compare: "bits",
      },
    );
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
  const verdict = proveEquivalent(
    { programs: [conditional, returning(0x7ffc_0000)] },
    program(...both),
  );
  assertEquals(verdict.kind, "equal");
});

Deno.test("proveEquivalent() refuses programs that the kernel refuses, and two byte orders", () => {
  assertThrows(
    () =>
      proveEquivalent(program(plain("ld.abs", 3)), program(...returning(0))),
    ProgramError,
  );
  assertThrows(
    () =>
      proveEquivalent(
        policyOf([], true),
        policyOf([], false),
      ),
    TypeError,
    "Cannot compare for two byte orders",
  );
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
    const verdict = proveEquivalent(
      program(...returning(x)),
      program(...returning(y)),
    );
    assertEquals(
      verdict.kind === "equal",
      effective(x) === effective(y),
      `${x} ${y}`,
    );
  }
});
