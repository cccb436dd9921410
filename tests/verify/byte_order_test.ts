import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Program } from "../../bpf/instruction.ts";
import { prepare, run } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { parseText } from "../../bpf/text.ts";
import { witnesses } from "../../verify/describe/witnesses.ts";
import { listDifferences, proveNotLooser } from "../../verify/differences.ts";
import {
  type Counterexample,
  proveEquivalent,
} from "../../verify/equivalence.ts";
import type { Subject } from "../../verify/core/subject.ts";
import { createRandom, jump, plain, randomProgram } from "./programs.ts";

const SEED = 0x0b1f;

/** Allows if the first word of argument 0 is 1. */
const FIRST_WORD = parseText(
  "ld [16]\njeq #1, yes\nret #0\nyes: ret #0x7fff0000",
);
const KILL = parseText("ret #0");

Deno.test("witnesses have the byte order that either side names", () => {
  for (const littleEndian of [true, false]) {
    const expected = littleEndian ? 1n : 1n << 32n;
    const named: Subject = { program: FIRST_WORD, littleEndian };
    const open: Subject = { programs: [KILL] };
    for (const [a, b] of [[named, open], [open, named]] as const) {
      const proof = proveEquivalent(a, b);
      assert(proof.kind === "different");
      assertEquals(proof.data.args[0], expected);
      const list = listDifferences(a, b);
      assert(list.kind === "listed");
      assertEquals(list.differences[0]?.witness.data.args[0], expected);
      assert(
        [...witnesses([a, b])].some(({ args }) => args[0] === expected),
      );
    }
    const looser = proveNotLooser(open, named);
    assert(looser.kind === "different");
    assertEquals(looser.data.args[0], expected);
  }
});

Deno.test("sides of different byte order are not compared", () => {
  const sides = [true, false].map((littleEndian): Subject => ({
    program: KILL,
    littleEndian,
  }));
  const [a, b] = sides;
  assert(a !== undefined && b !== undefined);
  const policy: Subject = {
    defaultValue: 0,
    badArchValue: 0,
    littleEndian: false,
    arches: [],
  };
  for (const [x, y] of [[a, b], [a, policy], [policy, a]] as const) {
    assertThrows(() => proveEquivalent(x, y), TypeError);
    assertThrows(() => listDifferences(x, y), TypeError);
    assertThrows(() => proveNotLooser(x, y), TypeError);
  }
  assertThrows(() => proveEquivalent(a, a, { littleEndian: false }), TypeError);
  assertEquals(proveEquivalent(b, policy).kind, "equal");
});

/** The same for one architecture, and KILL for all others. */
function onlyOn(arch: number, program: Program): Program {
  return [
    plain("ld.abs", 4),
    jump("jeq.k", arch, 1, 0),
    plain("ret.k", 0),
    plain("ld.imm", 0),
    ...program,
  ];
}

Deno.test("proveEquivalent() has its witness on the first wanted architecture that has one", () => {
  const random = createRandom(SEED);
  const arches = [0xc000_003e, 0x4000_0003, 5];
  const words = [0, 4, 16].map((offset) => ({ offset, mask: 7 }));
  let moved = 0;
  for (let i = 0; i < 300; i++) {
    const [p, q] = [0, 1].map(() => {
      const body = randomProgram(random, words, 12);
      // Some ask for an architecture, so that not all of them have a difference.
      return random.below(2) === 0 ? body : onlyOn(random.pick(arches), body);
    });
    assert(p !== undefined && q !== undefined);
    const prove = (
      a: Program,
      b: Program,
      wanted: readonly number[] = [],
    ): Counterexample | undefined => {
      const result = proveEquivalent(
        a,
        b,
        { arches: wanted },
      );
      return result.kind === "different" ? result : undefined;
    };
    const lowest = prove(p, q);
    const found = prove(p, q, arches);
    assertEquals(found === undefined, lowest === undefined, `${i}`);
    if (found === undefined || lowest === undefined) continue;
    const expected = arches.find((arch) =>
      prove(onlyOn(arch, p), onlyOn(arch, q)) !== undefined
    );
    assertEquals(found.data.arch, expected ?? lowest.data.arch, `${i}`);
    if (found.data.arch !== lowest.data.arch) moved++;
    for (const [program, outcome] of [[p, found.a], [q, found.b]] as const) {
      const value = run(prepare(program), toWords(found.data, true));
      assertEquals(value, outcome.value, `${i}`);
    }
  }
  assert(moved > 30, `${moved} witnesses moved`);
});

Deno.test("listDifferences() has witnesses on wanted architectures within their entry", () => {
  const deny = parseText(
    "ld [4]\njeq #0xc000003e, no\nld [0]\njeq #7, no\nret #0x7fff0000\nno: ret #0",
  );
  const allow = parseText("ret #0x7fff0000");
  const list = listDifferences(
    allow,
    deny,
    { arches: [0x8000_0016, 0xc000_003e] },
  );
  assert(list.kind === "listed");
  assertEquals(
    list.differences.map(({ witness: { data } }) => [data.arch, data.nr]),
    // Below x86_64, x86_64 itself, and beyond it, if nothing is wanted.
    [[0x8000_0016, 7], [0xc000_003e, 0], [0xc000_003f, 7]],
  );
});
