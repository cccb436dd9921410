import { assertEquals, assertStringIncludes } from "@std/assert";

const ROOT = new URL("..", import.meta.url);

async function run(args: readonly string[]): Promise<[number, string]> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...args],
    cwd: ROOT,
    stdin: "null",
    stderr: "null",
  }).output();
  return [code, new TextDecoder().decode(stdout)];
}

Deno.test("mod.ts is the program where it is run", async () => {
  const [code, out] = await run([
    ...["-A", "mod.ts", "syscalls", "openat", "--arch", "x86_64"],
  ]);
  assertEquals(code, 0);
  assertStringIncludes(out, "257");
});

Deno.test("mod.ts needs no permission where it is imported", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/import.ts`;
  await Deno.writeTextFile(
    path,
    `import { compile } from "${new URL("mod.ts", ROOT)}";
    const arch = { auditArch: 1, names: ["x"], rules: [] };
    const policy = { defaultValue: 0, badArchValue: 0, littleEndian: true, arches: [arch] };
    console.log(compile(policy).program.length);`,
  );
  try {
    const [code, out] = await run(["--no-prompt", path]);
    assertEquals([code, out.trim()], [0, "1"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
