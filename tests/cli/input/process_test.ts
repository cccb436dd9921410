import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { needs } from "../../machine.ts";
import { createFolder, shell, SMALL_PROFILE, spawn } from "../harness.ts";

const test = needs("script");

const FIXED = "-q --arch x86_64";

Deno.test("each exit code is that of the process", async () => {
  await using folder = await createFolder();
  const good = await folder.write("good.s", "ret #0\n");
  const other = await folder.write("other.s", "ret #0x7fff0000\n");
  const bad = await folder.write("bad.json", '{"defaultAction": "NO"}\n');
  const large = await folder.write(
    "large.json",
    JSON.stringify({
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: Array.from({ length: 1000 }, (_, i) => ({
        names: ["read"],
        action: "SCMP_ACT_ALLOW",
        args: Array.from({ length: 6 }, (_, index) => ({
          index,
          value: 7919 * i + index,
          op: "SCMP_CMP_EQ",
        })),
      })),
    }),
  );
  const cases: readonly (readonly [number, readonly string[]])[] = [
    [0, ["compile", "-q"]],
    [0, ["prove", good, good]],
    [1, ["prove", good, other]],
    [1, ["diff", "--subset-of", good, other]],
    [1, ["syscalls", "opnat"]],
    [2, ["compile", "--nope"]],
    [2, ["nope"]],
    [3, ["compile", bad]],
    [3, ["disasm", join(folder.path, "missing")]],
    [4, ["compile", "-q", "--arch", "x86_64", large]],
    [5, ["disasm", "pid:4194304"]],
    [0, []],
    [0, ["compile", "--help"]],
  ];
  await Promise.all(cases.map(async ([expected, args]) => {
    const { code, out, err } = await spawn(args);
    assertEquals(code, expected, `${args.join(" ")}: ${err}`);
    // Answers are results, including negative ones; other outputs are not.
    assertEquals(out === "", expected > 1 || args[0] === "syscalls", args[0]);
    assertEquals(err === "", expected < 2 && args[0] !== "syscalls", args[0]);
  }));
});

Deno.test("an internal error exits with 70 and asks for a report", async () => {
  const { report } = await import("../../../cli/exit.ts");
  let told = "";
  const io = {
    out: () => {},
    err: (text: string) => {
      told += text;
    },
    stdin: async function* (): AsyncGenerator<Uint8Array> {},
    outIsTerminal: false,
    outColor: false,
    color: false,
  };
  assertEquals(report(io, new Error("Unreachable: test")), 70);
  assertMatch(told, /please report it[^]*Unreachable: test/);
});

Deno.test("only results go to standard output", async () => {
  const { code, out, err } = await shell(
    `$CLI compile --arch x86_64 -f raw default:docker | $CLI prove ${FIXED} default:docker - `,
  );
  assertEquals(code, 0, err);
  assertMatch(out, /^equal: /);
  assertMatch(err, /^default:docker: note: for architectures x86_64/);
});

Deno.test("a closed pipe is not an error and prints no message", async () => {
  const results = await Promise.all([
    "syscalls",
    "disasm -q default:docker",
    "--help",
  ].map((words) =>
    shell(`set -o pipefail; $CLI ${words} | head -c 1 >/dev/null; echo $?`)
  ));
  for (const { out, err } of results) assertEquals([out, err], ["0\n", ""]);
  const closed = await shell("$CLI compile -q >&-; echo $?");
  assertMatch(closed.out, /^[05]\n$/);
  assert(!closed.err.includes("fault"), closed.err);
});

Deno.test("a full disk under standard output is reported, exit 5", async () => {
  const { code, err } = await shell("$CLI compile -q > /dev/full");
  assertEquals(code, 5, err);
  assertMatch(err, /^error: Cannot write to standard output: No space left/);
});

test("binary is never written to a terminal", async () => {
  const onTerminal = (words: string): string =>
    `script -qec '${
      words.replaceAll("$CLI", `${Deno.execPath()} run -A ${"$MAIN"}`)
    }' /dev/null </dev/null`;
  const env = {
    MAIN: new URL("../../../cli/main.ts", import.meta.url).pathname,
  };
  const [raw, text, piped] = await Promise.all([
    shell(onTerminal("$CLI compile -q -f raw"), { env }),
    shell(onTerminal("$CLI compile -q -f hex"), { env }),
    shell(onTerminal("$CLI compile -q -f raw | wc -c"), { env }),
  ]);
  assertEquals(raw?.code, 2, raw?.out);
  assertMatch(
    raw?.out ?? "",
    /Cannot write binary to a terminal; pass -O FILE/,
  );
  assertEquals(text?.code, 0, text?.out);
  assertMatch(text?.out ?? "", /^[0-9a-f]+\r?\n$/);
  assertMatch(piped?.out ?? "", /^\d+\r?\n$/);
});

