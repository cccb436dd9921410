import { jitBytes } from "../../../cli/commands/verify_all.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { DEFAULT_PROFILE } from "../../../profile/default_profile.ts";
import { needs } from "../../machine.ts";
import { call, createFolder, spawn } from "../harness.ts";
import { sleepUnder } from "../sleeper.ts";

const test = needs("dump");

const ALLOW_ALL = "ret #0x7fff0000\n";
/** Denies only ptrace (101). */
const NO_PTRACE =
  "ld [0]\njeq #101, no\nret #0x7fff0000\nno: ret #0x00050001\n";

test("verify knows equal, different, stacked, unconfined and unknown", async () => {
  await using folder = await createFolder();
  const allow = await folder.write("allow.s", ALLOW_ALL);
  const deny = await folder.write("deny.s", NO_PTRACE);
  await using docker = await sleepUnder(["default:docker"]);
  await using stacked = await sleepUnder([allow, deny]);
  await using free = await sleepUnder([]);
  const cases: readonly (readonly [number, string, string, string, number])[] =
    [
      [docker.pid, "default:docker", "equivalent", "", 0],
      [docker.pid, deny, "different", "", 1],
      [stacked.pid, deny, "stacked", "equivalent", 0],
      [stacked.pid, allow, "stacked", "different", 1],
      [free.pid, "default:docker", "unconfined", "", 1],
      [4194304, "default:docker", "unknown", "", 5],
    ];
  for (const [pid, against, state, combination, expected] of cases) {
    const args = ["verify", "-q", `pid:${pid}`, "--against", against];
    const { code, out, err } = await call([...args, "-o", "json"]);
    assertEquals(code, expected, `${state}: ${err}`);
    const report = JSON.parse(out);
    assertEquals([report.schemaVersion, report.state], [1, state]);
    assertEquals(report.combination ?? "", combination);
    assertEquals(
      "witness" in report,
      combination === "different" || state === "different",
    );
    const text = await call(args);
    assertEquals(text.code, expected);
    if (expected !== 5) {
      assert(text.out.startsWith(`${state}: pid:${pid}, `), text.out);
    }
  }
});

