import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  effective,
  formatReturnValue,
  parseReturnValue,
} from "../../bpf/return_value.ts";

const SEED = 0x4e7;

// Numbers of linux/seccomp.h.
const WORDS: readonly (readonly [number, string])[] = [
  [0x8000_0000, "KILL_PROCESS"],
  [0x0000_0000, "KILL_THREAD"],
  [0x0003_0000, "TRAP"],
  [0x0003_0005, "TRAP(5)"],
  [0x0005_0000, "ERRNO(0)"],
  [0x0005_0001, "ERRNO(EPERM)"],
  [0x0005_1388, "ERRNO(5000)"],
  [0x7fc0_0000, "USER_NOTIF"],
  [0x7ff0_0000, "TRACE(0)"],
  [0x7ff0_0002, "TRACE(2)"],
  [0x7ff0_ffff, "TRACE(65535)"],
  [0x7ffc_0000, "LOG"],
  [0x7fff_0000, "ALLOW"],
  [0x7fff_0001, "0x7fff0001"],
  [0x8000_0001, "0x80000001"],
  [0x0000_0001, "0x00000001"],
  [0x7fc0_0001, "0x7fc00001"],
  [0x1234_5678, "0x12345678"],
  [0xffff_ffff, "0xffffffff"],
];

Deno.test("formatReturnValue() and parseReturnValue() are inverse on each action", () => {
  for (const [value, words] of WORDS) {
    assertEquals(formatReturnValue(value), words);
    assertEquals(parseReturnValue(words), value);
  }
});

Deno.test("formatReturnValue() and parseReturnValue() are inverse on any u32", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (value) => {
      assertEquals(parseReturnValue(formatReturnValue(value)), value);
    }),
    { seed: SEED },
  );
});

Deno.test("parseReturnValue() takes other spellings", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["SECCOMP_RET_ALLOW", 0x7fff_0000],
    ["seccomp_ret_errno(38)", 0x0005_0026],
    ["errno(0x26)", 0x0005_0026],
    ["KILL", 0],
    ["TRACE", 0x7ff0_0000],
    ["TRAP(0)", 0x0003_0000],
    ["0", 0],
    ["0x0", 0],
    ["4294967295", 0xffff_ffff],
    ["0XFFFFFFFF", 0xffff_ffff],
  ];
  for (const [text, value] of cases) {
    assertEquals(parseReturnValue(text), value, text);
  }
});

Deno.test("parseReturnValue() refuses everything else", () => {
  const cases = [
    "",
    " ALLOW",
    "ALLOW ",
    "ALOW",
    "constructor",
    "ERRNO",
    "ERRNO()",
    "ERRNO(-1)",
    "ERRNO(65536)",
    "ERRNO(1",
    "ERRNO 1",
    "ALLOW(1)",
    "KILL(1)",
    "LOG(0)",
    "4294967296",
    "0x100000000",
    "-1",
    "1.5",
    "1e3",
    "01",
  ];
  for (const text of cases) {
    assertThrows(() => parseReturnValue(text), SyntaxError, "Cannot read");
  }
});

Deno.test("effective() is what the kernel acts on", () => {
  // Cases of __seccomp_filter(), kernel/seccomp.c.
  const cases: readonly (readonly [number, number])[] = [
    [0x0005_0000, 0x0005_0000],
    [0x0005_0fff, 0x0005_0fff],
    [0x0005_1000, 0x0005_0fff],
    [0x0005_ffff, 0x0005_0fff],
    [0x0003_ffff, 0x0003_ffff],
    [0x7ff0_1234, 0x7ff0_1234],
    [0x7fff_0001, 0x7fff_0000],
    [0x7ffc_0001, 0x7ffc_0000],
    [0x7fc0_0001, 0x7fc0_0000],
    [0x0000_ffff, 0x0000_0000],
    [0x8000_ffff, 0x8000_0000],
    [0x8001_0000, 0x8000_0000],
    [0x0001_0000, 0x8000_0000],
    [0x0004_0001, 0x8000_0000],
    [0x7ffe_0000, 0x8000_0000],
    [0x1234_5678, 0x8000_0000],
    [0xffff_ffff, 0x8000_0000],
  ];
  for (const [value, outcome] of cases) {
    assertEquals(effective(value), outcome, value.toString(16));
  }
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (value) => {
      assertEquals(effective(effective(value)), effective(value));
    }),
    { seed: SEED },
  );
});

Deno.test("errors have the names of the architecture", () => {
  const MIPS = 0x8;
  assertEquals(formatReturnValue(0x0005_0059, MIPS), "ERRNO(ENOSYS)");
  assertEquals(formatReturnValue(0x0005_0026, MIPS), "ERRNO(EL2NSYNC)");
  assertEquals(parseReturnValue("ERRNO(ENOSYS)", MIPS), 0x0005_0059);
  assertEquals(parseReturnValue("errno(enosys)"), 0x0005_0026);
  assertEquals(parseReturnValue("ERRNO(ENOTSUP)", MIPS), 0x0005_007a);
  for (let errno = 0; errno <= 0xffff; errno++) {
    for (const arch of [undefined, MIPS, 0x14]) {
      const value = 0x0005_0000 + errno;
      const words = formatReturnValue(value, arch);
      assertEquals(parseReturnValue(words, arch), value, words);
    }
  }
  assertThrows(
    () => parseReturnValue("ERRNO(EPREM)"),
    SyntaxError,
    "did you mean EPERM",
  );
  assertThrows(() => parseReturnValue("TRACE(EPERM)"), SyntaxError);
});
