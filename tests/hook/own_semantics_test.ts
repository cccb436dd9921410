import { assert, assertEquals, assertMatch } from "@std/assert";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import {
  describeEnvironment,
  environmentName,
  filesOfNames,
} from "../../hook/environment.ts";
import { openLog } from "../../hook/log.ts";
import { ownSemantics, presentSemantics } from "../../hook/own_semantics.ts";
import { DEFAULTS } from "../../hook/settings.ts";
import { formatEnvironment } from "../../hook/store/environment_file.ts";
import { NEWEST } from "../../profile/semantics/quirks.ts";
import { needs, PATIENCE_S } from "../machine.ts";
import { runProgram, writeProgram } from "./shared.ts";

/** Writes a program that answers `--version`, and waits until it can be started. */
async function writeRuntime(
  directory: string,
  name: string,
  lines: string,
): Promise<string> {
  const text = `#!/bin/sh\n[ "$*" = --version ] || exit 9\n${lines}\n`;
  const path = await writeProgram(directory, name, text);
  assertEquals((await runProgram([path, "--other"])).code, 9);
  return path;
}

/** A folder with programs that report other names. */
async function folder(): Promise<
  AsyncDisposable & {
    readonly directory: string;
    says(text: string, code?: number): Promise<string>;
  }
> {
  const directory = await Deno.makeTempDir({ prefix: "seccomp-tree-own-" });
  let count = 0;
  return {
    directory,
    says: (text, code = 0) =>
      writeRuntime(
        directory,
        `runtime-${count++}`,
        `printf '${text}'\nexit ${code}`,
      ),
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}

Deno.test("ownSemantics() uses the version that the runtime reports", async () => {
  await using programs = await folder();
  for (
    const [text, semantics, expected] of [
      ["crun version 1.8.1\\ncommit: f8a0\\n", "crun", "crun@1.8.1"],
      ["crun version 1.8\\n", "crun", "crun@1.8"],
      [
        "runc version 1.1.5+ds1\\ncommit: x\\nspec: 1.0\\n",
        "runc",
        "runc@1.1.5",
      ],
    ] as const
  ) {
    const program = await programs.says(text);
    const own = await ownSemantics({ semantics, program });
    assertEquals([own.semantics, own.program, own.note], [
      expected,
      program,
      undefined,
    ]);
    assertEquals(own.files.map(({ path }) => path), [program]);
  }
});

Deno.test("ownSemantics() uses the newest known version if no program reports one, and explains it", async () => {
  await using programs = await folder();
  const missing = `${programs.directory}/missing`;
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      await programs.says("crun version UNKNOWN\\n"),
      /reports that it is crun UNKNOWN/,
    ],
    [await programs.says("hello\\n"), /does not identify itself/],
    [
      await programs.says("crun version 1.8.1\\n", 3),
      /does not identify itself/,
    ],
    [
      await programs.says("runc version 1.1.5\\n"),
      /reports that it is runc 1\.1\.5/,
    ],
    [missing, /no \S+ is installed/],
  ];
  for (const [program, reason] of cases) {
    const { semantics, note } = await ownSemantics({
      semantics: "crun",
      program,
    });
    assertEquals(semantics, `crun@${NEWEST.crun}`, program);
    assertMatch(note ?? "", reason);
    assertMatch(note ?? "", /the newest known version/);
  }
});

Deno.test("ownSemantics() states a version beyond those known", async () => {
  await using programs = await folder();
  const newer = await programs.says("crun version 99.1\\n");
  assertEquals(await ownSemantics({ semantics: "crun", program: newer }), {
    semantics: "crun@99.1",
    program: newer,
    files: (await ownSemantics({ semantics: "crun", program: newer })).files,
    note:
      `Profiles are read as by crun 99.1, read as ${NEWEST.crun}, the newest known`,
  });
  const older = await ownSemantics({ semantics: "runc@0.1" });
  assertMatch(older.note ?? "", /read as 1\.0\.0, the oldest known$/);
});

Deno.test("ownSemantics() queries no program if the version is given", async () => {
  await using programs = await folder();
  const program = await programs.says("crun version 1.8.1\\n");
  const own = await ownSemantics({ semantics: "crun@1.21", program });
  assertEquals(own, { semantics: "crun@1.21", files: [] });
});

