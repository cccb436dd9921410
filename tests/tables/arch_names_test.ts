import { assertEquals } from "@std/assert";
import { ARCHES } from "../../tables/arch.ts";
import { archByAnyName, usualArchNames } from "../../tables/arch_names.ts";
import { ARCH_SPELLINGS } from "../../profile/host.ts";
import { ABIS } from "../../tables/generate/abi.ts";

Deno.test("archByAnyName() knows the names of every naming authority", () => {
  for (const { name, scmp } of ARCHES) {
    const abi = ABIS.find((abi) => abi.name === name);
    const audit = name === "x32" || name === "s390" ? name : abi?.audit ?? "";
    const triplet = /^(?:s390|mips.*n32)$/.test(name) ? name : abi?.triplet;
    const names = [name, scmp, audit, ARCH_SPELLINGS[name].docker, triplet];
    for (const other of names) {
      assertEquals(archByAnyName(other ?? "")?.name, name, other);
      assertEquals(archByAnyName((other ?? "").toUpperCase())?.name, name);
    }
  }
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["amd64", "x86_64"],
    ["x86-64", "x86_64"],
    ["i386", "x86"],
    ["i686", "x86"],
    ["386", "x86"],
    ["AUDIT_ARCH_I386", "x86"],
    ["arm64", "aarch64"],
    ["armhf", "arm"],
    ["armv7l", "arm"],
    ["ppc64el", "ppc64le"],
    ["mipsle", "mipsel"],
    ["SCMP_ARCH_MIPSEL64", "mips64el"],
    ["loong64", "loongarch64"],
    ["x86_64-linux-gnux32", "x32"],
    ["arm-linux-gnueabihf", "arm"],
    ["", undefined],
    ["SCMP_ARCH_", undefined],
    ["vax", undefined],
    ["linux", undefined],
    ["constructor", undefined],
  ];
  for (const [text, name] of cases) {
    assertEquals(archByAnyName(text)?.name, name, text);
  }
});

Deno.test("usualArchNames() lists no name of two architectures", () => {
  const names = usualArchNames();
  assertEquals(new Set(names).size, names.length);
});
