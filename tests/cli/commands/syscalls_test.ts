import { assertEquals, assertMatch } from "@std/assert";
import { call } from "../harness.ts";

Deno.test("syscalls finds names and numbers, exit 1 if none exists", async () => {
  const byName = await call(["syscalls", "openat", "--arch", "x86_64,x86"]);
  assertEquals(byName.code, 0);
  assertMatch(
    byName.out,
    /^openat +x86_64 +257 +dirfd, pathname, flags, mode\nopenat +x86 +295 /m,
  );
  const byNumber = await call([
    "syscalls",
    "0x3b",
    "--arch",
    "x86_64",
    "-o",
    "json",
  ]);
  const { schemaVersion, syscalls } = JSON.parse(byNumber.out);
  assertEquals(schemaVersion, 1);
  assertEquals(syscalls, [{
    name: "execve",
    arch: "x86_64",
    nr: 59,
    arguments: ["pathname", "argv", "envp"],
  }]);
  const none = await call(["syscalls", "opnat"]);
  assertEquals([none.code, none.out], [1, ""]);
  assertMatch(none.err, /Cannot find system call "opnat"; did you mean "open/);
  const other = await call([
    "syscalls",
    "arm_fadvise64_64",
    "--arch",
    "x86_64",
  ]);
  assertEquals(other.code, 1);
  assertMatch(
    other.err,
    /Cannot find "arm_fadvise64_64" on x86_64; it exists on arm/,
  );
  assertEquals((await call(["syscalls", "read", "--arch", "vax"])).code, 2);
});

/** `arch:name` of each row that a command line prints. */
async function rows(...words: readonly string[]): Promise<readonly string[]> {
  const { out } = await call(["syscalls", ...words, "-o", "json"]);
  const { syscalls } = JSON.parse(out);
  return syscalls.map((row: { readonly arch: string; readonly name: string }) =>
    `${row.arch}:${row.name}`
  );
}

Deno.test("syscalls takes several words, patterns, architectures and any case", async () => {
  assertEquals(await rows("OPENAT", "x86:11", "--arch", "amd64"), [
    "x86_64:openat",
    "x86:execve",
  ]);
  assertEquals(await rows("x32_read", "x32:0x40000000"), ["x32:read"]);
  assertEquals(await rows("SCMP_ARCH_X86:waitp?d"), ["x86:waitpid"]);
  assertEquals(await rows("pidfd_[!g]*", "--arch", "arm64"), [
    "aarch64:pidfd_send_signal",
    "aarch64:pidfd_open",
  ]);
  const at = await rows("*at", "--arch", "arm64");
  assertEquals(at.includes("aarch64:openat"), true);
  assertEquals(at.every((row) => row.endsWith("at")), true);
});

Deno.test("syscalls prints what it finds, and an error for each other word", async () => {
  const some = await call(["syscalls", "opne", "read", "--arch", "x86_64"]);
  assertEquals(some.code, 1);
  assertMatch(some.out, /^read +x86_64 +0 /m);
  assertMatch(some.err, /"opne"; did you mean "open"/);
  const vax = await call(["syscalls", "amd46:read"]);
  assertEquals([vax.code, vax.out], [2, ""]);
  assertMatch(vax.err, /unknown architecture "amd46"; did you mean amd64/);
});
