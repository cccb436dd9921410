import { assertEquals } from "@std/assert";
import {
  ALLOW,
  entry,
  EPERM,
  findings,
  profileOf,
  resolved,
  STARTS,
  verdicts,
} from "../shared.ts";

/** Findings but for those about the start of containers. */
function said(
  entries: Parameters<typeof profileOf>[0],
  options?: Parameters<typeof findings>[2] & {
    readonly defaultAction?: "allow";
  },
  arches?: Parameters<typeof findings>[1],
): readonly string[] {
  const { defaultAction, ...target } = options ?? {};
  const seccomp = profileOf([...entries, STARTS], defaultAction);
  return findings(seccomp, arches, target);
}

Deno.test("checkNames() row 8: names that exist nowhere", () => {
  const ignore = "pass --unknown ignore to do as the runtimes do";
  const table = [
    ["opnat", `did you mean "openat"`],
    ["READ", `write "read"`],
    [" read ", `write "read"`],
    ["", `correct the name, or ${ignore}`],
    ["63", `write names, not numbers, or ${ignore}`],
    ["0x3f", `write names, not numbers, or ${ignore}`],
    ["no_such_call_at_all", `correct the name, or ${ignore}`],
    ["__proto__", `did you mean "prctl"`],
    ["constructor", `correct the name, or ${ignore}`],
  ] as const;
  for (const [name, fix] of table) {
    const shown = JSON.stringify(name);
    assertEquals(said([entry(["read", name], "allow")]), [
      `warning unknown-syscall syscalls[0].names[1]: System call ${shown} is unknown: this rule has no effect: ${fix}`,
    ], name);
    assertEquals(said([entry(name, "kill")], { defaultAction: "allow" }), [
      `error unknown-syscall syscalls[0].names[0]: System call ${shown} is unknown: this rule would deny nothing: ${fix}`,
    ], name);
    assertEquals(
      said([entry(name, "kill")], {
        defaultAction: "allow",
        unknown: "ignore",
      }),
      [],
      name,
    );
    const warned = said([entry(name, "kill")], {
      defaultAction: "allow",
      unknown: "warn",
    });
    assertEquals(warned.map((line) => line.split(" ")[0]), ["warning"], name);
  }
});

Deno.test("checkNames() counts a rule as denying that is stricter than the default", () => {
  const severity = (entries: Parameters<typeof said>[0]): string | undefined =>
    said(entries)[0]?.split(" ")[0];
  assertEquals(severity([entry("opnat", "kill")]), "error");
  assertEquals(severity([entry("opnat", "kill_process")]), "error");
  assertEquals(severity([entry("opnat", "log")]), "warning");
  // Another errno is as strict as the default's.
  assertEquals(severity([entry("opnat", "errno", [], 38)]), "warning");
});

Deno.test("checkNames() says nothing of entries that make no rule", () => {
  assertEquals(said([entry("opnat", "errno")]), []);
});

Deno.test("checkNames() row 9: names of other architectures are no error", () => {
  assertEquals(
    said([entry(["read", "socketcall", "s390_pci_mmio_read"], "allow")]),
    [
      "note no-such-call-here syscalls[0].names: No rule on x86_64 for socketcall, s390_pci_mmio_read: calls of other architectures",
    ],
  );
  assertEquals(
    said([entry(["read", "socketcall"], "allow")], {}, ["x86_64", "x86"]),
    [],
  );
  // Behind a multiplexer a call is there.
  assertEquals(said([entry("accept", "allow")], {}, ["x86_64", "x86"]), []);
});

Deno.test("checkNames() asks the host's library where it is told to", () => {
  const knows = (name: string): boolean => name !== "mseal";
  const seccomp = profileOf([entry(["read", "mseal"], "allow"), STARTS]);
  assertEquals(findings(seccomp, ["x86_64"], { knows }), [
    `warning unknown-syscall syscalls[0].names[1]: System call "mseal" is not known to the host's libseccomp: this rule has no effect: use --names builtin, or update libseccomp`,
  ]);
  const ask = verdicts(seccomp, ["x86_64"], { knows });
  assertEquals([ask("x86_64", "mseal"), ask("x86_64", "read")], [EPERM, ALLOW]);
  assertEquals(resolved(seccomp, ["x86_64"], { knows }).unknownNames, [
    "mseal",
  ]);
});

Deno.test("checkNames() reports all names at once and suggests for the first only", () => {
  const names = Array.from({ length: 200 }, (_, i) => `opnat${i}`);
  const lines = said([entry(names, "kill")], { defaultAction: "allow" });
  assertEquals(lines.length, 200);
  assertEquals(
    lines.filter((l) => l.includes("did you mean")).length <= 20,
    true,
  );
});
