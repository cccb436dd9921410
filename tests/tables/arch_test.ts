import { assert, assertEquals } from "@std/assert";
import {
  type Arch,
  archByName,
  archByScmp,
  ARCHES,
  isKnownName,
  OTHER_SCMP_ARCHES,
  SYSCALL_TABLE_VERSION,
} from "../../tables/arch.ts";
import { needs, sharedFile } from "../machine.ts";

const test = needs("shared");

/** An architecture that must be there. */
function arch(name: string): Arch {
  const found = archByName(name);
  assert(found !== undefined, `no table for ${name}`);
  return found;
}

Deno.test("ARCHES has every architecture once, in a stable order", () => {
  assertEquals(
    ARCHES.map(({ name }) => name).join(" "),
    "x86_64 x86 x32 aarch64 arm riscv64 s390x s390 ppc64le loongarch64 " +
      "mips64el mipsel mipsel64n32 ppc64 ppc mips64 mips mips64n32",
  );
});

Deno.test("ARCHES has the tokens, widths and byte orders of audit.h", () => {
  // linux/audit.h and linux/elf-em.h by hand: machine | 64-bit | little | n32.
  const long = 0x8000_0000;
  const little = 0x4000_0000;
  const expected: Record<string, [number, 32 | 64, boolean]> = {
    "x86_64": [62 + long + little, 64, true],
    x86: [3 + little, 32, true],
    x32: [62 + long + little, 32, true],
    aarch64: [183 + long + little, 64, true],
    arm: [40 + little, 32, true],
    riscv64: [243 + long + little, 64, true],
    s390x: [22 + long, 64, false],
    s390: [22, 32, false],
    ppc64le: [21 + long + little, 64, true],
    loongarch64: [258 + long + little, 64, true],
    mips64el: [8 + long + little, 64, true],
    mipsel: [8 + little, 32, true],
    mipsel64n32: [8 + long + little + 0x2000_0000, 32, true],
    ppc64: [21 + long, 64, false],
    ppc: [20, 32, false],
    mips64: [8 + long, 64, false],
    mips: [8, 32, false],
    mips64n32: [8 + long + 0x2000_0000, 32, false],
  };
  for (const one of ARCHES) {
    const { name, auditArch, bits, littleEndian } = one;
    assertEquals([auditArch, bits, littleEndian], expected[name], name);
    const token = name === "x32" ? 0x4000_003e : auditArch;
    assertEquals(one.scmpToken, token, name);
    assertEquals(one.syscallBit, name === "x32" ? 0x4000_0000 : 0, name);
  }
});

Deno.test("syscalls is one-to-one and ascending, and contains only names", () => {
  for (const { name, syscalls, syscallBit } of ARCHES) {
    let last = syscallBit - 1;
    for (const [syscall, nr] of syscalls) {
      assert(nr > last, `${name}: ${syscall} ${nr} after ${last}`);
      assert(/^[a-z_][a-z0-9_]*$/.test(syscall), `${name}: "${syscall}"`);
      assert(!/^(reserved|unused)\d/.test(syscall), `${name}: ${syscall}`);
      last = nr;
    }
    assert(syscalls.size > 300, `${name}: only ${syscalls.size}`);
    assert(last < 0x4000_0400, `${name}: ends at ${last}`);
  }
});

Deno.test("syscalls is the same map each time it is read", () => {
  for (const one of ARCHES) {
    assert(one.syscalls === one.syscalls, one.name);
    assert(one.multiplexed === one.multiplexed, one.name);
  }
});

Deno.test("syscalls has well-known numbers", () => {
  const landmarks: readonly [string, string, number | undefined][] = [
    ["x86_64", "read", 0],
    ["x86_64", "execve", 59],
    ["x86_64", "openat", 257],
    ["x86_64", "clone3", 435],
    ["x86_64", "uretprobe", 335],
    ["x86_64", "chown32", undefined],
    ["x86", "execve", 11],
    ["x86", "socketcall", 102],
    ["x86", "openat", 295],
    ["x86", "clock_gettime64", 403],
    ["x32", "read", 0x4000_0000],
    ["x32", "execve", 0x4000_0000 + 520],
    ["x32", "ioctl", 0x4000_0000 + 514],
    ["x32", "getpid", 0x4000_0000 + 39],
    ["aarch64", "read", 63],
    ["aarch64", "openat", 56],
    ["aarch64", "execve", 221],
    ["aarch64", "open", undefined],
    ["aarch64", "newfstatat", 79],
    ["arm", "execve", 11],
    ["arm", "socket", 281],
    ["arm", "set_tls", 0xf_0005],
    ["arm", "cacheflush", 0xf_0002],
    ["arm", "arm_sync_file_range", 341],
    ["arm", "sync_file_range2", undefined],
    ["riscv64", "execve", 221],
    ["riscv64", "newfstatat", 79],
    ["riscv64", "fstatat64", undefined],
    ["riscv64", "riscv_flush_icache", 259],
    ["s390x", "execve", 11],
    ["s390x", "socket", 359],
    ["s390x", "s390_runtime_instr", 342],
    ["s390", "fcntl64", 221],
    ["s390", "memfd_secret", 447],
    ["ppc64le", "execve", 11],
    ["ppc64le", "socket", 326],
    ["ppc64le", "accept", 330],
    ["loongarch64", "execve", 221],
    ["loongarch64", "clone3", 435],
    ["mipsel", "execve", 4011],
    ["mipsel", "socketcall", 4102],
    ["mipsel", "socket", 4183],
    ["mips64el", "read", 5000],
    ["mips64el", "execve", 5057],
    ["mipsel64n32", "read", 6000],
    ["mipsel64n32", "execve", 6057],
    ["ppc64", "socket", 326],
    ["ppc64", "mmap2", undefined],
    ["ppc", "socket", 326],
    ["ppc", "mmap2", 192],
    ["ppc", "clock_gettime64", 403],
    ["mips", "socket", 4183],
    ["mips64", "execve", 5057],
    ["mips64n32", "execve", 6057],
  ];
  for (const [name, syscall, nr] of landmarks) {
    assertEquals(arch(name).syscalls.get(syscall), nr, `${name} ${syscall}`);
  }
});

