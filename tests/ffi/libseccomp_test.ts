import { assert, assertEquals } from "@std/assert";
import { decode } from "../../bpf/encode.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import {
  type ExportResult,
  type FilterSpec,
  openLibseccomp,
} from "../../ffi/libseccomp.ts";
import {
  boundInstructions,
  exportFilterGuarded,
  openLibseccompGuard,
} from "../../ffi/libseccomp_guard.ts";

import { runInKernel } from "../../ffi/socket_filter.ts";
import { needs } from "../machine.ts";

const test = needs("libseccomp");

const X86_64 = 0xc000_003e;
const X86 = 0x4000_0003;
const X32 = 0x4000_003e;
const ALLOW = 0x7fff_0000;
const ERRNO = 0x0005_0000;

const SPEC: FilterSpec = {
  defaultAction: ERRNO | 1,
  architectures: [X86_64],
  rules: [
    { action: ALLOW, name: "read", args: [] },
    { action: ALLOW, name: "no_such_call", args: [] },
  ],
  optimize: 1,
};

function library(): NonNullable<ReturnType<typeof openLibseccomp>> {
  const opened = openLibseccomp();
  assert(opened !== undefined);
  return opened;
}

/** The loads, jumps and returns of a program, as text. */
function words(result: ExportResult | undefined): string[] {
  assert(result !== undefined && result.kind === "filter", `${result?.kind}`);
  const view = new DataView(result.bytes.buffer);
  const lines: string[] = [];
  for (let i = 0; i < result.bytes.length; i += 8) {
    const code = view.getUint16(i, true);
    const k = view.getUint32(i + 4, true);
    lines.push(
      `${code.toString(16)} ${view.getUint8(i + 2)} ${view.getUint8(i + 3)} ${
        k.toString(16)
      }`,
    );
  }
  return lines;
}

test("openLibseccomp() names and numbers calls of native and foreign architectures", () => {
  const lib = library();
  assert(/^\d+\.\d+\.\d+$/.test(lib.version), lib.version);
  assertEquals(lib.resolveName(X86_64, "openat"), 257);
  assertEquals(lib.resolveName(X86, "openat"), 295);
  assertEquals(lib.resolveName(X32, "openat"), 0x4000_0000 + 257);
  assertEquals(lib.resolveName(X86, "socket"), -101, "through socketcall");
  assertEquals(lib.resolveName(X86_64, "no_such_call"), undefined);
  assertEquals(lib.resolveNumber(X86_64, 257), "openat");
  assertEquals(lib.resolveNumber(X86, 359), "socket", "wired number");
  assertEquals(lib.resolveNumber(X86_64, 9999), undefined);
  assertEquals(lib.known("openat"), true);
  assertEquals(lib.known("socketcall"), true, "known, though not on x86_64");
  assertEquals(lib.known("no_such_call"), false);
});

test("exportFilter() loads the architecture first, ends in returns and skips unknown names", () => {
  const lib = library();
  const program = words(lib.exportFilter(SPEC));
  assertEquals(program[0], "20 0 0 4");
  for (const value of ["7fff0000", "50001", "0"]) {
    assert(program.includes(`6 0 0 ${value}`), `returns ${value}`);
  }
  const [read, unknown] = SPEC.rules;
  assert(read !== undefined && unknown !== undefined);
  assertEquals(words(lib.exportFilter({ ...SPEC, rules: [read] })), program);
  const without = words(lib.exportFilter({ ...SPEC, rules: [unknown] }));
  assert(!without.includes("6 0 0 7fff0000"));
});

test("exportFilter() builds what the kernel understands as meant", () => {
  const result = library().exportFilter({
    ...SPEC,
    rules: [{ action: ALLOW, name: "read", args: [] }, {
      action: ALLOW,
      name: "personality",
      args: [{ arg: 0, op: "maskedEq", a: 0xff00n, b: 0x1200n }],
    }],
  });
  assert(result.kind === "filter");
  const cases: [number, number, bigint, number][] = [
    [X86_64, 0, 0n, ALLOW],
    [X86_64, 1, 0n, ERRNO | 1],
    [X86_64, 135, 0x12ffn, ALLOW],
    [X86_64, 135, 0x13ffn, ERRNO | 1],
    [X86_64, 0x4000_0000, 0n, 0],
    [X86, 3, 0n, 0],
  ];
  const inputs = cases.map(([arch, nr, arg]) =>
    toWords({ nr, arch, instructionPointer: 0n, args: [arg] }, true)
  );
  assertEquals(
    runInKernel(decode(result.bytes), inputs),
    cases.map(([, , , value]) => value),
  );
});

