import { assert, assertEquals } from "@std/assert";
import { parseText } from "../../bpf/text.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import type { Subject } from "../../verify/core/subject.ts";

/** A sum of squares, which is too large for a diagram. */
const HASH = "ld [20]\ntax\nld [16]\nadd x\ntax\nmul x\nxor x\nmul x\nret a\n";

function program(text: string): Subject {
  return parseText(text);
}

Deno.test("proveEquivalent() finds the same instructions equal at once", () => {
  const limits = { nodes: 2, steps: 1 };
  const result = proveEquivalent(program(HASH), program(HASH), { limits });
  assert(result.kind === "equal", result.kind);
  assertEquals(result.coverage, {
    archIntervals: 1,
    nrIntervals: 1,
    offsets: [16, 20],
    nodes: 0,
    steps: 0,
  });
  const stack: Subject = { programs: [parseText(HASH)] };
  assertEquals(proveEquivalent(stack, program(HASH), { limits }).kind, "equal");
});

Deno.test("proveEquivalent() finds differences in every part of an instruction", () => {
  const text = "ld [0]\njeq #1, one, two\none: ret #0\ntwo: ret #1\n";
  const limits = { nodes: 2, steps: 1 };
  const isAtOnce = (a: Subject, b: Subject): boolean =>
    proveEquivalent(a, b, { limits }).kind === "equal";
  assert(isAtOnce(program(text), program(text)), "the same");
  for (
    const [part, other] of [
      ["ld [0]", "ld [4]"],
      ["jeq", "jge"],
      ["#1, one, two", "#2, one, two"],
      ["#1, one, two", "#1, two, two"],
      ["#1, one, two", "#1, one, one"],
      ["ret #1\n", "ret #2\n"],
      ["ret #1\n", "ret #1\nret #1\n"],
    ] as const
  ) {
    const changed = program(text.replace(part, other));
    assert(!isAtOnce(program(text), changed), other);
    assert(!isAtOnce(changed, program(text)), other);
  }
  const stack = (count: number): Subject => ({
    programs: Array.from({ length: count }, () => parseText(text)),
  });
  assert(!isAtOnce(stack(2), stack(1)), "two and one");
  assert(isAtOnce(stack(2), stack(2)), "two and two");
});

Deno.test("proveEquivalent() guesses actions for words that are returned", () => {
  const limits = { nodes: 1_000, steps: 10_000 };
  const [a, b] = ["ld [0]\nret a\n", "ld [16]\nret a\n"].map(program);
  assert(a !== undefined && b !== undefined, "two programs");
  const result = proveEquivalent(a, b, { limits });
  assert(result.kind === "different", result.kind);
  assert(result.a.value !== result.b.value, "they differ");
});
