import { assert, assertEquals, assertMatch } from "@std/assert";
import { run } from "@stricli/core";
import { createApp } from "../../../cli/app.ts";
import { processIo } from "../../../cli/io.ts";
import { readCommandLine } from "../../../cli/input/line.ts";
import { commandsOf } from "../../../cli/output/reflect.ts";
import { printableLines } from "../../../tables/printable.ts";
import { call, createFolder, FIXED, SMALL_PROFILE } from "../harness.ts";

Deno.test("main() refuses invalid command lines with exit 2 and a hint", async () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    [
      "unknown command",
      ["compil"],
      /^error: Unknown command "compil"; did you mean compile$/m,
    ],
    [
      "unknown option of the program",
      ["--vresion"],
      /^error: Unknown option --vresion; did you mean --version$/m,
    ],
    [
      "nothing like a command",
      ["zzzzzzzz"],
      /^error: Unknown command "zzzzzzzz"; see "seccomp-tree --help"$/m,
    ],
    [
      "unknown option",
      ["compile", "--fromat", "hex"],
      /^error: Unknown option --fromat; did you mean --format$/m,
    ],
    [
      "option of one letter",
      ["compile", "--x"],
      /Unknown option --x; see "seccomp-tree compile --help", or write -- before/,
    ],
    ["odd value", ["compile", "-f2"], /Cannot read --format "2": not one of/],
    ["unknown short option", ["compile", "-qz"], /Unknown option -z; see/],
    [
      "value not in the list",
      ["compile", "-f", "hxe"],
      /not one of raw, base64, .*; did you mean hex$/m,
    ],
    [
      "flag twice",
      ["compile", "-f", "c", "-f", "c"],
      /Option --format is given twice; give it once/,
    ],
    ["switch twice", ["compile", "-q", "-q"], /Option --quiet is given twice/],
    [
      "--arch twice",
      ["compile", "--arch", "x86", "--arch", "x32"],
      /Option --arch is given twice/,
    ],
    ["no value", ["compile", "-O"], /Missing value of --out/],
    [
      "an option for a value",
      ["compile", "-O", "-q"],
      /Missing value of --out/,
    ],
    ["no attached value", ["compile", "-qf="], /Missing value of --format/],
    [
      "a value of a switch",
      ["compile", "-q=1"],
      /Cannot read -q "1": the option takes no value/,
    ],
    [
      "a word of a switch",
      ["compile", "--quiet=maybe"],
      /Cannot read --quiet "maybe": the option takes no value/,
    ],
    [
      "a value of a denial",
      ["install", "podman", "--no-trial=1"],
      /Cannot read --no-trial "1": the option takes no value/,
    ],
    ["empty value", ["compile", "--caps="], /Missing value of --caps/],
    ["empty word", ["compile", "-O", ""], /Cannot read --out "": empty/],
    ["empty source", ["compile", ""], /Cannot read SOURCE "": empty/],
    [
      "empty architecture",
      ["compile", "--arch", "x86,,x32"],
      /Cannot read --arch "x86,,x32": empty/,
    ],
    [
      "two sources",
      ["compile", "a", "b"],
      /Too many arguments: "b"; usage: seccomp-tree compile \[OPTION...\] \[SOURCE\]$/m,
    ],
    ["no word", ["asm"], /Missing argument: FILE; usage: seccomp-tree asm/],
    [
      "one of two words",
      ["prove", "a"],
      /^error: Missing argument: B; give a second source, or only bundle:DIR/m,
    ],
    [
      "unknown profile",
      ["compile", "default:pod"],
      /unknown profile; use one of default:docker, /,
    ],
    [
      "unknown architecture",
      ["compile", "--arch", "vax"],
      /Cannot read --arch "vax": unknown architecture; use one of/,
    ],
    [
      "mixed byte orders",
      ["compile", "--arch", "x86_64,s390x"],
      /byte orders differ/,
    ],
    [
      "no kernel version",
      ["compile", "--kernel", "six"],
      /Cannot read --kernel "six": not a version; write/,
    ],
    ["unknown capability", ["compile", "--caps", "CAP_NOPE"], /CAP_NOPE/],
    ["standard input twice", ["prove", "-", "-"], /standard input twice/],
    [
      "weights and source",
      ["compile", "--weights", "-", "-"],
      /standard input twice/,
    ],
    [
      "share above 1",
      ["compile", "--background", "1.5"],
      /not a number from 0 to 1/,
    ],
    [
      "share of nothing",
      ["compile", "--background", "0.5"],
      /without --weights/,
    ],
    [
      "negative depth",
      ["compile", "--max-depth", "-1"],
      /not an integer from 0 to 999999/,
    ],
    [
      "odd color",
      ["demo", "--color", "red"],
      /Cannot read --color "red": not one of auto, always, never/,
    ],
    [
      "color twice",
      ["demo", "--color", "auto", "--color=never"],
      /Option --color is given twice/,
    ],
    ["bundle without folder", ["compile", "bundle:"], /write bundle:DIR/],
    ["no number of a process", ["disasm", "pid:self"], /not a process/],
    [
      "source is the target",
      ["compile", "p.json", "-O", "p.json"],
      /it is the source/,
    ],
    ["two questions at once", [
      "simulate",
      "default:docker",
      "read",
      "--vectors",
      "-",
    ], /omit one/],
    ["no call", ["simulate", "default:docker"], /Missing argument: SYSCALL/],
    ["no source", ["simulate"], /Missing argument: SOURCE/],
    ["too many arguments", [
      "simulate",
      "default:docker",
      ..."read 1 2 3 4 5 6 7".split(" "),
    ], /at most 6/],
    [
      "unknown call",
      ["simulate", "-q", "default:docker", "opnat"],
      /did you mean "openat"/,
    ],
    ["argument beyond 64 bits", [
      "simulate",
      "default:docker",
      "read",
      "0x10000000000000000",
    ], /not a 64-bit integer/],
    [
      "number beyond 32 bits",
      ["simulate", "-q", "default:docker", "4294967296"],
      /32 bits/,
    ],
    [
      "one source to compare",
      ["diff", "a"],
      /give two sources, or --subset-of/,
    ],
    [
      "a base and two sources",
      ["diff", "--subset-of", "a", "b", "c"],
      /--subset-of takes only one other source/,
    ],
    [
      "no process",
      ["verify"],
      /Missing argument: pid:N; write a process, or pass --all/,
    ],
    ["a process and all", ["verify", "pid:1", "--all"], /omit one/],
    [
      "no command to run",
      ["run", "default:docker"],
      /Missing argument: COMMAND/,
    ],
    [
      "unknown shell",
      ["completions", "tcsh"],
      /Cannot read SHELL "tcsh": not one of bash, zsh, fish/,
    ],
  ];
  for (const [name, args, message] of cases) {
    const { code, out, err } = await call(args);
    assertEquals(code, 2, `exit of ${name}: ${err}`);
    assertEquals(out, "", `results of ${name}`);
    assertMatch(err, message, name);
    assertEquals(err.split("\n").length, 2, `one line for ${name}: ${err}`);
    assert(err.startsWith("error: "), `${name}: ${err}`);
  }
});

