import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { nativeArch } from "../../cli/input/target.ts";
import { needs } from "../machine.ts";
import { call, createFolder, shell } from "./harness.ts";
import { nameOf, sleepUnder } from "./sleeper.ts";

const test = needs("dump");

const ALLOW_ALL = "ret #0x7fff0000\n";
/** Denies only ptrace (101). */
const NO_PTRACE =
  "ld [0]\njeq #101, no\nret #0x7fff0000\nno: ret #0x00050001\n";

function threadsOf(pid: number): readonly number[] {
  return [...Deno.readDirSync(`/proc/${pid}/task`)]
    .map(({ name }) => Number(name));
}

function stateOf(pid: number | "self"): ReadonlyMap<string, string> {
  return new Map(
    Deno.readTextFileSync(`/proc/${pid}/status`).split("\n").map((line) => {
      const [name = "", value = ""] = line.split(":\t");
      return [name, value];
    }),
  );
}

Deno.test("run is replaced by the command: output, input, exit code, signal", async () => {
  const cases: readonly (readonly [string, number, string])[] = [
    ["-- true", 0, ""],
    ["-- sh -c 'exit 7'", 7, ""],
    ["-- sh -c 'kill -9 $$'", 137, ""],
    ["-- sh -c 'kill -TERM $$'", 143, ""],
    ["-- echo --help -f 'a b'", 0, "--help -f a b\n"],
    ["-- sh -c 'grep ^Seccomp: /proc/self/status'", 0, "Seccomp:\t2\n"],
    ["-- sh -c 'echo $MARK; pwd'", 0, "mark\n/\n"],
    ["-- cat", 0, "input"],
  ];
  await Promise.all(cases.map(async ([words, expected, text]) => {
    const { code, out, err } = await shell(
      `$CLI run default:docker ${words}; exit $?`,
      { stdin: "input", env: { MARK: "mark" }, cwd: "/" },
    );
    assertEquals(
      [out, err.replace(/^(?:\S*bash: line .*|Killed|Terminated)\n/, "")],
      [text, ""],
      words,
    );
    assertEquals(code, expected, words);
  }));
});

Deno.test("run enforces the profile", async () => {
  await using folder = await createFolder();
  const filter = await folder.write(
    "f.s",
    // mkdir (83) and mkdirat (258) fail with EXDEV.
    "ld [0]\njeq #83, no\njeq #258, no\nret #0x7fff0000\nno: ret #0x00050012\n",
  );
  const { code, err } = await shell(
    `LC_ALL=C $CLI run ${filter} -- mkdir ${join(folder.path, "new")}`,
  );
  assertEquals(code, 1);
  assertMatch(err, /cross-device link/i);
});

Deno.test("run reports a missing command although PATH has a folder that cannot be searched", async () => {
  await using folder = await createFolder();
  const locked = `${folder.path}/locked`;
  await Deno.mkdir(locked, { mode: 0 });
  // Root may search any folder unless it gives the capability up.
  const bounded = Deno.uid() === 0
    ? "setpriv --bounding-set=-dac_override,-dac_read_search"
    : "";
  const { code, err } = await shell(
    `PATH=${locked}:$PATH exec ${bounded} $CLI run default:docker -- no-such-command`,
  );
  await Deno.chmod(locked, 0o700);
  assertEquals(code, 127, err);
  assertMatch(err, /no such program/);
});

Deno.test("run ends with 126 or 127 if there is no command to run", async () => {
  await using folder = await createFolder();
  const plain = await folder.write("plain", "not executable");
  // Denies execve (59).
  const noExec = await folder.write(
    "f.s",
    "ld [0]\njeq #59, no\nret #0x7fff0000\nno: ret #0x00050001\n",
  );
  const cases: readonly (readonly [string, number, RegExp])[] = [
    ["default:docker -- no-such-command", 127, /no such program/],
    ["default:docker -- ''", 127, /no such program/],
    [`default:docker -- ${plain}`, 126, /not executable/],
    [`default:docker -- ${folder.path}`, 126, /not executable/],
    [`${noExec} -- true`, 126, /to execve.*allow execve/],
  ];
  await Promise.all(cases.map(async ([words, expected, message]) => {
    const { code, out, err } = await shell(`$CLI run ${words}`);
    assertEquals([code, out], [expected, ""], `${words}: ${err}`);
    assertMatch(err, message, words);
  }));
});

Deno.test("run refuses filters that it cannot enforce", async () => {
  await using folder = await createFolder();
  const notify = await folder.write("n.s", "ret #0x7fc00000\n");
  const refused = await folder.write("r.s", "ld [3]\nret #0\n");
  const flagged = await folder.write(
    "p.json",
    '{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_NEW_LISTENER"]}',
  );
  const cases: readonly (readonly [string, RegExp])[] = [
    [notify, /USER_NOTIF/],
    [refused, /The kernel refuses the filter/],
    [flagged, /NEW_LISTENER/],
    ["missing.json", /No such file/],
  ];
  for (const [source, message] of cases) {
    const { code, err } = await call(["run", source, "--", "true"]);
    assertEquals(code, 3, `${source}: ${err}`);
    assertMatch(err, message, source);
  }
});

Deno.test("run loads the flags of the profile", async () => {
  await using folder = await createFolder();
  const profile = await folder.write(
    "p.json",
    '{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]}',
  );
  const { code, out, err } = await shell(
    `$CLI run --no-new-privs ${profile} -- grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status`,
  );
  assertEquals([code, out], [0, "NoNewPrivs:\t1\nSeccomp:\t2\n"], err);
});

