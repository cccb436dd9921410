import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Io } from "../../../cli/io.ts";
import { runCommandLine } from "../../../cli/command_line.ts";
import { needs, sharedFile } from "../../machine.ts";
import { call, createFolder, SMALL_PROFILE } from "../harness.ts";

const test = needs("shared");

const QUIET = ["-q", "--arch", "x86_64"];

Deno.test("simulate prints verdict, rule, steps and path", async () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["read", "ALLOW", "syscalls[0]"],
    ["x86_64:1", "ALLOW", "syscalls[0]"],
    ["socket 1", "ALLOW", "syscalls[1]"],
    ["socket 2", "ERRNO(EPERM)", "none: defaultAction"],
    ["socket 0x100000001", "ERRNO(EPERM)", "none: defaultAction"],
    ["41 0b1", "ALLOW", "syscalls[1]"],
    ["-1", "ERRNO(EPERM)", "none: defaultAction"],
    ["4294967295", "ERRNO(EPERM)", "none: defaultAction"],
    ["0xc000003e:0", "ALLOW", "syscalls[0]"],
    [
      "x86:read",
      "KILL_THREAD",
      "none: the profile is not for this architecture",
    ],
    [
      "0x12345678:0",
      "KILL_THREAD",
      "none: the profile is not for this architecture",
    ],
  ];
  for (const [words, verdict, rule] of cases) {
    const args = ["simulate", ...QUIET, "-", ...words.split(" ")];
    const { code, out, err } = await call(args, { stdin: SMALL_PROFILE });
    assertEquals([code, err], [0, ""], words);
    const lines = out.split("\n");
    assertEquals(lines[0], verdict, words);
    assert(out.includes(`\n  rule   ${rule}\n`), `${words}: ${out}`);
    const steps = Number(/ {2}steps {2}(\d+)/.exec(out)?.[1]);
    const path = /path {3}([\d ]+)/.exec(out)?.[1]?.split(" ") ?? [];
    assertEquals(path.length, steps, words);
    assertEquals(path[0], "0", words);
    const json = JSON.parse(
      (await call([...args.slice(0, 1), "-o", "json", ...args.slice(1)], {
        stdin: SMALL_PROFILE,
      })).out,
    );
    assertEquals(json.schemaVersion, 1);
    assertEquals([json.verdict, json.rule, json.steps], [verdict, rule, steps]);
    assertEquals(json.paths, [path.map(Number)], words);
  }
});

Deno.test("simulate hands over 64-bit arguments exactly", async () => {
  const max = "0xffffffffffffffff";
  for (const word of ["-1", "18446744073709551615", max]) {
    const { out } = await call(
      ["simulate", ...QUIET, "-o", "json", "-", "read", word],
      { stdin: SMALL_PROFILE },
    );
    assertEquals(JSON.parse(out).args[0], max, word);
  }
});

Deno.test("simulate --ip sets the address of the call", async () => {
  const stdin =
    "ld [8]\njeq #0x1234, yes\nret #0x80000000\nyes: ret #0x7fff0000\n";
  const verdict = async (ip: string): Promise<string> =>
    (await call(["simulate", "-", "0", "--ip", ip], { stdin })).out
      .split("\n")[0] ?? "";
  assertEquals(await verdict("0x1234"), "ALLOW");
  assertEquals(await verdict("0x1235"), "KILL_PROCESS");
});

Deno.test("simulate --vectors answers every line, and exits with 1 if one differs", async () => {
  const vectors = [
    { arch: "x86_64", nr: 0, args: [], expect: "ALLOW" },
    { arch: "x86_64", nr: 41, args: ["0x1"], expect: "ALLOW" },
    { nr: "socket", args: [2], expect: "ERRNO(EPERM)" },
    { arch: "x86", nr: 3, expect: "KILL" },
    { syscall: "write" },
  ];
  const text = vectors.map((v) => `${JSON.stringify(v)}\n`).join("\n");
  await using folder = await createFolder();
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const args = ["simulate", ...QUIET, profile, "--vectors", "-"];
  const good = await call(args, { stdin: text });
  assertEquals([good.code, good.err], [0, ""]);
  const answers = good.out.trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  assertEquals(answers.map((a) => a.verdict), [
    "ALLOW",
    "ALLOW",
    "ERRNO(EPERM)",
    "KILL_THREAD",
    "ALLOW",
  ]);
  assertEquals(answers.map((a) => a.ok), [true, true, true, true, undefined]);
  const bad = await call(args, {
    stdin: text.replace('"expect":"ERRNO(EPERM)"', '"expect":"ERRNO(38)"'),
  });
  assertEquals(bad.code, 1);
  assertEquals(bad.err, "1 of 5 vectors differ\n");
  // Its output can be read again.
  const again = await call(args, { stdin: good.out });
  assertEquals([again.code, again.out], [0, good.out], again.err);
});

