import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProgramError } from "../../bpf/error.ts";
import type { Instruction, Op, Program } from "../../bpf/instruction.ts";
import { prepare, run } from "../../bpf/run.ts";
import { check } from "../../bpf/check.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { runInKernel } from "../../ffi/socket_filter.ts";

const ALLOW = 0x7fff_0000;

function ins(op: Op, k = 0, jt = 0, jf = 0): Instruction {
  return { op, k, jt, jf };
}

/** A generator of u32, mulberry32. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return (): number => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

const EDGES = [0, 1, 2, 31, 32, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

function word(next: () => number): number {
  return next() % 2 === 0 ? EDGES[next() % EDGES.length] ?? 0 : next();
}

function inputs(next: () => number, count: number): Uint32Array[] {
  return Array.from(
    { length: count },
    () => Uint32Array.from({ length: 16 }, () => word(next)),
  );
}

Deno.test("runInKernel() reads every word as seccomp would", () => {
  const data = {
    nr: 0x0102_0304,
    arch: 0xc000_003e,
    instructionPointer: 0x1112_1314_1516_1718n,
    args: [1n, 0x2122_2324_2526_2728n, 3n, 4n, 5n, 0xf1f2_f3f4_f5f6_f7f8n],
  };
  const words = toWords(data, true);
  for (let i = 0; i < 16; i++) {
    assertEquals(
      runInKernel([ins("ld.abs", i * 4), ins("ret.a")], [words]),
      [words[i] ?? -1],
      `word ${i}`,
    );
  }
});

Deno.test("runInKernel() knows what each instruction does", () => {
  const top = 0xffff_fff0;
  // A is 0xffff_fff0 and X is 3; expected values worked out by hand.
  const cases: [string, Instruction[], number][] = [
    ["ld.imm", [ins("ld.imm", 7)], 7],
    ["ld.len", [ins("ld.len")], 64],
    ["ldx.len", [ins("ldx.len"), ins("txa")], 64],
    ["ldx.imm", [ins("ldx.imm", 9), ins("txa")], 9],
    ["st, ld.mem", [ins("st", 15), ins("ld.imm", 0), ins("ld.mem", 15)], top],
    ["stx, ld.mem", [ins("stx", 0), ins("ld.mem", 0)], 3],
    ["st, ldx.mem", [ins("st", 1), ins("ldx.mem", 1), ins("txa")], top],
    ["add.k wraps", [ins("add.k", 0x20)], 0x10],
    ["add.x", [ins("add.x")], 0xffff_fff3],
    ["sub.k", [ins("sub.k", 0xffff_fff1)], 0xffff_ffff],
    ["sub.x", [ins("sub.x")], 0xffff_ffed],
    ["mul.k", [ins("mul.k", 0x1000_0001)], 0xffff_fff0],
    ["mul.x", [ins("mul.x")], 0xffff_ffd0],
    ["div.k", [ins("div.k", 16)], 0x0fff_ffff],
    ["div.x", [ins("div.x")], 0x5555_5550],
    ["div.x by 0", [ins("ldx.imm", 0), ins("div.x"), ins("ld.imm", 5)], 0],
    ["and.k", [ins("and.k", 0xff)], 0xf0],
    ["and.x", [ins("and.x")], 0],
    ["or.k", [ins("or.k", 0xf)], 0xffff_ffff],
    ["or.x", [ins("or.x")], 0xffff_fff3],
    ["xor.k", [ins("xor.k", 0xffff_ffff)], 0xf],
    ["xor.x", [ins("xor.x")], 0xffff_fff3],
    ["lsh.k", [ins("lsh.k", 28)], 0],
    ["lsh.x", [ins("lsh.x")], 0xffff_ff80],
    ["rsh.k", [ins("rsh.k", 28)], 0xf],
    ["rsh.x", [ins("rsh.x")], 0x1fff_fffe],
    ["neg", [ins("neg")], 0x10],
    ["tax", [ins("tax"), ins("ld.imm", 0), ins("txa")], top],
    ["ja", [ins("ja", 1), ins("ld.imm", 1), ins("xor.k", 1)], 0xffff_fff1],
    ["jeq.k", [ins("jeq.k", top, 0, 1), ins("ld.imm", 1)], 1],
    ["jeq.x", [ins("jeq.x", 0, 0, 1), ins("ld.imm", 1)], top],
    ["jgt.k is unsigned", [ins("jgt.k", 1, 0, 1), ins("ld.imm", 1)], 1],
    ["jgt.k is strict", [ins("jgt.k", top, 0, 1), ins("ld.imm", 1)], top],
    ["jgt.x", [ins("jgt.x", 0, 0, 1), ins("ld.imm", 1)], 1],
    ["jge.k", [ins("jge.k", top, 0, 1), ins("ld.imm", 1)], 1],
    ["jge.x", [ins("jge.x", 0, 0, 1), ins("ld.imm", 1)], 1],
    ["jset.k", [ins("jset.k", 0x8000_0000, 0, 1), ins("ld.imm", 1)], 1],
    ["jset.x", [ins("jset.x", 0, 0, 1), ins("ld.imm", 1)], top],
  ];
  for (const [title, body, expected] of cases) {
    const program = [
      ins("ld.imm", top),
      ins("ldx.imm", 3),
      ...body,
      ins("ret.a"),
    ];
    const input = new Uint32Array(16);
    assertEquals(runInKernel(program, [input]), [expected], title);
    assertEquals(run(prepare(program), input), expected, `run: ${title}`);
  }
});

Deno.test("runInKernel() distinguishes few and many constants, and 0 from a dropped packet", () => {
  for (const count of [1, 63, 64, 65, 300]) {
    const program: Instruction[] = [ins("ld.abs", 0)];
    for (let i = 0; i < count; i++) {
      program.push(ins("jeq.k", i, 0, 1), ins("ret.k", (i << 20) >>> 0));
    }
    program.push(ins("ret.k", 0xffff_ffff));
    const all = Array.from({ length: count + 1 }, (_, i) => {
      const words = new Uint32Array(16);
      words[0] = i;
      return words;
    });
    const expected = all.map((_, i) =>
      i === count ? 0xffff_ffff : (i << 20) >>> 0
    );
    assertEquals(runInKernel(program, all), expected, `${count} constants`);
  }
});

Deno.test("runInKernel() keeps inputs and answers together where some packets are dropped", () => {
  const program = [
    ins("ld.abs", 8),
    ins("tax"),
    ins("ld.abs", 4),
    ins("div.x"),
    ins("ret.k", ALLOW),
  ];
  const all = inputs(random(7), 400);
  const expected = all.map((words) => words[2] === 0 ? 0 : ALLOW);
  assert(expected.includes(0) && expected.includes(ALLOW));
  assertEquals(runInKernel(program, all), expected);
});

Deno.test("runInKernel() takes the longest programs", () => {
  const body = Array.from({ length: 4094 }, (_, i) => ins("xor.k", i));
  const program = [ins("ld.abs", 0), ...body, ins("ret.k", ALLOW)];
  assertEquals(runInKernel(program, [new Uint32Array(16)]), [ALLOW]);
  const error = assertThrows(
    () => runInKernel([...program.slice(0, -1), ins("ret.a")], []),
    ProgramError,
  );
  assertEquals(error.reason, "program-too-long");
});

Deno.test("runInKernel() refuses what seccomp refuses", () => {
  const error = assertThrows(
    () => runInKernel([ins("ldb.abs", 0), ins("ret.a")], []),
    ProgramError,
  );
  assertEquals(error.reason, "forbidden-opcode");
});

Deno.test("run() answers as the kernel does for random programs", () => {
  const ops: Op[] = [
    "ld.abs",
    "ld.abs",
    "ld.imm",
    "ld.len",
    "ld.mem",
    "ldx.imm",
    "ldx.len",
    "ldx.mem",
    "st",
    "stx",
    "add.k",
    "add.x",
    "sub.k",
    "sub.x",
    "mul.k",
    "mul.x",
    "div.k",
    "div.x",
    "and.k",
    "and.x",
    "or.k",
    "or.x",
    "xor.k",
    "xor.x",
    "lsh.k",
    "lsh.x",
    "rsh.k",
    "rsh.x",
    "neg",
    "tax",
    "txa",
    "ja",
    "jeq.k",
    "jeq.x",
    "jgt.k",
    "jgt.x",
    "jge.k",
    "jge.x",
    "jset.k",
    "jset.x",
    "ret.k",
    "ret.a",
  ];
  const seed = 20_260_801;
  const next = random(seed);
  const met = new Set<Op | number>();
  let programs = 0;
  while (programs < 400) {
    const length = 2 + next() % 40;
    const program: Instruction[] = [];
    for (let pc = 0; pc < length - 1; pc++) {
      const op = ops[next() % ops.length] ?? "neg";
      const rest = Math.max(1, length - pc - 1);
      let k = word(next);
      if (op === "ld.abs") k = (k % 16) * 4;
      if (/mem|^stx?$/.test(op)) k %= 4;
      if (/sh.k/.test(op)) k %= 32;
      if (/^(ld|ldx).len|neg|tax|txa/.test(op)) k = 0;
      if (op === "ja") k = next() % Math.min(rest, 4);
      const jump = /^j[egs]/.test(op);
      const near = Math.min(rest, 6);
      program.push(
        ins(op, k, jump ? next() % near : 0, jump ? next() % near : 0),
      );
    }
    program.push(next() % 2 === 0 ? ins("ret.a") : ins("ret.k", word(next)));
    if (check(program) !== undefined) continue;
    programs++;
    const all = inputs(next, 24);
    const prepared = prepare(program);
    const expected = all.map((words) => run(prepared, words));
    assertEquals(
      runInKernel(program, all),
      expected,
      `seed ${seed}, program ${programs}: ${JSON.stringify(program)}`,
    );
    for (const { op } of program as Program) met.add(op);
  }
  assertEquals([...ops].filter((op) => !met.has(op)), []);
});
