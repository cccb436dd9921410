import { assert, assertEquals } from "@std/assert";
import { compile } from "../../compiler/compile.ts";
import { createDecisionGraph } from "../../compiler/decision.ts";
import { chooseTogether } from "../../compiler/together.ts";
import type { Condition, Policy } from "../../profile/policy.ts";
import {
  ALLOW,
  archPolicy,
  assertMeans,
  I386,
  policyOf,
  rule,
  when,
  WORD,
  X86_64,
} from "./shared.ts";

const graph = createDecisionGraph();
const [allow, deny] = [graph.leaf(ALLOW), graph.leaf(0)];

/** A test of one word of an argument. */
function eq(offset: number, k: number, yes = allow, no = deny): typeof yes {
  const test = { offset, mask: 0xffff_ffff, op: "eq", k } as const;
  // The graph has the same type for all nodes.
  return graph.branch(test, yes, no) as typeof yes;
}

const low = eq(16, 38);
const lowFirst = eq(16, 38, eq(20, 0));
const highFirst = eq(20, 0, low);

Deno.test("chooseTogether() takes the decision that ends in another one", () => {
  const chosen = chooseTogether(
    new Map([
      ["wide", { alone: lowFirst, all: [lowFirst, highFirst] }],
      ["narrow", { alone: low, all: [low] }],
    ]),
  );
  assertEquals(chosen?.get("wide"), highFirst);
  assertEquals(chosen?.get("narrow"), low);
});

Deno.test("chooseTogether() leaves what cannot become shorter", () => {
  const wide = { alone: lowFirst, all: [lowFirst, highFirst] };
  const other = { alone: eq(24, 1), all: [eq(24, 1)] };
  assertEquals(chooseTogether(new Map()), undefined);
  assertEquals(chooseTogether(new Map([["wide", wide]])), undefined);
  const both = new Map([["wide", wide], ["other", other]]);
  assertEquals(chooseTogether(both), undefined);
});

/** x86_64 compares both halves, x86 the low ones: `socket` and the like. */
function twoMachines(
  conditions: readonly (readonly Condition[])[],
  littleEndian: boolean,
): Policy {
  const wide = conditions.map((each, nr) => rule(nr, ALLOW, ...each));
  const narrow = conditions.map((each, nr) =>
    rule(
      100 + nr,
      ALLOW,
      ...each.map((condition) => ({ ...condition, mask: WORD })),
    )
  );
  return {
    ...policyOf([]),
    littleEndian,
    arches: [
      archPolicy(X86_64, wide),
      archPolicy(I386, narrow),
    ],
  };
}

Deno.test("compile() for size tests low halves once for two machines", () => {
  const conditions = [5n, 1n << 20n, 77n].map((value) => [
    when(0, "eq", value),
    when(2, "eq", value),
  ]);
  for (const littleEndian of [true, false]) {
    const policy = twoMachines(conditions, littleEndian);
    const { program } = compile(policy, { objective: "size" });
    for (const [{ value } = when(0, "eq", 0n)] of conditions) {
      const tests = program.filter(({ op, k }) =>
        op === "jeq.k" && k === Number(value)
      );
      assertEquals(tests.length, 2, String(value));
    }
    assertMeans(program, policy);
    assert(program.length < compile(policy).program.length);
  }
});
