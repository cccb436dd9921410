import { assert, assertEquals, assertMatch } from "@std/assert";
import { needs } from "../machine.ts";
import { call, createFolder, shell, SMALL_PROFILE } from "./harness.ts";
import { sleepUnder } from "./sleeper.ts";

/** A command line that an answer printed, and its expected answer. */
interface Printed {
  readonly line: string;
  readonly verdict: string;
}

/** Finds the command lines below each witness, with the answers of its sides. */
function printedIn(out: string): readonly Printed[] {
  const found: Printed[] = [];
  let verdicts: string[] = [];
  let seen = 0;
  for (const text of out.split("\n")) {
    const verdict = /^ {2}[AB] {5}([A-Z_]+(?:\([\w?]+\))?)/.exec(text)?.[1];
    const pair = /^(?:looser|tighter|changed): (\S+) -> (\S+) on /.exec(text) ??
      /^ {2}mismatch: .*: (\S+), .* says (\S+)$/.exec(text);
    const line = /^ +see +(.*)$/.exec(text)?.[1];
    if (line === undefined) {
      if (seen > 0) [verdicts, seen] = [[], 0];
      if (verdict !== undefined) verdicts.push(verdict);
      if (pair !== null) verdicts = [pair[1] ?? "", pair[2] ?? ""];
      continue;
    }
    // The lines of diff are at its end, with their answers in comments.
    const answer = /(?: {2}#|;) ([A-Z_]+(?:\([\w?]+\))?)$/.exec(line)?.[1];
    found.push({ line, verdict: answer ?? verdicts[seen] ?? "" });
    seen++;
  }
  return found;
}

/** Runs command lines as a user would who copies them into a shell. */
async function answersOf(
  lines: readonly string[],
  stdin: string | undefined,
): Promise<readonly string[]> {
  const script = [
    'seccomp-tree() { $CLI "$@" | head -1; }',
    ...lines,
  ].join("\n");
  const { code, out, err } = await shell(
    script,
    stdin === undefined ? {} : { stdin },
  );
  assertEquals(code, 0, err);
  return out.trimEnd().split("\n");
}

/** Checks that each printed command line gives the printed answer. */
async function assertReproduces(
  args: readonly string[],
  least: number,
  stdin?: string,
): Promise<readonly Printed[]> {
  const { code, out, err } = await call(
    args,
    stdin === undefined ? {} : { stdin },
  );
  assertEquals(code, 1, `${args.join(" ")}: ${out}${err}`);
  const printed = printedIn(out);
  assert(printed.length >= least, out);
  // One shell runs several of them, because each start takes time.
  const shown = printed.slice(0, 8);
  const [fromStdin, others] = [true, false].map((wanted) =>
    shown.filter(({ line }) => line.includes("standard input") === wanted)
  );
  for (const one of fromStdin ?? []) {
    assertEquals(await answersOf([one.line], stdin), [one.verdict], one.line);
  }
  const lines = (others ?? []).map(({ line }) => line);
  if (lines.length > 0) {
    assertEquals(
      await answersOf(lines, undefined),
      (others ?? []).map(({ verdict }) => verdict),
      lines.join("\n"),
    );
  }
  return printed;
}

/** A profile whose meaning depends on every option. */
const DOCKER = JSON.stringify({
  defaultAction: "SCMP_ACT_ERRNO",
  archMap: [{
    architecture: "SCMP_ARCH_X86_64",
    subArchitectures: ["SCMP_ARCH_X86"],
  }, { architecture: "SCMP_ARCH_S390X", subArchitectures: ["SCMP_ARCH_S390"] }],
  syscalls: [
    { names: ["read"], action: "SCMP_ACT_ALLOW" },
    { names: ["no_such_call"], action: "SCMP_ACT_ALLOW" },
    {
      names: ["mount"],
      action: "SCMP_ACT_ALLOW",
      includes: { caps: ["CAP_SYS_ADMIN"] },
    },
    {
      names: ["ptrace"],
      action: "SCMP_ACT_ALLOW",
      includes: { minKernel: "4.8" },
    },
  ],
});

Deno.test("command lines printed by prove and diff reproduce their answers", async () => {
  await using folder = await createFolder();
  const docker = await folder.write('a profile\'s "$HOME".json', DOCKER);
  const read = await folder.write(
    "-read\u202e\n.json",
    '{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],' +
      '"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}',
  );
  const options = [
    ["--arch", "x86_64", "--caps", "CAP_SYS_ADMIN", "--kernel", "4.7"],
    ["--arch", "x86_64,x86", "--kernel", "4.8", "--semantics", "runc"],
    ["--arch", "s390x", "--caps", "all", "--unknown", "warn"],
    ["--arch", "x86_64", "--kernel", "6.1", "--from", "profile"],
  ];
  for (const flags of options) {
    const quiet = ["-q", ...flags];
    const lines = await assertReproduces(["prove", ...quiet, docker, read], 2);
    for (const { line } of lines) {
      for (const flag of flags) assert(line.includes(` ${flag}`), line);
    }
    await assertReproduces(["diff", ...quiet, docker, read], 2);
    await assertReproduces(
      ["diff", ...quiet, "--subset-of", read, docker],
      2,
    );
  }
});

Deno.test("a path that begins with a dash is a path in a printed command line", async () => {
  await using folder = await createFolder();
  await folder.write("-a.s", "ret #0\n");
  await folder.write("b.s", "ret #0x7fff0000\n");
  const { out } = await shell(`$CLI prove -q -- -a.s b.s`, {
    cwd: folder.path,
  });
  const printed = printedIn(out);
  assertEquals(printed.length, 2, out);
  const script = `seccomp-tree() { $CLI "$@" | head -1; }\n${
    printed.map(({ line }) => line).join("\n")
  }`;
  const again = await shell(script, { cwd: folder.path });
  assertEquals(again.out, "KILL_THREAD\nALLOW\n", again.err);
});

Deno.test("printed command lines name standard input", async () => {
  await using folder = await createFolder();
  const allow = await folder.write("allow.s", "ret #0x7fff0000\n");
  const printed = await assertReproduces(
    ["prove", "-q", "--arch", "x86_64", "-", allow],
    2,
    SMALL_PROFILE,
  );
  assertMatch(
    printed[0]?.line ?? "",
    / - .* {2}# - is the same standard input$/,
  );
  const { out } = await call(["prove", "-q", "-", allow], {
    stdin: SMALL_PROFILE,
  });
  assertMatch(out, /^ {2}A {5}\S+.* {2}standard input$/m);
});

const FLAGS = ["-q", "--caps", "all", "--kernel", "4.7"] as const;

/** A process is read by its id. */
const live = needs("dump");

live("command lines of verify answer what stands beside them", async () => {
  await using folder = await createFolder();
  const deny = await folder.write(
    "deny.s",
    "ld [0]\njeq #101, no\nret #0x7fff0000\nno: ret #0x00050001\n",
  );
  const docker = await folder.write("docker.json", DOCKER);
  await using sleeper = await sleepUnder([deny]);
  await assertReproduces(
    ["verify", ...FLAGS, `pid:${sleeper.pid}`, "--against", docker],
    2,
  );
});

Deno.test("command lines printed by selftest reproduce their answers", async () => {
  await using folder = await createFolder();
  const docker = await folder.write("docker.json", DOCKER);
  const made = await call(
    ["compile", "-q", "--caps", "none", docker, "-f", "base64"],
  );
  const program = await folder.write("other.b64", made.out);
  await assertReproduces(
    ["selftest", ...FLAGS, docker, "--program", program],
    2,
  );
});

Deno.test("witnesses are on the architecture of the machine if it has any", async () => {
  await using folder = await createFolder();
  const profile = (write: string): string =>
    SMALL_PROFILE.replace(
      '["SCMP_ARCH_X86_64"]',
      '["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"]',
    ).replace('"write"', `"${write}"`);
  const a = await folder.write("a.json", profile("write"));
  const b = await folder.write("b.json", profile("writev"));
  for (const arch of ["x86_64", "x86"]) {
    const others = arch === "x86" ? ["x86_64"] : ["x86", "x32"];
    const flags = ["-q", "--arch", [arch, ...others].join(",")];
    for (const command of ["prove", "diff"]) {
      const { out } = await call([command, ...flags, a, b, "-o", "json"]);
      const { witness } = JSON.parse(out);
      assertEquals(witness.arch.split("+")[0], arch, command);
    }
    const subset = await call(
      ["diff", ...flags, "--subset-of", a, b, "-o", "json"],
    );
    const { witness } = JSON.parse(subset.out);
    assertEquals(witness.arch.split("+")[0], arch);
  }
});
