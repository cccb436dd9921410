import { assertEquals, assertThrows } from "@std/assert";
import {
  CAPABILITIES,
  DOCKER_DEFAULT_CAPABILITIES,
  isAtLeast,
  parseCapabilities,
  parseKernelRelease,
  parseKernelVersion,
} from "../../profile/host.ts";

Deno.test("parseKernelVersion() accepts only two numbers", () => {
  assertEquals(parseKernelVersion("4.8"), { major: 4, minor: 8 });
  assertEquals(parseKernelVersion("0.1"), { major: 0, minor: 1 });
  assertEquals(parseKernelVersion("255.255"), { major: 255, minor: 255 });
  for (
    const text of [
      "",
      "5",
      "abc",
      "6.1.0",
      "6.1.0-rc1",
      "6.1-rc1",
      " 6.1",
      "6.1 ",
      "6.",
      ".1",
      "-6.1",
      "0.0",
      "256.1",
      "1.256",
      "6.1\n",
    ]
  ) assertEquals(parseKernelVersion(text), undefined, JSON.stringify(text));
});

Deno.test("parseKernelRelease() takes what uname prints", () => {
  for (
    const text of ["6.1", "6.1.0-13-amd64", "6.1-rc1", "6.1.55+deb12", "6.1-1"]
  ) assertEquals(parseKernelRelease(text), { major: 6, minor: 1 }, text);
  for (const text of ["", "6", "x6.1", "6.1234", "v6.1", "9999.1"]) {
    assertEquals(parseKernelRelease(text), undefined, text);
  }
});

Deno.test("isAtLeast() compares numbers, not text", () => {
  const version = (text: string): { major: number; minor: number } => {
    const [major = 0, minor = 0] = text.split(".").map(Number);
    return { major, minor };
  };
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["4.8", "4.8", true],
    ["4.7", "4.8", false],
    ["4.10", "4.8", true],
    ["10.0", "9.9", true],
    ["3.99", "4.0", false],
  ];
  for (const [kernel, least, expected] of cases) {
    assertEquals(
      isAtLeast(version(kernel), version(least)),
      expected,
      `${kernel} ${least}`,
    );
  }
});

Deno.test("parseCapabilities() takes sets, names and both", () => {
  assertEquals(parseCapabilities("default"), DOCKER_DEFAULT_CAPABILITIES);
  assertEquals(parseCapabilities("none"), new Set());
  assertEquals(parseCapabilities("all"), new Set(CAPABILITIES));
  assertEquals(
    parseCapabilities("none,CAP_BPF, CAP_KILL"),
    new Set(["CAP_BPF", "CAP_KILL"]),
  );
  assertEquals(CAPABILITIES.length, 41);
  assertEquals(CAPABILITIES[21], "CAP_SYS_ADMIN");
  assertEquals(CAPABILITIES[40], "CAP_CHECKPOINT_RESTORE");
});

Deno.test("parseCapabilities() names all that is unknown, with suggestions", () => {
  assertThrows(
    () => parseCapabilities("sys_admin,CAP_BPF,CAP_KIL,zzzzzzzzz"),
    SyntaxError,
    'Cannot read capabilities: "sys_admin" is unknown; did you mean ' +
      '"CAP_SYS_ADMIN", "CAP_KIL" is unknown; did you mean "CAP_KILL", ' +
      '"zzzzzzzzz" is unknown; use default, none, all, or names such as CAP_SYS_ADMIN',
  );
  assertThrows(() => parseCapabilities(""), SyntaxError, '"" is unknown');
});
