import { assertEquals, assertThrows } from "@std/assert";
import {
  compareVersions,
  parseSemantics,
  plainVersion,
  splitSemantics,
} from "../../../profile/semantics/versions.ts";

Deno.test("parseSemantics() reads a runtime and its version, in every spelling of a distribution", () => {
  const table: readonly (readonly [string, string | undefined])[] = [
    ["crun", "crun"],
    ["runc", "runc"],
    ["crun@1.8.1", "crun@1.8.1"],
    ["crun@1.8", "crun@1.8"],
    ["runc@1.1.5+ds1", "runc@1.1.5"],
    ["runc@1.0.0~rc93+ds1", "runc@1.0.0-rc93"],
    ["runc@1.2.0-rc.1", "runc@1.2.0-rc1"],
    ["runc@1.1.5-dirty", "runc@1.1.5"],
    ["crun@1.28-7-gabcdef", "crun@1.28"],
    ["", undefined],
    ["CRUN", undefined],
    ["youki", undefined],
    ["crun@", undefined],
    ["crun@1", undefined],
    ["crun@new", undefined],
    ["crun@1.8.1@2.0.0", undefined],
    ["crun@-1.8", undefined],
    ["crun@123456.1", undefined],
    ["crun@1.8.1234567", undefined],
    [" crun", undefined],
  ];
  for (const [text, expected] of table) {
    assertEquals(parseSemantics(text), expected, JSON.stringify(text));
  }
});

Deno.test("splitSemantics() splits a name", () => {
  assertEquals(splitSemantics("crun"), {
    runtime: "crun",
    version: undefined,
  });
  assertEquals(splitSemantics("runc@1.1.5"), {
    runtime: "runc",
    version: "1.1.5",
  });
});

Deno.test("compareVersions() puts versions in the order of their releases", () => {
  const order = [
    "0.17",
    "1.0.0-rc9",
    "1.0.0-rc10",
    "1.0.0-rc93",
    "1.0.0",
    "1.0.3",
    "1.1.0-rc1",
    "1.1.0",
    "1.1.2",
    "1.1.14",
    "1.1.15",
    "1.1",
    "1.2.0-rc1",
    "1.2.0",
    "1.10.0",
    "1.10",
  ];
  for (const [i, a] of order.entries()) {
    for (const [j, b] of order.entries()) {
      assertEquals(
        Math.sign(compareVersions(a, b)),
        Math.sign(i - j),
        `${a} ${b}`,
      );
    }
  }
  assertThrows(() => compareVersions("1.1", "x"), RangeError, '"x" is not one');
});

Deno.test("plainVersion() is its own inverse", () => {
  for (const text of ["1.8", "1.8.1", "1.0.0-rc93"]) {
    assertEquals(plainVersion(text), text);
  }
  assertEquals(plainVersion("UNKNOWN"), undefined);
});
