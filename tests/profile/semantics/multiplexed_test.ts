import { assertEquals } from "@std/assert";
import {
  ALLOW,
  arg,
  type Entry,
  entry,
  EPERM,
  findings,
  profileOf,
  STARTS,
  verdicts,
} from "../shared.ts";

const EINVAL = 0x0005_0016;
const SOCKETCALL = 102;
const IPC = 117;
/** The diagnostics, except those about the start of containers. */
function said(
  entries: readonly Entry[],
  ...rest: readonly [
    arches?: Parameters<typeof findings>[1],
    options?: Parameters<typeof findings>[2],
  ]
): readonly string[] {
  return findings(profileOf([...entries, STARTS]), ...rest);
}

Deno.test("resolve() makes a multiplexed call two rules on x86", () => {
  const ask = verdicts(
    profileOf([
      entry("socket", "allow", [arg(0, "ne", 40n), arg(1, "eq", 7n)]),
      entry("semop", "allow"),
      entry("accept", "allow"),
      entry("bind", "allow", [arg(0, "eq", 9n)]),
    ]),
    ["x86_64", "x86"],
  );
  assertEquals(ask("x86", SOCKETCALL, 2n, 5n), ALLOW);
  assertEquals(ask("x86", SOCKETCALL, 9n, 5n), EPERM);
  // Directly: all conditions.
  assertEquals(ask("x86", 359, 2n, 7n), ALLOW);
  assertEquals(ask("x86", 359, 40n, 7n), EPERM);
  // Behind socketcall: argument 0 is the call, its own condition is lost.
  assertEquals(ask("x86", SOCKETCALL, 1n, 7n), ALLOW);
  assertEquals(ask("x86", SOCKETCALL, 1n, 8n), EPERM);
  assertEquals(ask("x86", SOCKETCALL, 3n, 7n), EPERM);
  // Not wired: only through the multiplexer. The number of ipc is compared
  // whole.
  assertEquals(ask("x86", SOCKETCALL, 5n), ALLOW);
  assertEquals(ask("x86", IPC, 1n), ALLOW);
  assertEquals(ask("x86", IPC, 0x1_0001n), EPERM);
  assertEquals(ask("x86_64", "socket", 2n, 7n), ALLOW);
});

Deno.test("resolve() opens socketcall where socket is not 40", () => {
  const ask = verdicts(
    profileOf([entry("socket", "allow", [arg(0, "ne", 40n)])]),
    ["x86_64", "x86"],
  );
  assertEquals(ask("x86", SOCKETCALL, 1n), ALLOW);
  assertEquals(ask("x86", SOCKETCALL, 2n), EPERM);
});

/** Podman's rules for sockets of the audit subsystem. */
const PODMAN: readonly Entry[] = [
  entry("socket", "errno", [arg(0, "eq", 16n), arg(2, "eq", 9n)], 22),
  entry("socket", "allow", [arg(2, "ne", 9n)]),
  entry("socket", "allow", [arg(0, "ne", 16n)]),
];

Deno.test("resolve() takes Podman's three socket rules where x86 allows socketcall", () => {
  const entries = [entry("socketcall", "allow"), ...PODMAN];
  const ask = verdicts(profileOf(entries), ["x86_64", "x86"]);
  assertEquals(ask("x86_64", "socket", 16n, 0n, 9n), EINVAL);
  assertEquals(ask("x86_64", "socket", 16n, 0n, 8n), ALLOW);
  assertEquals(ask("x86_64", "socket", 2n, 0n, 9n), ALLOW);
  assertEquals(ask("x86", 359, 16n, 0n, 9n), EINVAL);
  assertEquals(ask("x86", SOCKETCALL, 1n, 0n, 9n), ALLOW);
});

Deno.test("resolve() refuses Podman's three socket rules on x86 alone (EEXIST)", () => {
  assertEquals(said(PODMAN), [
    'note rule-order syscalls[1]: Rules for "socket" on x86_64 are evaluated in this order: syscalls[1], syscalls[0], syscalls[2]',
  ]);
  const errors = said(PODMAN, ["x86_64", "x86"]).filter((l) =>
    l.startsWith("error")
  );
  assertEquals(errors, [
    'error conflicting-rules syscalls[2]: Cannot add this rule for "socketcall" on x86: the rule at syscalls[0] has the same condition and another action: remove one of the two; the runtimes refuse the container (EEXIST)',
  ]);
});