Deno.test("short options may be bundled, and have their value attached", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const filter = await folder.write("f.s", "ret #0x7fff0000\n");
  const cases: readonly (readonly [
    readonly string[],
    readonly (readonly string[])[],
  ])[] = [
    [["compile", profile, "-q", "-f", "hex"], [
      ["compile", profile, "-qf", "hex"],
      ["compile", profile, "-qfhex"],
      ["compile", "-qf=hex", profile],
    ]],
    [["asm", filter, "-f", "go"], [["asm", "-fgo", filter]]],
    [["disasm", "-q", filter, "-O", "-"], [["disasm", "-qO-", filter]]],
    [["stats", "-q", "-v", filter, "-o", "json"], [
      ["stats", "-qvojson", filter],
    ]],
    [["simulate", "-q", filter, "read", "-1", "-o", "json"], [
      ["simulate", "-qojson", filter, "read", "-1"],
    ]],
    [["syscalls", "read", "-o", "json"], [["syscalls", "-ojson", "read"]]],
    [["store", "ls", "--store", folder.path, "-o", "json"], [
      ["store", "ls", "--store", folder.path, "-ojson"],
    ]],
    [["compile", "--help"], [["compile", "-qh"], ["compile", "-vqhf", "hex"]]],
    [["dump", "pid:4194305", "-q", "-f", "raw"], [
      ["dump", "-qfraw", "pid:4194305"],
    ]],
  ];
  for (const [plain, others] of cases) {
    const expected = await call(plain);
    for (const args of others) {
      assertEquals(await call(args), expected, args.join(" "));
    }
  }
  const path = `${folder.path}/-out`;
  assertEquals((await call(["compile", profile, `-qfhexO${path}`])).code, 2);
  assertEquals((await call(["compile", profile, `-qO${path}`])).code, 0);
  assert((await Deno.readTextFile(path)).length > 20);
});

