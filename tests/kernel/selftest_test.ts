import { assert, assertEquals, assertThrows } from "@std/assert";
import { decode } from "../../bpf/encode.ts";
import type { Instruction, Program } from "../../bpf/instruction.ts";
import { prepare, run } from "../../bpf/run.ts";
import { type SeccompData, toWords } from "../../bpf/seccomp_data.ts";
import { openLibseccomp } from "../../ffi/libseccomp.ts";
import { runInSeccomp } from "../../ffi/seccomp_engine.ts";
import { selftest, type SelftestReport } from "../../ffi/selftest.ts";
import { openStub } from "../../ffi/stub.ts";
import { absence, has, needs, programFinds } from "../machine.ts";
import { statusField } from "./confined.ts";

const test = needs("libseccomp");

const X86_64 = 0xc000_003e;
const X86 = 0x4000_0003;
const AARCH64 = 0xc000_00b7;
const ALLOW = 0x7fff_0000;
const ERRNO = 0x0005_0000;
const X32_BIT = 0x4000_0000;
const KILL_PROCESS = 0x8000_0000;

/** True if real seccomp is tested. */
const NATIVE = absence("stub") === undefined &&
  has("instruction-pointer", "real seccomp");

function ins(
  op: Instruction["op"],
  k = 0,
  jt = 0,
  jf = 0,
): Instruction {
  return { op, k, jt, jf };
}

/** libseccomp's filter for various rules on three architectures. */
function reference(optimize: 1 | 2): Program {
  const library = openLibseccomp();
  assert(library !== undefined);
  const names: string[] = [];
  for (let nr = 0; nr < 400; nr++) {
    const name = library.resolveNumber(X86_64, nr);
    if (name !== undefined && nr % 5 !== 0) names.push(name);
  }
  const ops = ["eq", "gt", "maskedEq"] as const;
  const result = library.exportFilter({
    defaultAction: ERRNO | 1,
    architectures: [X86, 0x4000_003e],
    optimize,
    rules: names.map((name, i) => ({
      action: i % 11 === 0 ? ERRNO | i : ALLOW,
      name,
      args: i % 9 === 0
        ? [{
          arg: i % 6,
          op: ops[i % 3] ?? "eq",
          a: 0x1_0000_0007n,
          b: 0x1_0000_0003n,
        }]
        : [],
    })),
  });
  assert(result.kind === "filter", result.kind);
  return decode(result.bytes);
}

const EDGES = [0n, 3n, 6n, 7n, 8n, 0x1_0000_0003n, 0x1_0000_0007n];

