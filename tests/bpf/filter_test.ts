import { assert, assertEquals, assertThrows } from "@std/assert";
import { check } from "../../bpf/check.ts";
import { AssemblyError, ProgramError } from "../../bpf/error.ts";
import {
  decodeFilter,
  encodeFilter,
  inferByteOrder,
} from "../../bpf/filter.ts";
import { comparedArches, follow } from "../../bpf/follow.ts";
import type { Program } from "../../bpf/instruction.ts";
import { formatFilters } from "../../bpf/format.ts";
import { parseFilters, parseText } from "../../bpf/text.ts";
import {
  createRandom,
  plain,
  type Random,
  randomProgram,
} from "../verify/programs.ts";

const SEED = 0x0b1e;

const WORDS = [0, 4, 8, 16, 20, 60].map((offset) => ({
  offset,
  mask: 0xffff_ffff,
}));

/** A program that the kernel accepts. */
function accepted(random: Random): Program {
  const program = randomProgram(random, WORDS, 4 + random.below(40));
  assertEquals(check(program), undefined);
  return program;
}

Deno.test("decodeFilter() finds the byte order of every accepted program", () => {
  const random = createRandom(SEED);
  for (let i = 0; i < 500; i++) {
    const program = accepted(random);
    for (const littleEndian of [true, false]) {
      const filter = { program, littleEndian };
      assertEquals(decodeFilter(encodeFilter(filter)), filter, `${i}`);
    }
  }
});

Deno.test("decodeFilter() chooses the likelier order if the kernel would refuse both", () => {
  const program = [plain("ld.abs", 3), plain("ret.k", 0)];
  for (const littleEndian of [true, false]) {
    const filter = { program, littleEndian };
    assertEquals(decodeFilter(encodeFilter(filter)), filter);
  }
});

Deno.test("decodeFilter() refuses to guess, and takes the order that it is given", () => {
  // ld #k has code 0x0000, which is the same in both orders.
  const program = [plain("ld.imm", 1)];
  const bytes = encodeFilter({ program, littleEndian: false });
  const error = assertThrows(() => decodeFilter(bytes), ProgramError);
  assertEquals(error.reason, "ambiguous-byte-order");
  assertEquals(decodeFilter(bytes, { littleEndian: false }).program, program);
  assertEquals(
    decodeFilter(bytes, { littleEndian: true }).program[0]?.k,
    0x0100_0000,
  );
});

Deno.test("comparedArches() follows arch through registers and scratch memory", () => {
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ["ld [4]\njeq #7, 0, 0\njeq #9, 0, 0\njeq #7, 0, 0", [7, 9]],
    ["ld [0]\njeq #7, 0, 0", []],
    ["ld [4]\nst M[3]\nld [0]\njeq #5, 0, 0\nld M[3]\njeq #7, 0, 0", [7]],
    ["ld [4]\ntax\nld [0]\njeq #5, 0, 0\ntxa\njge #7, 0, 0", [7]],
    ["ld [4]\nst M[0]\nldx M[0]\nld #0\ntxa\njgt #7, 0, 0", [7]],
    // A computed value is not arch, nor is a value that another path loads.
    ["ld [4]\nand #0xff\njeq #7, 0, 0", []],
    ["ld [0]\njeq #1, both\nld [4]\nboth: jeq #7, 0, 0", []],
    ["ld [4]\njeq #1, both\nld [0]\nboth: jeq #7, 0, 0", [1]],
    ["ld [4]\nja end\njeq #7, 0, 0\nend: jeq #9, 0, 0", [9]],
    ["ld [4]\nst M[1]\nld [0]\nst M[1]\nld M[1]\njeq #7, 0, 0", []],
  ];
  for (const [text, expected] of cases) {
    assertEquals(comparedArches(parseText(`${text}\nret #0`)), expected, text);
  }
});

Deno.test("follow() takes any instruction", () => {
  for (const k of [0, 15, 16, 0xffff_ffff]) {
    for (const op of ["st", "stx", "ld.mem", "ldx.mem", "ja", 0xff] as const) {
      assertEquals(follow([plain("tax"), { op, jt: 0, jf: 0, k }]).length, 2);
    }
  }
});

