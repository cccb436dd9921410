/**
 * Architectures by all their usual names: those of libseccomp, the kernel's
 * audit, Debian, Go, the GNU triplets and uname(2).
 *
 * @module
 */

import { type Arch, archByName, ARCHES, type ArchName } from "./arch.ts";

/**
 * Other names of each architecture, in lower case and with `_` for `-`.
 *
 * Sources: moby, seccomp_linux.go (`nativeToSeccomp`); Debian's dpkg,
 * cputable and ostable; Go, internal/goarch; uname(2) of Linux 6.18;
 * linux/audit.h (`AUDIT_ARCH_*`).
 */
const OTHER_NAMES: Readonly<Record<ArchName, string>> = {
  "x86_64": "amd64 x64",
  "x86": "i386 i486 i586 i686 386 ia32 x86_32",
  "x32": "amd64p32 x86_64_x32",
  "aarch64": "arm64 armv8 arm64v8",
  "arm": "armhf armel arm32 armv5 armv6 armv6l armv7 armv7l armv8l",
  "riscv64": "riscv64gc rv64",
  "s390x": "",
  "s390": "",
  "ppc64le": "ppc64el powerpc64le powerpc64el",
  "loongarch64": "loong64",
  "mips64el": "mipsel64 mips64le",
  "mipsel": "mipsle",
  "mipsel64n32": "mipsn32el mips64p32le mips3l64n32",
  "ppc64": "powerpc64",
  "ppc": "powerpc ppc32",
  "mips64": "",
  "mips": "",
  "mips64n32": "mipsn32 mips64p32",
};

/** Names of GNU systems that are not those of their first word. */
const SYSTEMS: ReadonlyMap<string, ArchName> = new Map([
  ["x86_64_linux_gnux32", "x32"],
  ["mips64el_linux_gnuabin32", "mipsel64n32"],
  ["mips64_linux_gnuabin32", "mips64n32"],
]);

let byName: ReadonlyMap<string, ArchName> | undefined;

/**
 * Finds an architecture by any usual name, in any case.
 *
 * @example Names of five kinds
 * ```ts
 * import { archByAnyName } from "./arch_names.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const names = ["amd64", "SCMP_ARCH_X86_64", "AUDIT_ARCH_X86_64"];
 * for (const name of [...names, "x86-64", "x86_64-linux-gnu"]) {
 *   assertEquals(archByAnyName(name)?.name, "x86_64");
 * }
 * assertEquals(archByAnyName("vax"), undefined);
 * ```
 *
 * @param text Name such as `arm64`, `SCMP_ARCH_AARCH64` or `AUDIT_ARCH_I386`.
 * @returns The architecture, or `undefined` if the name is unknown.
 */
export function archByAnyName(text: string): Arch | undefined {
  const word = text.toLowerCase().replaceAll("-", "_");
  const core = word.replace(/^(?:scmp|audit)_arch_/, "");
  byName ??= new Map(
    ARCHES.flatMap(({ name }) =>
      [name, ...OTHER_NAMES[name].split(" ")].map((other) =>
        [other, name] as const
      )
    ),
  );
  const found = byName.get(core) ?? SYSTEMS.get(core) ??
    byName.get(core.replace(/_linux(?:_.*)?$/, ""));
  return found === undefined || core === "" ? undefined : archByName(found);
}

/** Lists all usual names, for suggestions. */
export function usualArchNames(): readonly string[] {
  return ARCHES.flatMap(({ name }) =>
    [name, ...OTHER_NAMES[name].split(" ")].filter((other) => other !== "")
  );
}
