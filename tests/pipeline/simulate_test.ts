import { assert, assertEquals, assertThrows } from "@std/assert";
import { compileProfile } from "../../pipeline/compile_profile.ts";
import { simulate, type SimulatedCall } from "../../pipeline/simulate.ts";

const PROFILE = JSON.stringify({
  defaultAction: "SCMP_ACT_ERRNO",
  syscalls: [
    { names: ["getpid"], action: "SCMP_ACT_ALLOW" },
    {
      names: ["lseek"],
      action: "SCMP_ACT_LOG",
      args: [{ index: 1, op: "SCMP_CMP_EQ", value: 0x1_0000_0002 }],
    },
    {
      names: ["socket"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 0, op: "SCMP_CMP_EQ", value: 2 }],
    },
  ],
});

Deno.test("simulate() answers alike for a filter, its program and its policy, on machines of either byte order", () => {
  for (const arch of ["x86_64", "aarch64", "s390x", "x86"] as const) {
    const filter = compileProfile(PROFILE, { arch });
    assert(filter.kind === "proved");
    const { program, policy } = filter;
    const table: readonly (readonly [Omit<SimulatedCall, "arch">, string])[] = [
      [{ call: "getpid" }, "ALLOW"],
      [{ call: "getppid" }, "ERRNO(EPERM)"],
      [{ call: -1 }, "ERRNO(EPERM)"],
      [{ call: "socket", args: [2] }, "ALLOW"],
      [{ call: "socket", args: [3n] }, "ERRNO(EPERM)"],
      ...(arch === "x86" ? [] : [
        [{ call: "lseek", args: [0, 0x1_0000_0002] }, "LOG"],
        [{ call: "lseek", args: [0, 2] }, "ERRNO(EPERM)"],
        [{ call: "lseek", args: [0, 0x2_0000_0001n] }, "ERRNO(EPERM)"],
      ] as const),
    ];
    for (const [call, action] of table) {
      for (const subject of [filter, program, policy]) {
        const simulation = simulate(subject, { arch, ...call });
        assertEquals(simulation.action, action, `${arch} ${call.call}`);
        assertEquals(simulation.steps > 0, subject !== policy);
      }
    }
    const { source } = simulate(policy, { arch, call: "getpid" });
    assertEquals(source, "syscalls[0]");
  }
});

Deno.test("simulate() takes the strictest answer of the filters of a thread", () => {
  const program = (k: number) => [{ op: "ret.k", jt: 0, jf: 0, k }] as const;
  const programs = [program(0x0005_0001), program(0x7fff_0000)];
  const call = { arch: "x86_64", call: "read" } as const;
  const { action, steps } = simulate({ programs }, call);
  assertEquals([action, steps], ["ERRNO(EPERM)", 2]);
  assertEquals(simulate({ programs: [] }, call).action, "ALLOW");
});

Deno.test("simulate() acts as the kernel does", () => {
  const program = [{ op: "ret.k", jt: 0, jf: 0, k: 0x0005_1388 }] as const;
  const { action, value } = simulate(program, { arch: "x86_64", call: 0 });
  assertEquals([action, value], ["ERRNO(4095)", 0x0005_1388]);
});

Deno.test("simulate() reads numbers of either kind, and no others", () => {
  const program = [{ op: "ret.k", jt: 0, jf: 0, k: 0 }] as const;
  const dataOf = (args: SimulatedCall["args"]): readonly bigint[] =>
    simulate(program, { arch: "x86_64", call: "read", ...(args && { args }) })
      .data.args;
  assertEquals(dataOf(undefined), [0n, 0n, 0n, 0n, 0n, 0n]);
  assertEquals(dataOf([-1, -1n, 2n ** 64n - 1n, -(2n ** 63n), 5]), [
    2n ** 64n - 1n,
    2n ** 64n - 1n,
    2n ** 64n - 1n,
    2n ** 63n,
    5n,
    0n,
  ]);
  for (const arg of [1.5, 2 ** 53, NaN, 2n ** 64n, -(2n ** 63n) - 1n]) {
    assertThrows(() => dataOf([arg]), RangeError, "argument 0");
  }
  assertThrows(() => dataOf([0, 0, 0, 0, 0, 0, 0]), RangeError, "at most 6");
  for (const call of [-1, 0xffff_ffff]) {
    const { data } = simulate(program, { arch: "x86_64", call });
    assertEquals(data.nr, 0xffff_ffff);
  }
});

Deno.test("simulate() reports unknown calls and machines", () => {
  const program = [{ op: "ret.k", jt: 0, jf: 0, k: 0 }] as const;
  const refuse = (call: SimulatedCall, message: string): unknown =>
    assertThrows(() => simulate(program, call), RangeError, message);
  refuse({ arch: "x86_64", call: "opnat" }, 'did you mean "openat"');
  refuse(
    { arch: "x86", call: "accept" },
    "it is socketcall with argument 0 = 5",
  );
  refuse({ arch: "x86_64", call: 2 ** 32 }, "32 bits");
  refuse({ arch: "x86_64", call: 0.5 }, "32 bits");
  // A caller without types may pass anything.
  refuse({ arch: "vax" as "x86", call: 0 }, '"vax"');
  assertThrows(
    () =>
      simulate({ program, littleEndian: false }, { arch: "x86_64", call: 0 }),
    TypeError,
    "big-endian",
  );
});
