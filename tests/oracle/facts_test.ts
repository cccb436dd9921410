import { assertEquals } from "@std/assert";
import { archOf, meaning, type Refused, type Target } from "./meaning.ts";
import { toSection } from "./read_section.ts";

const ALLOW = 0x7fff_0000;
const TRAP = 0x0003_0000;
const KILL = 0;

const EXISTS = "EEXIST";

type Arg = readonly [index: number, op: string, value: bigint, two?: bigint];
type Rule = readonly [name: string, action: string, ...args: Arg[]];

/**
 * Observed behavior of libseccomp on several rules: rules, then calls and
 * verdicts.
 */
const CASES: readonly (readonly [
  what: string,
  arch: Target["native"],
  rules: readonly Rule[],
  calls:
    readonly (readonly [args: readonly bigint[], expected: number | string])[],
])[] = [
  ["an unconditional rule replaces what was there", "x86_64", [
    ["read", "TRAP", [0, "EQ", 1n]],
    ["read", "ALLOW"],
    ["read", "TRAP"],
  ], [[[1n], ALLOW], [[2n], ALLOW]]],
  ["NE 3 shadows EQ 1 but not EQ 5", "x86", [
    ["read", "ALLOW", [0, "EQ", 1n]],
    ["read", "TRAP", [0, "NE", 3n]],
    ["read", "ALLOW", [0, "EQ", 5n]],
  ], [[[1n], TRAP], [[3n], KILL], [[5n], ALLOW]]],
  ["the tightest bound wins, LT beats GT, EQ beats both", "x86", [
    ["read", "TRAP", [0, "LT", 9n]],
    ["read", "ALLOW", [0, "LT", 5n]],
    ["read", "ALLOW", [0, "GT", 7n]],
    ["read", "TRAP", [0, "EQ", 2n]],
  ], [[[2n], TRAP], [[4n], ALLOW], [[8n], TRAP], [[9n], ALLOW], [[7n], TRAP]]],
  ["a rule on a higher argument comes first", "x86_64", [
    ["read", "ALLOW", [0, "EQ", 1n]],
    ["read", "TRAP", [1, "EQ", 1n]],
  ], [[[1n, 1n], TRAP], [[1n, 0n], ALLOW], [[0n, 0n], KILL]]],
  ["a broad rule keeps a narrower one out", "x86_64", [
    ["read", "ALLOW", [0, "EQ", 1n]],
    ["read", "TRAP", [0, "EQ", 1n], [1, "EQ", 1n]],
  ], [[[1n, 1n], ALLOW]]],
  ["a narrow rule refuses a broader one", "x86_64", [
    ["read", "TRAP", [0, "EQ", 1n], [1, "EQ", 1n]],
    ["read", "ALLOW", [0, "EQ", 1n]],
  ], [[[1n, 1n], EXISTS]]],
  ["one test cannot have two outcomes", "x86_64", [
    ["read", "TRAP", [0, "LT", 5n]],
    ["read", "ALLOW", [0, "GE", 5n]],
    ["read", "ALLOW", [0, "LT", 5n]],
  ], [[[1n], EXISTS]]],
  ["bounds that share a high word take the tighter one's outcome", "x86_64", [
    ["read", "TRAP", [0, "LT", 0x1_0000_0009n]],
    ["read", "ALLOW", [0, "LT", 0x1_0000_0005n]],
  ], [[[0n], ALLOW], [[0x1_0000_0007n], TRAP], [[0x1_0000_0009n], KILL]]],
  ["32-bit architectures compare low words", "x86", [
    ["read", "ALLOW", [0, "EQ", 0x5_0000_0001n]],
    ["write", "ALLOW", [0, "GE", 0x1_0000_0000n]],
  ], [[[1n], ALLOW], [[0x7_0000_0001n], ALLOW], [[2n], KILL]]],
  ["the value of a mask is masked, an empty mask is no condition", "x86_64", [
    ["read", "ALLOW", [0, "MASKED_EQ", 1n, 3n]],
    ["read", "TRAP", [1, "EQ", 1n], [2, "MASKED_EQ", 0n, 5n]],
  ], [[[1n, 0n], ALLOW], [[2n, 0n], KILL], [[1n, 1n], TRAP]]],
  ["an index named twice makes two rules", "x86_64", [
    ["read", "ALLOW", [0, "GE", 5n], [0, "LT", 2n]],
  ], [[[1n], ALLOW], [[3n], KILL], [[9n], ALLOW]]],
  ["a rule of the default action protects nothing", "x86_64", [
    ["read", "KILL", [0, "EQ", 5n]],
    ["read", "ALLOW"],
  ], [[[5n], ALLOW]]],
];