function inputs(): SeccompData[] {
  const all: SeccompData[] = [];
  for (const arch of [X86_64, X86, AARCH64]) {
    for (let nr = 0; nr <= 1200; nr++) {
      for (const edge of nr < 420 ? EDGES : [0n]) {
        const args = new Array<bigint>(6).fill(
          arch === X86 ? edge & 0xffff_ffffn : edge,
        );
        const data = { nr, arch, instructionPointer: 0n, args };
        all.push(data);
        if (arch === X86_64) all.push({ ...data, nr: X32_BIT + nr });
      }
    }
    for (const nr of [0x3fff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      all.push({ nr, arch, instructionPointer: 0n, args: [] });
    }
  }
  return all;
}

function bySimulator(program: Program): (data: SeccompData) => number {
  const prepared = prepare(program);
  return (data): number => run(prepared, toWords(data, true));
}

function verdicts(report: SelftestReport): Record<string, number> {
  return Object.fromEntries(
    report.counts.map(({ engine, verdicts }) => [engine, verdicts]),
  );
}

test("selftest() finds that kernel and interpreter agree on libseccomp's filters", () => {
  const all = inputs();
  has("i386", "calls by int $0x80 of selftest()");
  const i386 = programFinds("i386");
  for (const optimize of [1, 2] as const) {
    const program = reference(optimize);
    const report = selftest(program, all, bySimulator(program), {
      flags: ["SECCOMP_FILTER_FLAG_LOG"],
    });
    assertEquals(report.mismatches, []);
    const count = verdicts(report);
    assertEquals(count["socket"], all.length);
    if (NATIVE) {
      assertEquals(report.loadErrno, 0);
      const native = all.filter(({ arch, nr }) =>
        arch === X86_64 ? nr !== 335 && nr !== 336 : arch === X86 && i386
      );
      assertEquals(count["seccomp"], native.length, "native inputs");
      assert(report.notes.some((note) => note.includes("uretprobe (335)")));
    }
  }
  assertEquals(statusField(Deno.pid, "Seccomp"), "0");
  assertEquals(statusField(Deno.pid, "NoNewPrivs"), "0");
});

needs("stub", "instruction-pointer")(
  "runInSeccomp() skips i386 calls that the kernel does not serve, and reports it",
  () => {
    const stub = openStub();
    assert(stub !== undefined);
    const args = [0n, 0n, 0n, 0n, 0n, 0n];
    const calls = [X86_64, X86].map((arch) => ({
      nr: 39,
      arch,
      instructionPointer: 0n,
      args,
    }));
    const { inputs, values, notes } = runInSeccomp(
      { ...stub, servesI386: () => false },
      [ins("ret.k", ERRNO + 1)],
      calls,
    );
    assertEquals(inputs.map(({ arch }) => arch), [X86_64]);
    assertEquals(values, [ERRNO + 1]);
    assertEquals(notes, [
      "i386 by real seccomp was not tested: this kernel does not support int $0x80",
    ]);
  },
);

needs("stub")(
  "runInSeccomp() makes no call under test where filters do not see where it comes from",
  () => {
    const stub = openStub();
    assert(stub !== undefined);
    const made: number[] = [];
    const answers = runInSeccomp(
      {
        // No call comes from there, so no filter finds the address that it looks for.
        instructionPointer: { syscall: 0n, int80: 0n },
        run: (job) => {
          made.push(...job.calls.map(({ nr }) => nr));
          return stub.run(job);
        },
        servesI386: () => programFinds("i386"),
      },
      [ins("ret.k", ERRNO + 1)],
      [X86_64, X86].map((arch) => ({
        ...{ nr: 102, arch, instructionPointer: 0n, args: [] },
      })),
    );
    assertEquals(made.filter((nr) => nr === 102), []);
    assertEquals([answers.inputs, answers.values], [[], []]);
    assertEquals(
      answers.notes.filter((note) => note.includes("where a call comes from"))
        .length,
      programFinds("i386") ? 2 : 1,
    );
  },
);

test("selftest() catches one changed constant in every engine", () => {
  const program = reference(2);
  const at = program.findIndex(({ op, k }) => op === "jeq.k" && k === 39);
  assert(at > 0, "getpid is tested for");
  const changed = program.map((instruction, pc) =>
    pc === at ? { ...instruction, k: 40 } : instruction
  );
  const report = selftest(changed, inputs(), bySimulator(program), {
    keep: 1000,
  });
  for (const { engine, mismatches } of report.counts) {
    if (engine === "seccomp" && !NATIVE) continue;
    assert(mismatches > 0, engine);
    assert(
      report.mismatches.some((m) => m.engine === engine && m.data.nr === 39),
      `${engine} names the call`,
    );
  }
  assert(report.mismatches.every(({ data }) => [39, 40].includes(data.nr)));
});

Deno.test("selftest() never executes the calls that it tests", () => {
  const dangerous = [60, 231, 34, 169, 62].map((nr) => ({
    nr,
    arch: X86_64,
    instructionPointer: 0n,
    // kill(-1, SIGKILL) among them.
    args: [0xffff_ffff_ffff_ffffn, 9n, 0n, 0n, 0n, 0n],
  }));
  const all = [...dangerous, { ...dangerous[0], arch: X86, nr: 1 }].map((
    data,
  ) => ({ ...data, args: data.arch === X86 ? [7n] : data.args ?? [] }));
  for (const value of [ALLOW, KILL_PROCESS, 0, ERRNO | 1]) {
    const report = selftest(
      [ins("ret.k", value)],
      all as SeccompData[],
      () => value,
    );
    assertEquals(report.mismatches, []);
    if (NATIVE) {
      assertEquals(report.loadErrno, 0, "accepted, whatever it would do");
      assert((verdicts(report)["seccomp"] ?? 0) >= dangerous.length);
    }
  }
});

Deno.test("selftest() distinguishes any number of values, and A", () => {
  const many: Instruction[] = [ins("ld.abs", 0)];
  for (let i = 0; i < 1400; i++) {
    many.push(ins("jeq.k", i, 0, 1), ins("ret.k", (i * 0x0010_0801) >>> 0));
  }
  many.push(ins("ret.k", ALLOW));
  const a = [
    ins("ld.abs", 16),
    ins("tax"),
    ins("ld.abs", 20),
    ins("xor.x"),
    ins("ret.a"),
  ];
  const zeroAtFirst = [ins("st", 3), ins("ld.mem", 3), ins("ret.a")];
  const all = inputs().filter((_, i) => i % 3 === 0);
  for (const program of [many, a, zeroAtFirst]) {
    const report = selftest(program, all, bySimulator(program));
    assertEquals(report.mismatches, []);
    if (NATIVE) assert((verdicts(report)["seccomp"] ?? 0) > 1000);
  }
});

Deno.test("selftest() asks about the instruction pointer that the kernel sees", () => {
  const program = [ins("ld.abs", 8), ins("ret.a")];
  const data = { nr: 1, arch: X86_64, instructionPointer: 0x77n, args: [] };
  const seen = new Set<bigint>();
  const report = selftest(program, [data], (asked) => {
    seen.add(asked.instructionPointer);
    return Number(asked.instructionPointer & 0xffff_ffffn);
  });
  assertEquals(report.mismatches, []);
  assertEquals(seen.size, NATIVE ? 2 : 1);
});

Deno.test("selftest() reports what it skips and what the kernel refuses", () => {
  const divides = [
    ins("ldx.imm", 0),
    ins("div.x"),
    ins("ret.k", ALLOW),
  ];
  const data = { nr: 1, arch: X86_64, instructionPointer: 0n, args: [] };
  const zero = selftest(divides, [data], () => 0);
  assertEquals(zero.mismatches, []);
  if (!NATIVE) return;
  assertEquals(verdicts(zero), { socket: 1, seccomp: 0 });
  assert(zero.notes.some((note) => note.includes("divides by X")));
  const refused = selftest([ins("ret.k", ALLOW)], [data], () => ALLOW, {
    flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
  });
  assertEquals(refused.loadErrno, 22);
  const long = [...new Array(4095).fill(ins("neg")), ins("ret.k", ALLOW)];
  const full = selftest(long, [data], () => ALLOW);
  assertEquals([full.loadErrno, verdicts(full)["seccomp"]], [0, 0]);
  assert(full.notes.some((note) => note.includes("with the frame")));
  assertThrows(
    () => selftest([ins("ret.k")], [], () => 0, { flags: ["nonsense"] }),
    RangeError,
  );
});

Deno.test("openStub() makes calls in a child process and reports their results", () => {
  if (!NATIVE) return;
  const stub = openStub();
  assert(stub !== undefined);
  const GETPID = 39;
  const GETTID = 186;
  const plain = stub.run({
    calls: [{ nr: GETPID, args: [] }, { nr: GETTID, args: [] }],
  });
  assertEquals([plain.loadErrno, plain.signal], [0, 0]);
  assertEquals(plain.results[0], plain.results[1]);
  assert(plain.results[0] !== Deno.pid);
  const kill = new Uint8Array([6, 0, 0, 0, 0, 0, 0, 0]);
  const loaded = stub.run({ filter: kill, calls: [] });
  assertEquals([loaded.loadErrno, loaded.signal], [0, 9]);
  const bad = stub.run({ filter: new Uint8Array(8), calls: [] });
  assertEquals(bad.loadErrno, 22);
  for (let i = 0; i < 300; i++) {
    const { results } = stub.run({
      filter: new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f]),
      calls: [{ nr: GETPID, args: [] }],
    });
    assert((results[0] ?? 0) > 0, `run ${i}`);
  }
});
