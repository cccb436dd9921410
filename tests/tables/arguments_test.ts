import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { type Arch, archByName, ARCHES } from "../../tables/arch.ts";
import {
  argumentsOf,
  argumentValueNames,
  formatArgument,
  formatArgumentMask,
  parseArgument,
} from "../../tables/arguments.ts";
import { SIGNATURES } from "../../tables/signatures.ts";
import { needs } from "../machine.ts";
import { createRandom } from "../oracle/random.ts";

const SEED = 2026;

function archOf(name: string): Arch {
  const arch = archByName(name);
  assert(arch !== undefined, name);
  return arch;
}

const X86_64 = archOf("x86_64");

/** Calls with named arguments that are printed as users expect. */
const PRINTED: readonly (readonly [
  call: string,
  index: number,
  value: bigint,
  text: string | undefined,
  args?: readonly bigint[],
])[] = [
  ["socket", 0, 40n, "AF_VSOCK"],
  ["socket", 0, 1n, "AF_UNIX"],
  ["socket", 0, 99n, undefined],
  ["socket", 1, 0x80001n, "SOCK_STREAM|SOCK_CLOEXEC"],
  ["socket", 1, 0x80000n, "SOCK_CLOEXEC"],
  ["socket", 2, 6n, "IPPROTO_TCP", [2n, 1n, 6n]],
  ["socket", 2, 9n, "NETLINK_AUDIT", [16n, 3n, 9n]],
  ["socket", 2, 6n, undefined],
  ["mmap", 2, 0n, "PROT_NONE"],
  ["mmap", 2, 3n, "PROT_READ|PROT_WRITE"],
  ["mmap", 2, 0x1_0000_0001n, "PROT_READ|0x100000000"],
  ["mmap", 3, 0x22n, "MAP_PRIVATE|MAP_ANONYMOUS"],
  ["openat", 0, 0xffff_ff9cn, "AT_FDCWD"],
  ["openat", 2, 0n, "O_RDONLY"],
  ["openat", 2, 0x80241n, "O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC"],
  ["openat", 3, 0o644n, "0o644"],
  ["open", 1, 0x410000n, "O_RDONLY|O_TMPFILE"],
  ["clone", 0, 0x1000_0011n, "SIGCHLD|CLONE_NEWUSER"],
  ["clone", 0, 0x1000_0080n, "CLONE_NEWUSER|0x80"],
  ["unshare", 0, 0x1000_0000n, "CLONE_NEWUSER"],
  ["clone3", 0, 1n, undefined],
  ["prctl", 0, 38n, "PR_SET_NO_NEW_PRIVS"],
  ["prctl", 1, 2n, "SECCOMP_MODE_FILTER", [22n]],
  ["prctl", 1, 21n, "CAP_SYS_ADMIN", [24n]],
  ["ioctl", 1, 0x5412n, "TIOCSTI"],
  ["ioctl", 1, 0x4004_54can, "TUNSETIFF"],
  ["fcntl", 1, 4n, "F_SETFL"],
  ["fcntl64", 1, 1033n, "F_ADD_SEALS"],
  ["personality", 0, 0x40000n, "PER_LINUX|ADDR_NO_RANDOMIZE"],
  ["personality", 0, 0xffff_ffffn, undefined],
  ["keyctl", 0, 6n, "KEYCTL_DESCRIBE"],
  ["keyctl", 1, 0xffff_fffdn, "KEY_SPEC_SESSION_KEYRING"],
  ["futex", 1, 128n, "FUTEX_WAIT|FUTEX_PRIVATE_FLAG"],
  ["futex_time64", 1, 137n, "FUTEX_WAIT_BITSET|FUTEX_PRIVATE_FLAG"],
  ["setsockopt", 2, 1n, "TCP_NODELAY", [3n, 6n]],
  ["setsockopt", 2, 9n, "SO_KEEPALIVE", [3n, 1n]],
  ["bpf", 0, 5n, "BPF_PROG_LOAD"],
  ["ptrace", 0, 16n, "PTRACE_ATTACH"],
  ["kill", 1, 9n, "SIGKILL"],
  ["sendto", 3, 0x4000n, "MSG_NOSIGNAL"],
  ["mount", 3, 0x1021n, "MS_RDONLY|MS_REMOUNT|MS_BIND"],
  ["umount2", 1, 2n, "MNT_DETACH"],
  ["seccomp", 0, 1n, "SECCOMP_SET_MODE_FILTER"],
  ["quotactl", 0, 0x8000_0200n, "USRQUOTA|Q_QUOTAON"],
  ["mknod", 1, 0o20666n, "S_IFCHR|0o666"],
  ["read", 0, 3n, undefined],
  ["nonsense", 0, 3n, undefined],
];