Deno.test("ownSemantics() queries a program once, and again after it was replaced", async () => {
  await using programs = await folder();
  const log = `${programs.directory}/asked`;
  const write = (version: string): Promise<string> =>
    writeRuntime(
      programs.directory,
      "crun",
      `echo asked >>${log}\necho crun version ${version}`,
    );
  const program = await write("1.8.1");
  const ask = async (): Promise<readonly [string, number]> => {
    const { semantics } = await ownSemantics({ semantics: "crun", program });
    return [semantics, (await Deno.readTextFile(log)).split("\n").length - 1];
  };
  assertEquals(await ask(), ["crun@1.8.1", 1]);
  assertEquals(await ask(), ["crun@1.8.1", 1]);
  await write("1.30.1");
  assertEquals(await ask(), ["crun@1.30.1", 2]);
});

Deno.test("ownSemantics() watches a program by its name, including the target of a link", async () => {
  await using programs = await folder();
  const program = await programs.says("crun version 1.8.1\\n");
  const link = `${programs.directory}/link`;
  await Deno.symlink(program, link);
  const { files, semantics } = await ownSemantics({
    semantics: "crun",
    program: link,
  });
  assertEquals(semantics, "crun@1.8.1");
  assertEquals(files.map(({ path }) => path), [link]);
  const own = async (): Promise<readonly [string, string]> => {
    const found = await ownSemantics({ semantics: "crun", program: link });
    return [found.semantics, JSON.stringify(found.files)];
  };
  const [, before] = await own();
  await Deno.writeTextFile(
    program,
    `${await Deno.readTextFile(program)}# more\n`,
  );
  const [, replaced] = await own();
  assert(before !== replaced);
  const other = await programs.says("crun version 1.28\n");
  await Deno.remove(link);
  await Deno.symlink(other, link);
  const [named, led] = await own();
  assertEquals(named, "crun@1.28");
  assert(led !== replaced);
});

needs("crun", "libseccomp")(
  "filesOfNames() counts the files that a dispatcher checks in addition to the runtime",
  async () => {
    for (const names of ["host", "builtin"] as const) {
      for (const semantics of ["crun", "crun@1.8.1"] as const) {
        const { environment } = await gatherContext(
          { ...DEFAULTS, store: undefined, names, semantics },
          startDeadline(1000 * PATIENCE_S),
          openLog("stderr"),
        );
        assertEquals(
          environment.files?.length,
          filesOfNames(names) + (semantics === "crun" ? 1 : 0),
          `${names} ${semantics}`,
        );
      }
    }
  },
);

Deno.test("describeEnvironment() puts the version into the key, the program into the name", async () => {
  const names = {
    kind: "builtin",
    label: "test",
    exact: true,
    files: [],
  } as const;
  const ids = new Set<string>();
  for (
    const semantics of [
      "crun@1.8.1",
      "crun@1.28",
      "runc@1.1.5",
      "runc@1.1.15",
    ] as const
  ) ids.add((await describeEnvironment({ semantics, names })).id);
  assertEquals(ids.size, 4);
  const plain = await describeEnvironment({ semantics: "crun", names });
  const newest = await describeEnvironment({
    semantics: `crun@${NEWEST.crun}`,
    names,
  });
  assertEquals(plain.id, newest.id);
  assertEquals(plain.name, "environment.crun.builtin");

  const program = { semantics: "crun", program: "/opt/a-b/crun" } as const;
  const other = { semantics: "crun", program: "/opt/a/b/crun" } as const;
  const decided = { ...program, semantics: "crun@1.8.1" } as const;
  const list = [program, other, decided].map((setting) =>
    environmentName(setting, "host")
  );
  assertEquals(list, [
    "environment.crun.host.+2f+opt+2f+a-b+2f+crun",
    "environment.crun.host.+2f+opt+2f+a+2f+b+2f+crun",
    "environment.crun@1.8.1.host",
  ]);
});

Deno.test("formatEnvironment() names the runtime, so that a dispatcher sees another one", async () => {
  await using programs = await folder();
  const program = await programs.says("crun version 1.8.1\\n");
  const setting = { semantics: "crun", program } as const;
  const { semantics, files } = await ownSemantics(setting);
  const environment = await describeEnvironment({
    semantics,
    setting,
    files,
    names: { kind: "host", label: "x", exact: true, files: [] },
  });
  const text = formatEnvironment(environment);
  assert(text?.includes(`\nfile ${program} `), text);
});

Deno.test("presentSemantics() has what is installed, what is newest, and what settings name", async () => {
  await using programs = await folder();
  const program = await programs.says("runc version 1.1.9\\n");
  const present = await presentSemantics([
    { semantics: "crun@1.21" },
    { semantics: "runc", program },
  ]);
  for (
    const semantics of [
      `crun@${NEWEST.crun}`,
      `runc@${NEWEST.runc}`,
      "crun@1.21",
      "runc@1.1.9",
    ] as const
  ) assert(present.has(semantics), semantics);
});