test("exportFilter() reports the refused call and its errno", () => {
  const lib = library();
  const cases: [string, Partial<FilterSpec>, string, string, number?][] = [
    ["action", { defaultAction: 0x1234_0000 }, "seccomp_init", "EINVAL"],
    ["architecture", { architectures: [0x77] }, "seccomp_arch_add", "EINVAL"],
    [
      "byte order",
      { architectures: [0x8000_0016] },
      "seccomp_arch_add",
      "EDOM",
    ],
    [
      "action of the default",
      { rules: [{ action: ERRNO | 1, name: "read", args: [] }] },
      "seccomp_rule_add_array",
      "EACCES",
      0,
    ],
    [
      "index",
      {
        rules: [{
          action: ALLOW,
          name: "read",
          args: [{ arg: 6, op: "eq", a: 1n, b: 0n }],
        }],
      },
      "seccomp_rule_add_array",
      "EINVAL",
      0,
    ],
    [
      "one test, two actions",
      {
        rules: [ALLOW, ERRNO | 2].map((action) => ({
          action,
          name: "read",
          args: [{ arg: 0, op: "eq" as const, a: 1n, b: 0n }],
        })),
      },
      "seccomp_rule_add_array",
      "EEXIST",
      1,
    ],
  ];
  for (const [title, change, call, name, rule] of cases) {
    const result = lib.exportFilter({ ...SPEC, ...change });
    assert(result.kind === "refused", `${title}: ${result.kind}`);
    assertEquals(
      [result.call, result.errnoName, result.rule],
      [call, name, rule],
      title,
    );
  }
});

test("the guard answers as the library in this process does, for overlapping requests too", async () => {
  const lib = library();
  await using guard = openLibseccompGuard();
  assert(guard !== undefined);
  const specs: FilterSpec[] = [];
  for (let i = 0; i < 50; i++) {
    specs.push({
      defaultAction: ERRNO | i,
      architectures: i % 2 === 0 ? [] : [X86, X32],
      optimize: i % 3 === 0 ? 2 : 1,
      rules: [{
        action: i === 7 ? ERRNO | 7 : ALLOW,
        name: "socket",
        args: [{ arg: i % 6, op: "maskedEq", a: 2n ** 64n - 1n, b: BigInt(i) }],
      }],
    });
  }
  const answers = await Promise.all(specs.map((s) => guard.exportFilter(s)));
  for (const [i, spec] of specs.entries()) {
    assertEquals(answers[i], lib.exportFilter(spec), `request ${i}`);
  }
  assertEquals(answers[7]?.kind, "refused");
});

test("the guard ends a child that gives no answer in time; the next one is served", async () => {
  // Starting the child alone takes longer than a millisecond.
  await using guard = openLibseccompGuard({ timeLimit: 1 });
  const late = await guard?.exportFilter(SPEC);
  assertEquals(late, {
    kind: "failed",
    reason: "time",
    detail: "no answer in 1 ms",
  });
  assertEquals(
    await exportFilterGuarded(SPEC),
    library().exportFilter(SPEC),
  );
});

test("the guard refuses requests whose program length may exceed 16 bits", async () => {
  const rules = Array.from({ length: 7000 }, (_, i) => ({
    action: ALLOW,
    name: "read",
    args: [{ arg: 0, op: "eq" as const, a: BigInt(i), b: 0n }],
  }));
  const spec = { ...SPEC, rules };
  assert(boundInstructions(spec) > 0xffff);
  const result = await exportFilterGuarded(spec);
  assert(result?.kind === "failed");
  assertEquals(result.reason, "size");
});

test("boundInstructions() is never below what the library makes", () => {
  const lib = library();
  const ops = ["ne", "lt", "le", "eq", "ge", "gt", "maskedEq"] as const;
  for (const op of ops) {
    for (let count = 0; count <= 6; count++) {
      const spec: FilterSpec = {
        ...SPEC,
        architectures: [X86, X32],
        rules: [{
          action: ALLOW,
          name: "socket",
          args: Array.from({ length: count }, (_, arg) => ({
            arg,
            op,
            a: 0x1_0000_0001n,
            b: 0x1_0000_0001n,
          })),
        }],
      };
      assert(
        words(lib.exportFilter(spec)).length <= boundInstructions(spec),
        `${op} × ${count}`,
      );
    }
  }
});
