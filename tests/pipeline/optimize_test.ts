import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type { Program } from "../../bpf/instruction.ts";
import { prepare, runSteps } from "../../bpf/run.ts";
import { parseFilters, parseText } from "../../bpf/text.ts";
import { optimize } from "../../pipeline/optimize.ts";
import { answerOf, boundaryInputs } from "../fuzz/optimize_campaign.ts";
import { createRandom } from "../verify/programs.ts";

/** Optimizes tests of argument 0 of call 10; returns the instructions and their number. */
function optimizeArgument(tests: string): number {
  const { programs } = parseFilters(
    `ld [0]\njeq #10, arg\nret #0x7fff0000\narg: ${tests}`,
  );
  const best = optimize({ programs, littleEndian: true });
  assert(best.kind === "optimized", JSON.stringify(best));
  const [ours, theirs] = [answerOf([best.program]), answerOf(programs)];
  for (const words of boundaryInputs(programs, 5_000, createRandom(1))) {
    words[0] = 10;
    assertEquals(ours(words), theirs(words), `${words}`);
  }
  return best.program.length;
}

Deno.test("optimize() ignores irrelevant bits of a word", () => {
  // As chromium tests the operation of futex: two flags may be set or not.
  const tests = [1, 3, 4, 9].map((k) =>
    `ld [16]\nand #0xfffffe7f\njeq #${k}, yes`
  ).join("\n");
  assert(
    optimizeArgument(`${tests}\nret #0x50016\nyes: ret #0x7fff0000`) <= 11,
  );
});

Deno.test("optimize() tests that no bit of a mask is set in one instruction", () => {
  const tests = `ld [16]
    and #0xfffffffa
    jeq #0, yes
    ret #0x50001
    yes: ret #0x7fff0000
    ret #0x50002`;
  // ld, jeq; ld, jset; two ret
  assertEquals(optimizeArgument(tests), 6);
});

Deno.test("optimize() tests a single value before the condition on all others", () => {
  // As chromium tests the flags of clone.
  const tests = `ld [16]
    jeq #0x3d0f00, yes
    ld [16]
    jset #0x10100, some
    ret #0x50001
    some: ld [16]
    and #0x4100
    jeq #0x4100, both
    ret #0x30004
    both: ret #0x50001
    yes: ret #0x7fff0000`;
  assert(optimizeArgument(tests) <= 12);
});

Deno.test("optimize() finds one value whatever the others depend on", () => {
  // Ten bits decide about the others.
  const tests = `ld [16]
    jeq #0x3d0f00, yes
    ld [16]
    and #0x3ff
    jeq #3, yes
    ld [16]
    and #0x3ff
    jeq #17, yes
    ret #0x50001
    yes: ret #0x7fff0000`;
  assert(optimizeArgument(tests) <= 10);
});

Deno.test("optimize() counts the loads of words when it orders them", () => {
  // In the given order, argument 0 is loaded twice.
  const tests = `ld [16]
    jset #1, two
    ld [24]
    jge #5, two
    ld [16]
    jset #6, one
    ret #0x50003
    one: ret #0x50001
    two: ret #0x50002`;
  // ld, jeq, ret for the number; ld, jge; ld, jset, jset; three ret.
  assertEquals(optimizeArgument(tests), 11);
});

Deno.test("optimize() tests numbers of x32 with those of x86_64", () => {
  const numbers = Array.from({ length: 30 }, (_, i) => 7 * i + i * i % 5);
  const tests = [...numbers, ...numbers.map((nr) => nr + 0x4000_0000)]
    .map((nr) => `jeq #${nr}, yes`).join("\n");
  const { programs } = parseFilters(`ld [4]
    jeq #0xc000003e, start
    ret #0
    start: ld [0]
    ${tests}
    ret #0x50001
    yes: ret #0x7fff0000`);
  const best = optimize({ programs, littleEndian: true });
  assert(best.kind === "optimized", JSON.stringify(best));
  assert(best.program.length < 48, `${best.program.length} instructions`);
});

