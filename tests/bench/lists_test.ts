import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  GETPPID,
  listedNumbers,
  listPolicy,
  moveTo,
  openListBuilder,
  PROBES,
} from "../../bench/engine/lists.ts";
import { isConstAllow } from "../../bpf/const_allow.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { variantOf, withoutCache } from "../../bench/engine/variants.ts";
import { needs } from "../machine.ts";

const test = needs("libseccomp", "x86_64");

const X86_64 = 0xc000_003e;

Deno.test("listedNumbers() has n different numbers, the timed ones first", () => {
  for (const n of [8, 32, 100, 306, 450, 470]) {
    const numbers = listedNumbers(n);
    assertEquals(new Set(numbers).size, n, `${n} numbers`);
    assertEquals([...numbers].sort((a, b) => a - b), [...numbers], "rising");
    assert(numbers.every((nr) => nr >= 0 && nr < 470), "of the table");
    assert(numbers.includes(60), "exit, without which the child dies");
    assert(numbers.includes(GETPPID));
  }
  for (const { nr, name } of PROBES) {
    assert(listedNumbers(32).includes(nr), name);
  }
});

test("listPolicy() means what libseccomp means by a list", () => {
  const builder = openListBuilder();
  assert(builder !== undefined);
  for (const n of [8, 100, 450]) {
    const policy = listPolicy(listedNumbers(n));
    for (const optimize of [1, 2] as const) {
      const program = builder.build(listedNumbers(n), optimize);
      const proof = proveEquivalent(program, policy);
      assertEquals(proof.kind, "equal", `${n} calls, optimize ${optimize}`);
    }
  }
});

test("moveTo() gives a call another place and keeps the meaning", () => {
  const builder = openListBuilder();
  assert(builder !== undefined);
  const numbers = listedNumbers(32);
  const program = builder.build(numbers, 1);
  const listed = new Set(numbers);
  for (const position of [1, 16, 32]) {
    const moved = moveTo(program, GETPPID, numbers, position);
    const places = moved.filter(({ op, k }) => op === "jeq.k" && listed.has(k));
    assertEquals(places[position - 1]?.k, GETPPID, `place ${position}`);
    const proof = proveEquivalent(program, moved);
    assertEquals(proof.kind, "equal");
  }
  assertThrows(() => moveTo(program, GETPPID, numbers, 33), RangeError);
});

test("withoutCache() keeps the meaning and ends the cache", () => {
  const builder = openListBuilder();
  assert(builder !== undefined);
  const variant = variantOf("list", builder.build(listedNumbers(32), 1));
  const { program } = withoutCache(variant);
  assertEquals(isConstAllow(variant.program, X86_64, GETPPID), true);
  assertEquals(isConstAllow(program, X86_64, GETPPID), false);
  const proof = proveEquivalent(program, variant.program);
  assertEquals(proof.kind, "equal");
});