test("verify writes a witness that simulate confirms on the live process", async () => {
  await using folder = await createFolder();
  const deny = await folder.write("deny.s", NO_PTRACE);
  await using sleeper = await sleepUnder([deny]);
  const { code, out } = await call(
    ["verify", `pid:${sleeper.pid}`, "--against", "-"],
    { stdin: ALLOW_ALL },
  );
  assertEquals(code, 1);
  assertMatch(
    out,
    /^different: pid:\d+, 1 filter, 4 instructions: not equal to standard input\n {2}call {2}ptrace\(/,
  );
  const command = /see {3}seccomp-tree (simulate pid:.*)/.exec(out)?.[1] ?? "";
  const simulated = await call(command.split(" "));
  assertMatch(simulated.out, /^ERRNO\(EPERM\)\n/, command);
});

test("verify distinguishes runc's stub from the profile without it", async () => {
  await using folder = await createFolder();
  const filter = join(folder.path, "runc.bpf");
  const made = await call([
    "compile",
    "-q",
    "--semantics",
    "runc",
    "-f",
    "raw",
    "-O",
    filter,
  ]);
  assertEquals(made.code, 0, made.err);
  await using sleeper = await sleepUnder([filter]);
  const args = [
    "verify",
    "-q",
    `pid:${sleeper.pid}`,
    "--against",
    "default:docker",
  ];
  assertEquals((await call([...args, "--semantics", "runc"])).code, 0);
  const other = await call([...args, "-o", "json"]);
  assertEquals([other.code, JSON.parse(other.out).equalUnder], [1, {
    semantics: "runc",
  }]);
  const told = await call(args.filter((word) => word !== "-q"));
  assertMatch(told.err, /it would be equal with --semantics runc\n$/);
  // Standard input can be read once.
  const words = args.map((word) => word === "default:docker" ? "-" : word);
  const piped = await call([...words, "-o", "json"], {
    stdin: DEFAULT_PROFILE,
  });
  assertEquals([piped.code, JSON.parse(piped.out).equalUnder], [1, undefined]);
});

test("verify detects a filter with the names of the host's libseccomp", async () => {
  await using folder = await createFolder();
  const filter = join(folder.path, "host.bpf");
  const flags = ["--names", "host", "--semantics", "runc"];
  const made = await call(
    ["compile", "-q", ...flags, "-f", "raw", "-O", filter],
  );
  assertEquals(made.code, 0, made.err);
  await using sleeper = await sleepUnder([filter]);
  const args = ["verify", `pid:${sleeper.pid}`, "--against", "default:docker"];
  assertEquals((await call([...args, ...flags])).code, 0);
  // A libseccomp that knows all names of the profile makes no difference.
  const alike = (await call([...args, "--semantics", "runc"])).code === 0;
  const { equalUnder } = JSON.parse((await call([...args, "-o", "json"])).out);
  assertEquals(
    equalUnder,
    { ...(alike ? {} : { names: "host" }), semantics: "runc" },
  );
  const told = await call(args);
  assertEquals(told.code, 1);
  const options = alike ? "" : "--names host ";
  assertMatch(
    told.err,
    new RegExp(`it would be equal with ${options}--semantics runc\n$`),
  );
});

test("verify prints no hint if no option would make it equal", async () => {
  await using folder = await createFolder();
  const deny = await folder.write("deny.s", NO_PTRACE);
  await using sleeper = await sleepUnder([deny]);
  const { code, err } = await call(
    ["verify", `pid:${sleeper.pid}`, "--against", "default:docker"],
  );
  assertEquals(code, 1);
  assert(!err.includes("it would be equal"), err);
});

Deno.test("jitBytes() is about what the kernel allocates", () => {
  // Measured on x86_64, Linux 6.18: 2,821 bytes of code for 229 instructions,
  // in chunks of 64 bytes, the first of which is the header.
  const measured = 64 * Math.ceil((64 + 2821) / 64);
  assertEquals(jitBytes([229]), measured);
  assertEquals(jitBytes([229, 229]), 2 * measured);
  assertEquals(jitBytes([]), 0);
});

test("verify --all lists confined processes", async () => {
  await using folder = await createFolder();
  const deny = await folder.write("deny.s", NO_PTRACE);
  await using sleeper = await sleepUnder([deny]);
  const { code, out } = await spawn(["verify", "--all", "-o", "json"]);
  assertEquals(code, 0);
  const { processes } = JSON.parse(out);
  const mine = processes.find((p: { pid: number }) => p.pid === sleeper.pid);
  assertEquals([mine.name, mine.mode, mine.filters, mine.lengths], [
    "sleep",
    "filter",
    1,
    [4],
  ]);
  assert(mine.jitBytes > 0 && mine.jitBytes % 64 === 0, `${mine.jitBytes}`);
  const text = await spawn(["verify", "--all"]);
  assertMatch(
    text.out,
    /^name +pid +filters +instructions +JIT bytes +digest +container\n/,
  );
  assertMatch(
    text.out,
    new RegExp(`^sleep +${sleeper.pid} +1 +4 +~\\d+ +st1:[0-9a-f]{12} `, "m"),
  );
  const compared = await spawn(["verify", "--all", "--against", deny]);
  assertMatch(
    compared.out,
    new RegExp(`^sleep +${sleeper.pid} .* equivalent`, "m"),
  );
});

test("verify --all groups processes whose filters mean the same", async () => {
  await using folder = await createFolder();
  const deny = await folder.write("deny.s", NO_PTRACE);
  // The same as NO_PTRACE, in other instructions and by two filters.
  const other = await folder.write(
    "other.s",
    "ld [0]\njge #101, more\nret #0x7fff0000\nmore: jge #102, yes\nret #0x00050001\nyes: ret #0x7fff0000\n",
  );
  const allow = await folder.write("allow.s", ALLOW_ALL);
  await using first = await sleepUnder([deny]);
  await using different = await sleepUnder([allow]);
  await using second = await sleepUnder([allow, other]);
  const { code, out, err } = await spawn(["verify", "--all", "-o", "json"]);
  assertEquals(code, 0, err);
  const { groups, processes } = JSON.parse(out);
  const own = await call(["digest", deny]);
  const digest = own.out.slice(0, 68);
  const group = groups.find((g: { digest: string }) => g.digest === digest);
  assertEquals(
    [first.pid, different.pid, second.pid].map((pid) =>
      group.pids.includes(pid)
    ),
    [true, false, true],
  );
  const places = group.pids.map((pid: number) =>
    processes.findIndex((p: { pid: number }) => p.pid === pid)
  );
  assertEquals(
    places,
    places.map((_: number, i: number) => places[0] + i),
    "processes of one group follow each other",
  );
});
