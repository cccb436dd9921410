import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { annotate, fieldName } from "../../bpf/annotate.ts";
import { AssemblyError } from "../../bpf/error.ts";
import type { Instruction, Op } from "../../bpf/instruction.ts";
import { OP_CODES, toOp } from "../../bpf/opcode.ts";
import { format } from "../../bpf/format.ts";
import { parseText } from "../../bpf/text.ts";

const SEED = 0x7e87;

/** One instruction with unused fields 0. */
function i(op: Op | number, k = 0, jt = 0, jf = 0): Instruction {
  return { op, jt, jf, k };
}

/** Lines of a text without the leading and double spaces. */
function lines(text: string): string[] {
  return text.trimEnd().split("\n").map((l) => l.trim().replace(/ {2,}/, " "));
}

// Text according to bpf_asm's grammar (tools/bpf/bpf_exp.y), with the expected
// instructions.
const FORMS: readonly (readonly [string, Instruction])[] = [
  ["ld [0]", i("ld.abs", 0)],
  ["ldh [12]", i("ldh.abs", 12)],
  ["ldb [23]", i("ldb.abs", 23)],
  ["ld [x + 4]", i("ld.ind", 4)],
  ["ldh [x + 4]", i("ldh.ind", 4)],
  ["ldb [x + 0]", i("ldb.ind", 0)],
  ["ld #0x1f", i("ld.imm", 31)],
  ["ld M[3]", i("ld.mem", 3)],
  ["ld #len", i("ld.len")],
  ["ldx #0x1f", i("ldx.imm", 31)],
  ["ldx M[15]", i("ldx.mem", 15)],
  ["ldx #len", i("ldx.len")],
  ["ldxb 4*([14]&0xf)", i("ldxb.msh", 14)],
  ["st M[0]", i("st", 0)],
  ["stx M[1]", i("stx", 1)],
  ["add #7", i("add.k", 7)],
  ["add x", i("add.x")],
  ["sub #7", i("sub.k", 7)],
  ["sub x", i("sub.x")],
  ["mul #7", i("mul.k", 7)],
  ["mul x", i("mul.x")],
  ["div #7", i("div.k", 7)],
  ["div x", i("div.x")],
  ["mod #7", i("mod.k", 7)],
  ["mod x", i("mod.x")],
  ["and #0xff", i("and.k", 255)],
  ["and x", i("and.x")],
  ["or #0xff", i("or.k", 255)],
  ["or x", i("or.x")],
  ["xor #0xff", i("xor.k", 255)],
  ["xor x", i("xor.x")],
  ["lsh #31", i("lsh.k", 31)],
  ["lsh x", i("lsh.x")],
  ["rsh #31", i("rsh.k", 31)],
  ["rsh x", i("rsh.x")],
  ["neg", i("neg")],
  ["ja 9", i("ja", 9)],
  ["jeq #0x3c, 9, 8", i("jeq.k", 60, 9, 8)],
  ["jeq x, 9, 8", i("jeq.x", 0, 9, 8)],
  ["jgt #0x3c, 9, 8", i("jgt.k", 60, 9, 8)],
  ["jgt x, 9, 8", i("jgt.x", 0, 9, 8)],
  ["jge #0x3c, 9", i("jge.k", 60, 9, 0)],
  ["jge x, 0, 8", i("jge.x", 0, 0, 8)],
  ["jset #0x3c, 255, 254", i("jset.k", 60, 255, 254)],
  ["jset x, 9, 8", i("jset.x", 0, 9, 8)],
  ["ret #0x7fff0000", i("ret.k", 0x7fff_0000)],
  ["ret a", i("ret.a")],
  ["tax", i("tax")],
  ["txa", i("txa")],
  [".raw 0x00ff, 1, 2, 0x3", i(0xff, 3, 1, 2)],
  [".raw 0x0007, 0, 0, 0x1", i("tax", 1)],
  [".raw 0x0006, 1, 0, 0x2", i("ret.k", 2, 1, 0)],
  [".raw 0x0005, 0, 1, 0x2", i("ja", 2, 0, 1)],
  [".raw 0x001d, 1, 2, 0x3", i("jeq.x", 3, 1, 2)],
];

