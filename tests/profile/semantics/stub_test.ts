import { assertEquals } from "@std/assert";
import { resolve } from "../../../profile/semantics/resolve.ts";
import type { ArchName } from "../../../tables/arch.ts";
import {
  ALLOW,
  archOf,
  arg,
  ENOSYS,
  type Entry,
  entry,
  EPERM,
  KILL,
  numberOf,
  profileOf,
  SKIPPED,
  verdicts,
  X32,
} from "../shared.ts";

/** Answers under runc's semantics. */
function runc(
  entries: readonly Entry[],
  arches?: readonly ArchName[],
  defaultAction?: Entry["action"],
): ReturnType<typeof verdicts> {
  return verdicts(profileOf(entries, defaultAction), arches ?? ["x86_64"], {
    semantics: "runc",
  });
}

const LIST = entry(["read", "openat"], "allow");

Deno.test("enosysStub() answers ENOSYS above the largest number that is named", () => {
  const ask = runc([LIST]);
  const max = numberOf("x86_64", "openat");
  assertEquals(ask("x86_64", "read"), ALLOW);
  assertEquals(ask("x86_64", max), ALLOW);
  assertEquals(ask("x86_64", max - 1), EPERM);
  assertEquals(ask("x86_64", max + 1), ENOSYS);
  assertEquals(ask("x86_64", 0x3fff_ffff), ENOSYS);
  // crun has none.
  const crun = verdicts(profileOf([LIST]));
  assertEquals(crun("x86_64", max + 1), EPERM);
});

Deno.test("enosysStub() counts names of entries that make no rule, and with conditions", () => {
  const openat = numberOf("x86_64", "openat");
  for (
    const more of [
      entry("openat", "errno"),
      entry("openat", "allow", [arg(0, "eq", 7n)]),
      entry("openat", "kill"),
    ]
  ) {
    const ask = runc([entry("read", "allow"), entry("write", "allow"), more]);
    assertEquals(ask("x86_64", openat + 1), ENOSYS);
    assertEquals(ask("x86_64", openat - 1), EPERM);
  }
});

Deno.test("enosysStub() does not count names that the library does not know", () => {
  const profile = profileOf([entry(["write", "mseal"], "allow")]);
  const ask = verdicts(profile, ["x86_64"], {
    semantics: "runc",
    knows: (name) => name !== "mseal",
  });
  assertEquals([ask("x86_64", 1), ask("x86_64", 2)], [ALLOW, ENOSYS]);
});

Deno.test("enosysStub() is absent if the largest number is 0", () => {
  const ask = runc([entry("read", "allow")]);
  assertEquals(ask("x86_64", "read"), ALLOW);
  assertEquals(ask("x86_64", 1), EPERM);
  assertEquals(ask("x86_64", 5000), EPERM);
  // The largest of x32 has bit 30 and is not 0.
  const x32 = runc([entry("read", "allow")], ["x86_64", "x32"]);
  assertEquals([x32("x32", X32), x32("x32", X32 + 1)], [ALLOW, ENOSYS]);
  assertEquals([x32("x86_64", 1), x32("x86_64", 5000)], [EPERM, EPERM]);
  // On x86 the largest is read's 3.
  const both = runc([entry("read", "allow")], ["x86_64", "x86"]);
  assertEquals([both("x86_64", 4), both("x86", 4), both("x86", 2)], [
    EPERM,
    ENOSYS,
    EPERM,
  ]);
});

Deno.test("enosysStub() is absent if the default allows calls", () => {
  for (
    const [action, value] of [["allow", ALLOW], ["log", 0x7ffc_0000], [
      "trace",
      0x7ff0_0001,
    ]] as const
  ) {
    const ask = runc([entry(["write", "openat"], "kill")], ["x86_64"], action);
    assertEquals(ask("x86_64", 5000), value, action);
  }
  for (const action of ["kill", "kill_process", "trap", "errno"] as const) {
    const ask = runc([LIST], ["x86_64"], action);
    assertEquals(ask("x86_64", 5000), ENOSYS, action);
  }
});

Deno.test("enosysStub() of x86_64 alone leaves x32 to the guard", () => {
  const ask = runc([LIST]);
  const table = [
    [0x4000_0000, KILL],
    [0x7fff_ffff, KILL],
    [0x8000_0000, ENOSYS],
    [0xbfff_ffff, ENOSYS],
    [0xc000_0000, KILL],
    [0xffff_fffe, KILL],
    [SKIPPED, EPERM],
  ] as const;
  for (const [nr, value] of table) {
    assertEquals(ask("x86_64", nr), value, nr.toString(16));
  }
});

Deno.test("enosysStub() with x32 compares by bit 30", () => {
  const ask = runc([LIST], ["x86_64", "x32"]);
  const max = numberOf("x32", "openat");
  const table = [
    [X32, ALLOW],
    [max, ALLOW],
    [max - 1, EPERM],
    [max + 1, ENOSYS],
    [0x7fff_ffff, ENOSYS],
    [0x8000_0000, ENOSYS],
    [0xbfff_ffff, ENOSYS],
    [0xc000_0000, ENOSYS],
    [0xffff_fffe, ENOSYS],
    [SKIPPED, ENOSYS],
  ] as const;
  for (const [nr, value] of table) {
    assertEquals(ask("x86_64", nr), value, nr.toString(16));
  }
});

Deno.test("enosysStub() answers nr −1 of x86, while on x86_64 alone the default applies", () => {
  const ask = runc([LIST], ["x86_64", "x86"]);
  assertEquals([ask("x86", SKIPPED), ask("x86_64", SKIPPED)], [ENOSYS, EPERM]);
});

Deno.test("enosysStub() ignores pseudo numbers of multiplexed calls", () => {
  // On x86 `shmat` is wired as 397, but its name stands for a negative number.
  const ask = runc([entry(["write", "shmat"], "allow")], ["x86_64", "x86"]);
  assertEquals(numberOf("x86", "shmat"), 397);
  assertEquals(ask("x86", 5), ENOSYS);
});

Deno.test("enosysStub() answers number 0 of s390x", () => {
  const ask = runc([LIST], ["s390x"]);
  const max = numberOf("s390x", "openat");
  assertEquals([
    ask("s390x", 0),
    ask("s390x", 1),
    ask("s390x", max + 1),
    ask("s390x", max),
  ], [ENOSYS, EPERM, ENOSYS, ALLOW]);
});

Deno.test("enosysStub() has the errno of the machine", () => {
  const ask = runc([LIST], ["mips64el"]);
  assertEquals(ask("mips64el", 0xffff), 0x0005_0059);
});

Deno.test("enosysStub() comes before all rules, not before other architectures", () => {
  const { policy } = resolve(profileOf([LIST]), {
    arches: [archOf("x86_64"), archOf("x86")],
    semantics: "runc",
  });
  const [native, compat] = policy.arches;
  assertEquals(native?.rules[0]?.source, "runc's ENOSYS stub");
  assertEquals(compat?.rules[0]?.source, "runc's ENOSYS stub");
  assertEquals(policy.badArchValue, KILL);
});
