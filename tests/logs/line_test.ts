import { assert, assertEquals } from "@std/assert";
import { readLogLine } from "../../logs/line.ts";
import type { LogRecord } from "../../logs/record.ts";

/** The kernel's body of a record: openat (257) on x86_64, answered by errno. */
const BODY =
  'auid=1000 uid=33 gid=33 ses=3 subj=web pid=812 comm="nginx" exe="/usr/sbin/nginx" sig=0 arch=c000003e syscall=257 compat=0 ip=0x7f00deadbeef code=0x50000';
const KERNEL = `audit: type=1326 audit(1622229872.180:55): ${BODY}`;

function recordOf(line: string): LogRecord {
  const content = readLogLine(line);
  assert(content.kind === "record", `${content.kind}: ${line}`);
  return content.record;
}

Deno.test("readLogLine() reads one record in every wrapping", () => {
  const stamped = [
    KERNEL,
    `[  252.130031] ${KERNEL}`,
    `[    0.000123][   T17] ${KERNEL}`,
    `[Fri May 28 15:24:32 2021] ${KERNEL}`,
    `[May28 15:24] ${KERNEL}`,
    `[  +0.000012] ${KERNEL}`,
    `[<    0.000123>] ${KERNEL}`,
    `2021-05-28T15:24:32,180000+00:00 ${KERNEL}`,
    `kern  :notice: [  252.130031] ${KERNEL}`,
    `<5>[  252.130031] ${KERNEL}`,
    `5,1234,252130031583,-;${KERNEL}`,
    `kernel: type=1326 audit(1622229872.180:55): ${BODY}`,
    `May 28 15:24:32 host kernel: [252.13] ${KERNEL}`,
    `2021-05-28T15:24:32.180123+02:00 host kernel: ${KERNEL}`,
    `1622229872.180123 host kernel: ${KERNEL}`,
    `Fri 2021-05-28 15:24:32 UTC host kernel: ${KERNEL}`,
    `type=SECCOMP msg=audit(1622229872.180:55): ${BODY}`,
    `type=1326 msg=audit(1622229872.180:55): ${BODY}`,
    `type=UNKNOWN[1326] msg=audit(1622229872.180:55): ${BODY}`,
    `    MESSAGE=${KERNEL}`,
  ];
  for (const line of stamped) {
    const { auditArch, nr, action, pid, time, id, exe } = recordOf(line);
    assertEquals(
      { auditArch, nr, action, pid, time, id, exe },
      {
        ...{ auditArch: 0xc000_003e, nr: 257, action: "ERRNO", pid: 812 },
        time: 1_622_229_872_180,
        id: "1622229872.180:55",
        exe: "/usr/sbin/nginx",
      },
      line,
    );
  }
  const { nr, time, id } = recordOf(
    `2021-05-28T15:24:32+0000 host audit[812]: SECCOMP ${BODY}`,
  );
  assertEquals([nr, time, id], [257, 1_622_215_472_000, undefined]);
  assertEquals(
    recordOf(`May 28 15:24:32 host audit[812]: SECCOMP ${BODY}`).written,
    "May 28 15:24:32",
  );
});

Deno.test("readLogLine() reads the name that auditd appends, with and without its separator", () => {
  const tail =
    'AUID="alice" UID="www-data" GID="www-data" ARCH=x86_64 SYSCALL=openat';
  for (const between of ["\x1d", "", " "]) {
    const { action, uid, auid, callText } = recordOf(
      `node=web1 type=SECCOMP msg=audit(1622229872.180:55): ${BODY}${between}${tail}`,
    );
    assertEquals(
      { action, uid, auid, callText },
      {
        action: "ERRNO",
        uid: { id: 33, name: "www-data" },
        auid: { id: 1000, name: "alice" },
        callText: "openat",
      },
      JSON.stringify(between),
    );
  }
});

Deno.test("readLogLine() reads names in hex, and does not take them for fields", () => {
  const hostile = 'x" arch=c00000b7 syscall=1';
  const hex = [...new TextEncoder().encode(hostile)]
    .map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join("");
  const { comm, nr, auditArch } = recordOf(
    KERNEL.replace('"nginx"', hex),
  );
  assertEquals([comm, nr, auditArch], [hostile, 257, 0xc000_003e]);
  const interpreted =
    "type=SECCOMP msg=audit(03/04/2025 07:39:37.599:201) : auid=unset uid=root gid=domain users ses=unset subj=a b pid=6464 comm=x sig=0 exe=/tmp/a sig=0 arch=i386 syscall=read compat=0 ip=0x1 code=log sig=SIGSYS arch=aarch64 syscall=faccessat compat=0 ip=0xff code=kill-thread";
  const { gid, subj, exe, ...rest } = recordOf(interpreted);
  assertEquals([gid, subj], [{ name: "domain users" }, "a b"]);
  assertEquals([rest.nr, rest.action], [48, "KILL_THREAD"]);
  assertEquals(
    exe,
    "/tmp/a sig=0 arch=i386 syscall=read compat=0 ip=0x1 code=log",
  );
});

Deno.test("readLogLine() masks the data of a return value", () => {
  const actions = [
    ["0x0", "KILL_THREAD"],
    ["0x80000000", "KILL_PROCESS"],
    ["0x3002a", "TRAP"],
    ["0x50026", "ERRNO"],
    ["0x7fc00000", "USER_NOTIF"],
    ["0x7ff00001", "TRACE"],
    ["0x7ffc0000", "LOG"],
    ["0x7fff0000", "ALLOW"],
    ["0x12340000", undefined],
  ] as const;
  for (const [code, action] of actions) {
    const line = KERNEL.replace("code=0x50000", `code=${code}`);
    assertEquals(recordOf(line).action, action, code);
  }
});

