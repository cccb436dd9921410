/**
 * The single file, and the binary that `deno compile` makes from it.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { has, needs } from "../machine.ts";
import { assertStored } from "../install/filters.ts";
import { LOG, remove, sleeper } from "../install/podman.ts";
import { openSandbox, SANDBOX } from "../install/sandbox.ts";
import { BINARY, compiledFiles } from "./compiled.ts";
import { useAll } from "./uses.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const DECODER = new TextDecoder();
/** Maximum size of a binary without Deno's runtime, in bytes. */
const MOST_EMBEDDED = 3 * 2 ** 20;

/** Runs a command; its status must be 0. */
async function run(
  [program = "", ...args]: readonly string[],
  cwd: string,
  options: { readonly input?: string; readonly env?: Record<string, string> } =
    {},
): Promise<string> {
  const child = new Deno.Command(program, {
    args,
    cwd,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(options.input ?? ""));
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  assertEquals(code, 0, `${program} ${args}: ${DECODER.decode(stderr)}`);
  return DECODER.decode(stdout);
}

const scratch = Deno.makeTempDirSync({ prefix: "seccomp-tree-file-" });
addEventListener("unload", () => Deno.removeSync(scratch, { recursive: true }));

/** The single file, made once. */
let made: Promise<string> | undefined;

function singleFile(): Promise<string> {
  made ??= build("first/seccomp-tree");
  return made;
}

async function build(name: string): Promise<string> {
  const path = join(scratch, name);
  await Deno.mkdir(dirname(path), { recursive: true });
  const tool = join(ROOT, "tools/bundle.ts");
  await run([Deno.execPath(), "run", "-A", tool, path], ROOT);
  return path;
}

/** The stand-in for a binary, in the temporary folder. */
async function compiled(): Promise<string> {
  const folder = join(scratch, "bin");
  const file = await Deno.readTextFile(await singleFile());
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(compiledFiles(folder, file))) {
    await Deno.writeTextFile(join(folder, name), text, { mode: 0o755 });
  }
  return join(folder, BINARY);
}

/** Paths of files below a folder, which is `/`. */
async function* filesBelow(root: string, folder = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(root + folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* filesBelow(root, path);
    else yield path;
  }
}

Deno.test("the single file has the same bytes when it is built again", async () => {
  const [first, again] = await Promise.all([
    singleFile(),
    build("another/name"),
  ]);
  const [a, b] = [await Deno.readFile(first), await Deno.readFile(again)];
  assert(a.length > 100_000 && a.every((byte, i) => byte === b[i]));
  assertEquals(a.length, b.length);
});

Deno.test("the single file starts by the sh of any system", async () => {
  const file = await singleFile();
  const version = await run(
    [Deno.execPath(), "run", "-A", file, "--version"],
    "/",
  );
  const path = `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`;
  const starts = [[file]];
  if (has("busybox", "busybox starts the single file")) {
    starts.push(["busybox", "ash", file]);
  }
  if (has("dash", "dash starts the single file")) starts.push(["dash", file]);
  for (const words of starts) {
    const text = await run([...words, "--version"], "/", {
      env: { PATH: path },
    });
    assertEquals(text, version, words.join(" "));
  }
});

Deno.test("deno task stage lays out a prefix, and prints its files", async () => {
  const root = join(scratch, "root");
  const tool = join(ROOT, "tools/stage.ts");
  const words = ["--prefix", "/opt/st", "--program", await singleFile(), root];
  const list = await run([Deno.execPath(), "run", "-A", tool, ...words], ROOT);
  const files = await Array.fromAsync(filesBelow(root));
  assertEquals(list.trim().split("\n").sort(), files.sort());
  for (
    const path of [
      "bin/seccomp-tree",
      "share/man/man1/seccomp-tree.1",
      "share/man/man1/seccomp-tree-compile.1",
      "share/man/man8/seccomp-tree-hook.8",
      "share/bash-completion/completions/seccomp-tree",
      "share/zsh/site-functions/_seccomp-tree",
      "share/fish/vendor_completions.d/seccomp-tree.fish",
      "share/doc/seccomp-tree/seccomp-tree.cdx.json",
    ]
  ) assert(files.includes(`/opt/st/${path}`), path);
  const program = join(root, "opt/st/bin/seccomp-tree");
  assertEquals(((await Deno.stat(program)).mode ?? 0) & 0o777, 0o755);
});

