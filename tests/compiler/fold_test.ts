import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { compile } from "../../compiler/compile.ts";
import { createDecisionGraph } from "../../compiler/decision.ts";
import { isFoldable } from "../../compiler/fold.ts";
import { compileProfile } from "../../pipeline/compile_profile.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import type { Rule } from "../../profile/policy.ts";
import {
  ALLOW,
  anyPolicy,
  assertMeans,
  boundaryCalls,
  call,
  KILL,
  LOG,
  policyOf,
  rule,
  SEED,
  when,
  WORD,
} from "./shared.ts";

const X32 = 0x4000_0000;

/** The same rules for numbers of x86_64 and of x32. */
function twice(rules: readonly Rule[]): readonly Rule[] {
  return rules.flatMap((r) => [
    r,
    { ...r, first: r.first + X32, last: r.last + X32 },
  ]);
}

const EVERY_OTHER = Array.from({ length: 60 }, (_, i) => rule(3 * i, ALLOW));

Deno.test("compile() for size tests numbers of x32 with those of x86_64", () => {
  const native = compile(policyOf(EVERY_OTHER), { objective: "size" });
  const both = policyOf([
    ...twice(EVERY_OTHER),
    // Numbers of one of the two, and calls whose arguments have another width.
    rule(200, LOG),
    rule(X32 + 512, ALLOW),
    rule(300, ALLOW, when(0, "eq", 7n)),
    rule(X32 + 300, ALLOW, when(0, "eq", 7n, WORD)),
    rule([0x8000_0000, 0x8000_0005], KILL),
    rule(0xffff_ffff, LOG),
    rule([0xc000_0000, 0xc000_0003], LOG),
  ]);
  const { program } = compile(both, { objective: "size" });
  assertMeans(program, both);
  const balanced = compile(both).program;
  assertMeans(balanced, both);
  assert(program.length < native.program.length + 40, `${program.length}`);
  assert(balanced.length > program.length + 20, `${balanced.length}`);
  // Every call of both has the same answer right below and above each number.
  for (const nr of [0, 3, 177, 200, 300, 512]) {
    const calls = [-1, 0, 1].flatMap((step) =>
      [0, X32, 2 * X32, 3 * X32].map((bits) =>
        call((nr + step + bits) >>> 0, [7n])
      )
    );
    assertMeans(program, both, calls);
  }
});

Deno.test("compile() for size tests the low half of Docker's sockets once for all architectures", () => {
  // Docker's default compares sockets and personalities by both halves, but for
  // x32 and x86 by the low ones.
  const target = {
    arch: "x86_64",
    kernel: { major: 6, minor: 18 },
  } as const;
  const filter = compileProfile(DEFAULT_PROFILE, target, { objective: "size" });
  assert(filter.kind === "proved");
  const { program } = filter;
  const tests = program.filter(({ op, k }) => op === "jeq.k" && k === 38);
  assertEquals(tests.length, 1);
  assert(program.length <= 185, `${program.length}`);
});

Deno.test("compile() for size tests the bit of x32 after arguments, once for all calls", () => {
  const both = policyOf(
    [39, 300, 420].flatMap((nr) => [
      rule(nr, ALLOW, when(0, "eq", BigInt(nr)), when(1, "eq", 7n)),
      rule(
        X32 + nr,
        ALLOW,
        when(0, "eq", BigInt(nr)),
        when(1, "eq", 7n, WORD),
      ),
    ]),
  );
  const { program } = compile(both, { objective: "size" });
  const tests = program.filter(({ op, k }) => op === "jset.k" && k === X32);
  assertEquals(tests.length, 1);
  assertMeans(program, both);
});

Deno.test("compile() for size means what policies with numbers of x32 mean", () => {
  fc.assert(
    fc.property(anyPolicy, (policy) => {
      const arches = policy.arches.map((arch) => ({
        ...arch,
        rules: arch.rules.flatMap((r) => r.last < X32 - 1 ? twice([r]) : [r]),
      }));
      const both = { ...policy, arches };
      const { program } = compile(both, { objective: "size" });
      assertMeans(program, both, boundaryCalls(both, 5));
    }),
    { seed: SEED, numRuns: 60 },
  );
});

Deno.test("isFoldable() is false without numbers of x32", () => {
  const graph = createDecisionGraph();
  const node = graph.leaf(ALLOW);
  const other = graph.leaf(KILL);
  const native = [
    { first: 0, last: 9, node },
    { first: 10, last: 0xffff_ffff, node: other },
  ];
  assertEquals(isFoldable(native), false);
});