Deno.test("formatArgument() prints names that parseArgument() reads", () => {
  for (const [call, index, value, text, args] of PRINTED) {
    const printed = formatArgument(X86_64, call, index, value, args);
    assertEquals(printed, text, `${call} ${index} ${value}`);
    if (printed === undefined) continue;
    assertEquals(parseArgument(X86_64, call, index, printed, args), value);
  }
});

Deno.test("parseArgument() reads numbers, names in any case, and both joined", () => {
  const read = (index: number, text: string): bigint =>
    parseArgument(X86_64, "socket", index, text);
  assertEquals(read(0, "af_vsock"), 40n);
  assertEquals(read(0, "AF_LOCAL"), 1n);
  assertEquals(read(0, "-1"), 0xffff_ffff_ffff_ffffn);
  assertEquals(read(1, "SOCK_STREAM | 0x80000"), 0x80001n);
  assertEquals(read(2, "NETLINK_AUDIT"), 9n);
  const said = (call: string, text: string): string =>
    assertThrows(() => parseArgument(X86_64, call, 0, text), SyntaxError)
      .message;
  assertEquals(
    said("socket", "AF_VSOKC"),
    'Cannot read domain of socket "AF_VSOKC": did you mean "AF_VSOCK"',
  );
  assertStringIncludes(said("socket", "vsock|"), "Cannot read domain");
  assertStringIncludes(said("read", "fd"), "write 38, 0x26 or -1");
  assertStringIncludes(said("nonsense", "x"), "Cannot read argument");
});

Deno.test("names differ by architecture as the kernel's headers do", () => {
  const cases: readonly (readonly [string, string, number, string, bigint])[] =
    [
      ["mips", "socket", 1, "SOCK_STREAM", 2n],
      ["mips", "socket", 1, "SOCK_NONBLOCK", 0x80n],
      ["mips", "mmap", 3, "MAP_ANONYMOUS", 0x800n],
      ["mips", "setsockopt", 1, "SOL_SOCKET", 0xffffn],
      ["mips", "kill", 1, "SIGUSR1", 16n],
      ["mips64", "openat", 0, "AT_FDCWD", 0xffff_ffff_ffff_ff9cn],
      ["arm", "open", 1, "O_DIRECTORY", 0x4000n],
      ["aarch64", "openat", 2, "O_DIRECT", 0x10000n],
      ["ppc64le", "ioctl", 1, "TIOCSTI", 0x5412n],
      ["ppc64le", "ioctl", 1, "TCGETS", 0x402c_7413n],
      ["x86", "ioctl", 1, "BLKGETSIZE64", 0x8004_1272n],
      ["x86_64", "ioctl", 1, "BLKGETSIZE64", 0x8008_1272n],
      ["s390x", "clone", 1, "CLONE_NEWUSER", 0x1000_0000n],
      ["aarch64", "clone", 0, "CLONE_NEWUSER", 0x1000_0000n],
    ];
  for (const [arch, call, index, name, value] of cases) {
    const read = parseArgument(archOf(arch), call, index, name);
    assertEquals(read, value, `${arch} ${name}`);
  }
});

Deno.test("argumentsOf() names the arguments of every architecture's calls", () => {
  const names = (arch: string, call: string): string | undefined =>
    argumentsOf(archOf(arch), call)?.map(({ name }) => name).join(" ");
  assertEquals(names("x86_64", "socket"), "domain type protocol");
  assertEquals(
    names("x86_64", "clone"),
    "flags stack parent_tid child_tid tls",
  );
  assertEquals(names("arm", "clone"), "flags stack parent_tid tls child_tid");
  assertEquals(names("s390x", "clone"), "stack flags parent_tid child_tid tls");
  assertEquals(names("x86", "mmap"), "args");
  assertEquals(names("x86", "mmap2"), "addr length prot flags fd pgoffset");
  assertEquals(names("x86", "getuid32"), "");
  assertEquals(names("x86_64", "opnat"), undefined);
  assertEquals(argumentsOf(X86_64, "openat"), [
    { name: "dirfd", kind: "enumeration" },
    { name: "pathname", kind: "pointer" },
    { name: "flags", kind: "mixed" },
    { name: "mode", kind: "mixed" },
  ]);
  for (const arch of ARCHES) {
    const known = [...arch.syscalls.keys()]
      .filter((call) => argumentsOf(arch, call) !== undefined);
    assert(known.length >= 0.92 * arch.syscalls.size, arch.name);
  }
});

