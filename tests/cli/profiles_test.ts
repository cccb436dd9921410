import { assertEquals, assertStringIncludes } from "@std/assert";
import { call, createFolder, FIXED } from "./harness.ts";

/** Flags under which what is said does not depend on this machine. */
const HERE: readonly string[] = FIXED.filter((flag) => flag !== "-q");

/** What is said about a profile, without the note of what was assumed. */
async function said(
  profile: string,
  ...flags: readonly string[]
): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const args = ["compile", "-", ...HERE, ...flags];
  const { code, err } = await call(args, { stdin: profile });
  const lines = err.split("\n").filter((line) =>
    line !== "" && !line.startsWith("<stdin>: note: for ")
  );
  return { code, lines };
}

Deno.test("compile takes remarks for warnings, and says each once without -v", async () => {
  const profile = `{"_comment":"ours","defaultAction":"SCMP_ACT_ALLOW",
"syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO","_comment":"too"}]}`;
  const ignored = 'Unknown field "_comment", which every runtime ignores';
  assertEquals(await said(profile), {
    code: 0,
    lines: [
      `<stdin>:1:2: warning: _comment: ${ignored}: remove it`,
      `<stdin>:2:58: warning: syscalls[0]._comment: ${ignored}: remove it`,
    ],
  });
  assertEquals(await said(profile, "-q"), { code: 0, lines: [] });
});

Deno.test("compile refuses a bundle whose section Go would find and C would not", async () => {
  await using folder = await createFolder();
  await folder.write(
    "config.json",
    '{"linux":{"\u017feccomp":{"defaultAction":"SCMP_ACT_KILL"}}}',
  );
  const { code, err } = await call(["compile", `bundle:${folder.path}`]);
  assertEquals(code, 3);
  assertStringIncludes(err, 'Unknown field "ſeccomp": did you mean "seccomp"');
});