Deno.test("format() and parseText() know every form of every instruction", () => {
  const named = new Set(FORMS.map(([, { op }]) => op));
  for (const op of Object.keys(OP_CODES)) assert(named.has(op as Op), op);
  for (const [text, instruction] of FORMS) {
    assertEquals(lines(format([instruction])), [text]);
    assertEquals(parseText(text), [instruction], text);
  }
});

Deno.test("parseText() takes what bpf_asm takes", () => {
  const cases: readonly (readonly [string, Instruction])[] = [
    ["LD [4]", i("ld.abs", 4)],
    ["ld len", i("ld.len")],
    ["ldx LEN", i("ldx.len")],
    ["ldi 5", i("ld.imm", 5)],
    ["ldi #5", i("ld.imm", 5)],
    ["ldxi #0b101", i("ldx.imm", 5)],
    ["ldx 4*([2]&0xf)", i("ldxb.msh", 2)],
    ["ld [%x+4]", i("ld.ind", 4)],
    ["ld m[ 3 ]", i("ld.mem", 3)],
    ["add %x", i("add.x")],
    ["jeq %x, 1", i("jeq.x", 0, 1, 0)],
    ["ret %a", i("ret.a")],
    ["ret x", i(0x0e)],
    ["ret #-1", i("ret.k", 0xffff_ffff)],
    ["ret #+1", i("ret.k", 1)],
    ["ret #-2147483648", i("ret.k", 0x8000_0000)],
    ["ret #-0", i("ret.k", 0)],
    ["ret #017", i("ret.k", 15)],
    ["ret #0", i("ret.k", 0)],
    ["ret #4294967295", i("ret.k", 0xffff_ffff)],
    ["jne #1, 2", i("jeq.k", 1, 0, 2)],
    ["jneq #1, 2", i("jeq.k", 1, 0, 2)],
    ["jlt #1, 2", i("jge.k", 1, 0, 2)],
    ["jle x, 2", i("jgt.x", 0, 0, 2)],
    ["jne #1, 2, 3", i("jeq.k", 1, 3, 2)],
    ["jmp 3", i("ja", 3)],
    ["ja 4294967295", i("ja", 0xffff_ffff)],
  ];
  for (const [text, instruction] of cases) {
    assertEquals(parseText(text), [instruction], text);
  }
});

Deno.test("parseText() takes labels, comments and pseudo-jumps in a program", () => {
  const program = parseText(`# a comment; with ld [0]
      /* jeq #1, nowhere
         ret a */
      ld [4]                  ; the architecture
      jne #0xc000003e, kill   /* x86_64 */
      ld [0]
  _1: B.2:
      jeq #60, good, _next    ; exit
  _next: ja kill\r
  good:  ret #0x7fff0000
  kill:  ret #0
  `);
  assertEquals(program, [
    i("ld.abs", 4),
    i("jeq.k", 0xc000_003e, 0, 4),
    i("ld.abs", 0),
    i("jeq.k", 60, 1, 0),
    i("ja", 1),
    i("ret.k", 0x7fff_0000),
    i("ret.k", 0),
  ]);
});

Deno.test("format() labels targets inside and gives distances for those outside", () => {
  const program = [
    i("jeq.k", 1, 1, 9),
    i("ja", 1),
    i("jset.k", 2, 0, 0),
    i("ja", 0xffff_ffff),
  ];
  assertEquals(lines(format(program)), [
    "jeq #0x1, l2, 9",
    "ja l3",
    "l2: jset #0x2, l3",
    "l3: ja 4294967295",
  ]);
  assertEquals(lines(format(program, { labels: false })), [
    "jeq #0x1, 1, 9",
    "ja 1",
    "jset #0x2, 0",
    "ja 4294967295",
  ]);
  assertEquals(parseText(format(program)), program);
});