Deno.test("readLogLine() reads old kernels, calls of other architectures, and -1", () => {
  const old =
    'type=1326 audit(1360803374.349:10): auid=1000 uid=1000 gid=1000 ses=1 pid=7 comm="x" reason="seccomp" sig=31 syscall=59 compat=0 ip=0x7f code=0x0';
  assertEquals(
    [recordOf(old).auditArch, recordOf(old).nr, recordOf(old).signal],
    [undefined, 59, 31],
  );
  const rows = [
    ["arch=28 syscall=5", 0x28, 5],
    ["arch=40000028 syscall=983045", 0x4000_0028, 983_045],
    ["arch=c000003e syscall=1073741825", 0xc000_003e, 0x4000_0001],
    ["arch=c000003e syscall=-1", 0xc000_003e, 0xffff_ffff],
    ["arch=c000003e syscall=4294967295", 0xc000_003e, 0xffff_ffff],
  ] as const;
  for (const [fields, auditArch, nr] of rows) {
    const record = recordOf(
      KERNEL.replace("arch=c000003e syscall=257", fields),
    );
    assertEquals([record.auditArch, record.nr], [auditArch, nr], fields);
  }
});

Deno.test("readLogLine() reads the messages of programs that handle SIGSYS", () => {
  const arm64 = 0xc000_00b7;
  const amd64 = 0xc000_003e;
  const rows: readonly (readonly [string, Partial<LogRecord>])[] = [
    [
      "[pid  4321] --- SIGSYS {si_signo=SIGSYS, si_code=SYS_SECCOMP, si_call_addr=0x7f, si_syscall=__NR_openat, si_arch=AUDIT_ARCH_X86_64} ---",
      { form: "strace", pid: 4321, nr: 257, auditArch: amd64, action: "TRAP" },
    ],
    [
      "4321 10:20:30.123456 --- SIGSYS {si_signo=SIGSYS, si_code=SYS_SECCOMP, si_errno=EPERM, si_call_addr=0x7f, si_syscall=0x3e7, si_arch=AUDIT_ARCH_AARCH64} ---",
      { pid: 4321, nr: 999, auditArch: arm64, written: "10:20:30.123456" },
    ],
    [
      "06-04 10:41:22.123  1234  1240 F DEBUG   : Cause: seccomp prevented call to disallowed arm64 system call 434",
      { form: "android", nr: 434, auditArch: arm64 },
    ],
    [
      "Abort message: 'seccomp prevented call to disallowed x86_64 system call 39'",
      { nr: 39, auditArch: amd64 },
    ],
    [
      `06-04 10:41:22.123  1234  1234 W com.app: type=1326 audit(0.0:123): ${BODY}`,
      { nr: 257, written: "06-04 10:41:22.123" },
    ],
    [
      "libminijail[77]: blocked syscall: openat",
      { form: "minijail", pid: 77, callText: "openat" },
    ],
    ["libminijail: blocked syscall: 434", { nr: 434 }],
    [
      "../sigsys_handlers.cc:**CRASHING**:seccomp-bpf failure in syscall 0142",
      { form: "chromium", nr: 142 },
    ],
    [
      'Log: auid=1000 uid=1000 gid=1000 ses=119 subj=snap.a.b pid=37555 comm="edf" exe="/snap/edf" sig=0 arch=c000003e 314(sched_setattr) compat=0 ip=0x78846c90325d code=0x7ffc0000',
      { nr: 314, callText: "sched_setattr", action: "LOG", subj: "snap.a.b" },
    ],
  ];
  for (const [line, wanted] of rows) {
    const record: Readonly<Record<string, unknown>> = { ...recordOf(line) };
    for (const [field, value] of Object.entries(wanted)) {
      assertEquals(record[field], value, `${field} of ${line}`);
    }
  }
});

Deno.test("readLogLine() distinguishes bad records from unrelated lines", () => {
  const kinds = [
    [KERNEL.slice(0, KERNEL.indexOf(" arch=")), "bad"],
    ["audit: type=1326 aud", "bad"],
    ["--- SIGSYS {si_signo=SIGSYS, si_code=SYS_SECCOMP, si_call", "bad"],
    [KERNEL.replace("syscall=257", "syscall=99999999999"), "bad"],
    ["audit: kauditd_printk_skb: 12 callbacks suppressed", "lost"],
    ["--- SIGSYS {si_signo=SIGSYS, si_code=SI_USER, si_pid=1} ---", "other"],
    ["audit: type=1400 audit(1.000:1): apparmor=DENIED", "other"],
    ["SECCOMP is great", "other"],
    ["", "other"],
  ] as const;
  for (const [line, kind] of kinds) {
    assertEquals(readLogLine(line).kind, kind, line);
  }
});

Deno.test("readLogLine() ends on lines made to keep it busy", () => {
  const beginning = "type=SECCOMP msg=audit(1.000:1): ";
  const parts = [
    "a",
    "subj=",
    " uid= gid= ses=1",
    " sig=1 arch=x syscall=",
    'comm="',
    "type=SECCOMP msg=audit(",
    "--- SIGSYS {",
    "libminijail: ",
    "pid: 1, tid: 1, name: ",
    "seccomp ",
  ];
  for (const part of parts) {
    const text = part.repeat(Math.ceil(2 ** 19 / part.length));
    for (const line of [text, beginning + text, `auid=1${text} SECCOMP `]) {
      readLogLine(line);
      readLogLine(line.replace("(1.000:1)", "(01/01/25 10:00:00.000:1) "));
    }
  }
});
