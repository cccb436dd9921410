import { assertEquals } from "@std/assert";
import { readMinijail } from "../../../profile/foreign/minijail.ts";
import { answer, archOf, problems } from "./shared.ts";

const native = archOf("x86_64");

Deno.test("readMinijail() reads lines as minijail0 does", () => {
  const read = readMinijail(
    `# a comment

read: 1
write: arg0 == 1 || arg0 == 2 && arg2 < 0x100
open: return ENOENT
socket: arg0 == AF_UNIX; return EPERM
mmap: arg2 in ~PROT_EXEC || \\
  arg2 in ~PROT_WRITE
lseek: arg1 > 0x100000005 && arg1 <= 0x2000000000
futex: arg1 & 0x8000000000000001
ioctl: arg1 != -1; return 25
@frequency ./x.frequency
`,
    { native },
  );
  const cases: readonly (readonly [string, string])[] = [
    ["read 7", "ALLOW"],
    ["write 1", "ALLOW"],
    ["write 2 0 255", "ALLOW"],
    ["write 2 0 256", "KILL_THREAD"],
    ["write 3", "KILL_THREAD"],
    ["open", "ERRNO(ENOENT)"],
    ["socket 1", "ALLOW"],
    ["socket 4294967297", "ERRNO(EPERM)"],
    ["mmap 0 0 3", "ALLOW"],
    ["mmap 0 0 5", "ALLOW"],
    ["mmap 0 0 6", "KILL_THREAD"],
    ["lseek 0 0x100000005", "KILL_THREAD"],
    ["lseek 0 0x100000006", "ALLOW"],
    ["lseek 0 0x2000000000", "ALLOW"],
    ["lseek 0 0x2000000001", "KILL_THREAD"],
    ["futex 0 0x8000000000000000", "ALLOW"],
    ["futex 0 2", "KILL_THREAD"],
    ["ioctl 0 0xffffffffffffffff", "ERRNO(ENOTTY)"],
    ["ioctl 0 0xffffffff", "ALLOW"],
    ["close", "KILL_THREAD"],
    ["x32:read", "KILL_THREAD"],
    ["x86:read", "KILL_THREAD"],
  ];
  for (const [call, wanted] of cases) {
    assertEquals(answer(read, call), wanted, call);
  }
});

Deno.test("readMinijail() cuts constants to the registers of the machine", () => {
  const read = readMinijail("lseek: arg1 == 0x100000005\n", {
    native: archOf("x86"),
  });
  assertEquals(answer(read, "x86:lseek 0 5"), "ALLOW");
  assertEquals(answer(read, "x86:lseek 0 6"), "KILL_THREAD");
});

Deno.test("readMinijail() reads what only compile_seccomp_policy can as it does", () => {
  const read = readMinijail(
    `@default kill-process
read: allow # always
{write, pread64}: log
access[arch=arm]: allow
open[arch=arm,x86_64]: trap
socket: arg0 == 1; return EPERM
clone: { arg0 == 1; allow, arg0 == 2; return 5, trace }
dup: arg0 == 3
dup: arg0 == 4; user-notify
`,
    { native },
  );
  const cases: readonly (readonly [string, string])[] = [
    ["read", "ALLOW"],
    ["write", "LOG"],
    ["pread64", "LOG"],
    ["access", "KILL_PROCESS"],
    ["open", "TRAP"],
    // The action is that for which the expression is true.
    ["socket 1", "ERRNO(EPERM)"],
    ["socket 2", "KILL_PROCESS"],
    ["clone 1", "ALLOW"],
    ["clone 2", "ERRNO(EIO)"],
    ["clone 3", "TRACE(0)"],
    ["dup 3", "ALLOW"],
    ["dup 4", "USER_NOTIF"],
    ["dup 5", "KILL_PROCESS"],
    ["close", "KILL_PROCESS"],
  ];
  for (const [call, wanted] of cases) {
    assertEquals(answer(read, call), wanted, call);
  }
  const denied = readMinijail("@denylist\nread: return ENOSYS\n", { native });
  assertEquals(answer(denied, "read"), "ERRNO(ENOSYS)");
  assertEquals(answer(denied, "write"), "ALLOW");
});

Deno.test("readMinijail() includes files, once", () => {
  const include = (path: string): string => {
    if (path === "./base.policy") return "read: 1\n";
    if (path === "./nested.policy") return "@include ./base.policy\n";
    throw new Error("no such file");
  };
  const read = readMinijail("@include ./base.policy\nwrite: 1\n", {
    native,
    include,
  });
  assertEquals(answer(read, "read"), "ALLOW");
  const words: readonly (readonly [string, string])[] = [
    ["@include ./x", '1:1 Cannot include "./x": no such file'],
    ["@include ./nested.policy", "1:1 An included file includes another one"],
  ];
  for (const [text, wanted] of words) {
    assertEquals(problems(() => readMinijail(text, { native, include })), [
      wanted,
    ]);
  }
  assertEquals(problems(() => readMinijail("@include ./x", { native })), [
    '1:1 Cannot include "./x"',
  ]);
});

Deno.test("readMinijail() reports all problems of a policy, with their places", () => {
  const text = `read: 1
raed: 1
open: arg6 == 1
 close: arg0 = 1
dup: arg0 == O_NOSUCH
write
read: 1
socket: arg0 == 1; return ENOSUCH
lseek: arg1 == 099
pread64: arg1 == 0x1ffffffffffffffff
@something
`;
  assertEquals(problems(() => readMinijail(text, { native })), [
    '2:1 Unknown system call "raed" on x86_64',
    '3:1 Cannot read the comparison "arg6 == 1"',
    '4:2 Cannot read the comparison "arg0 = 1"',
    '5:1 Unknown constant "O_NOSUCH"',
    "6:1 Cannot read this line",
    '8:1 Cannot read the action "return ENOSUCH"',
    '9:1 Unknown constant "099"',
    '10:1 Unknown constant "0x1ffffffffffffffff"',
    "11:1 Unknown statement @something",
    "7:1 The call read has two lines",
  ]);
});
