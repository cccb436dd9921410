import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { decode, encode } from "../../bpf/encode.ts";
import { ProgramError } from "../../bpf/error.ts";
import type { Op } from "../../bpf/instruction.ts";
import { isConditionalJump, toCode, toOp } from "../../bpf/opcode.ts";

const SEED = 0x5ecc;

// linux/bpf_common.h, linux/filter.h.
const [LD, LDX, ST, STX, ALU, JMP, RET, MISC] = [0, 1, 2, 3, 4, 5, 6, 7];
const [W, H, B] = [0x00, 0x08, 0x10];
const [IMM, ABS, IND, MEM, LEN, MSH] = [0x00, 0x20, 0x40, 0x60, 0x80, 0xa0];
const [K, X, A] = [0x00, 0x08, 0x10];

/** Codes composed as the headers compose them. */
const HEADER_CODES: readonly (readonly [Op, number])[] = [
  ["ld.imm", LD | IMM],
  ["ld.abs", LD | W | ABS],
  ["ldh.abs", LD | H | ABS],
  ["ldb.abs", LD | B | ABS],
  ["ld.ind", LD | W | IND],
  ["ldh.ind", LD | H | IND],
  ["ldb.ind", LD | B | IND],
  ["ld.mem", LD | MEM],
  ["ld.len", LD | W | LEN],
  ["ldx.imm", LDX | IMM],
  ["ldx.mem", LDX | MEM],
  ["ldx.len", LDX | W | LEN],
  ["ldxb.msh", LDX | B | MSH],
  ["st", ST],
  ["stx", STX],
  ["neg", ALU | 0x80],
  ["ja", JMP | 0x00],
  ["ret.k", RET | K],
  ["ret.a", RET | A],
  ["tax", MISC | 0x00],
  ["txa", MISC | 0x80],
  ...pairs(ALU, [
    ["add", 0x00],
    ["sub", 0x10],
    ["mul", 0x20],
    ["div", 0x30],
    ["or", 0x40],
    ["and", 0x50],
    ["lsh", 0x60],
    ["rsh", 0x70],
    ["mod", 0x90],
    ["xor", 0xa0],
  ]),
  ...pairs(JMP, [["jeq", 0x10], ["jgt", 0x20], ["jge", 0x30], ["jset", 0x40]]),
];

function pairs(
  codeClass: number,
  operations: readonly (readonly [string, number])[],
): [Op, number][] {
  return operations.flatMap(([name, code]): [Op, number][] => [
    // The names are checked by comparing with toOp() below.
    [`${name}.k` as Op, codeClass | code | K],
    [`${name}.x` as Op, codeClass | code | X],
  ]);
}

Deno.test("toOp() and toCode() are the codes of the headers, and each other's inverse on all 65536", () => {
  const names = new Map(HEADER_CODES.map(([op, code]) => [code, op]));
  assertEquals(names.size, 49);
  for (let code = 0; code <= 0xffff; code++) {
    const op = toOp(code);
    assertEquals(op, names.get(code) ?? code);
    assertEquals(toCode(op), code);
  }
});

Deno.test("isConditionalJump() holds for the eight jumps with two ways only", () => {
  const found = HEADER_CODES.map(([op]) => op).filter(isConditionalJump);
  assertEquals(found.length, 8);
  for (const op of found) assert(/^j(eq|gt|ge|set)\.[kx]$/.test(op), op);
  assertEquals(isConditionalJump(0x15), false);
});

Deno.test("encode() lays fields out as struct sock_filter in both byte orders", () => {
  const program = [{
    op: "jeq.k",
    jt: 0x12,
    jf: 0x34,
    k: 0xc000_003e,
  }] as const;
  assertEquals(
    encode(program),
    new Uint8Array([0x15, 0x00, 0x12, 0x34, 0x3e, 0x00, 0x00, 0xc0]),
  );
  assertEquals(
    encode(program, { littleEndian: false }),
    new Uint8Array([0x00, 0x15, 0x12, 0x34, 0xc0, 0x00, 0x00, 0x3e]),
  );
});