Deno.test("simulate --vectors reports the line that it cannot read", async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["{", /JSON/],
    ["[1]", /not an object/],
    ['{"arch":"x86_64"}', /no nr/],
    ['{"nr":0,"args":5}', /args/],
    ['{"nr":0,"args":[0,0,0,0,0,0,0]}', /up to six/],
    ['{"nr":0,"args":[1.5]}', /1\.5/],
    ['{"nr":0,"args":[18446744073709551615]}', /write a string/],
    ['{"nr":0,"args":[null]}', /null/],
    ['{"nr":0,"arch":"vax"}', /vax/],
    ['{"nr":0,"expect":"MAYBE"}', /MAYBE/],
    ['{"nr":0,"exepct":"ALLOW"}', /unknown field "exepct"/],
  ];
  for (const [line, message] of cases) {
    const { code, out, err } = await call(
      ["simulate", ...QUIET, "default:docker", "--vectors", "-"],
      { stdin: `{"nr":0}\n\n${line}\n{"nr":1}` },
    );
    // It goes on after the line.
    assertEquals([code, out.split("\n").length], [3, 3], line);
    assertMatch(err, /^<stdin>:3: error: Cannot read vector: /, line);
    assertMatch(err, message, line);
    assertMatch(err, /\n1 of 3 lines cannot be read\n$/, line);
  }
});

Deno.test("simulate --vectors reports the first lines that it cannot read, and counts all", async () => {
  const { code, out, err } = await call(
    ["simulate", ...QUIET, "default:docker", "--vectors", "-"],
    {
      stdin: `${"{\n".repeat(100)}{"nr":0,"expect":"TRAP"}\n${
        "9".repeat(2 ** 21)
      }\n{"nr":0}`,
    },
  );
  assertEquals(code, 3);
  assertEquals(out.split("\n").length, 3);
  assertEquals(err.match(/: error: /g)?.length, 20);
  assertMatch(
    err,
    /\n1 of 2 vectors differ\n101 of 103 lines cannot be read\n$/,
  );
  const long = await call(
    ["simulate", ...QUIET, "default:docker", "--vectors", "-"],
    { stdin: `{"nr":0}\n${"9".repeat(2 ** 21)}\n{"nr":0}\n` },
  );
  assertMatch(long.err, /^<stdin>:2: error: Cannot read vector: longer than /);
  assertEquals(long.out.split("\n").length, 3);
});

Deno.test("simulate --vectors answers while input is still arriving", async () => {
  const line = new TextEncoder().encode('{"nr":0,"args":["0x2');
  const rest = new TextEncoder().encode('6"]}\n');
  let written = 0;
  const seen: number[] = [];
  const io: Io = {
    out: (data) => {
      written += data.length;
    },
    err: () => {},
    stdin: async function* (): AsyncGenerator<Uint8Array> {
      // Lines that chunks cut in two, 3 MB in all.
      for (let i = 0; i < 10; i++) {
        for (let j = 0; j < 1000; j++) yield* [line, rest];
        seen.push(written);
        await Promise.resolve();
      }
    },
    outIsTerminal: false,
    outColor: false,
    color: false,
  };
  const args = ["simulate", ...QUIET, "default:docker", "--vectors", "-"];
  assertEquals(await runCommandLine(io, args), 0);
  assertEquals(seen.toSorted((a, b) => a - b), seen);
  // At most one block is unwritten.
  assert((seen[0] ?? 0) > 100_000, `${seen}`);
});

test("simulate agrees with the published vectors of libseccomp", async () => {
  const text = await Deno.readTextFile(sharedFile("libseccomp-vectors.json"));
  // Numbers of these data files are exact in the fields that this test reads.
  const { tests } = JSON.parse(text) as {
    readonly tests: readonly {
      readonly name: string;
      readonly native: string;
      readonly needsBigInt: boolean;
      readonly oci: unknown;
      readonly vectors: readonly { readonly arch: string }[];
    }[];
  };
  await using folder = await createFolder();
  const known = new Set(["x86_64", "x86", "x32"]);
  let seen = 0;
  for (const { name, native, needsBigInt, oci, vectors } of tests) {
    const mine = vectors.filter(({ arch }) => known.has(arch));
    if (native !== "x86_64" || needsBigInt || mine.length === 0) continue;
    const profile = await folder.write("p.json", JSON.stringify(oci));
    const { code, err } = await call(
      ["simulate", "-q", "--unknown", "ignore", profile, "--vectors", "-"],
      { stdin: mine.map((v) => JSON.stringify(v)).join("\n") },
    );
    assertEquals([code, err], [0, ""], name);
    seen += mine.length;
  }
  assert(seen > 500, `${seen} vectors`);
});

