import { assertEquals } from "@std/assert";
import {
  checkEntries,
  checkErrnos,
  repeatsIndex,
} from "../../../profile/formats/entries.ts";
import type { Diagnostic } from "../../../profile/diagnostic.ts";
import { arg, entry, profileOf } from "../shared.ts";

const ALL = 0xffff_ffff_ffff_ffffn;

function brief(diagnostics: readonly Diagnostic[]): readonly string[] {
  return diagnostics.map((d) =>
    `${d.severity} ${d.path}: ${d.message}: ${d.fix}`
  );
}

Deno.test("checkErrnos() refuses what libseccomp refuses", () => {
  const table: readonly (readonly [number, readonly string[]])[] = [
    [0, []],
    [1, []],
    [4094, []],
    [4095, [
      "error syscalls[0].errnoRet: Cannot return errno 4095: out of range: use 1 to 4094",
    ]],
    [65_535, [
      "error syscalls[0].errnoRet: Cannot return errno 65535: out of range: use 1 to 4094",
    ]],
    // The runtimes truncate to 16 bits before they call the library.
    [65_536, []],
  ];
  for (const [errno, expected] of table) {
    const seccomp = profileOf([entry("read", "errno", [], errno)], "allow");
    assertEquals(brief(checkErrnos(seccomp)), expected, `${errno}`);
  }
  assertEquals(brief(checkErrnos(profileOf([], "errno", 4095))), [
    "error defaultErrnoRet: Cannot return errno 4095: out of range: use 1 to 4094",
  ]);
  // TRACE takes 16 bits.
  assertEquals(
    checkErrnos(profileOf([entry("read", "trace", [], 65_535)])),
    [],
  );
});

Deno.test("checkEntries() warns about conditions whose meaning is not what it seems to be", () => {
  const dead = (text: string): string =>
    `warning syscalls[0].args[0]: ${text}: this condition is never true, so the rule has no effect: remove it, or correct the value`;
  const always = (text: string): string =>
    `warning syscalls[0].args[0]: ${text}: this condition is always true: remove it, or correct the value`;
  const table = [
    [[arg(0, "lt", 0n)], [dead("SCMP_CMP_LT 0")]],
    [[arg(0, "gt", ALL)], [dead(`SCMP_CMP_GT ${ALL}`)]],
    [[arg(0, "ge", 0n)], [always("SCMP_CMP_GE 0")]],
    [[arg(0, "le", ALL)], [always(`SCMP_CMP_LE ${ALL}`)]],
    [[arg(0, "lt", 1n)], []],
    [[arg(0, "ge", 1n)], []],
    [[arg(0, "gt", ALL - 1n)], []],
    [[arg(0, "le", ALL - 1n)], []],
    [[arg(0, "eq", 0n), arg(1, "ne", ALL)], []],
    [[arg(0, "masked_eq", 0n, 5n)], [
      "warning syscalls[0].args[0]: Mask 0: this condition is always true: " +
      "remove it, or give the mask in value and the bits in valueTwo",
    ]],
    [[arg(0, "masked_eq", 1n, 3n)], [
      "warning syscalls[0].args[0].valueTwo: Bits 0x3 outside the mask 0x1 are ignored: write 1",
    ]],
    [[arg(0, "masked_eq", 3n, 3n)], []],
    [[arg(2, "ge", 1n), arg(2, "le", 3n)], [
      "warning syscalls[0].args: Several conditions on one argument: the runtimes take all " +
      "conditions of this entry as alternatives (OR): write one entry per alternative, or use " +
      "SCMP_CMP_MASKED_EQ for a conjunction",
    ]],
  ] as const;
  for (const [args, expected] of table) {
    const { syscalls } = profileOf([entry("read", "allow", args)]);
    assertEquals<readonly string[]>(
      brief(checkEntries(syscalls, {})),
      expected,
    );
  }
});

Deno.test("checkEntries() makes a repeated index an error under strict", () => {
  const { syscalls } = profileOf([
    entry("read", "allow", [arg(2, "ge", 1n), arg(2, "le", 3n)]),
  ]);
  const severity = (strict: boolean): readonly string[] =>
    checkEntries(syscalls, { strict }).map((d) => d.severity);
  assertEquals([severity(true), severity(false)], [["error"], ["warning"]]);
});

Deno.test("repeatsIndex() looks at indices only", () => {
  const [once, twice, none] = profileOf([
    entry("read", "allow", [arg(0, "ge", 1n), arg(1, "ge", 1n)]),
    entry("read", "allow", [
      arg(1, "ge", 1n),
      arg(0, "eq", 1n),
      arg(1, "lt", 2n),
    ]),
    entry("read", "allow"),
  ]).syscalls.map(repeatsIndex);
  assertEquals([once, twice, none], [false, true, false]);
});