Deno.test("decode() and encode() are inverse on every code", () => {
  for (const littleEndian of [true, false]) {
    // Half of the codes each, as a program has at most 65535 instructions.
    for (const first of [0, 0x8000]) {
      const bytes = new Uint8Array(8 * 0x8000);
      const view = new DataView(bytes.buffer);
      for (let i = 0; i < 0x8000; i++) {
        view.setUint16(8 * i, first + i, littleEndian);
        view.setUint8(8 * i + 2, i & 0xff);
        view.setUint8(8 * i + 3, (i >> 7) & 0xff);
        view.setUint32(8 * i + 4, Math.imul(i, 0x9e37_79b1), littleEndian);
      }
      const program = decode(bytes, { littleEndian });
      assertEquals(program[5], {
        op: toOp(first + 5),
        jt: 5,
        jf: 0,
        k: Math.imul(5, 0x9e37_79b1) >>> 0,
      });
      const again = encode(program, { littleEndian });
      assertEquals(again.length, bytes.length);
      // One by one: the difference of two long arrays takes minutes to print.
      for (let at = 0; at < bytes.length; at += 8) {
        assertEquals(again.subarray(at, at + 8), bytes.subarray(at, at + 8));
      }
    }
  }
});

Deno.test("decode() and encode() are inverse on random bytes", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 20 }),
      fc.uint8Array({ minLength: 8, maxLength: 8 }),
      fc.boolean(),
      (some, last, littleEndian) => {
        const bytes = new Uint8Array([
          ...some.slice(0, some.length - some.length % 8),
          ...last,
        ]);
        const again = encode(decode(bytes, { littleEndian }), { littleEndian });
        assertEquals(again, bytes);
      },
    ),
    { seed: SEED, numRuns: 500 },
  );
});

Deno.test("decode() reads a view into a larger buffer", () => {
  const bytes = new Uint8Array([9, 9, 9, 6, 0, 0, 0, 1, 0, 0, 0, 9]);
  assertEquals(decode(bytes.subarray(3, 11)), [
    { op: "ret.k", jt: 0, jf: 0, k: 1 },
  ]);
});

Deno.test("decode() refuses lengths that are not a program's", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "empty-program"],
    [1, "partial-instruction"],
    [7, "partial-instruction"],
    [9, "partial-instruction"],
    [8 * 65_535 + 1, "partial-instruction"],
    [8 * 65_536, "program-too-long"],
    [8 * 65_537, "program-too-long"],
  ];
  for (const [length, reason] of cases) {
    const error = assertThrows(
      () => decode(new Uint8Array(length)),
      ProgramError,
    );
    assertEquals(error.reason, reason, `${length} bytes`);
    assertEquals(error.pc, undefined);
  }
  assertEquals(decode(new Uint8Array(8 * 65_535)).length, 65_535);
});

Deno.test("encode() refuses what does not fit instead of cutting it", () => {
  const good = { op: "ret.k", jt: 0, jf: 0, k: 0 } as const;
  const cases = [
    { ...good, jt: 256 },
    { ...good, jt: -1 },
    { ...good, jf: 256 },
    { ...good, jf: 0.5 },
    { ...good, k: 2 ** 32 },
    { ...good, k: -1 },
    { ...good, k: NaN },
    { ...good, op: 0x1_0000 },
  ];
  for (const bad of cases) {
    const error = assertThrows(() => encode([good, bad]), ProgramError);
    assertEquals(error.reason, "field-range", JSON.stringify(bad));
    assertEquals(error.pc, 1);
  }
  assertEquals(
    assertThrows(() => encode([]), ProgramError).reason,
    "empty-program",
  );
  assertEquals(
    assertThrows(() => encode(new Array(65_536).fill(good)), ProgramError)
      .reason,
    "program-too-long",
  );
  assertEquals(encode(new Array(65_535).fill(good)).length, 8 * 65_535);
});