Deno.test("simulate and stats count filters of a stack from 0", async () => {
  await using folder = await createFolder();
  const stack = await folder.write(
    "stack.s",
    ".filter\nret #0x7fff0000\n.filter\nret #0\n",
  );
  const { out, err } = await call(["simulate", stack, "read"]);
  assertMatch(
    out,
    /path +filter 0, ALLOW: 0\n +path +filter 1, KILL_THREAD: 0\n/,
    err,
  );
  const stats = await call(["stats", "-q", stack]);
  assertMatch(stats.out, /stack\.s#0 .*\n.*stack\.s#1 /);
  const text = await call(["disasm", "-q", stack]);
  assertMatch(text.out, /\.filter +; 0 of 2[^]*\.filter +; 1 of 2/);
});

Deno.test("simulate reports the effect of a value that the kernel changes", async () => {
  await using folder = await createFolder();
  for (
    const [k, shown, acted] of [
      ["0x51388", "ERRNO(5000)", "ERRNO(4095)"],
      ["0x12345678", "0x12345678", "KILL_PROCESS"],
    ] as const
  ) {
    const file = await folder.write("filter.s", `ret #${k}\n`);
    const { out } = await call(["simulate", file, "read"]);
    const [verdict, effect = ""] = out.split("\n");
    assertEquals(verdict, shown);
    assertEquals(effect.trim(), `acted  as ${acted}, by the kernel`);
  }
  const file = await folder.write("filter.s", "ret #0x7fff0000\n");
  const { out } = await call(["simulate", file, "read"]);
  assertEquals(out.includes("acted"), false);
});

Deno.test("simulate reads and prints names of arguments and architectures", async () => {
  const run = async (...words: readonly string[]): Promise<string> =>
    (await call(["simulate", "-q", "default:docker", ...words])).out;
  const vsock = await run("--arch", "amd64", "socket", "AF_VSOCK");
  assertMatch(vsock, /^ERRNO\(EPERM\)\n {2}call {3}socket\(AF_VSOCK, 0, 0\)/);
  const mapped = await run(
    ...["--arch=x86_64", "mmap", "0", "4096", "PROT_READ|PROT_EXEC"],
    ...["MAP_PRIVATE|MAP_ANONYMOUS", "-1"],
  );
  assertMatch(
    mapped,
    /mmap\(0, 0x1000, PROT_READ\|PROT_EXEC, MAP_PRIVATE\|MAP_ANONYMOUS, 0xf{16}, 0\)/,
  );
  const json = JSON.parse(
    await run("--arch=x86_64", "-o", "json", "socket", "AF_ALG"),
  );
  assertEquals(json.args.slice(0, 2), ["0x26", "0x0"]);
  assertEquals(json.arguments, ["AF_ALG", "0", "0"]);
  assertMatch(await run("x32_read"), /^ALLOW\n {2}call {3}read/);
  const wrong = await call([
    ...["simulate", "-q", "--arch", "x86_64", "default:docker"],
    ...["socket", "AF_VSOKC"],
  ]);
  assertEquals([wrong.code, wrong.out], [2, ""]);
  assertMatch(
    wrong.err,
    /domain of socket "AF_VSOKC": did you mean "AF_VSOCK"/,
  );
});

Deno.test("simulate --vectors reads names, and its own output", async () => {
  const run = async (stdin: string): Promise<string> => {
    const words = ["--arch", "x86_64", "default:docker", "--vectors", "-"];
    return (await call(["simulate", "-q", ...words], { stdin })).out;
  };
  const first = await run(
    '{"nr":"socket","args":["AF_VSOCK","SOCK_STREAM|SOCK_CLOEXEC"],"expect":"ERRNO(EPERM)"}\n',
  );
  assertEquals(JSON.parse(first).ok, true);
  assertEquals(JSON.parse(first).args[1], "0x80001");
  assertEquals(await run(first), first);
});

Deno.test("simulate without a source reports it, with the command to use", async () => {
  const { code, err } = await call(["simulate", "openat", "AT_FDCWD"]);
  assertEquals(code, 2);
  assertMatch(
    err,
    /"openat" is a system call: write "seccomp-tree simulate default:docker openat AT_FDCWD"/,
  );
});