Deno.test("main() takes everything after -- as words", async () => {
  const { code, err } = await call(["compile", "--", "-weird.json"]);
  assertEquals(code, 3, err);
  assertMatch(err, /Cannot read "-weird.json"/);
  const run = await call(["run", "default:docker", "--", "/nope", "--help"]);
  assertEquals(run.code, 127, run.err);
});

Deno.test("--help of every command fits a screen and ends in two examples", async () => {
  const commands = commandsOf(await createApp()).map(({ name }) => name);
  assert(commands.length >= 14, "commands");
  for (const name of ["", ...commands]) {
    const { code, out, err } = await call(
      name === "" ? ["--help"] : [name, "--help"],
    );
    assertEquals([code, err], [0, ""], name);
    const lines = out.trimEnd().split("\n");
    assert(lines.length <= 40, `${name}: ${lines.length} lines`);
    for (const line of lines) {
      assert(
        [...line].length <= 80,
        `${name}: ${line.length} columns: ${line}`,
      );
    }
    assertMatch(lines[0] ?? "", new RegExp(`^Usage: seccomp-tree ?${name}`));
    assertEquals(lines.at(-3), "Examples:", name);
    for (const line of lines.slice(-2)) {
      assertMatch(line, /^ {2}seccomp-tree /, name);
    }
  }
});

Deno.test("--help of a command works in any position", async () => {
  const { out } = await call(["compile", "--help"]);
  for (
    const args of [["help", "compile"], ["compile", "-f", "hex", "-h"], [
      "--help",
      "compile",
    ]]
  ) {
    assertEquals((await call(args)).out, out, args.join(" "));
  }
  assertEquals((await call([])).out, (await call(["--help"])).out);
  const unknown = await call(["help", "compil"]);
  assertEquals(unknown.code, 2);
  assertMatch(unknown.err, /did you mean compile/);
  assertMatch((await call(["zzz"])).err, /see "seccomp-tree --help"/);
});

Deno.test("the examples of the help can be read as command lines", async () => {
  for (const { name } of commandsOf(await createApp())) {
    const { out } = await call([name, "--help"]);
    for (const example of out.trimEnd().split("\n").slice(-2)) {
      const words = example.trim().replace(/ [<>].*/, "").split(" ").slice(1);
      const { words: left } = readCommandLine(words);
      let err = "";
      let reached = false;
      const stream = { write: (text: string) => (err += text, undefined) };
      await run(await createApp(), left, {
        process: { stdout: stream, stderr: stream, exitCode: null },
        io: processIo(),
        // No command is run, because some commands change the machine.
        settle: () => {
          reached = true;
          return Promise.resolve();
        },
      });
      assertEquals([reached, err], [true, ""], example);
    }
  }
});