Deno.test("optimize() keeps the piece of a program that computes its answer", () => {
  const text = `
      ld [4]
      jeq #0xc000003e, start
      ret #0
    start: ld [0]
      jeq #1, allow
      jeq #2, allow
      jeq #3, allow
      jeq #4, allow
      jeq #10, sum
      ret #0x50001
    allow: ret #0x7fff0000
    sum: ld [16]
      tax
      ld [24]
      add x
      jeq #77, good
      ret #0x50001
    good: ret #0x7fff0000
  `;
  const { programs } = parseFilters(text);
  const best = optimize({ programs, littleEndian: true });
  assert(best.kind === "optimized", JSON.stringify(best));
  assertEquals(best.pieces, 1);
  const [ours, theirs] = [answerOf([best.program]), answerOf(programs)];
  for (
    const [nr, a, b] of [[10, 70, 7], [10, 70, 8], [10, -1, 78], [3, 0, 0]]
  ) {
    const words = new Uint32Array(16);
    words.set([nr ?? 0, 0xc000_003e]);
    words[4] = a ?? 0;
    words[6] = b ?? 0;
    assertEquals(ours(words), theirs(words));
  }
});

/** A filter with tests of one call on this machine. */
function testing(tests: string, nr = 1): Program {
  return parseText(`
      ld [4]
      jeq #0xc000003e, start
      ret #0
    start: ld [0]
      jeq #${nr}, tests
      ret #0x7fff0000
    tests: ${tests}
  `);
}

/** Denies call `nr` with any of many random values of the word at an offset. */
function scattered(nr: number, offset: number, blocks: number): Program {
  const random = createRandom(nr + offset);
  const texts = Array.from({ length: blocks }, (_, block) =>
    [
      ...Array.from(
        { length: 120 },
        () => `jeq #${random.word()}, deny${block}`,
      ),
      `ja next${block}`,
      `deny${block}: ret #0x50001`,
      `next${block}:`,
    ].join("\n"));
  return testing(`ld [${offset}]\n${texts.join(" ")} ret #0x7fff0000`, nr);
}

function optimized(program: Program): Program {
  const best = optimize(program);
  assert(best.kind === "optimized", JSON.stringify(best));
  return best.program;
}

Deno.test("optimize() keeps a separate architecture value at the end of the range", () => {
  const program = parseText(`
      ld [4]
      jeq #0, kill
      ld [0]
      jeq #1, deny
      jeq #1, deny
      ret #0x7fff0000
    deny: ret #0x50001
    kill: ret #0
  `);
  const best = optimized(program);
  assert(best.length < program.length);
  const [ours, theirs] = [answerOf([best]), answerOf([program])];
  for (const arch of [0, 1, 0xc000_003e, 0xffff_ffff]) {
    for (const nr of [0, 1, 2]) {
      const words = Uint32Array.of(nr, arch, ...new Array(14).fill(0));
      assertEquals(ours(words), theirs(words), `${arch} ${nr}`);
    }
  }
});

Deno.test("optimize() tests one bit with one instruction", () => {
  for (const test of ["jeq #0x10, deny", "jeq #0, allow, deny"]) {
    const program = optimized(testing(`
      ld [16]
      and #0x10
      ${test}
    allow: ret #0x7fff0000
    deny: ret #0x50001
    `));
    const ops = program.map(({ op }) => String(op));
    assert(!ops.some((op) => op.startsWith("and")), ops.join(" "));
  }
});

Deno.test("optimize() prefers fewer instructions executed to fewer in all", () => {
  const program = optimized(testing(`ld [16]
      jge #1, b0, a1
    b0: ld [24]
      jeq #3, deny2, a1
    a1: ld [16]
      jge #4, b1, allow
    b1: ld [24]
      jge #2, deny1, allow
    deny1: ret #0x50001
    deny2: ret #0x50002
    allow: ret #0x7fff0000
  `));
  // Most arguments are 0: 8 times as many as in any other range that is
  // distinguished.
  const prepared = prepare(program);
  let [sum, total] = [0, 0];
  for (const [a, weightOfA] of [[0, 8], [1, 1], [4, 1]] as const) {
    for (const [b, weightOfB] of [[0, 8], [2, 1], [3, 1], [4, 1]] as const) {
      const words = new Uint32Array(16);
      words.set([1, 0xc000_003e]);
      [words[4], words[6]] = [a, b];
      const weight = weightOfA * weightOfB;
      sum += weight * runSteps(prepared, words).steps;
      total += weight;
    }
  }
  // By hand: 4 to the first argument; then 3 for 0, 6 for 1, and for 4 6 or 7.
  const best = 4 + (8 * 3 + 6 + (8 * 6 + 3 * 7) / 11) / 10;
  assert(sum / total <= best + 1e-9, `${sum / total} > ${best}`);
});

