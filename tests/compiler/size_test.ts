import { assertEquals } from "@std/assert";
import { compile } from "../../compiler/compile.ts";
import { SizeError, sizeOf } from "../../compiler/size.ts";
import {
  ALLOW,
  archPolicy,
  I386,
  policyOf,
  rule,
  when,
  X86_64,
} from "./shared.ts";

Deno.test("sizeOf() gives shared tests to the first architecture", () => {
  const rules = [rule(7, ALLOW, when(0, "eq", 1n)), rule(9, ALLOW)];
  const policy = policyOf([], {
    arches: [
      archPolicy(X86_64, rules),
      archPolicy(I386, [rule(8, ALLOW, when(0, "eq", 1n)), rule(9, ALLOW)]),
    ],
  });
  const { decision } = compile(policy);
  const shares = sizeOf(policy, decision);
  assertEquals(shares.map((s) => s.argumentTests), [2, 0]);
  assertEquals(shares.map((s) => s.names), [["c000003e"], ["40000003"]]);
  assertEquals((shares[0]?.numberTests ?? 0) >= 2, true);
});

Deno.test("sizeOf() is empty for a policy without tests", () => {
  const policy = policyOf([], { defaultValue: 0 });
  assertEquals(sizeOf(policy, compile(policy).decision), [
    { names: ["c000003e"], numberTests: 0, argumentTests: 0 },
  ]);
});

Deno.test("SizeError reports the size, the architecture and the remedy", () => {
  const error = new SizeError(5000, [
    { names: ["x86_64", "x32"], numberTests: 70, argumentTests: 4800 },
  ]);
  assertEquals(
    error.message,
    "Cannot load the filter: 5000 instructions, the kernel takes 4096 " +
      "(x86_64+x32: 70 tests on numbers, 4800 on arguments): remove rules or architectures",
  );
  assertEquals([error.name, error.length], ["SizeError", 5000]);
});
