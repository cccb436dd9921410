import { assertEquals, assertMatch } from "@std/assert";
import { readSystemd } from "../../../profile/foreign/systemd.ts";
import { answer, archOf, problems } from "./shared.ts";

const native = archOf("x86_64");

/** Answers of a unit, by call. */
function check(
  unit: string,
  cases: Readonly<Record<string, string>>,
): void {
  const read = readSystemd(unit, { native });
  for (const [call, wanted] of Object.entries(cases)) {
    assertEquals(answer(read, call), wanted, `${unit}: ${call}`);
  }
}

Deno.test("readSystemd() reads lists of permitted calls", () => {
  check(
    `[Unit]
Description=SystemCallFilter=close
[Service]
ExecStart=/bin/true
SystemCallFilter=read write \\
# a comment inside
  socket
SystemCallFilter=~write brk mount:ENOSYS umount2:kill
SystemCallErrorNumber=EACCES
[Install]
SystemCallFilter=ptrace
`,
    {
      read: "ALLOW",
      socket: "ALLOW",
      // Of @default, which is always permitted.
      execve: "ALLOW",
      write: "ERRNO(EACCES)",
      brk: "ERRNO(EACCES)",
      mount: "ERRNO(ENOSYS)",
      umount2: "KILL_PROCESS",
      ptrace: "ERRNO(EACCES)",
      "#400": "ERRNO(EACCES)",
      "x86:read": "ALLOW",
      "x86:socketcall 1": "ALLOW",
      "x86:socketcall 2": "ERRNO(EACCES)",
      "x32:read": "ALLOW",
      // No filter of this machine is for others.
      "aarch64:ptrace": "ALLOW",
    },
  );
});

Deno.test("readSystemd() reads lists of denied calls, sets and logs", () => {
  check("SystemCallFilter=~@swap @reboot:5 ptrace\nSystemCallFilter=ptrace\n", {
    swapon: "KILL_PROCESS",
    reboot: "ERRNO(EIO)",
    ptrace: "ALLOW",
    read: "ALLOW",
  });
  check(
    "SystemCallFilter=~ptrace\nSystemCallLog=read ptrace\nSystemCallLog=~read\nSystemCallLog=write\n",
    { ptrace: "KILL_PROCESS", read: "ALLOW", write: "LOG", close: "ALLOW" },
  );
  check("SystemCallLog=~read\n", { read: "ALLOW", write: "LOG" });
  // A list that is reset, and one without names, have no effect.
  check("SystemCallFilter=read\nSystemCallFilter=\nSystemCallLog=~\n", {
    write: "ALLOW",
  });
});

Deno.test("readSystemd() restricts architectures", () => {
  check("SystemCallArchitectures=native x86\n", {
    read: "ALLOW",
    "x86:read": "ALLOW",
    "x32:read": "KILL_THREAD",
    "aarch64:read": "KILL_THREAD",
  });
  // systemd adds no filter that refuses nothing on this machine.
  check("SystemCallArchitectures=x86-64 x86 x32\n", {
    "aarch64:read": "ALLOW",
  });
  check("SystemCallArchitectures=x86\nSystemCallArchitectures=\n", {
    "x32:read": "ALLOW",
  });
});

Deno.test("readSystemd() reports what systemd refuses, ignores or adds", () => {
  const read = (unit: string) => () => readSystemd(unit, { native });
  assertEquals(
    problems(read(
      "SystemCallFilter=@no-such read\nSystemCallFilter=~x:EPERM open:ENOSUCH\nSystemCallArchitectures=x87\nSystemCallErrorNumber=0\n",
    )),
    [
      '1:18 Unknown set of system calls "@no-such"',
      '2:19 Unknown system call "x", which systemd ignores',
      '2:27 Unknown error "ENOSUCH"',
      '3:25 Unknown architecture "x87"',
      '4:23 Unknown error "0"',
    ],
  );
  assertEquals(
    problems(read("SystemCallFilter=read:EPERM\n")),
    [
      '1:18 An error has no effect here: "read:EPERM"',
      "1:18 systemd cannot load a filter in which read gets the answer of all others",
    ].slice(0, 1),
  );
  assertEquals(
    problems(read(
      "SystemCallFilter=read\nSystemCallFilter=~mount:EPERM\nSystemCallErrorNumber=EPERM\n",
    )),
    [
      "2:19 systemd cannot load a filter in which mount gets the answer of all others",
    ],
  );
  assertEquals(problems(read("[Service]\nExecStart=/bin/true\n")), [
    "1:1 Cannot find a system call filter in this unit",
  ]);
  const { diagnostics } = readSystemd(
    "SystemCallFilter=~ptrace\nRestrictNamespaces=yes\nLockPersonality=no\n",
    { native },
  );
  assertEquals(diagnostics.map(({ severity }) => severity), ["warning"]);
  assertMatch(
    diagnostics[0]?.message ?? "",
    /^RestrictNamespaces= adds a filter/,
  );
});
