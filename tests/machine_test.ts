import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { absence, packagesOf, pathOf, WITHOUT } from "./machine.ts";

const RUN = fromFileUrl(new URL("run.ts", import.meta.url));

/** A test file that asks for three needs. */
const FILE = `import { has, needs } from ${
  JSON.stringify(import.meta.resolve("./machine.ts"))
};
Deno.test("needs nothing", () => {});
needs("gawk", "root")("needs gawk and root", () => {});
needs("i386")("needs i386", () => {});
Deno.test("has rows", () => {
  if (has("i386", "rows of i386")) throw new Error("i386 is there");
});
`;

/** Runs a file on a machine without some needs. */
async function runWithout(
  absent: readonly string[],
  env: Readonly<Record<string, string>> = {},
  text = FILE,
): Promise<{ readonly code: number; readonly out: string }> {
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-machine-" });
  try {
    const file = join(folder, "a_test.ts");
    await Deno.writeTextFile(file, text);
    const { code, stdout } = await new Deno.Command("sh", {
      args: [
        ...["-c", 'umask 0; exec "$@"', "sh", Deno.execPath()],
        ...["run", "-A", RUN, "--no-check", "--no-config", file],
      ],
      env: { CI: "", NO_COLOR: "1", [WITHOUT]: absent.join(","), ...env },
      stdin: "null",
    }).output();
    return { code, out: new TextDecoder().decode(stdout) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("needs() skips tests, and the runner prints them, the reasons and the remedy", async () => {
  const { code, out } = await runWithout(["gawk", "root", "i386"]);
  assertEquals(code, 0, out);
  assertStringIncludes(out, "2 passed | 0 failed | 2 ignored");
  const end = out.slice(out.indexOf("\nLeft out: "));
  for (
    const line of [
      "Left out: 2 tests and 1 part of a test",
      `  without gawk, ${WITHOUT} names it: 1 test\n`,
      `  without root, ${WITHOUT} names it: 1 test\n`,
      `  without i386, ${WITHOUT} names it: 1 test and 1 part of a test\n`,
      "as root: apt-get install -y --no-install-recommends gawk\n",
      "run the tests as root",
    ]
  ) assertStringIncludes(end, line);
  assert(/a_test\.ts: 2 tests, rows of i386\n/.test(end), end);
});

Deno.test("needs() fails under CI=true unless the kernel lacks the feature", async () => {
  const CI = { CI: "true" };
  const missing = await runWithout(["gawk", "i386"], CI);
  assertEquals(missing.code, 1, missing.out);
  assertStringIncludes(missing.out, 'Cannot run without "gawk"');
  assertStringIncludes(missing.out, "2 passed | 1 failed | 1 ignored");
  if (absence("gawk") !== undefined || absence("root") !== undefined) return;
  const kernel = await runWithout(["i386"], CI);
  assertEquals(kernel.code, 0, kernel.out);
  assertStringIncludes(kernel.out, "3 passed | 0 failed | 1 ignored");
  assertStringIncludes(kernel.out, "Left out: 1 test and 1 part of a test");
});

Deno.test("pathOf() finds programs, absence() what is not one", () => {
  assert(pathOf("sh")?.endsWith("/sh"));
  assertEquals(pathOf("no-such-program"), undefined);
  assertEquals(packagesOf(["ctr", "containerd", "root"]), ["containerd"]);
  assertEquals(absence("x86_64") === undefined, Deno.build.arch === "x86_64");
});

Deno.test("the runner gives tests the same environment for any caller", async () => {
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-machine-" });
  const file = `Deno.test("prints them", () => console.log(
    "umask", Deno.umask().toString(8), Deno.env.get("LC_ALL"),
    Deno.env.get("TMPDIR") === ${JSON.stringify(`${folder}/a b`)},
  ));`;
  try {
    await Deno.mkdir(`${folder}/a b`);
    const env = {
      FORCE_COLOR: "1",
      LC_ALL: "tr_TR.UTF-8",
      TMPDIR: `${folder}/a b`,
    };
    const { code, out } = await runWithout([], env, file);
    assertEquals(code, 0, out);
    assertStringIncludes(out, "umask 22 C.UTF-8 false\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