Deno.test("formatArgumentMask() names single bits", () => {
  assertEquals(
    formatArgumentMask(X86_64, "mmap", 2, 7n),
    "PROT_READ|PROT_WRITE|PROT_EXEC",
  );
  assertEquals(formatArgumentMask(X86_64, "mmap", 2, 0x14n), "PROT_EXEC|0x10");
  assertEquals(formatArgumentMask(X86_64, "socket", 0, 1n), undefined);
  assertEquals(formatArgumentMask(X86_64, "read", 0, 1n), undefined);
});

Deno.test("formatArgument() and parseArgument() answer each other for any word", () => {
  const random = createRandom(SEED);
  const calls = SIGNATURES.trim().split("\n")
    .map((line) => line.split(" ")[0] ?? "");
  let named = 0;
  for (let i = 0; i < 20_000; i++) {
    const arch = random.pick(ARCHES);
    const call = random.pick(calls);
    const index = random.int(6);
    const args = Array.from({ length: 6 }, () => BigInt(random.int(300)));
    const bits = BigInt(random.int(65));
    const value = BigInt.asUintN(
      Number(bits),
      BigInt(random.u32()) * BigInt(random.u32()),
    );
    const text = formatArgument(arch, call, index, value, args);
    if (text === undefined) continue;
    named++;
    const back = parseArgument(arch, call, index, text, args);
    assertEquals(back, value, `seed ${SEED}: ${arch.name} ${call} ${text}`);
  }
  assert(named > 600, `${named} named`);
});

/** Names that C libraries define in their own headers, with the files. */
const IN_C:
  readonly (readonly [header: string, call: string, index: number])[] = [
    ["sys/socket.h", "socket", 0],
    ["sys/socket.h", "socket", 1],
    ["sys/socket.h", "sendto", 3],
    ["fcntl.h", "openat", 2],
    ["sys/mman.h", "mmap", 2],
    ["sys/mman.h", "mmap", 3],
    ["sys/mman.h", "madvise", 2],
    ["sched.h", "unshare", 0],
    ["sys/prctl.h", "prctl", 0],
    ["sys/ioctl.h", "ioctl", 1],
    ["sys/mount.h", "mount", 3],
    ["sys/mount.h", "umount2", 1],
    ["signal.h", "kill", 1],
    ["time.h", "clock_gettime", 0],
    ["sys/epoll.h", "epoll_ctl", 1],
    ["sys/inotify.h", "inotify_add_watch", 2],
    ["sys/resource.h", "getrlimit", 0],
    ["sys/personality.h", "personality", 0],
    ["sys/wait.h", "waitid", 3],
  ];

/** Requests with the size of a structure that no header of the list has. */
const OF_STRUCTURES = /^TCSETS[WF]?2$|^TCGETS2$|7816$/;

needs("gcc", "libc-headers", "x86_64")(
  "names have the values that a C program prints",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      const names = IN_C.flatMap(([, call, index]) =>
        argumentValueNames(X86_64, call, index).filter((name) =>
          !OF_STRUCTURES.test(name)
        ).map((name) => ({ call, index, name }))
      );
      const source = `#define _GNU_SOURCE\n#include <stdio.h>\n${
        [...new Set(IN_C.map(([header]) => header))]
          .map((header) => `#include <${header}>\n`).join("")
      }int main(void) {
${
        names.map(({ name }, i) =>
          `#ifdef ${name}\nprintf("${i} %llu\\n", ` +
          `(unsigned long long)(unsigned)(${name}));\n#endif\n`
        ).join("")
      }return 0; }\n`;
      await Deno.writeTextFile(`${folder}/a.c`, source);
      const built = await new Deno.Command("gcc", {
        args: ["-w", "-o", `${folder}/a`, `${folder}/a.c`],
      }).output();
      assert(built.success, new TextDecoder().decode(built.stderr));
      const { stdout } = await new Deno.Command(`${folder}/a`).output();
      let count = 0;
      for (const line of new TextDecoder().decode(stdout).trim().split("\n")) {
        const [i = "", value = ""] = line.split(" ");
        const { call, index, name } = names[Number(i)] ??
          { call: "", index: 0, name: "" };
        // glibc's O_LARGEFILE is 0 on 64-bit machines.
        if (name === "O_LARGEFILE") continue;
        const ours = parseArgument(X86_64, call, index, name);
        assertEquals(ours, BigInt(value), name);
        count++;
      }
      assert(count > 350, `${count} compared`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
