import { assertEquals } from "@std/assert";
import { walkOf } from "../../measure/walk.ts";
import { archByName } from "../../tables/arch.ts";

/** Loads `arch` and answers: three instructions on x86_64, four elsewhere. */
const BY_ARCH = [
  { op: "ld.abs", jt: 0, jf: 0, k: 4 },
  { op: "jeq.k", jt: 1, jf: 0, k: 0xc000_003e },
  { op: "jeq.k", jt: 0, jf: 0, k: 0 },
  { op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 },
] as const;

Deno.test("walkOf() counts what the kernel's emulator walks over its native and its compat table", () => {
  const arches = (...names: readonly string[]) =>
    names.flatMap((name) => archByName(name) ?? []);
  const x86 = 470 * 3 + 470 * 4;
  assertEquals(walkOf(BY_ARCH, arches("x86_64", "x86", "x32")), x86);
  assertEquals(walkOf(BY_ARCH, arches("x86_64")), x86, "listed or not");
  assertEquals(walkOf(BY_ARCH, []), x86, "x86_64 by default");
  assertEquals(walkOf(BY_ARCH, arches("aarch64")), 470 * 4);
  assertEquals(walkOf(BY_ARCH, arches("aarch64", "arm")), 2 * 470 * 4);
});
