import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import {
  ArgumentError,
  helpText,
  type Manual,
  readArguments,
} from "../../tools/arguments.ts";

const MANUAL: Manual = {
  usage: "deno task try [OPTION...] [FILE]",
  brief: "Tries.",
  options: {
    seed: { placeholder: "N", brief: "Seed" },
    check: { brief: "Compare" },
  },
  words: 1,
};

Deno.test("readArguments() reads options and words", () => {
  const given = readArguments(["--seed", "7", "007", "--check"], MANUAL);
  assertEquals(given?.number("seed"), 7);
  assertEquals(given?.words, ["007"]);
  assertEquals(given?.has("check"), true);
  const empty = readArguments([], MANUAL);
  assertEquals(empty?.number("seed"), undefined);
  assertEquals(empty?.has("check"), false);
  assertEquals(readArguments(["--", "--x"], MANUAL)?.words, ["--x"]);
});

Deno.test("readArguments() accepts --help in any position", () => {
  for (const args of [["--help"], ["-h"], ["file", "--seed", "1", "--help"]]) {
    assertEquals(readArguments(args, MANUAL), undefined);
  }
  assertEquals(
    helpText(MANUAL),
    `Usage: deno task try [OPTION...] [FILE]

Tries.

  --seed N                Seed
  --check                 Compare
  --help                  Show this help
`,
  );
});

Deno.test("readArguments() refuses unknown options", () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["--sed", "1"], "Unknown option --sed; --help lists the options"],
    [["-x"], "Unknown option -x; --help lists the options"],
    [["--check", "--seed"], "Missing value of --seed"],
    [["--seed", "--check"], "Missing value of --seed"],
    [["a", "b"], 'Too many words: "b"; --help shows the usage'],
    [["a", "--", "-b"], 'Too many words: "-b"; --help shows the usage'],
  ];
  for (const [args, message] of cases) {
    const error = assertThrows(
      () => readArguments(args, MANUAL),
      ArgumentError,
    );
    assertEquals(error.message, message);
  }
  for (const value of ["x", "1.5", "4294967296", "1e3", "0x10"]) {
    const given = readArguments([`--seed=${value}`], MANUAL);
    assertThrows(() => given?.number("seed"), ArgumentError, "--seed");
  }
});

/** The programs of the tasks; the others pass on their arguments. */
const PROGRAMS: readonly string[] = [
  ...new Set(
    Object.values(config.tasks).flatMap((task) =>
      [...task.matchAll(/deno run (?:-\S+ )*(\S+\.ts)/g)].map(([, path]) =>
        path ?? ""
      )
    ),
  ),
].filter((path) => !["cli/main.ts", "tests/run.ts"].includes(path));

Deno.test("each developer program has help and refuses unknown options", async () => {
  assert(PROGRAMS.length >= 8, `${PROGRAMS}`);
  for (const path of PROGRAMS) {
    const program = fromFileUrl(new URL(`../../${path}`, import.meta.url));
    const run = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", program, ...args],
        env: { NO_COLOR: "1" },
        stdin: "null",
      }).output();
      const text = (bytes: Uint8Array): string =>
        new TextDecoder().decode(bytes);
      return `${code}\n${text(stdout)}${text(stderr)}`;
    };
    const help = await run("--help");
    assert(help.startsWith("0\nUsage: deno task "), `${path}: ${help}`);
    assertEquals(
      await run("--nonsense"),
      "2\nerror: Unknown option --nonsense; --help lists the options\n",
      path,
    );
  }
});
