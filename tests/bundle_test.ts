import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
const ROOT = fromFileUrl(new URL("..", import.meta.url));
const DECODER = new TextDecoder();

/** Runs a program in its own folder, like a user who has only the file. */
async function run(
  words: readonly string[],
  cwd: string,
  { input = "", code = 0 }: { input?: string; code?: number } = {},
): Promise<Deno.CommandOutput> {
  const [program = "", ...args] = words;
  const child = new Deno.Command(program, {
    args,
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const output = await child.output();
  assertEquals(output.code, code, DECODER.decode(output.stderr));
  return output;
}

Deno.test("the single file works like the sources without them", async (t) => {
  const directory = await Deno.makeTempDir({ prefix: "seccomp-tree-bundle-" });
  try {
    const file = join(directory, "seccomp-tree");
    const builder = join(ROOT, "tools/bundle.ts");
    await run([Deno.execPath(), "run", "-A", builder, file], ROOT);
    const words = (...args: readonly string[]): readonly string[] => [
      ...[Deno.execPath(), "run", "-A", "--ext=js", "--no-config"],
      ...["--no-lock", "--no-remote", file, ...args],
    ];
    await t.step("one byte a character", async () => {
      const bytes = await Deno.readFile(file);
      assert(bytes.every((byte) => byte < 0x80));
      assertMatch(
        DECODER.decode(bytes.slice(0, 80)),
        /^#!\/bin\/sh\n":" \/\/; exec deno run -A /,
      );
    });
    await t.step("compile", async () => {
      const args = ["compile", "default:docker", "-f", "raw", "--quiet"];
      const { stdout } = await run(words(...args), directory);
      const main = join(ROOT, "cli/main.ts");
      const expected = await run(
        [Deno.execPath(), "run", "-A", main, ...args],
        ROOT,
      );
      assertEquals(stdout, expected.stdout);
    });
    await t.step(
      "errors of the command line, whose classes have lost their names",
      async () => {
        const cases: readonly (readonly [string, string])[] = [
          [
            "prove a",
            "Missing argument: B; give a second source, or only bundle:DIR",
          ],
          ["prove", "Missing argument: A; usage: seccomp-tree prove "],
          ["prove a b c", 'Too many arguments: "c"; usage: '],
          ["compile -fhxe", 'Cannot read --format "hxe": not one of '],
          ["compile --arch", "Missing value of --arch"],
          ["compile --frmat", "Unknown option --frmat; did you mean --format"],
          ["compile -qq", "Option --quiet is given twice; give it once"],
        ];
        for (const [args, message] of cases) {
          const command = words(...args.split(" "));
          const { stderr } = await run(command, directory, { code: 2 });
          const text = DECODER.decode(stderr);
          assert(text.startsWith(`error: ${message}`), text);
        }
      },
    );
    await t.step("completions", async () => {
      for (const shell of ["bash", "zsh", "fish"]) {
        const args = ["completions", shell];
        const { stdout } = await run(words(...args), directory);
        const source = join(ROOT, `cli/completions/seccomp_tree.${shell}`);
        assertEquals(DECODER.decode(stdout), await Deno.readTextFile(source));
      }
      const asked = await run(
        words("__complete", "compile", "--form"),
        directory,
      );
      assertMatch(DECODER.decode(asked.stdout), /^none\t\n--format\t/);
    });
    await t.step("what compile needs is compiled at once", async () => {
      const log = join(directory, "v8.log");
      const events = `--log-function-events,--no-logfile-per-isolate`;
      await run([
        ...[Deno.execPath(), "run", "-A", "--ext=js", "--no-config"],
        ...["--no-code-cache", `--v8-flags=${events},--logfile=${log}`, file],
        ...["compile", "default:docker", "-f", "raw", "--quiet"],
      ], directory);
      const lines = (await Deno.readTextFile(log)).split("\n");
      const count = (event: string): number =>
        lines.filter((line) => line.startsWith(`function,${event},`)).length;
      // V8 reads a function when it is called, unless it has done so before.
      assert(count("first-execution") > 100, "functions are called");
      assert(count("parse-function") < 100, `${count("parse-function")} late`);
    });
    await t.step("what compile does not need is packed", async () => {
      const text = await Deno.readTextFile(file);
      const [, packed = ""] = /unpack\$\("([^"]+)"\)/.exec(text) ?? [];
      const later = await new Response(
        new Blob([Uint8Array.fromBase64(packed)]).stream()
          .pipeThrough(new DecompressionStream("brotli")),
      ).text();
      for (
        const [part, mark] of [
          ["values of arguments", "TIOCSTI="],
          ["bench", "Kernel memory"],
          ["install", "multi-user.target"],
          ["source code with filters", "vec!"],
        ] as const
      ) {
        assert(later.includes(mark), `${part}: the mark "${mark}" has changed`);
        assert(!text.includes(mark), `${part} is loaded by compile`);
      }
    });
    await t.step(
      "other commands do what they do from the sources",
      async () => {
        const main = join(ROOT, "cli/main.ts");
        for (
          const args of [
            ["prove", "default:docker", "default:docker"],
            ["simulate", "default:docker", "openat"],
            ["optimize", "preset:no-bpf", "-f", "hex"],
            ["disasm", "default:docker"],
            ["explain", "preset:no-bpf"],
            ["lint", "preset:no-bpf"],
            ["syscalls", "openat"],
            ["bench", "--help"],
          ]
        ) {
          const expected = await new Deno.Command(Deno.execPath(), {
            args: ["run", "-A", main, ...args],
            cwd: directory,
          }).output();
          const { stdout } = await run(words(...args), directory, {
            code: expected.code,
          });
          assertEquals(
            DECODER.decode(stdout),
            DECODER.decode(expected.stdout),
            args.join(" "),
          );
          assert(expected.stdout.length > 0, args.join(" "));
        }
      },
    );
    await t.step("install", async () => {
      const image = join(directory, "image");
      await Deno.mkdir(image);
      await run(words("install", "podman", "--root", image), directory);
      const hook = join(
        image,
        "usr/local/lib/seccomp-tree/program/hook.js",
      );
      const config = {
        ociVersion: "1.0.0",
        linux: { seccomp: { defaultAction: "SCMP_ACT_ALLOW" } },
      };
      const { stdout } = await run(
        [Deno.execPath(), "run", "--no-config", hook, "hook"],
        directory,
        { input: JSON.stringify(config) },
      );
      const { annotations, ...rest } = JSON.parse(DECODER.decode(stdout));
      assertEquals(rest, config);
      assertMatch(annotations["run.oci.seccomp_bpf_data"], /^[\w+/]+=*$/);
    });
    await t.step("programs of bench", async () => {
      // The shebang is a comment to Deno.
      const module = join(directory, "seccomp-tree.js");
      await Deno.copyFile(file, module);
      const script = join(directory, "stack.js");
      await Deno.writeTextFile(
        script,
        `import "./seccomp-tree.js";
        const unpack = globalThis[Symbol.for("seccomp-tree.packed")];
        console.log(await unpack("bench/experiments/stacked_child.ts"));`,
      );
      const { stdout } = await run(
        [Deno.execPath(), "run", "-A", "--no-config", script],
        directory,
      );
      const child = join(directory, "child.js");
      await Deno.writeFile(child, stdout);
      // ret ALLOW, twice.
      const allow = "060000000000ff7f";
      const times = await run(
        [Deno.execPath(), "run", "-A", "--no-config", child, allow, "2"],
        directory,
      );
      assertEquals(JSON.parse(DECODER.decode(times.stdout)).length, 2);
    });
    await t.step("charts", async () => {
      const report = join(ROOT, "docs/charts/bench.json");
      const page = join(directory, "page");
      await run(
        words("bench", "--report", report, "--page", page),
        directory,
      );
      for await (const { name } of Deno.readDir(join(page, "charts"))) {
        assertEquals(
          await Deno.readTextFile(join(page, "charts", name)),
          await Deno.readTextFile(join(ROOT, "docs/charts", name)),
          name,
        );
      }
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