Deno.test("--version prints name and version", async () => {
  const { code, out } = await call(["--version"]);
  assertEquals(code, 0);
  assertMatch(out, /^seccomp-tree \d+\.\d+\.\d+\n$/);
});

Deno.test("--color overrides terminal and environment", async () => {
  const args = ["compile", "no-such-file"];
  const plain = await call(args);
  assert(!plain.err.includes("\x1b"), "no color by itself");
  const always = await call([...args, "--color", "always"]);
  assert(always.err.startsWith("\x1b[1;31merror\x1b[0m: "), always.err);
  const never = await call([...args, "--color=never"], { color: true });
  assert(!never.err.includes("\x1b"), "no color");
  const auto = await call([...args, "--color=auto"], { color: true });
  assert(auto.err.includes("\x1b"), "color of the terminal");
});

Deno.test("messages never carry control characters of an input", async () => {
  for (
    const args of [
      ["compile", "a\x1b[31mb\nc"],
      ["compile", "default:\x1b]0;x\x07"],
      ["simulate", "-q", "default:docker", "x\u202ey"],
      ["compile", "a\u061cb\u200bc\ufeff.json"],
      ["\x1b[2J"],
    ]
  ) {
    const { code, err } = await call(args);
    assert(code === 2 || code === 3, `${code}`);
    assert(
      // deno-lint-ignore no-control-regex -- they are what is looked for
      !/[\x00-\x09\x0b-\x1f\u061c\u200b\u202e\ufeff]/.test(err),
      JSON.stringify(err),
    );
    assertEquals(err.split("\n").length, 2, err);
  }
});

Deno.test("reports never carry control or format characters of a name", async () => {
  await using folder = await createFolder();
  const name = "a\u009b\u202e\u061c\u200b\u001b[2J.json";
  const path = await folder.write(name, SMALL_PROFILE);
  const other = await folder.write(
    `other${name}`,
    SMALL_PROFILE.replace(`"read",`, ""),
  );
  for (
    const args of [
      ["compile", "-v", "-f", "hex", path],
      ["compile", "-f", "hex", "--max-depth", "1", path],
      ["stats", "-v", path],
      ["stats", "-o", "json", path],
      ["prove", path, other],
      ["prove", "-o", "json", path, other],
      ["diff", path, other],
      ["diff", "-o", "json", path, other],
      ["simulate", path, "read"],
      ["disasm", path],
    ]
  ) {
    const { code, out, err } = await call(args);
    assert(code <= 1, `${args.join(" ")}: ${err}`);
    for (const text of [out, err]) {
      assertEquals(printableLines(text), text, args.slice(0, -1).join(" "));
    }
  }
});

Deno.test("quiet leaves errors only, verbose reports what was made", async () => {
  const quiet = await call(["compile", ...FIXED]);
  assertEquals([quiet.code, quiet.err], [0, ""]);
  const plain = await call(["compile", "--arch", "x86_64"]);
  assertMatch(
    plain.err,
    /^default:docker: note: for architectures x86_64, semantics crun 1\.30, names builtin, capabilities default, kernel \S+, objective balanced\n$/,
  );
  const verbose = await call(["compile", "-v", "--arch", "x86_64"]);
  assertMatch(
    verbose.err,
    /note: \d+ instructions, proved equal to the profile/,
  );
  assertEquals(verbose.out, quiet.out);
});

Deno.test("--help of prove and diff shows the limits of a proof", async () => {
  const { DEFAULT_PROOF_LIMITS } = await import("../../../verify/limits.ts");
  for (const name of ["prove", "diff"]) {
    const { out } = await call([name, "--help"]);
    const text = out.replace(/\s+/g, " ");
    for (const limit of ["nodes", "steps"] as const) {
      const value = DEFAULT_PROOF_LIMITS[limit];
      assertMatch(text, new RegExp(`--${limit} N .*\\(default: ${value}\\)`));
    }
  }
});

Deno.test("version is a word for --version", async () => {
  const option = await call(["--version"]);
  const word = await call(["version"]);
  assertEquals([word.code, word.out], [0, option.out]);
});
