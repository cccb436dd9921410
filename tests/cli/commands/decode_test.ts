import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { followFile } from "../../../cli/input/follow.ts";
import { parseSince } from "../../../cli/input/since.ts";
import { needs, sharedFile } from "../../machine.ts";
import { call, createFolder, MAIN, SMALL_PROFILE } from "../harness.ts";

/** A line of the real ones: the record, and what its fields mean. */
interface RealLine {
  readonly line: string;
  readonly arch: string;
  readonly call: string;
  readonly signal: string;
  readonly action: string;
}

/** A record of `decode -o json`. */
interface Decoded {
  readonly line: number;
  readonly call: string | null;
  readonly nr: number | null;
  readonly arch: string | null;
  readonly compat: boolean | null;
  readonly action: string | null;
  readonly effect?: string;
  readonly signal: string | null;
  readonly count: number;
  readonly exe: string | null;
  readonly against?: Readonly<Record<string, unknown>>;
}

async function decodeJson(
  log: string,
  ...args: readonly string[]
): Promise<readonly Decoded[]> {
  const { out, err } = await call(["decode", "-o", "json", ...args], {
    stdin: log,
  });
  assert(out !== "", err);
  const report = JSON.parse(out);
  assertEquals(report.schemaVersion, 1);
  return report.records;
}

const record = (serial: number, fields = ""): string => {
  const all: Record<string, string> = {
    ...{ uid: "0", pid: "7", comm: '"sh"', exe: '"/bin/sh"', sig: "0" },
    ...{ arch: "c000003e", syscall: "165", compat: "0", ip: "0x7f" },
    code: "0x50000",
  };
  for (const [, name = "", value = ""] of fields.matchAll(/(\w+)=(\S+)/g)) {
    all[name] = value;
  }
  const body = Object.entries(all).map((pair) => pair.join("=")).join(" ");
  return `audit: type=1326 audit(1622229872.180:${serial}): auid=1000 ${body}\n`;
};

needs("shared")(
  "decode: the real lines say what their fields say",
  async () => {
    const lines = (await Deno.readTextFile(sharedFile("audit-lines.jsonl")))
      .trim()
      .split("\n").map((line) => JSON.parse(line) as RealLine);
    assert(lines.length >= 13);
    const log = lines.map(({ line }) => `${line}\n`).join("");
    const decoded = await decodeJson(log);
    assertEquals(decoded.map(({ line }) => line), lines.map((_, i) => i + 1));
    const text = (await call(["decode"], { stdin: log })).out;
    for (const [i, real] of lines.entries()) {
      const { arch, call, nr, compat, action, effect, signal } = decoded[i] ??
        decoded[0] as Decoded;
      const words = compat === true ? `${arch} (compat)` : arch;
      const shown = real.call.includes("(0x")
        ? `${call} (0x${nr?.toString(16).toUpperCase()})`
        : call;
      assertEquals([words, shown], [real.arch, real.call], real.line);
      assertEquals(signal ?? "sig 0", real.signal, real.line);
      const [, name, why] = /^(\w+)(?: \((.*)\))?$/.exec(real.action) ?? [];
      assertEquals(action, name, real.line);
      if (why !== undefined) assertEquals(effect, why, real.line);
      assertStringIncludes(text, `${call}`);
    }
    // The file itself is a log: JSON with the lines in it.
    const { out } = await call([
      "decode",
      sharedFile("audit-lines.jsonl").pathname,
    ]);
    assertEquals(out, text);
  },
);

Deno.test("decode: exits 0, 1 and 3 for records, no records, and unreadable ones", async () => {
  await using folder = await createFolder();
  const rows = [
    [record(1), 0],
    ["nothing\n", 1],
    ["", 1],
    ["audit: type=1326 audit(1.000:1): auid=0\n", 3],
    [`audit: type=1326 audit(1.000:1): auid=0\n${record(1)}`, 0],
  ] as const;
  for (const [log, code] of rows) {
    const outcome = await call(["decode"], { stdin: log });
    assertEquals(outcome.code, code, `${log}${outcome.err}`);
    const grouped = await call(["decode", "--group"], { stdin: log });
    assertEquals(grouped.code, code, log);
  }
  for (const path of ["missing", "."]) {
    const { code, out } = await call(["decode", `${folder.path}/${path}`]);
    assertEquals([code, out], [3, ""]);
  }
  assertEquals((await call(["decode", "--group", "--follow"])).code, 2);
  assertEquals((await call(["decode", "--since", "soon"])).code, 2);
  assertEquals((await call(["decode", "-", "--against", "-"])).code, 2);
});

