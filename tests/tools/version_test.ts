import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { findOtherVersions, type VersionedTexts } from "../../tools/version.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));

const GOOD: VersionedTexts = {
  version: "1.2.3",
  compiler: "1.2.3",
  changelog:
    "## [Unreleased]\n\n## [1.2.3] - 2026-01-02\n\n## [1.2.2] - 2026-01-01\n",
  documents: new Map([["a.md", "deno cache jsr:@x/seccomp-tree@1.2.3/cli"]]),
  tag: "v1.2.3",
};

Deno.test("findOtherVersions() finds each place that was forgotten", () => {
  assertEquals(findOtherVersions(GOOD), []);
  assertEquals(findOtherVersions({ ...GOOD, tag: undefined }), []);
  const cases: readonly (readonly [Partial<VersionedTexts>, string])[] = [
    [{ changelog: "## [1.2.2] - 2026-01-01\n" }, "CHANGELOG.md has 1.2.2"],
    [{ changelog: "## [Unreleased]\n" }, "CHANGELOG.md has none"],
    [{ changelog: "## [1.2.3]\n" }, "CHANGELOG.md has none"],
    [
      { compiler: "1.2.2" },
      "COMPILER_VERSION in hook/environment.ts has 1.2.2",
    ],
    [
      { documents: new Map([["a.md", "seccomp-tree@1.2/cli"]]) },
      "a.md has 1.2",
    ],
    [{ tag: "v1.2.4" }, "the tag v1.2.4 has 1.2.4"],
    [{ tag: "1.2.3" }, "the tag 1.2.3 has none"],
  ];
  for (const [change, fault] of cases) {
    const faults = findOtherVersions({ ...GOOD, ...change });
    assertEquals(faults, [`${fault}, deno.json 1.2.3`]);
  }
  const faults = findOtherVersions({ ...GOOD, version: "1.2" });
  assertEquals(faults[0], 'deno.json: "1.2" is not a version such as 1.2.3');
});

Deno.test("deno task version: this version is one", async () => {
  const run = (...tag: readonly string[]): Promise<Deno.CommandOutput> =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-read", join(ROOT, "tools/version.ts"), ...tag],
    }).output();
  const { code, stdout, stderr } = await run();
  const text = new TextDecoder().decode(stdout);
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  assertEquals((await run(`v${text.trim()}`)).code, 0);
  assertEquals((await run("v0.0.0")).code, 1);
});

Deno.test("the workflow publishes with provenance, after a check of the tag", async () => {
  const text = await Deno.readTextFile(
    join(ROOT, ".github/workflows/publish.yml"),
  );
  // Without `id-token: write`, JSR accepts no publication from a workflow.
  assertEquals(/^ {2}id-token: write$/m.test(text), true);
  const runs = [...text.matchAll(/^ {8}run: (.*)$/gm)].map(([, run]) => run);
  assertEquals(runs, [
    'deno task version "$GITHUB_REF_NAME"',
    "deno task ok",
    "deno publish",
    "deno task npm",
    'npm pkg set repository.type=git "repository.url=git+https://github.com/$GITHUB_REPOSITORY.git"',
    "npm publish --provenance --access public ./dist/npm",
  ]);
  const [, version] = /deno-version: (.*)/.exec(text) ?? [];
  const readme = await Deno.readTextFile(join(ROOT, "README.md"));
  assertEquals(readme.includes(`npx -y deno@${version} task`), true);
});