test("dump writes loaded filters in every form", async () => {
  await using folder = await createFolder();
  await using sleeper = await sleepUnder(["default:docker"]);
  const word = `pid:${sleeper.pid}`;
  const compiled = await call(["compile", "-q", "-f", "raw"]);
  const raw = await call(["dump", word, "-f", "raw"]);
  assertEquals([raw.code, raw.err], [0, ""]);
  assertEquals([...raw.bytes], [...compiled.bytes]);
  const file = join(folder.path, "filter");
  const written = await call(["dump", word, "-f", "raw", "-O", file]);
  assertEquals([written.code, written.out], [0, ""], written.err);
  assertEquals([...await Deno.readFile(file)], [...compiled.bytes]);
  const text = await call(["dump", word]);
  assertEquals(text.out, (await call(["disasm", word])).out);
  const again = await call(["asm", "-", "-f", "raw"], { stdin: text.out });
  assertEquals([...again.bytes], [...compiled.bytes]);
  const beyond = await call(["dump", word, "--index", "1"]);
  assertEquals(beyond.code, 2, beyond.err);
  assertEquals(nameOf(sleeper.pid), "sleep", "it goes on");
  assertEquals(stateOf(sleeper.pid).get("TracerPid"), "0");
});

test("dump distinguishes several filters", async () => {
  await using folder = await createFolder();
  const first = await folder.write("1.s", ALLOW_ALL);
  const second = await folder.write("2.s", NO_PTRACE);
  await using sleeper = await sleepUnder([first, second]);
  const word = `pid:${sleeper.pid}`;
  const text = await call(["dump", word]);
  assertMatch(text.out, /^ +\.filter +; 0 of 2, oldest first\n/);
  assertMatch(text.out, /\n +\.filter +; 1 of 2\n/);
  const raw = await call(["dump", word, "-f", "raw"]);
  assertEquals([raw.code, raw.out], [2, ""]);
  assertMatch(raw.err, /pass -O FILE/);
  const out = join(folder.path, "out");
  assertEquals((await call(["dump", word, "-f", "hex", "-O", out])).code, 0);
  assertEquals(await Deno.readTextFile(`${out}.0`), "060000000000ff7f\n");
  const one = await call(["dump", word, "--index", "0", "-f", "hex"]);
  assertEquals(one.out, "060000000000ff7f\n");
  // A dumped filter is a source again, as text and as lines of digits.
  const hex = await call(["dump", word, "-f", "hex"]);
  assertEquals(hex.out.split("\n").length, 3);
  const stack = await folder.write("stack.s", text.out);
  assertEquals((await call(["asm", stack, "-f", "hex"])).out, hex.out);
  const report = await call(["dump", word, "-o", "json"]);
  const { pid, filters } = JSON.parse(report.out);
  assertEquals([pid, filters.length], [sleeper.pid, 2]);
  for (const data of [text.out, hex.out, report.out]) {
    const again = await call(["disasm", "-"], { stdin: data });
    assertEquals([again.code, again.out], [0, text.out]);
  }
  // The stricter answer wins, whichever filter gave it.
  const denied = await call(["simulate", word, "x86_64:101"]);
  assertMatch(denied.out, /^ERRNO\(EPERM\)\n/);
  assertMatch(
    denied.out,
    /path {3}filter 0, ALLOW: 0\n {2}path {3}filter 1, ERRNO\(EPERM\): 0 1 3\n/,
  );
});

test("calls of a live process are those of this machine", async () => {
  await using folder = await createFolder();
  const x86 = await folder.write(
    "x86.s",
    "ld [4]\njeq #0x40000003, yes\nyes: ret #0x7fff0000\n",
  );
  await using sleeper = await sleepUnder([x86]);
  const file = await call(["simulate", x86, "openat"]);
  assertMatch(file.out, /number 295 on x86\n/);
  const live = await call(["simulate", `pid:${sleeper.pid}`, "openat"]);
  assertEquals(live.err, "");
  assert(live.out.includes(` on ${nativeArch().name}`), live.out);
});

test("every command prints the same message for a process without a filter", async () => {
  await using folder = await createFolder();
  const filter = await folder.write("f.s", ALLOW_ALL);
  await using child = await sleepUnder([]);
  const word = `pid:${child.pid}`;
  const commands: readonly (readonly string[])[] = [
    ["dump", word],
    ["dump", "--thread", word],
    ["dump", word, "-q", "--index", "0"],
    ["disasm", word],
    ["stats", word],
    ["simulate", word, "read"],
    ["prove", word, filter],
    ["prove", filter, word],
    ["diff", word, filter],
    ["selftest", word],
    ["run", word, "--", "true"],
    ["verify", word, "--against", filter],
  ];
  for (const words of commands) {
    const { code, out, err } = await call(words);
    const expected = words[0] === "verify"
      ? [1, `unconfined: ${word}, no filter\n`, ""]
      : [1, "", `${word}: note: no filter\n`];
    assertEquals([code, out, err], expected, words.join(" "));
  }
  const both = await call(["stats", word, filter]);
  assertEquals(both.code, 1);
  assertMatch(both.out, /f\.s/);
});

test("a thread is distinguished from a process", async () => {
  await using child = await sleepUnder([]);
  const tid = threadsOf(Deno.pid).find((tid) => tid !== Deno.pid);
  assert(tid !== undefined, "this process has threads");
  const refused = await call(["dump", `pid:${tid}`]);
  assertEquals(refused.code, 5);
  assertMatch(refused.err, new RegExp(`it is a thread of process ${Deno.pid}`));
  const first = await call(["dump", "--thread", `pid:${child.pid}`]);
  assertEquals(first.code, 1, "it has no filter");
});