Deno.test("optimize() reports which part of two filters is not a tree of tests", () => {
  const computing = (sum: number): Program =>
    testing(`ld [16]
      tax
      ld [24]
      add x
      jeq #${sum}, deny
      ret #0x7fff0000
    deny: ret #0x50001
  `);
  for (
    const [first, second, said] of [
      [
        computing(1),
        computing(2),
        "and instruction 9 of filter 0 (add x) computes the answer",
      ],
      [
        scattered(1, 16, 10),
        scattered(1, 24, 10),
        "and distinguish too many values of an argument",
      ],
    ] as const
  ) {
    const best = optimize({ programs: [first, second], littleEndian: true });
    assert(best.kind === "not-optimized", JSON.stringify(best));
    assertStringIncludes(
      best.message,
      `filters 0 and 1 decide number 1, ${said}; optimize each`,
    );
  }
});

Deno.test("optimize() refuses a stack whose listener would lose its filter", () => {
  const notify = parseFilters("ret #0x7fc00000").programs;
  const allow = parseFilters("ret #0x7fff0000").programs;
  const best = optimize({ programs: [...notify, ...allow] });
  assertEquals(best.kind, "not-optimized");
});

Deno.test("optimize() reports that a program is already the best", () => {
  assertEquals(
    optimize(parseFilters("ret #0x7fff0000").programs[0] ?? []).kind,
    "already-best",
  );
});

Deno.test("optimize() names the instruction that keeps it from optimizing", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      ".filter\nld [0]\nret #0x7fc00000\n.filter\nret #0x7fff0000",
      /: instruction 1 of filter 0 \(ret k\) can return USER_NOTIF, whose listener/,
    ],
    [
      "ld [0]\nand #0x55555555\njgt #0x11111111, a, b\na: ret #0\nb: ret #0x7fff0000\n",
      /: instruction 1 \(and k\) cuts nr into more than 8192 intervals/,
    ],
    [
      "ld [4]\njge #100, more\nret #0\nmore: jge #300, b, a\na: ret #0x50001\nb: ret #0x7fff0000\n",
      /: architectures 0 to 99 have their own answers, by instruction 1 \(jge k\)/,
    ],
    [
      `.filter\nld [16]\nmul #3\nret a\n.filter\nld [24]\nret #0`,
      /: instruction 2 of filter 0 \(ret a\) can return USER_NOTIF/,
    ],
  ];
  for (const [text, message] of cases) {
    const best = optimize(parseFilters(text));
    assertMatch(
      best.kind === "not-optimized" ? best.message : "",
      message,
      text,
    );
  }
});

Deno.test("optimize() names the instruction because of which the meaning stays unknown", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["mul x", /limit of steps was .* instruction 3 \(mul x\) computes/],
    ["add x", /limit of steps was .* instruction 3 \(add x\) computes/],
    ["and x", /limit of steps was .* instruction 3 \(and x\) computes/],
  ];
  for (const [operation, message] of cases) {
    // A number and an argument: each number has its own function.
    const text =
      `ld [0]\ntax\nld [16]\n${operation}\njeq #77, a, b\na: ret #0\nb: ret #1`;
    const limits = { steps: 30_000 };
    const best = optimize(parseFilters(text), { limits });
    assertMatch(best.kind === "not-optimized" ? best.message : "", message);
  }
  const shifted = optimize(
    parseFilters(
      "ld [0]\ntax\nld [16]\nlsh x\njeq #77, a, b\na: ret #0\nb: ret #1",
    ),
  );
  assertMatch(
    shifted.kind === "not-optimized" ? shifted.message : "",
    /: instruction 3 \(lsh x\) cuts nr into more than 8192 intervals/,
  );
});

Deno.test("optimize() keeps a stack whose one filter would be too long", () => {
  const programs = [scattered(1, 16, 17), scattered(2, 24, 17)];
  const best = optimize({ programs, littleEndian: true });
  assertEquals(best.kind, "already-best");
});

Deno.test("optimize() tests a word under a mask after one that is compared whole", () => {
  const masked = "and #7\njeq #3";
  for (
    const [a, b, first] of [["jeq #5", masked, 16], [masked, "jeq #5", 24]]
  ) {
    const program = optimized(testing(`ld [16]
      ${a}, more, allow
    more: ld [24]
      ${b}, deny, allow
    deny: ret #0x50001
    allow: ret #0x7fff0000
    `));
    const loads = program.filter(({ op, k }) => op === "ld.abs" && k >= 16);
    assertEquals(loads[0]?.k, first, `${a}, ${b}`);
  }
});
