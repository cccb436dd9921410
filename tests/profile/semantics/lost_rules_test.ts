import { assertEquals, assertThrows } from "@std/assert";
import { ProfileError } from "../../../profile/diagnostic.ts";
import { type Arch, ARCHES, type ArchName } from "../../../tables/arch.ts";
import {
  archOf,
  arg,
  entry,
  findings,
  profileOf,
  resolved,
  STARTS,
} from "../shared.ts";

type Entries = Parameters<typeof profileOf>[0];
type Options = Parameters<typeof findings>[2] & {
  readonly defaultAction?: "allow" | "log";
};

/** Diagnostics about missing calls, except notes. */
function said(
  entries: Entries,
  arches: readonly ArchName[],
  { defaultAction, ...target }: Options = {},
): readonly string[] {
  const seccomp = profileOf([...entries, STARTS], defaultAction);
  return findings(seccomp, arches, target).filter((line) =>
    !line.startsWith("note ")
  );
}

const ALLOWING = { defaultAction: "allow" } as const;
const OLD = ["chmod", "open", "fork", "unlink", "rename", "mkdir"] as const;
const LOST =
  "no-call-here syscalls[0].names: Rule denies nothing: chmod, open, fork, unlink, rename, mkdir do not exist on aarch64: name the calls that replace them: fchmodat, fchmodat2, openat, openat2, clone, clone3, unlinkat, renameat, renameat2, mkdirat";
const NOTHING = (arches: string, rules = "1 rule that denies"): string =>
  `denies-nothing syscalls: Filter denies nothing: every call may run on ${arches}, although the profile has ${rules}: correct their names and conditions, or remove the filter`;

Deno.test("checkLostRules() warns about a denial without a call on any architecture", () => {
  const rules = [entry(OLD, "errno")];
  assertEquals(said(rules, ["aarch64"], ALLOWING), [
    `warning ${LOST}`,
    `warning ${NOTHING("aarch64")}`,
  ]);
  for (const options of [{ strict: true }, { unknown: "error" }] as const) {
    assertEquals(
      said(rules, ["aarch64"], { ...ALLOWING, ...options }),
      [`error ${LOST}`],
    );
  }
  // Ignoring names means to behave like the runtimes, but with a message.
  assertEquals(said(rules, ["aarch64"], { ...ALLOWING, unknown: "ignore" }), [
    `warning ${NOTHING("aarch64")}`,
  ]);
  // Another architecture has them.
  assertEquals(said(rules, ["aarch64", "arm"], ALLOWING), [
    `warning successor-not-named${
      LOST.slice("no-call-here".length).replace(
        "nothing",
        "less than it seems to",
      )
    }`,
  ]);
  assertEquals(said(rules, ["x86_64"], ALLOWING), []);
});

Deno.test("checkLostRules() accepts a rule whose successor calls are denied", () => {
  const rules = (...names: string[]): Entries => [
    entry("chmod", "errno"),
    entry(names, "errno"),
  ];
  assertEquals(
    said(rules("fchmodat", "fchmodat2"), ["aarch64"], ALLOWING),
    [],
  );
  assertEquals(said(rules("fchmodat"), ["aarch64"], ALLOWING), [
    "warning no-call-here syscalls[0].names: Rule denies nothing: chmod does not exist on aarch64: name the calls that replace them: fchmodat2",
  ]);
  // A rule that allows them does not deny them.
  assertEquals(
    said(
      [entry("chmod", "kill"), entry(["fchmodat", "fchmodat2"], "log")],
      ["aarch64"],
    ).length,
    1,
  );
});

Deno.test("checkLostRules() warns about a denial that loses a call on one architecture", () => {
  const rules = [entry(["mount", "umount"], "errno")];
  const lost =
    "warning successor-not-named syscalls[0].names: Rule denies less than it seems to: umount does not exist on x86_64: name the calls that replace them: umount2";
  assertEquals(said(rules, ["x86_64", "x86"], ALLOWING), [lost]);
  assertEquals(said(rules, ["x86_64"], ALLOWING), [lost]);
  assertEquals(said(rules, ["x86"], ALLOWING), []);
  // A call without a successor is not a loss if there are other calls.
  assertEquals(
    said([entry(["mount", "iopl"], "errno")], ["aarch64"], ALLOWING),
    [],
  );
});