Deno.test("format() keeps a comment on its line and parseText() ignores it", () => {
  const program = [i("ret.k", 1), i("ret.a")];
  const text = format(program, {
    comments: (instruction, pc) =>
      pc === 0 ? `one\nret #2 */ ; ${instruction.k}` : undefined,
  });
  assertEquals(text.split("\n").length, 3);
  assertStringIncludes(text, "ret #0x00000001                 ; one ret #2");
  assertEquals(parseText(text), program);
});

Deno.test("format() gives no label to an instruction that is only fallen into", () => {
  const program = [i("jeq.k", 1, 1, 0), i("ret.k", 1), i("ret.a")];
  assertEquals(lines(format(program)), [
    "jeq #0x1, l2",
    "ret #0x00000001",
    "l2: ret a",
  ]);
});

const anyInstruction = fc.record({
  op: fc.oneof(
    fc.constantFrom(...Object.keys(OP_CODES).map((op) => op as Op)),
    fc.integer({ min: 0, max: 0xffff }).map(toOp),
  ),
  jt: fc.oneof(fc.constant(0), fc.nat({ max: 6 }), fc.nat({ max: 255 })),
  jf: fc.oneof(fc.constant(0), fc.nat({ max: 6 }), fc.nat({ max: 255 })),
  k: fc.oneof(fc.nat({ max: 6 }), fc.integer({ min: 0, max: 0xffff_ffff })),
}, { noNullPrototype: true });

Deno.test("parseText() reads back whatever format() writes", () => {
  fc.assert(
    fc.property(
      fc.array(anyInstruction, { minLength: 1, maxLength: 20 }),
      fc.boolean(),
      fc.boolean(),
      (program, labels, comments) => {
        const text = format(program, {
          labels,
          ...(comments
            ? { comments: annotate({ program, littleEndian: true }) }
            : {}),
        });
        assertEquals(parseText(text), program);
      },
    ),
    { seed: SEED, numRuns: 1000 },
  );
});

Deno.test("parseText() reads back all 65536 codes", () => {
  const half = (first: number): Instruction[] =>
    Array.from({ length: 0x8000 }, (_, n) => i(toOp(first + n), n, 1, 2));
  for (const first of [0, 0x8000]) {
    const program = half(first);
    const again = parseText(format(program));
    assertEquals(again.length, program.length);
    for (const [pc, instruction] of program.entries()) {
      assertEquals(again[pc], instruction);
    }
  }
});

Deno.test("parseText() reports the position and the problem of unreadable text", () => {
  const cases: readonly (readonly [string, string, number, number])[] = [
    ["", "empty-program", 1, 1],
    ["; nothing\n\n", "empty-program", 3, 1],
    ["ret #0\n  lda [0]", "unknown-mnemonic", 2, 3],
    ["ld", "unexpected-token", 1, 3],
    ["ld 0", "unexpected-token", 1, 4],
    ["ld [0", "unexpected-token", 1, 6],
    ["ld [x]", "unexpected-token", 1, 6],
    ["ldx [0]", "unexpected-token", 1, 5],
    ["ldxb 5*([0]&0xf)", "unexpected-token", 1, 6],
    ["ldxb 4*([0]&0xe)", "unexpected-token", 1, 13],
    ["add 5", "unexpected-token", 1, 5],
    ["jeq 5, 0, 0", "unexpected-token", 1, 5],
    ["jeq #5", "unexpected-token", 1, 7],
    ["ret 0", "unexpected-token", 1, 5],
    ["ret #len", "unexpected-token", 1, 6],
    ["tax #1", "unexpected-token", 1, 5],
    ["st M[x]", "unexpected-token", 1, 6],
    ["ret #0x", "unknown-number", 1, 6],
    ["ret #08", "unknown-number", 1, 6],
    ["ret #1_000", "unknown-number", 1, 6],
    ["ret #4294967296", "number-range", 1, 6],
    ["ret #-2147483649", "number-range", 1, 6],
    ["jeq #0, 256", "number-range", 1, 9],
    ["jeq #0, -1", "number-range", 1, 9],
    [".raw 0x10000, 0, 0, 0", "number-range", 1, 6],
    [".raw 0, 256, 0, 0", "number-range", 1, 9],
    ["ret #0 ! x", "unknown-character", 1, 8],
    ["ret #0 /* open", "unknown-character", 1, 8],
    ["ja nowhere\nret #0", "unknown-label", 1, 4],
    ["a: ret #0\na: ret #0", "duplicate-label", 2, 1],
    ["a: ret #0\nja a", "jump-backwards", 2, 4],
    ["ret #0\nend:", "dangling-label", 2, 1],
    [
      `jeq #0, far\n${"ret #0\n".repeat(256)}far: ret #0`,
      "jump-too-far",
      1,
      9,
    ],
    ["ret #0\n".repeat(65_536), "program-too-long", 65_536, 1],
  ];
  for (const [text, reason, line, column] of cases) {
    const error = assertThrows(() => parseText(text), AssemblyError);
    const { message } = error;
    const shown = `${JSON.stringify(text.slice(0, 40))}: ${message}`;
    assertEquals(error.reason, reason, shown);
    assertEquals([error.line, error.column], [line, column], shown);
    assertStringIncludes(message, `${line}:${column}: Cannot `);
    assert(error instanceof SyntaxError);
  }
  const nearest = `jeq #0, far\n${"ret #0\n".repeat(255)}far: ret #0`;
  assertEquals(parseText(nearest)[0]?.jt, 255);
});