test("NO_COLOR, --color and the terminal control color", async () => {
  const onTerminal = (prefix: string, flags: string): string =>
    `${prefix} script -qec "${Deno.execPath()} run -A $MAIN compile missing ${flags}" /dev/null </dev/null`;
  const env = {
    MAIN: new URL("../../../cli/main.ts", import.meta.url).pathname,
  };
  const colored = await Promise.all([
    onTerminal("env -u NO_COLOR", ""),
    onTerminal("env NO_COLOR=", ""),
    onTerminal("env NO_COLOR=1", ""),
    onTerminal("env NO_COLOR=1", "--color=always"),
    onTerminal("env -u NO_COLOR", "--color=never"),
  ].map(async (script) =>
    (await shell(script, { env })).out.includes("\x1b[")
  ));
  assertEquals(colored, [true, true, false, true, false]);
});

Deno.test("locale, time zone and width of the terminal change nothing", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("i.json", SMALL_PROFILE);
  const args = ["compile", "-f", "asm", "--arch", "x86_64", profile];
  const [plain, ...others] = await Promise.all(
    [
      {},
      { LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8", LANGUAGE: "tr" },
      { LC_ALL: "C" },
      { TZ: "Pacific/Chatham", COLUMNS: "1" },
      { TERM: "dumb", PATH: "/usr/bin" },
    ].map((env) => spawn(args, { env })),
  );
  assertEquals(plain?.code, 0, plain?.err);
  for (const other of others) {
    assertEquals([other.out, other.err], [plain?.out, plain?.err]);
  }
});

Deno.test("a V8 without WebAssembly compiles to the same bytes", async () => {
  // Long lines of runs go to a kernel in WebAssembly if there is one.
  const args = ["compile", "-f", "hex", "--quiet", "default:docker"];
  const jitless = { DENO_V8_FLAGS: "--jitless" };
  const [plain, other] = await Promise.all([
    spawn(args),
    spawn(args, { env: jitless }),
  ]);
  assertEquals(plain.code, 0, plain.err);
  assertEquals([other.code, other.out], [0, plain.out], other.err);
});

Deno.test("sources come from pipes, files of the shell and standard input", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const fifo = join(folder.path, "fifo");
  const env = { P: profile, FIFO: fifo };
  const results = await Promise.all([
    `$CLI compile ${FIXED} $P`,
    `$CLI compile ${FIXED} - < $P`,
    `cat $P | $CLI compile ${FIXED} -`,
    `$CLI compile ${FIXED} <(cat $P)`,
    `mkfifo $FIFO; cat $P > $FIFO & $CLI compile ${FIXED} $FIFO`,
    `cd "$(dirname $P)"; cp p.json ./-p.json; $CLI compile ${FIXED} -- -p.json`,
  ].map((script) => shell(script, { env })));
  for (const { code, out, err } of results) {
    assertEquals([code, out, err], [0, results[0]?.out, ""]);
  }
});

Deno.test("endless input is refused, not buffered", async () => {
  const [file, stdin, closed] = await Promise.all([
    shell("$CLI compile <(yes)"),
    shell("yes | $CLI compile -"),
    shell("$CLI compile - <&-"),
  ]);
  for (const result of [file, stdin]) {
    assertEquals(result?.code, 3, result?.err);
    assertMatch(result?.err ?? "", /more than 67108864 bytes/);
  }
  assertEquals(closed?.code, 3, closed?.err);
});

Deno.test("a missing permission is named", async () => {
  const run = (program: string, ...words: readonly string[]) => {
    const url = new URL(`../../../cli/${program}`, import.meta.url);
    const deno = `${Deno.execPath()} run --no-prompt --allow-env=NO_COLOR`;
    const given = "compile --kernel 6.1 --arch x86_64";
    return shell(`${deno} ${url.pathname} ${given} ${words.join(" ")}`);
  };
  for (const program of ["main.ts", "whole.ts"]) {
    const { code, err } = await run(program, "/etc/hostname");
    assert(code === 3 || code === 5, `${code}: ${err}`);
    assertMatch(err, /read access/);
  }
  const none = await run("whole.ts", "-q");
  assertEquals(none.code, 0, `the embedded profile needs none: ${none.err}`);
});
