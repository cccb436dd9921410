import { assert, assertEquals } from "@std/assert";
import { archByName } from "../../tables/arch.ts";
import { WIDE_CALLS } from "../../tables/wide_calls.ts";

Deno.test("WIDE_CALLS maps calls of x86_64 to calls that only x86 has", () => {
  const native = archByName("x86_64")?.syscalls;
  const compat = archByName("x86")?.syscalls;
  assert(native !== undefined && compat !== undefined);
  assert(WIDE_CALLS.size >= 24, `${WIDE_CALLS.size} calls`);
  for (const [name, wide] of WIDE_CALLS) {
    assert(native.has(name), `${name} on x86_64`);
    assert(compat.has(wide), `${wide} on x86`);
    assert(!native.has(wide), `${wide} on x86_64`);
  }
  const wides = [...WIDE_CALLS.values()];
  assertEquals(new Set(wides).size, wides.length, "each has one name");
});
