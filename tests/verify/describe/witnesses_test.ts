import { assert, assertEquals } from "@std/assert";
import { prepare, runSteps, trace } from "../../../bpf/run.ts";
import { argOffset, toWords } from "../../../bpf/seccomp_data.ts";
import type { Policy } from "../../../profile/policy.ts";
import { decide } from "../../../verify/decide.ts";
import {
  boundaryValues,
  witnesses,
} from "../../../verify/describe/witnesses.ts";
import { createRandom, jump, plain } from "../programs.ts";
import { randomTree } from "../trees.ts";

const POLICY: Policy = {
  defaultValue: 0x0005_0001,
  badArchValue: 0,
  littleEndian: false,
  arches: [{
    auditArch: 0x8000_0016,
    names: ["s390x"],
    rules: [{
      first: 5,
      last: 9,
      conditions: [{
        arg: 2,
        op: "eq",
        mask: 0x0000_0001_ffff_ffffn,
        value: 0x1_0000_0007n,
      }],
      value: 0x7fff_0000,
      source: "syscalls[0]",
    }],
  }],
};

Deno.test("boundaryValues() places both halves of a condition according to the byte order", () => {
  const values = boundaryValues([POLICY], false);
  assertEquals(values[0], [0, 4, 5, 6, 8, 9, 10, 0xffff_ffff]);
  assertEquals(values[1], [
    0,
    0x8000_0015,
    0x8000_0016,
    0x8000_0017,
    0xffff_ffff,
  ]);
  const lo = values[argOffset(2, "lo", false) / 4];
  const hi = values[argOffset(2, "hi", false) / 4];
  assertEquals(lo, [0, 6, 7, 8, 0xffff_ffff]);
  assertEquals(hi, [0, 1, 2, 0xffff_fffe, 0xffff_ffff]);
});

Deno.test("boundaryValues() follows a word through registers and scratch memory", () => {
  const program = [
    plain("ld.abs", 24),
    plain("st", 3),
    plain("ld.abs", 0),
    plain("ldx.mem", 3),
    plain("txa"),
    jump("jset.k", 0x50, 0, 1),
    plain("ret.k", 0),
    plain("ret.k", 1),
  ];
  const values = boundaryValues([program], true);
  assertEquals(values[0], [0]);
  assertEquals(values[6], [
    0,
    0x10,
    0x40,
    0x4f,
    0x50,
    0x51,
    0xffff_ffaf,
    0xffff_ffff,
  ]);
});

Deno.test("witnesses() reaches every outcome of a policy", () => {
  const values = new Set<number>();
  for (const data of witnesses([POLICY])) {
    values.add(decide(POLICY, data).value);
  }
  assertEquals(values, new Set([0, 0x0005_0001, 0x7fff_0000]));
});

Deno.test("witnesses() reaches every instruction of a tree that can be reached", () => {
  const program = randomTree(createRandom(7), 12);
  const prepared = prepare(program);
  const reached = new Set<number>();
  for (
    const data of witnesses([program], { most: 50_000 })
  ) {
    for (const pc of trace(prepared, toWords(data, true)).path) reached.add(pc);
  }
  // Intervals of the tree may be empty: their leaves are the only dead code.
  const dead = program.keys().filter((pc) => !reached.has(pc)).toArray();
  assert(dead.length * 5 < program.length, `unreached: ${dead}`);
});

Deno.test("witnesses() draws the same inputs each time if there are too many", () => {
  const program = randomTree(createRandom(8), 20);
  const draw = (): string[] =>
    [...witnesses([program], { most: 100 })]
      .map((data) => toWords(data, true).join());
  assertEquals(draw().length, 100);
  assertEquals(draw(), draw());
  assert(new Set(draw()).size > 50);
  assert(runSteps(prepare(program), new Uint32Array(16)).steps > 0);
});