Deno.test("inferByteOrder() knows architectures with and without a table", () => {
  const comparing = (...values: readonly number[]): Program => [
    plain("ld.abs", 4),
    ...values.map((k) => ({ op: "jeq.k", jt: 0, jf: 0, k } as const)),
    plain("ret.k", 0),
  ];
  // linux/audit.h: s390x, x86_64, mips64, mipsel, ppc64, m68k.
  const cases: readonly (readonly [readonly number[], boolean | undefined])[] =
    [
      [[0x8000_0016], false],
      [[0xc000_003e, 0x4000_0003], true],
      [[0x8000_0008], false],
      [[0x4000_0008], true],
      [[0x8000_0015], false],
      [[0x0000_0004], false],
      [[0xc000_003e, 0x8000_0016], undefined],
      [[0x1234_5678], undefined],
      [[], undefined],
    ];
  for (const [values, expected] of cases) {
    assertEquals(inferByteOrder([comparing(...values)]), expected, `${values}`);
  }
  assertEquals(
    inferByteOrder([comparing(0x8000_0016), comparing(0xc000_003e)]),
    undefined,
  );
});

Deno.test("parseFilters() reads back whatever formatFilters() writes", () => {
  const random = createRandom(SEED + 1);
  const arches = [0xc000_003e, 0x8000_0016, 0x8000_0008, 0xdead_beef];
  for (let i = 0; i < 500; i++) {
    const programs = Array.from({ length: 1 + random.below(3) }, () => {
      const body = accepted(random);
      return random.below(2) === 0 ? body : [
        plain("ld.abs", 4),
        { op: "jeq.k", jt: 0, jf: 0, k: random.pick(arches) } as const,
        ...body,
      ];
    });
    for (const littleEndian of [true, false]) {
      const stack = { programs, littleEndian };
      const text = formatFilters(stack, { comments: () => () => "; .filter" });
      const { order, places: _, ...read } = parseFilters(text);
      assertEquals(read, stack, text);
      // No directive, no difference to what bpf_asm reads.
      const inferred = inferByteOrder(programs);
      const plain = littleEndian && inferred !== false;
      assertEquals(
        order,
        !plain ? "given" : inferred === undefined ? "assumed" : "inferred",
        text,
      );
      assertEquals(/^\s*\.\w+-endian/m.test(text), !plain, text);
      assertEquals(/^\s*\.filter/m.test(text), programs.length > 1, text);
    }
  }
});

Deno.test("parseFilters() keeps labels within their filter", () => {
  const { programs } = parseFilters(
    "x: ret #1\n.filter ; the second\nja x\nret #2\nx: ret #3\n",
  );
  assertEquals(programs.map((program) => program.length), [1, 3]);
  assertEquals(programs[1]?.[0]?.k, 1);
});

Deno.test("parseFilters() reports the position of a misplaced directive", () => {
  const cases: readonly (readonly [string, string, number, number])[] = [
    ["ret #0\n  .big-endian", "misplaced-directive", 2, 3],
    [".big-endian\n.big-endian\nret #0", "misplaced-directive", 2, 1],
    [".big-endian\n.little-endian\nret #0", "misplaced-directive", 2, 1],
    [".filter\n.big-endian\nret #0", "misplaced-directive", 2, 1],
    ["a:\n.big-endian\nret #0", "misplaced-directive", 2, 1],
    [".filter\n.filter\nret #0", "empty-program", 2, 1],
    [".filter\nret #0\n.filter\n", "empty-program", 4, 1],
    [".filter\na:\n.filter\nret #0", "dangling-label", 2, 1],
    [".big-endian", "empty-program", 1, 1],
    ["ret #0\n.filter\nja x\nx: ret #0\n.filter\nja x", "unknown-label", 6, 4],
    [".middle-endian\nret #0", "unknown-mnemonic", 1, 1],
  ];
  for (const [text, reason, line, column] of cases) {
    const error = assertThrows(() => parseFilters(text), AssemblyError);
    assertEquals(
      [error.reason, error.line, error.column],
      [reason, line, column],
      `${JSON.stringify(text)}: ${error.message}`,
    );
  }
  // Labels of these names stay labels.
  assertEquals(parseText(".filter: ja .filter2\n.filter2: ret #0").length, 2);
});

Deno.test("parseText() refuses what a program cannot hold", () => {
  for (
    const [text, line] of [
      [".big-endian\nret #0", 1],
      ["ret #0\n.filter\nret #1", 2],
    ] as const
  ) {
    const error = assertThrows(() => parseText(text), AssemblyError);
    assertEquals(error.line, line);
    assert(error.message.includes("use parseFilters"), error.message);
  }
});