Deno.test("checkLostRules() reports the losses of allowing rules once", () => {
  assertEquals(
    said([entry(["read", "umount", "sigaction"], "allow")], ["x86_64"]),
    [
      "warning successor-not-named syscalls[0].names: Rule allows less than it seems to: umount, sigaction do not exist on x86_64: name the calls that replace them: umount2, rt_sigaction",
    ],
  );
  assertEquals(
    said(
      [entry(["read", "umount", "umount2"], "allow"), entry("stime", "allow")],
      ["x86_64", "x86"],
    ),
    [],
  );
  const rules = [entry("open", "allow"), entry("mkdir", "allow")];
  const lost = (severity: string): string =>
    `${severity} no-call-here syscalls[0].names: 2 rules have no effect: open, mkdir do not exist on aarch64: name the calls that replace them: openat, openat2, mkdirat`;
  assertEquals(said(rules, ["aarch64"]), [lost("warning")]);
  assertEquals(said(rules, ["aarch64"], { strict: true }), [lost("error")]);
  // To allow, one of several is sufficient.
  assertEquals(
    said([...rules, entry(["openat", "mkdirat"], "allow")], ["aarch64"]),
    [],
  );
  assertEquals(said([entry("iopl", "allow")], ["aarch64"]), [
    "warning no-call-here syscalls[0].names: Rule has no effect: iopl does not exist on aarch64: remove it, or add the architecture that it is meant for",
  ]);
});

Deno.test("checkLostRules() shows the first names of many", () => {
  const missing = [...archOf("x86").syscalls.keys()].filter((name) =>
    !archOf("x86_64").syscalls.has(name) && /32$/.test(name)
  );
  const [line = ""] = said([entry(missing, "errno")], ["x86_64"], ALLOWING);
  assertEquals(line.split(" and ").length, 3, line);
  assertEquals(line.includes(`and ${missing.length - 12} more`), true, line);
  const shown = [12, 13].map((count) => {
    const some = missing.slice(0, count);
    const [first = ""] = said([entry(some, "errno")], ["x86_64"], ALLOWING);
    return first.includes(" and 1 more do not exist");
  });
  assertEquals(shown, [false, true]);
});

Deno.test("resolve() refuses a profile that denies nothing if it is strict", () => {
  const never = entry("mkdir", "errno", [arg(0, "lt", 0n)]);
  const seccomp = profileOf([never, STARTS], "allow");
  assertEquals(resolved(seccomp, ["x86_64"]).policy.defaultValue, 0x7fff_0000);
  for (const options of [{ strict: true }, { unknown: "error" }] as const) {
    assertThrows(
      () => resolved(seccomp, ["x86_64"], options),
      ProfileError,
      "Filter denies nothing",
    );
  }
});

Deno.test("checkDenials() reports a filter that denies nothing", () => {
  const never = [arg(0, "lt", 0n)];
  const table: readonly (readonly [Entries, Options, readonly string[]])[] = [
    [[entry("mkdir", "errno", never)], ALLOWING, ["denies-nothing"]],
    [[entry("mkdir", "errno", [arg(0, "le", 0n)])], ALLOWING, []],
    [[entry("mkdir", "errno", [arg(0, "gt", 2n ** 64n - 1n)])], ALLOWING, [
      "denies-nothing",
    ]],
    [[entry("mkdir", "errno", [arg(0, "ge", 2n ** 64n - 1n)])], ALLOWING, []],
    [[entry("mkdir", "log")], ALLOWING, []],
    [[entry("iopl", "kill"), entry("mkdir", "log")], ALLOWING, []],
    [[entry("socketcall", "trap")], ALLOWING, [
      "no-call-here",
      "denies-nothing",
    ]],
    [[entry("socketcall", "trace")], { defaultAction: "log" }, [
      "no-call-here",
      "denies-nothing",
    ]],
    [[], ALLOWING, []],
    // The default denies.
    [[entry("socketcall", "kill")], {}, ["no-call-here"]],
  ];
  for (const [entries, options, codes] of table) {
    const lines = said(entries, ["x86_64"], options)
      .filter((line) => !line.includes(" dead-rule "));
    assertEquals(
      lines.map((line) => line.split(" ")[1] ?? ""),
      codes,
      JSON.stringify(entries.map(({ names, action }) => [names, action])),
    );
  }
  assertEquals(
    said([entry("iopl", "kill"), entry("ioperm", "kill")], ["aarch64", "arm"], {
      ...ALLOWING,
      unknown: "ignore",
    }),
    [`warning ${NOTHING("aarch64, arm", "2 rules that deny")}`],
  );
});

Deno.test("checkDenials() agrees with the tables on every call of every architecture", () => {
  const names = new Set(ARCHES.flatMap((arch) => [...arch.syscalls.keys()]));
  const has = (arch: Arch, name: string): boolean =>
    arch.syscalls.has(name) || arch.multiplexed.some((m) => m.name === name);
  for (const arch of ARCHES) {
    for (const name of names) {
      const lines = said([entry(name, "errno")], [arch.name], {
        ...ALLOWING,
        unknown: "ignore",
      });
      assertEquals(
        lines.some((line) => line.includes(" denies-nothing ")),
        !has(arch, name),
        `${name} on ${arch.name}`,
      );
    }
  }
});