Deno.test("fieldName() names each word in both byte orders", () => {
  const little = [...Array(17).keys()].map((n) => fieldName(4 * n, true));
  assertEquals(little.slice(0, 6), [
    "nr",
    "arch",
    "instruction_pointer, low half",
    "instruction_pointer, high half",
    "args[0], low half",
    "args[0], high half",
  ]);
  assertEquals(little[15], "args[5], high half");
  assertEquals(little[16], undefined);
  assertEquals(fieldName(16, false), "args[0], high half");
  assertEquals(fieldName(20, false), "args[0], low half");
  assertEquals(fieldName(18, true), undefined);
});

Deno.test("annotate() names calls only if the architecture is certain", () => {
  const program = parseText(`
         ld [4]
         jeq #1, one
         jeq #2, two, both
  one:   ld [0]
         jge #60, both
         and #1
         jeq #60, end
         ret #0x50001
  both:  ld [0]
         jeq #60, end
         ret #0
  two:   ld [0]
         tax
         st M[0]
         jgt #61, end
         ld [16]
         jeq #60, end
  end:   ret #0x7fff0000
         ld [0]
         jeq #60, end2
  end2:  ret a
  `);
  const comment = annotate({ program, littleEndian: true }, {
    archName: (arch) => `arch ${arch}`,
    syscallName: (arch, nr) => arch === 9 ? undefined : `call ${arch}/${nr}`,
  });
  assertEquals(program.map((instruction, pc) => comment(instruction, pc)), [
    "arch",
    "arch 1",
    "arch 2",
    "nr",
    "call 1/60",
    undefined,
    undefined,
    "ERRNO(EPERM)",
    "nr",
    undefined,
    "KILL_THREAD",
    "nr",
    undefined,
    undefined,
    "call 2/61",
    "args[0], low half",
    undefined,
    "ALLOW",
    "nr",
    undefined,
    undefined,
  ]);
});

Deno.test("annotate() names nothing if A may hold one field or another", () => {
  const program = parseText(`
         ld [0]
         jeq #9, both
         ld [4]
  both:  jeq #1, end
  end:   ret #0
  `);
  const comment = annotate({ program, littleEndian: true }, {
    archName: () => "an arch",
  });
  assertEquals(program.map((instruction, pc) => comment(instruction, pc)), [
    "nr",
    undefined,
    "arch",
    undefined,
    "KILL_THREAD",
  ]);
});

Deno.test("parseText() repeats a number that it refuses with its sign", () => {
  for (const number of ["-2147483649", "4294967296"]) {
    assertThrows(
      () => parseText(`ret #${number}`),
      AssemblyError,
      `Cannot read number "${number}"`,
    );
  }
});