Deno.test("syscalls has the newest calls at their common numbers", () => {
  const common: Record<string, number> = {
    "futex_wake": 454,
    "futex_wait": 455,
    "futex_requeue": 456,
    statmount: 457,
    listmount: 458,
    "lsm_get_self_attr": 459,
    "lsm_set_self_attr": 460,
    "lsm_list_modules": 461,
    mseal: 462,
    setxattrat: 463,
    getxattrat: 464,
    listxattrat: 465,
    removexattrat: 466,
    "open_tree_attr": 467,
    "file_getattr": 468,
    "file_setattr": 469,
  };
  const bases: Record<string, number> = {
    x32: 0x4000_0000,
    mipsel: 4000,
    mips64el: 5000,
    mipsel64n32: 6000,
    mips: 4000,
    mips64: 5000,
    mips64n32: 6000,
  };
  for (const { name, syscalls } of ARCHES) {
    for (const [syscall, nr] of Object.entries(common)) {
      const expected = nr + (bases[name] ?? 0);
      assertEquals(syscalls.get(syscall), expected, `${name} ${syscall}`);
    }
  }
});

Deno.test("archByScmp() and archByName() find each, and nothing else", () => {
  for (const one of ARCHES) {
    assert(archByName(one.name) === one, one.name);
    assert(archByScmp(one.scmp) === one, one.scmp);
  }
  const pairs = {
    SCMP_ARCH_MIPSEL64: "mips64el",
    SCMP_ARCH_PPC64LE: "ppc64le",
    SCMP_ARCH_PPC64: "ppc64",
  };
  for (const [scmp, name] of Object.entries(pairs)) {
    assertEquals(archByScmp(scmp)?.name, name);
  }
  for (const scmp of ["", "SCMP_ARCH_x86", "x86", "SCMP_ARCH_MIPS64EL"]) {
    assertEquals(archByScmp(scmp), undefined, scmp);
  }
  for (const name of ["", "X86", "amd64", "mips64be", "constructor"]) {
    assertEquals(archByName(name), undefined, name);
  }
});

Deno.test("OTHER_SCMP_ARCHES and ARCHES together are libseccomp's", () => {
  assertEquals(
    OTHER_SCMP_ARCHES.map(({ scmp, bits, littleEndian }) =>
      `${scmp} ${bits} ${littleEndian ? "LE" : "BE"}`
    ),
    [
      "SCMP_ARCH_M68K 32 BE",
      "SCMP_ARCH_PARISC 32 BE",
      "SCMP_ARCH_PARISC64 64 BE",
      "SCMP_ARCH_SH 32 LE",
      "SCMP_ARCH_SHEB 32 BE",
    ],
  );
  for (const { scmp } of OTHER_SCMP_ARCHES) {
    assertEquals(archByScmp(scmp), undefined, scmp);
  }
});

Deno.test("isKnownName() knows names of any architecture", () => {
  for (
    const name of [
      "read", // everywhere
      "vm86", // x86 only
      "semop", // through ipc on x86
      "send", // arm
      "s390_pci_mmio_read",
      "getpagesize", // m68k: no table
      "atomic_barrier", // m68k
    ]
  ) assert(isKnownName(name), name);
  for (
    const name of [
      "",
      "READ",
      "opnat",
      "0",
      "toString",
      "reserved177",
      "syscalls",
    ]
  ) assert(!isKnownName(name), name);
});

Deno.test("SYSCALL_TABLE_VERSION names the kernel and the libraries", () => {
  assert(
    /^Linux \d+\.\d+(\.\d+)?, libseccomp \d+\.\d+\.\d+( and \d+\.\d+\.\d+)*$/
      .test(SYSCALL_TABLE_VERSION),
    SYSCALL_TABLE_VERSION,
  );
});

Deno.test("isKnownName() knows every name of every table, and no text of several", () => {
  for (const { name, syscalls, multiplexed } of ARCHES) {
    const names = [...syscalls.keys(), ...multiplexed.map((m) => m.name)];
    for (const call of names) assert(isKnownName(call), `${call} on ${name}`);
  }
  const texts = ["", " ", "read write", "read\n", "0", "rea", " read", "read "];
  for (const text of texts) assert(!isKnownName(text), JSON.stringify(text));
});

test("isKnownName() knows every name of real profiles", () => {
  for (
    const file of [
      "docker-default.json",
      "docker-default-2023-10-before-iouring-block.json",
      "docker-default-old-format.json",
      "podman-default-debian12.json",
      "chrome-jessfraz.json",
      "playwright.json",
    ]
  ) {
    const text = Deno.readTextFileSync(sharedFile(`profiles/${file}`));
    const unknown = new Set<string>();
    for (const [, list = ""] of text.matchAll(/"names":\s*\[([^\]]*)\]/g)) {
      for (const [, name = ""] of list.matchAll(/"([^"]*)"/g)) {
        if (!isKnownName(name)) unknown.add(name);
      }
    }
    for (const [, name = ""] of text.matchAll(/"name":\s*"([^"]*)"/g)) {
      if (!isKnownName(name)) unknown.add(name);
    }
    assertEquals([...unknown], [], file);
  }
});
