import { assertEquals } from "@std/assert";
import { type BadLine, LogReader } from "../../logs/reader.ts";
import type { LogRecord } from "../../logs/record.ts";
import { guessInstant } from "../../logs/time.ts";

const body = (pid: number): string =>
  `auid=1000 uid=33 gid=33 ses=3 pid=${pid} comm="nginx" exe="/usr/sbin/nginx" sig=0 arch=c000003e syscall=257 compat=0 ip=0x7f code=0x50000`;
const printed = (serial: number, pid = 7): string =>
  `host kernel: audit: type=1326 audit(1622229872.180:${serial}): ${body(pid)}`;
const sent = (pid = 7): string => `host audit[${pid}]: SECCOMP ${body(pid)}`;

function read(lines: readonly (string | undefined)[]): {
  readonly records: readonly LogRecord[];
  readonly reader: LogReader;
  readonly bad: readonly BadLine[];
} {
  const bad: BadLine[] = [];
  const reader = new LogReader((line) => bad.push(line));
  return { records: lines.flatMap((line) => reader.read(line)), reader, bad };
}

Deno.test("LogReader counts an event once, however often it was written", () => {
  const auditd = `type=SECCOMP msg=audit(1622229872.180:1): ${body(7)}`;
  const rows = [
    [[printed(1), sent()], 1],
    [[sent(), printed(1)], 1],
    [[printed(1), sent(), auditd], 1],
    [[printed(1), printed(2), sent(), sent()], 2],
    [[sent(), sent(), printed(1), printed(2)], 2],
    // The kernel dropped the second line that it would have printed.
    [[printed(1), sent(), sent()], 2],
    [[printed(1), printed(2)], 2],
    [[sent(), sent()], 2],
    [[printed(1, 7), sent(8)], 2],
    [[printed(1), "other", "", sent()], 1],
  ] as const;
  for (const [lines, count] of rows) {
    const { records, reader } = read(lines);
    assertEquals(records.length, count, lines.join("\n"));
    assertEquals(reader.counts.records, count);
  }
});

const OBJECT = {
  __REALTIME_TIMESTAMP: "1622229872999999",
  _SOURCE_REALTIME_TIMESTAMP: "1622229872180000",
  _HOSTNAME: "web1",
  _TRANSPORT: "audit",
  _AUDIT_ID: "55",
  _AUDIT_TYPE_NAME: "SECCOMP",
  _CMDLINE: printed(99),
};

Deno.test("LogReader reads journald's JSON in all its forms", () => {
  const message = `SECCOMP ${body(7)}`;
  const bytes = [...new TextEncoder().encode(message)];
  const texts = [message, bytes, [bytes], [message, "other"]];
  for (const MESSAGE of texts) {
    const object = { ...OBJECT, MESSAGE };
    const json = JSON.stringify(object);
    const forms = [
      [json],
      [`\x1e${json}`],
      [`data: ${json}`, ""],
      JSON.stringify(object, undefined, "\t").split("\n"),
      `${JSON.stringify(object, undefined, 2)}\n`.replaceAll("\n", "\r\n")
        .split("\n"),
    ];
    for (const lines of forms) {
      const { records } = read(lines);
      const shown = lines.join("\n").slice(0, 300);
      assertEquals(records.length, 1, shown);
      assertEquals(records[0]?.id, "1622229872.180:55", shown);
      assertEquals(records[0]?.host, "web1", shown);
      assertEquals(records[0]?.time, 1_622_229_872_180, shown);
    }
  }
  assertEquals(
    read([JSON.stringify({ ...OBJECT, MESSAGE: null })]).records,
    [],
  );
});

Deno.test("LogReader reads dmesg -J, and objects of other collectors", () => {
  const dmesg = [
    "{",
    '   "dmesg": [',
    "      {",
    '         "pri": 5,',
    '         "time":    12.34,',
    `         "msg": ${JSON.stringify(printed(1).slice(13))}`,
    "      },{",
    '         "pri": 6,',
    `         "msg": ${JSON.stringify(printed(2).slice(13))}`,
    "      }",
    "   ]",
    "}",
  ];
  assertEquals(read(dmesg).records.map(({ id }) => id), [
    "1622229872.180:1",
    "1622229872.180:2",
  ]);
  const nested = {
    labels: { a: "b" },
    event: { log: `${printed(3)}\n` },
    n: 1,
  };
  for (const indent of [undefined, 2]) {
    const lines = JSON.stringify(nested, undefined, indent).split("\n");
    assertEquals(read(lines).records.length, 1);
  }
  const tombstone = {
    cause: "seccomp prevented call to disallowed x86 system call 214",
  };
  assertEquals(read([JSON.stringify(tombstone)]).records[0]?.nr, 214);
});

Deno.test("LogReader keeps and counts bad lines, and goes on", () => {
  const cut = printed(1).slice(0, 100);
  const { records, reader, bad } = read([
    cut,
    undefined,
    "{",
    "not JSON",
    printed(2),
    "audit: kauditd_printk_skb: 12 callbacks suppressed",
    "\0\x1b[31m\ufffd",
    '{"MESSAGE":"SECCOMP auid=',
    "}",
    printed(3),
  ]);
  assertEquals(bad.map(({ line }) => line).slice(0, 2), [1, 2]);
  assertEquals(bad[0]?.text, cut);
  assertEquals(reader.counts.lost, 12);
  assertEquals(records.map(({ id }) => id).includes("1622229872.180:3"), true);
});

Deno.test("LogReader joins what a report says before its record", () => {
  const { records } = read([
    "06-04 10:41:22.100  1234  1240 F DEBUG   : pid: 1234, tid: 1240, name: worker  >>> com.example.app <<<",
    "06-04 10:41:22.100  1234  1240 F DEBUG   : uid: 10123",
    "06-04 10:41:22.100  1234  1240 F DEBUG   : Cause: seccomp prevented call to disallowed arm64 system call 434",
    "= Seccomp =",
    "Time: Mar 27 20:29:40",
    `Log: ${body(9)}`,
  ]);
  const [crash, snap] = records;
  assertEquals(
    [crash?.pid, crash?.comm, crash?.exe],
    [1234, "worker", "com.example.app"],
  );
  assertEquals([snap?.pid, snap?.written], [9, "Mar 27 20:29:40"]);
});

Deno.test("guessInstant() takes the last year that is not in the future", () => {
  const now = new Date(2026, 2, 10, 12).getTime();
  const local = (...parts: [number, number, number, number]): number =>
    new Date(...parts).getTime();
  const rows = [
    ["Mar  9 15:00:00", local(2026, 2, 9, 15)],
    ["Dec 31 15:00:00", local(2025, 11, 31, 15)],
    ["Fri May 28 15:00:00 2021", local(2021, 4, 28, 15)],
    ["06-04 15:00:00.000", local(2025, 5, 4, 15)],
    ["03/04/2025 15:00:00.000", local(2025, 2, 4, 15)],
    ["03/04/25 15:00:00.000", local(2025, 2, 4, 15)],
    ["04.03.2025 15:00:00.000", local(2025, 2, 4, 15)],
    ["2025-03-04 15:00:00", local(2025, 2, 4, 15)],
    ["[252.130031]", undefined],
    ["10:20:30", undefined],
  ] as const;
  for (const [written, time] of rows) {
    assertEquals(guessInstant(written, now), time, written);
  }
});