needs("root", "dpkg-deb", "man")(
  "the package for Debian is installed in a root, runs there, and is removed",
  async () => {
    const file = await singleFile();
    const make = async (name: string): Promise<string> => {
      const deb = join(scratch, name);
      const words = ["--program", file, deb];
      const tool = join(ROOT, "tools/deb.ts");
      await run([Deno.execPath(), "run", "-A", tool, ...words], ROOT);
      return deb;
    };
    const [deb, again] = [await make("one.deb"), await make("two.deb")];
    assertEquals(await Deno.readFile(deb), await Deno.readFile(again));
    const root = join(scratch, "debian");
    await Deno.mkdir(join(root, "var/lib/dpkg/info"), { recursive: true });
    for (const name of ["status", "available"]) {
      await Deno.writeTextFile(join(root, "var/lib/dpkg", name), "");
    }
    const path = `${dirname(Deno.execPath())}:/usr/sbin:/sbin:${
      Deno.env.get("PATH")
    }`;
    const dpkg = (...words: readonly string[]): Promise<string> =>
      run(["dpkg", `--root=${root}`, "--log=/dev/null", ...words], "/", {
        env: { PATH: path },
      });
    await dpkg("--install", deb);
    assertMatch(await dpkg("--status", "seccomp-tree"), /^Status: install ok/m);
    const program = join(root, "usr/bin/seccomp-tree");
    const text = await run([program, "syscalls", "openat"], "/", {
      env: { PATH: path },
    });
    assertMatch(text, /openat/);
    const page = join(root, "usr/share/man/man8/seccomp-tree-hook.8.gz");
    assertMatch(await run(["man", "-l", page], "/"), /--rewrite-bundle/);
    await dpkg("--purge", "seccomp-tree");
    const left = (await Array.fromAsync(filesBelow(root)))
      .filter((path) => !path.startsWith("/var/lib/dpkg/"));
    assertEquals(left, []);
  },
);

Deno.test("deno compile embeds only the single file", async () => {
  const { tasks } = JSON.parse(
    await Deno.readTextFile(join(ROOT, "deno.json")),
  );
  const [, args] = /&& deno (compile .*) -o \S+ \S+$/.exec(tasks.compile) ?? [];
  const small = join(scratch, "small.js");
  await Deno.writeTextFile(small, "console.log(1);\n");
  const whole = join(scratch, "seccomp-tree.js");
  await Deno.copyFile(await singleFile(), whole);
  const sizes: number[] = [];
  for (const file of [small, whole]) {
    const binary = `${file}.bin`;
    await run(
      [Deno.execPath(), ...args?.split(" ") ?? [], "-o", binary, file],
      scratch,
      // Deno itself in place of its runtime without tools: enough to embed.
      { env: { DENORT_BIN: Deno.execPath() } },
    );
    sizes.push((await Deno.stat(binary)).size);
  }
  const [empty = 0, full = 0] = sizes;
  assert(full - empty > 1_000_000, "the file is in it");
  assert(full - empty < MOST_EMBEDDED, `${full - empty} bytes embedded`);
});

Deno.test("a compiled binary does what the sources do", async (t) => {
  await useAll(t, { words: [await compiled()] });
});

