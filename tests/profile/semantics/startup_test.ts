import { assertEquals } from "@std/assert";
import {
  ALLOW,
  arg,
  type Entry,
  entry,
  findings,
  profileOf,
  STARTS,
  verdicts,
} from "../shared.ts";

const START =
  `warning cannot-start defaultAction: Container cannot start: no rule allows "execve" on x86_64, which the runtime needs to start it: allow execve, exit_group and the calls that the program needs`;
const END =
  `warning cannot-end defaultAction: Programs cannot exit: no rule allows "exit_group" on x86_64: allow exit_group`;

Deno.test("checkStartup() warns if no container could start or exit", () => {
  const table: readonly (readonly [
    string,
    readonly Entry[],
    Entry["action"],
    readonly string[],
  ])[] = [
    ["nothing allowed, ERRNO", [], "errno", [START, END]],
    ["nothing allowed, KILL", [], "kill", [START, END]],
    ["nothing allowed, KILL_PROCESS", [], "kill_process", [START, END]],
    ["nothing allowed, TRAP", [], "trap", [START, END]],
    [
      "execveat is not execve",
      [entry(["execveat", "exit"], "allow")],
      "errno",
      [START, END],
    ],
    ["no execve", [entry("exit_group", "allow")], "errno", [START]],
    ["no exit_group", [entry("execve", "allow")], "errno", [END]],
    ["both", [STARTS], "kill", []],
    ["both, logged", [entry(["execve", "exit_group"], "log")], "errno", []],
    [
      "for some arguments",
      [
        entry("execve", "allow", [arg(2, "ne", 0n)]),
        entry("exit_group", "allow"),
      ],
      "errno",
      [],
    ],
    ["denied by name", [entry(["execve", "exit_group"], "kill")], "allow", [
      START,
      END,
    ]],
    ["default ALLOW", [], "allow", []],
    ["default LOG", [], "log", []],
    ["default TRACE", [], "trace", []],
  ];
  for (const [name, entries, action, expected] of table) {
    assertEquals(findings(profileOf(entries, action)), expected, name);
  }
});

Deno.test("checkStartup() looks at the native architecture", () => {
  const seccomp = profileOf([STARTS]);
  for (
    const arches of [["x86_64", "x86", "x32"], ["aarch64", "arm"], ["s390x"], [
      "mips64el",
    ]] as const
  ) {
    assertEquals(findings(seccomp, arches), [], arches.join());
  }
});

Deno.test("checkStartup() still compiles such a profile", () => {
  const ask = verdicts(profileOf([entry("read", "allow")]));
  assertEquals(ask("x86_64", "read"), ALLOW);
});