Deno.test("decode: equal neighbors are one line with a count, bad lines are counted", async () => {
  const log = record(1) + record(2) + record(3, "syscall=166") + record(4) +
    "audit: type=1326 audit(1.000:5): auid=0\n";
  const records = await decodeJson(log);
  assertEquals(records.map(({ call, count }) => [call, count]), [
    ["mount", 2],
    ["umount2", 1],
    ["mount", 1],
  ]);
  const { out, err } = await call(["decode"], { stdin: log });
  assertEquals(out.split("\n").length - 1, 3);
  assertMatch(out, /mount on x86_64.*×2 until 2021-05-28T/);
  assertStringIncludes(err, "<stdin>:5: warning: Cannot read record");
  assertStringIncludes(err, "1 line cannot be read");
});

Deno.test("decode: --group counts by call, architecture, program and action", async () => {
  const log = record(1) + record(2, "syscall=166") + record(3) +
    record(4, "arch=40000003 syscall=21 compat=1") +
    record(5, 'exe="/bin/other"') + record(6, "code=0x7ffc0000") +
    record(7, "pid=8 uid=33");
  const { out } = await call(["decode", "--group", "-o", "json"], {
    stdin: log,
  });
  const { groups, schemaVersion } = JSON.parse(out);
  assertEquals(schemaVersion, 1);
  const rows = groups.map((
    { count, call, arch, action, program }: Readonly<Record<string, unknown>>,
  ) => [count, call, arch, action, program].join(" "));
  assertEquals(rows, [
    "3 mount x86_64 ERRNO /bin/sh",
    "1 umount2 x86_64 ERRNO /bin/sh",
    "1 mount x86 ERRNO /bin/sh",
    "1 mount x86_64 ERRNO /bin/other",
    "1 mount x86_64 LOG /bin/sh",
  ]);
});

Deno.test("decode: hostile names reach the terminal as escapes", async () => {
  const hex = (text: string): string =>
    [...new TextEncoder().encode(text)].map((byte) =>
      byte.toString(16).padStart(2, "0").toUpperCase()
    ).join("");
  const name = "\x1b]0;pwned\x07\u202e\nx";
  const log = record(1, `comm=${hex("\x1b[2J")} exe=${hex(name)}`) +
    "audit: type=1326 audit(1.000:5): \x1b[2J\u202e\n";
  for (const options of [[], ["--group"], ["-o", "json"]]) {
    const { out, err } = await call(["decode", ...options], { stdin: log });
    // deno-lint-ignore no-control-regex -- they must not be there
    assertEquals(/[\x00-\x09\x0b-\x1f\u202e]/.test(out + err), false, out);
  }
  assertEquals((await decodeJson(log))[0]?.exe, name);
});

Deno.test("decode: --against adds the rule and the entry that is missing", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("profile.json", SMALL_PROFILE);
  const log = record(1) + record(2, "syscall=0") + record(3, "syscall=41") +
    record(4, "arch=40000003 syscall=21 compat=1");
  const records = await decodeJson(log, "--against", profile, "-q");
  const [mount, read, socket, compat] = records.map(({ against }) => against);
  const entry = { names: ["mount"], action: "SCMP_ACT_ALLOW" };
  const rest = { first: false, removeFrom: [] };
  assertEquals(mount?.["missing"], {
    entries: [entry],
    ...rest,
    architectures: [],
  });
  assertEquals(mount?.["verdict"], "ERRNO(EPERM)");
  assertStringIncludes(String(mount?.["rule"]), `defaultAction (${profile}:1:`);
  assertEquals([read?.["verdict"], read?.["missing"]], ["ALLOW", undefined]);
  assertEquals(socket?.["verdict"], null);
  assertStringIncludes(String(socket?.["rule"]), "syscalls[1] (ALLOW)");
  assertEquals(compat?.["missing"], {
    entries: [entry],
    ...rest,
    architectures: ["SCMP_ARCH_X86"],
  });
  // The entry, added, allows the call.
  const added = JSON.parse(SMALL_PROFILE);
  added.syscalls.push(entry);
  const file = await folder.write("added.json", JSON.stringify(added));
  const [again] = await decodeJson(record(1), "--against", file, "-q");
  assertEquals(again?.against?.["verdict"], "ALLOW");
  // A profile that denies by a list needs another change.
  const denying = await folder.write(
    "denying.json",
    JSON.stringify({
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["mount", "acct"], action: "SCMP_ACT_ERRNO" }],
    }),
  );
  const [denied] = await decodeJson(record(1), "--against", denying, "-q");
  const { removeFrom } = denied?.against?.["missing"] as {
    readonly removeFrom: readonly string[];
  };
  assertEquals(removeFrom, ["syscalls[0]"]);
  // A bare filter has no rules, but answers.
  const { bytes } = await call(["compile", "-q", "-f", "raw", profile]);
  const raw = `${folder.path}/filter.bpf`;
  await Deno.writeFile(raw, bytes);
  const bare = await decodeJson(log, "--against", raw, "-q");
  assertEquals(
    bare.map(({ against }) => against?.["verdict"]),
    records.map(({ against }) => against?.["verdict"]),
  );
  const { out } = await call(
    ["decode", "--group", "-q", "--against", profile],
    {
      stdin: log,
    },
  );
  assertStringIncludes(out, 'to allow  {"names":["mount"]');
});