Deno.test("a compiled binary is its own hook and its own children", async (t) => {
  const binary = await compiled();
  const section = { defaultAction: "SCMP_ACT_ALLOW" };
  const config = { ociVersion: "1.0.0", linux: { seccomp: section } };
  const input = JSON.stringify(config);
  await t.step("hook", async () => {
    const words = [binary, "hook", "--store", "none", "--log", "stderr"];
    const { annotations, ...rest } = JSON.parse(
      await run(words, scratch, { input }),
    );
    assertEquals(rest, config);
    assertMatch(annotations["run.oci.seccomp_bpf_data"], /^[\w+/]+=*$/);
  });
  await t.step("runtime", async () => {
    const bundle = join(scratch, "bundle");
    await Deno.mkdir(bundle);
    await Deno.writeTextFile(join(bundle, "config.json"), input);
    const settings = ["--store", "none", "--runtime-kind", "crun"];
    await run(
      [binary, "runtime", ...settings, "--", "create", "-b", bundle, "x"],
      scratch,
    );
    const text = await Deno.readTextFile(join(bundle, "config.json"));
    assertMatch(text, /run\.oci\.seccomp_bpf_data/);
  });
  await t.step("children", async () => {
    // ret ALLOW
    const allow = "060000000000ff7f";
    const child = (name: string, ...args: readonly string[]): string[] => [
      ...[binary, "__child", name, ...args],
    ];
    const job = { filter: allow, count: 1, calls: [{ nr: 39, args: [] }] };
    const measured = JSON.parse(
      await run(child("bench/engine/process_child.ts"), scratch, {
        input: JSON.stringify(job),
      }),
    );
    assertEquals(measured.callNs.length, 1);
    const held = JSON.parse(
      await run(
        child("bench/experiments/memory_child.ts", allow, "2"),
        scratch,
        { input: "x" },
      ),
    );
    assertEquals(held.loaded, 2);
    const unknown = await new Deno.Command(binary, {
      args: ["__child", "cli/main.ts"],
    }).output();
    assertEquals(unknown.code, 2);
  });
  await t.step("install names the binary, or Deno if it is given", async () => {
    const image = join(scratch, "image");
    await Deno.mkdir(image);
    const install = (
      ...more: readonly string[]
    ): Promise<string> => {
      const words = ["install", "podman", "--mode", "hook", "--root", image];
      return run([binary, ...words, ...more], scratch);
    };
    const library = join(image, "usr/local/lib/seccomp-tree");
    const dispatcher = (): Promise<string> =>
      Deno.readTextFile(join(library, "podman/hook"));
    const hasProgram = (): Promise<boolean> =>
      Deno.stat(join(library, "program/hook.js")).then(() => true, () => false);
    await install();
    assert((await dispatcher()).includes(`'${binary}' hook --settings`));
    assertEquals(await hasProgram(), false);
    assertMatch(await install(), /no change|nothing|already/i);
    await install("--deno", "/opt/deno");
    const text = await dispatcher();
    assert(text.includes("'/opt/deno' 'run' '-A'"), text.slice(0, 500));
    assert(!text.includes(binary));
    assertEquals(await hasProgram(), true);
    await install();
    assertEquals(await hasProgram(), false);
  });
});

needs(...SANDBOX)(
  "a compiled binary sets up podman, whose container runs the stored filter",
  async () => {
    await using box = await openSandbox();
    // Only root may write there, in contrast to the folder for temporary files.
    const folder = "/usr/local/lib/compiled";
    const file = await Deno.readTextFile(await singleFile());
    for (const [name, text] of Object.entries(compiledFiles(folder, file))) {
      await box.write(`${folder}/${name}`, text, 0o755);
    }
    const binary = `${folder}/${BINARY}`;
    const words = ["install", "podman", "--mode", "hook", "--log", LOG];
    const installed = await box.run([binary, ...words]);
    assertEquals(installed.code, 0, installed.stderr);
    assertMatch(
      installed.stdout,
      /Verified: a container runs the stored filter/,
    );
    const hook = await box.read("/usr/local/lib/seccomp-tree/podman/hook");
    assert(hook.includes(`'${binary}' hook --settings`));
    await assertStored(box, await sleeper(box, "compiled"), "compiled");
    // Another section, which the store does not know yet.
    const other = await sleeper(box, "other", "--cap-add=SYS_ADMIN");
    await assertStored(box, other, "compiled by the binary");
    for (const name of ["compiled", "other"]) await remove(box, name);
    const status = await box.run([binary, "status"]);
    assertEquals(status.code, 0, status.stderr);
    const removed = await box.run([binary, "uninstall"]);
    assertEquals(removed.code, 0, removed.stderr);
  },
);
