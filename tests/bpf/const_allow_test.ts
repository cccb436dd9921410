import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { constAllows, emulate, isConstAllow } from "../../bpf/const_allow.ts";
import { prepare, run } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { parseText } from "../../bpf/text.ts";

const SEED = 0xca1;
const ARCH = 0xc000_003e;
const NR = 39;
const ALLOW = "ret #0x7fff0000";
const KILL = "ret #0x80000000";

/** Statements of random programs. */
const STATEMENT = fc.constantFrom(
  "ld [0]",
  "ld [4]",
  "ld [16]",
  "and #7",
  "jeq #39, 1, 0",
  "jge #39, 0, 1",
  "jgt #3, 1, 2",
  "jset #0x80000000, 0, 1",
  "ja 1",
  "add #1",
  ALLOW,
  KILL,
);

Deno.test("emulate() knows the instructions of seccomp_is_const_allow() and no more", () => {
  // [program, whether nr 39 of x86_64 is cached, number of instructions
  // emulated]
  const cases: readonly (readonly [string, boolean, number])[] = [
    [ALLOW, true, 1],
    [KILL, false, 1],
    ["ret #0x7fff0001", false, 1],
    ["ret #0x7ffc0000", false, 1],
    ["ret #0", false, 1],
    [`ld [0] \n ${ALLOW}`, true, 2],
    [`ld [4] \n ${ALLOW}`, true, 2],
    [`ld [8] \n ${ALLOW}`, false, 1],
    [`ld [16] \n ${ALLOW}`, false, 1],
    [`ld [60] \n ${ALLOW}`, false, 1],
    [`ja 1 \n ${KILL} \n ${ALLOW}`, true, 2],
    [`jeq #0, 1 \n ${KILL} \n ${ALLOW}`, true, 2],
    [`ld [0] \n jeq #39, 1 \n ${KILL} \n ${ALLOW}`, true, 3],
    [`ld [0] \n jeq #38, 1 \n ${KILL} \n ${ALLOW}`, false, 3],
    [`ld [0] \n jge #39, 1 \n ${KILL} \n ${ALLOW}`, true, 3],
    [`ld [0] \n jge #40, 1 \n ${KILL} \n ${ALLOW}`, false, 3],
    [`ld [0] \n jgt #38, 1 \n ${KILL} \n ${ALLOW}`, true, 3],
    [`ld [0] \n jgt #39, 1 \n ${KILL} \n ${ALLOW}`, false, 3],
    [`ld [0] \n jset #1, 1 \n ${KILL} \n ${ALLOW}`, true, 3],
    [`ld [0] \n jset #8, 1 \n ${KILL} \n ${ALLOW}`, false, 3],
    [`ld [4] \n jset #0x80000000, 1 \n ${KILL} \n ${ALLOW}`, true, 3],
    [`ld [4] \n jge #0xc000003e, 1 \n ${KILL} \n ${ALLOW}`, true, 3],
    [`ld [0] \n and #7 \n jeq #7, 1 \n ${KILL} \n ${ALLOW}`, true, 4],
    [
      `ld [4] \n and #0xf0000000 \n jeq #0xc0000000, 1 \n ${KILL} \n ${ALLOW}`,
      true,
      4,
    ],
    [`ld #0x7fff0000 \n ret a`, false, 1],
    ["ret a", false, 1],
    ...[
      "ld #0",
      "ld #len",
      "ldx #0",
      "ldx #len",
      "tax",
      "txa",
      "st M[0]",
      "stx M[0]",
      "neg",
      "add #0",
      "sub #0",
      "mul #1",
      "div #1",
      "or #0",
      "xor #0",
      "lsh #0",
      "rsh #0",
      "and x",
      "or x",
      "jeq x, 0",
      "jge x, 0",
      "jgt x, 0",
      "jset x, 0",
      "ret x",
    ].map((text) => [`${text} \n ${ALLOW}`, false, 1] as const),
  ];
  for (const [text, allow, steps] of cases) {
    const program = parseText(text);
    assertEquals(emulate(program, ARCH, NR), { allow, steps }, text);
    assertEquals(isConstAllow(program, ARCH, NR), allow);
  }
});

Deno.test("emulate() stops at the end of a program that runs out", () => {
  assertEquals(emulate(parseText("ld [0]"), ARCH, NR), {
    allow: false,
    steps: 1,
  });
  assertEquals(emulate(parseText("ja 4294967295"), ARCH, NR).allow, false);
});

Deno.test("isConstAllow() is true only if run() allows all arguments", () => {
  let cached = 0;
  fc.assert(
    fc.property(
      fc.array(STATEMENT, { maxLength: 10 }),
      fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), {
        minLength: 6,
        maxLength: 6,
      }),
      fc.constantFrom(0, 38, 39, 40),
      (statements, args, nr) => {
        const program = parseText(
          [...statements, ALLOW, KILL, ALLOW].join("\n"),
        );
        if (!isConstAllow(program, ARCH, nr)) return;
        cached++;
        const data = { nr, arch: ARCH, instructionPointer: 1n, args };
        assertEquals(run(prepare(program), toWords(data, true)), 0x7fff_0000);
      },
    ),
    { seed: SEED, numRuns: 2000 },
  );
  assertEquals(cached > 200, true, `only ${cached} cases were cached`);
});

/** Statements that distinguish small numbers. */
const ON_NUMBERS = fc.constantFrom(
  "ld [0]",
  "jeq #7, 2, 1",
  "jge #50, 1, 3",
  "jgt #20, 0, 2",
  "jset #4, 2, 0",
);

Deno.test("constAllows() agrees with isConstAllow() on every number", () => {
  const count = 60;
  let mixed = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof(STATEMENT, ON_NUMBERS), { maxLength: 14 }),
      fc.constantFrom(ARCH, 3),
      (statements, arch) => {
        const program = parseText(
          [...statements, ALLOW, KILL, ALLOW].join("\n"),
        );
        const each = Array.from(
          { length: count },
          (_, nr) => isConstAllow(program, arch, nr) ? 1 : 0,
        );
        assertEquals([...constAllows(program, arch, count)], each);
        if (each.includes(0) && each.includes(1)) mixed++;
      },
    ),
    { seed: SEED, numRuns: 3000 },
  );
  assert(mixed > 100, `only ${mixed} programs told numbers apart`);
  assertEquals(constAllows(parseText(ALLOW), ARCH, 0).length, 0);
});