Deno.test("decode: --since omits what is older, and keeps what has no time", async () => {
  const log = record(1) +
    record(2).replace("1622229872", "1622329872") +
    "--- SIGSYS {si_signo=SIGSYS, si_code=SYS_SECCOMP, si_syscall=__NR_read, si_arch=AUDIT_ARCH_X86_64} ---\n";
  for (const since of ["@1622300000", "2021-05-29T14:53:20Z"]) {
    const records = await decodeJson(log, "--since", since);
    assertEquals(records.map(({ line }) => line), [2, 3], since);
  }
  assertEquals((await decodeJson(log, "--since", "1h")).length, 1);
  const older = await call(["decode", "--since", "1h"], { stdin: record(1) });
  assertEquals([older.code, older.out], [1, ""]);
});

Deno.test("parseSince() reads what users write", () => {
  const now = Date.now();
  assertEquals(parseSince("@1622229872.5"), 1_622_229_872_500);
  assertEquals(parseSince("2021-05-28T15:24:32Z"), 1_622_215_472_000);
  assertEquals(
    parseSince("2021-05-28"),
    new Date(2021, 4, 28).getTime(),
  );
  assertEquals(
    parseSince("2021-05-28 15:24"),
    new Date(2021, 4, 28, 15, 24).getTime(),
  );
  for (const [text, ago] of [["2h", 7.2e6], ["3d ago", 2.592e8]] as const) {
    assert(Math.abs(parseSince(text) - (now - ago)) < 60_000, text);
  }
});

Deno.test("decode: a pipe is answered while it is open, as JSON lines with --follow", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, "decode", "--follow", "-o", "json"],
    ...{ stdin: "piped", stdout: "piped", stderr: "null" },
  }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.getReader();
  let out = "";
  for (const serial of [1, 2]) {
    await writer.write(new TextEncoder().encode(record(serial)));
    while (out.split("\n").length <= serial) {
      const { value, done } = await reader.read();
      assert(!done, out);
      out += new TextDecoder().decode(value);
    }
  }
  await writer.close();
  await reader.cancel();
  assertEquals((await child.status).code, 0);
  const ids = out.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(ids.map(({ schemaVersion, id }) => [schemaVersion, id]), [
    [1, "1622229872.180:1"],
    [1, "1622229872.180:2"],
  ]);
});

Deno.test("followFile() follows a name: growth, rotation, truncation, a file that appears", async () => {
  await using folder = await createFolder();
  const path = `${folder.path}/log`;
  const stop = new AbortController();
  const notices: string[] = [];
  let text = "";
  const done = (async (): Promise<void> => {
    const chunks = followFile(path, {
      notice: (notice) => notices.push(notice.replace(/^".*" /, "")),
      signal: stop.signal,
    });
    for await (const chunk of chunks) text += new TextDecoder().decode(chunk);
  })();
  const until = async (wanted: string): Promise<void> => {
    while (!text.endsWith(wanted)) await new Promise((r) => setTimeout(r, 20));
  };
  await Deno.writeTextFile(path, "one\n");
  await until("one\n");
  await Deno.writeTextFile(path, "two\nhal", { append: true });
  await until("hal");
  await Deno.rename(path, `${path}.1`);
  await Deno.writeTextFile(`${path}.1`, "f\n", { append: true });
  await until("half\n");
  await Deno.writeTextFile(path, "three\n");
  await until("three\n");
  await Deno.writeTextFile(path, "4\n");
  await until("4\n");
  stop.abort();
  await done;
  assertEquals(text, "one\ntwo\nhalf\n\nthree\n\n4\n");
  assertEquals(notices.slice(-2), [
    "was replaced",
    "was truncated; reading from its beginning",
  ]);
});
