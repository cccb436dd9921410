/**
 * Compares the tables with this machine: its own kernel headers and its own
 * libseccomp, each read in a different way than the generator reads them.
 */

import { assert, assertEquals } from "@std/assert";
import { type Arch, ARCHES, isKnownName } from "../../tables/arch.ts";
import { has, needs } from "../machine.ts";

const test = needs("libseccomp");

Deno.test("syscalls agrees with the host's headers for x86", () => {
  const files = { "x86_64": "64", x86: "32", x32: "x32" };
  if (!has("x86_64", "the headers of x86") || !has("headers", "the headers")) {
    return;
  }
  for (const [name, suffix] of Object.entries(files)) {
    // Debian's folder of the architecture, and that of other systems.
    const text = ["x86_64-linux-gnu/asm", "asm"].map(readHeader(suffix)).join(
      "",
    );
    const arch = ARCHES.find((one) => one.name === name);
    const newest = newestOf(arch);
    let count = 0;
    for (
      const [, syscall = "", base = "", digits = ""] of text.matchAll(
        /^#define __NR_(\w+) (?:\((__X32_SYSCALL_BIT) \+ )?(\d+)\)?$/gm,
      )
    ) {
      if (syscall === "syscalls") continue;
      const nr = Number(digits) + (base === "" ? 0 : 0x4000_0000);
      // Headers may be newer than the table.
      if (nr > newest && !isKnownName(syscall)) continue;
      assertEquals(arch?.syscalls.get(syscall), nr, `${name} ${syscall}`);
      count++;
    }
    assert(count > 340, `${name}: read ${count} only`);
  }
});

/** Reads `unistd_SUFFIX.h` of a folder, empty when it has none. */
function readHeader(suffix: string): (folder: string) => string {
  return (folder) => {
    try {
      const path = `/usr/include/${folder}/unistd_${suffix}.h`;
      return Deno.readTextFileSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return "";
    }
  };
}

/** The last number of the table that all architectures share. */
function newestOf(arch: Arch | undefined): number {
  const numbers = [...arch?.syscalls.values() ?? []];
  return Math.max(...numbers.filter((nr) => nr % 0x1000_0000 < 0xf_0000));
}

/** Wired in the kernel, and "not on this architecture" in some libseccomp. */
const LATER: ReadonlySet<string> = new Set([
  "x32 map_shadow_stack", // until 2.6
  "loongarch64 memfd_secret", // until 2.6.1 at least
  "s390 memfd_secret",
]);

test("syscalls and multiplexed agree with the host's libseccomp", () => {
  const host = openHost();
  assert(host !== undefined);
  let arches = 0;
  try {
    for (const arch of ARCHES) {
      const token = host.token(arch.scmp.slice("SCMP_ARCH_".length));
      if (token === 0) continue;
      assertEquals(token, arch.scmpToken, arch.name);
      compare(host, arch);
      arches++;
    }
  } finally {
    host.close();
  }
  assert(arches >= 12, `libseccomp knows only ${arches} of the architectures`);
});

/** Compares one architecture in both directions. */
function compare(host: Host, arch: Arch): void {
  const { name, scmpToken, syscalls, multiplexed } = arch;
  for (const [syscall, nr] of syscalls) {
    const theirs = host.number(scmpToken, syscall);
    const behind = multiplexed.find((call) => call.name === syscall);
    const what = `${name} ${syscall}`;
    if (behind !== undefined) assertEquals(theirs, pseudo(behind), what);
    else if (theirs !== -1 && !LATER.has(what)) assertEquals(theirs, nr, what);
  }
  for (const call of multiplexed) {
    const theirs = host.number(scmpToken, call.name);
    assertEquals(theirs, pseudo(call), `${name} ${call.name}`);
  }
  const numbers = new Map([...syscalls].map(([key, nr]) => [nr, key]));
  const base = Math.min(...numbers.keys());
  const ends = [base, base + 700, 0xf_0000, 0xf_0100];
  let found = 0;
  for (const [first = 0, end = 0] of [ends.slice(0, 2), ends.slice(2)]) {
    for (let nr = first; nr < end; nr++) {
      const theirs = host.name(scmpToken, nr);
      if (theirs === undefined) continue;
      found++;
      // The library may be newer than the table.
      if (nr > newestOf(arch) && !isKnownName(theirs)) continue;
      assertEquals(numbers.get(nr), theirs, `${name} ${nr}`);
    }
  }
  assert(found > 300, `${name}: libseccomp names ${found} numbers only`);
  // Names of other architectures are numbered from -10001 down.
  for (let nr = -10001; nr > -10500; nr--) {
    const theirs = host.name(scmpToken, nr);
    if (theirs === undefined) continue;
    assert(isKnownName(theirs), `${theirs} is known to libseccomp`);
    assert(
      !syscalls.has(theirs) || LATER.has(`${name} ${theirs}`),
      `${name}: libseccomp has no ${theirs}`,
    );
  }
}

/** libseccomp's number for a multiplexed call. */
function pseudo({ nr, call }: { nr: number; call: number }): number {
  return nr % 1000 === 102 ? -100 - call : -200 - call;
}

/** The host's libseccomp. */
interface Host {
  token(name: string): number;
  number(token: number, name: string): number;
  name(token: number, nr: number): string | undefined;
  close(): void;
}

/** Opens it, if there is one. */
function openHost(): Host | undefined {
  const text = new TextEncoder();
  const symbols = {
    "seccomp_arch_resolve_name": { parameters: ["buffer"], result: "u32" },
    "seccomp_syscall_resolve_name_arch": {
      parameters: ["u32", "buffer"],
      result: "i32",
    },
    "seccomp_syscall_resolve_num_arch": {
      parameters: ["u32", "i32"],
      result: "pointer",
    },
  } as const;
  let library: Deno.DynamicLibrary<typeof symbols>;
  try {
    library = Deno.dlopen("libseccomp.so.2", symbols);
  } catch {
    return undefined;
  }
  const libc = Deno.dlopen("libc.so.6", {
    free: { parameters: ["pointer"], result: "void" },
  });
  const { symbols: calls } = library;
  return {
    token: (name) =>
      calls.seccomp_arch_resolve_name(text.encode(`${name.toLowerCase()}\0`)),
    number: (token, name) =>
      calls.seccomp_syscall_resolve_name_arch(token, text.encode(`${name}\0`)),
    name: (token, nr) => {
      const pointer = calls.seccomp_syscall_resolve_num_arch(token, nr);
      if (pointer === null) return undefined;
      const name = Deno.UnsafePointerView.getCString(pointer);
      libc.symbols.free(pointer);
      return name;
    },
    close: () => {
      library.close();
      libc.close();
    },
  };
}