Deno.test("meaning() follows libseccomp's precedence", () => {
  for (const [what, native, rules, calls] of CASES) {
    const seccomp = section(rules);
    for (const [args, expected] of calls) {
      const data = {
        nr: archOf(native).syscalls.get("read") ?? -1,
        arch: archOf(native).auditArch,
        instructionPointer: 0n,
        args,
      };
      const value = meaning(seccomp, { native, semantics: "crun" }, data);
      assertEquals(errno(value), expected, `${what}: ${args}`);
    }
  }
});

Deno.test("meaning() finds calls of socketcall, without their argument 0", () => {
  const seccomp = section([
    ["socket", "ALLOW", [0, "NE", 40n], [1, "EQ", 3n]],
  ]);
  const target: Target = { native: "x86", semantics: "crun" };
  const ask = (nr: number, ...args: bigint[]): unknown =>
    meaning(seccomp, target, {
      nr,
      arch: 0x4000_0003,
      instructionPointer: 0n,
      args,
    });
  assertEquals(ask(102, 1n, 3n), ALLOW);
  assertEquals(ask(102, 1n, 4n), KILL);
  assertEquals(ask(102, 2n, 3n), KILL);
  assertEquals(ask(359, 40n, 3n), KILL);
  assertEquals(ask(359, 41n, 3n), ALLOW);
});

Deno.test("meaning() kills x32 numbers if x32 is not listed, but not −1", () => {
  const numbers: readonly (readonly [number, number])[] = [
    [0x3fff_ffff, ALLOW],
    [0x4000_0000, KILL],
    [0xffff_fffe, KILL],
    [0xffff_ffff, ALLOW],
  ];
  for (const [nr, expected] of numbers) {
    const data = { nr, arch: 0xc000_003e, instructionPointer: 0n, args: [] };
    const native = toSection({ defaultAction: "SCMP_ACT_ALLOW" });
    const both = { ...native, architectures: ["SCMP_ARCH_X32"] };
    const target: Target = { native: "x86_64", semantics: "crun" };
    assertEquals(meaning(native, target, data), expected, `${nr}`);
    assertEquals(meaning(both, target, data), ALLOW, `${nr} with x32`);
  }
});

Deno.test("meaning() puts runc's stub above the largest number", () => {
  const seccomp = section([["write", "ALLOW"]]);
  const numbers: readonly (readonly [number, number])[] = [
    [0, KILL],
    [1, ALLOW],
    [2, 0x0005_0026],
    [0x4000_0000, KILL],
    [0x8000_0000, 0x0005_0026],
    [0xffff_ffff, KILL],
  ];
  for (const [nr, expected] of numbers) {
    const data = { nr, arch: 0xc000_003e, instructionPointer: 0n, args: [] };
    const target: Target = { native: "x86_64", semantics: "runc" };
    assertEquals(meaning(seccomp, target, data), expected, `${nr}`);
  }
});

function section(rules: readonly Rule[]): ReturnType<typeof toSection> {
  return toSection({
    defaultAction: "SCMP_ACT_KILL",
    syscalls: rules.map(([name, action, ...args]) => ({
      names: [name],
      action: `SCMP_ACT_${action}`,
      args: args.map(([index, op, value, valueTwo]) => ({
        index,
        op: `SCMP_CMP_${op}`,
        value,
        valueTwo: valueTwo ?? 0n,
      })),
    })),
  });
}

function errno(value: number | Refused): number | string {
  return typeof value === "number" ? value : value.refused;
}
