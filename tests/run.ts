/**
 * Runs `deno test` and prints after its last line which tests were skipped,
 * why, and the one command that installs the missing packages
 * (`tests/machine.ts`).
 *
 * All tests get the same surroundings, whatever the caller has: new files that
 * only their owner can change, a folder for temporary files in which programs
 * run, messages in English and without color, no standard input.
 *
 * ```sh
 * deno task test [PATH…] [OPTION…]
 * ```
 *
 * @module
 */

import { type LeftOut, packagesOf, RECORD } from "./machine.ts";

/**
 * Describes the skipped tests.
 *
 * @param all The record.
 * @returns Lines of text, none if no test was skipped.
 */
export function describe(all: readonly LeftOut[]): readonly string[] {
  if (all.length === 0) return [];
  const byNeed = Object.entries(Object.groupBy(all, ({ need }) => need));
  const byFile = Object.entries(Object.groupBy(all, ({ file }) => file));
  return [
    `Left out: ${countOf(all)}`,
    ...byNeed.map(([need, some = []]) =>
      `  without ${need}, ${some[0]?.reason}: ${countOf(some)}`
    ),
    "Where:",
    ...byFile.sort(([a], [b]) => a < b ? -1 : 1).map(([file, some = []]) => {
      const rows = some.filter(({ kind }) => kind === "rows");
      const words = new Set(rows.map(({ what }) => what));
      const tests = countOf(some.filter(({ kind }) => kind === "test"));
      return `  ${file}: ${[tests, ...words].filter(Boolean).join(", ")}`;
    }),
    ...remediesOf(all),
  ];
}

/** Counts each test once, even if it lacks several things. */
function countOf(some: readonly LeftOut[]): string {
  const count = (wanted: LeftOut["kind"]): number =>
    new Set(
      some.filter(({ kind }) => kind === wanted)
        .map(({ file, what }) => `${file} ${what}`),
    ).size;
  const [tests, rows] = [count("test"), count("rows")];
  return [
    ...tests === 0 ? [] : [tests === 1 ? "1 test" : `${tests} tests`],
    ...rows === 0
      ? []
      : [rows === 1 ? "1 part of a test" : `${rows} parts of tests`],
  ].join(" and ");
}

function remediesOf(all: readonly LeftOut[]): readonly string[] {
  const packages = packagesOf(all.map(({ need }) => need));
  const asRoot = all.some(({ remedy }) => remedy === "user");
  return [
    ...packages.length === 0 ? [] : [
      `To install what is missing, as root: apt-get install -y --no-install-recommends ${
        packages.join(" ")
      }`,
    ],
    ...asRoot ? ["To run what needs privileges: run the tests as root"] : [],
  ];
}

async function main(args: readonly string[]): Promise<number> {
  Deno.umask(0o022);
  const folder = await temporaryFolder();
  const record = await Deno.makeTempFile({ dir: folder });
  try {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--parallel", ...args],
      clearEnv: true,
      env: {
        ...surroundings(),
        [RECORD]: record,
        TMPDIR: folder,
      },
      stdin: "null",
    }).spawn().status;
    const text = await Deno.readTextFile(record);
    // Lines of `record()` in machine.ts.
    const all = text.split("\n").filter((line) => line !== "")
      .map((line) => JSON.parse(line) as LeftOut);
    const lines = describe(all).map((line) => `${line}\n`).join("");
    await Deno.stdout.write(new TextEncoder().encode(lines && `\n${lines}`));
    return code;
  } finally {
    await Deno.remove(record);
  }
}

/** The caller's variables, except those that change the output of programs. */
function surroundings(): Record<string, string> {
  const { FORCE_COLOR: _, LANGUAGE: _other, ...env } = Deno.env.toObject();
  return { ...env, LC_ALL: "C.UTF-8" };
}

/** Finds a folder in which programs run, with a path that needs no quotes. */
async function temporaryFolder(): Promise<string> {
  const given = Deno.env.get("TMPDIR") ?? "/tmp";
  for (const folder of [given, "/tmp", "/var/tmp"]) {
    if (/^(?:\/[\w.-]+)+$/.test(folder) && await runsPrograms(folder)) {
      return folder;
    }
  }
  return given;
}

async function runsPrograms(folder: string): Promise<boolean> {
  try {
    const file = await Deno.makeTempFile({ dir: folder });
    try {
      await Deno.writeTextFile(file, "#!/bin/sh\n");
      await Deno.chmod(file, 0o700);
      return (await new Deno.Command(file).output()).success;
    } finally {
      await Deno.remove(file);
    }
  } catch {
    // It does not exist, is not accessible, or is on a file system mounted with
    // noexec.
    return false;
  }
}

if (import.meta.main) {
  main(Deno.args).then((code) => {
    Deno.exitCode = code;
  });
}
