/**
 * The published package: what it has, what a use of it fetches, and that all of
 * it works from an empty folder, without a network once it is cached.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import "deno-std/path/mod.js";
import { type Registry, startRegistry } from "./registry.ts";
import { type Form, useAll } from "./uses.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const DECODER = new TextDecoder();
const NAME = "jsr:@x/seccomp-tree";
/** A port without a server, as a proxy to everything outside. */
const NOWHERE = "http://127.0.0.1:9/";
/** Maximum size of the published files, in bytes. */
const MOST_BYTES = 4_000_000;

/** Reads all files below some folders, by path from the root. */
async function filesOf(
  root: string,
  folders: readonly string[],
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const folder of folders) {
    for await (
      const { name, isDirectory } of Deno.readDir(join(root, folder))
    ) {
      const path = `${folder}/${name}`;
      if (isDirectory) {
        for (const [k, v] of await filesOf(root, [path])) files.set(k, v);
      } else files.set(`/${path}`, await Deno.readFile(join(root, path)));
    }
  }
  return files;
}

/** The folder of `deno-std`, which this module imports. */
async function stdFolder(): Promise<string> {
  // "1.4.0" is in deno.json, too.
  const { npmCache } = JSON.parse(await deno(["info", "--json"], ROOT, {}));
  for await (const { name } of Deno.readDir(npmCache)) {
    const folder = join(npmCache, name, "deno-std/1.4.0");
    if (await Deno.stat(folder).then(() => true, () => false)) return folder;
  }
  throw new Error(`Cannot find deno-std in ${npmCache}`);
}

/** Publishes the originals of the stand-ins, which npm has as `deno-std`. */
async function publishStd(registry: Registry): Promise<void> {
  const std = await stdFolder();
  const put = async (
    name: string,
    exports: Readonly<Record<string, string>>,
    folders: readonly string[],
  ): Promise<void> => {
    const files = await filesOf(std, folders);
    // Without its tables in that package; ours is judged by a test of its own.
    const width = await Deno.readFile(
      join(ROOT, "tools/std/cli/unicode_width.ts"),
    );
    files.set("/unicode_width.ts", width);
    registry.put(`@std/${name}`, "1.1.0", { exports, files });
  };
  await put("path", { ".": "./path/mod.js" }, ["path", "assert", "internal"]);
  await put("assert", { ".": "./assert/mod.js" }, ["assert", "internal"]);
  await put("cli", {
    "./parse-args": "./cli/parse_args.js",
    "./unicode-width": "./unicode_width.ts",
  }, ["cli", "assert", "internal"]);
}

/** Output of `deno`; its status must be 0. */
async function deno(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const errors = DECODER.decode(stderr).replace(/^Download .*\n/gm, "");
  assertEquals(code, 0, `deno ${args.join(" ")}\n${errors}`);
  return DECODER.decode(stdout);
}

/** Packages from npm in a cache of Deno, such as `@stricli/core`. */
async function packagesIn(cache: string): Promise<readonly string[]> {
  const names: string[] = [];
  const list = async (folder: string): Promise<readonly string[]> => {
    try {
      return (await Array.fromAsync(Deno.readDir(folder)))
        .filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
    } catch {
      return [];
    }
  };
  for (const host of await list(`${cache}/npm`)) {
    for (const name of await list(`${cache}/npm/${host}`)) {
      const inner = await list(`${cache}/npm/${host}/${name}`);
      if (name.startsWith("@")) names.push(...inner.map((x) => `${name}/${x}`));
      else names.push(name);
    }
  }
  return names.sort();
}

/** All files below a folder with their text and the time of their change. */
async function stateOf(folder: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const [path] of await filesOf(folder, ["."])) {
    const { mtime, ino } = await Deno.stat(join(folder, path));
    lines.push(`${path} ${mtime?.getTime()} ${ino}`);
  }
  return lines.sort();
}

Deno.test("the published package", async (t) => {
  const scratch = await Deno.makeTempDir({ prefix: "seccomp-tree-jsr-" });
  await using registry = startRegistry();
  const online = { JSR_URL: registry.url };
  /** An empty cache, and what a command line fetches into it. */
  const fresh = async (
    ...args: readonly string[]
  ): Promise<
    { text: string; log: readonly string[]; npm: readonly string[] }
  > => {
    const cache = await Deno.makeTempDir({ dir: scratch, prefix: "cache-" });
    const cwd = await Deno.makeTempDir({ dir: scratch, prefix: "cwd-" });
    registry.log.length = 0;
    const text = await deno(args, cwd, { ...online, DENO_DIR: cache });
    const log = registry.log.map((path) =>
      path.replace(/^\/@x\/seccomp-tree\/[^/]+/, "")
    );
    return { text, log, npm: await packagesIn(cache) };
  };
  try {
    await publishStd(registry);
    const words = ["publish", "--token=x", "--allow-dirty", "--no-check"];
    await deno(words, ROOT, online);
    const { version } = JSON.parse(
      await Deno.readTextFile(join(ROOT, "deno.json")),
    );
    const files = registry.files("@x/seccomp-tree", version);

    await t.step(
      "has what its exports reach, the license, and no more",
      async () => {
        const reached = new Set<string>();
        for (
          const entry of ["mod.ts", "ffi/mod.ts", "hook/mod.ts", "cli/whole.ts"]
        ) {
          const info = JSON.parse(
            await deno(["info", "--json", "--no-lock", entry], ROOT, {}),
          );
          for (const { specifier } of info.modules) {
            if (!specifier.startsWith("file:")) continue;
            reached.add(fromFileUrl(specifier).slice(ROOT.length - 1));
          }
        }
        const texts = ["CHANGELOG", "README", "SECURITY"].map((x) =>
          `/${x}.md`
        );
        const late = ["/bench/report/draw_chart.ts"];
        const schemas = ["docker", "oci"].map((x) => `/schema/${x}.json`);
        assertEquals(
          [...files.keys()].sort(),
          [...reached, ...texts, ...late, ...schemas, "/LICENSE", "/NOTICE"]
            .sort(),
        );
        const bytes = files.values().reduce(
          (sum, file) => sum + file.length,
          0,
        );
        assert(bytes < MOST_BYTES, `${files.size} files, ${bytes} bytes`);
      },
    );

    await t.step(
      "a program that uses the library fetches nothing else",
      async () => {
        const script = join(scratch, "library.ts");
        await Deno.writeTextFile(
          script,
          `import { compileProfile, DEFAULT_PROFILE } from "${NAME}";
        console.log(compileProfile(DEFAULT_PROFILE, {
          arch: "x86_64",
          kernel: { major: 6, minor: 1 },
        }).kind);`,
        );
        const { text, log, npm } = await fresh("run", script);
        assertEquals(text, "proved\n");
        assertEquals(
          log.filter((path) =>
            /^\/(?:cli|hook|ffi|install|bench)\//.test(path)
          ),
          [],
        );
        assertEquals([log.some((path) => path.startsWith("/@std")), npm], [
          false,
          [],
        ]);
      },
    );

    await t.step("a command fetches what it uses", async () => {
      const { text, log, npm } = await fresh("run", "-A", NAME, "--version");
      assertEquals(text, `seccomp-tree ${version}\n`);
      assertEquals(log.filter((path) => path.startsWith("/cli/commands/")), []);
      assertEquals(npm, ["@stricli/core"]);
      const other = await fresh("run", "-A", NAME, "syscalls", "openat");
      assertEquals(
        other.log.filter((path) => path.startsWith("/cli/commands/")),
        ["/cli/commands/syscalls.ts"],
      );
      assertEquals(other.npm, ["@stricli/core"]);
      const whole = await fresh("run", "-A", `${NAME}/cli`, "--version");
      assertEquals([whole.text, whole.npm], [text, ["@stricli/core"]]);
    });

    const cache = join(scratch, "kept");
    for (const entry of ["", "/ffi", "/hook"]) {
      await deno(["cache", NAME + entry], scratch, {
        ...online,
        DENO_DIR: cache,
      });
    }
    const offline = {
      DENO_DIR: cache,
      JSR_URL: registry.url,
      HTTPS_PROXY: NOWHERE,
      HTTP_PROXY: NOWHERE,
      NO_PROXY: "127.0.0.1",
    };
    registry.log.length = 0;
    registry.refuse = true;

    await t.step("without a network, once cached", async (inner) => {
      const form: Form = {
        words: [Deno.execPath(), "run", "-A", NAME],
        env: offline,
      };
      await useAll(inner, form);
      await inner.step("ffi and hook", async () => {
        const script = join(scratch, "others.ts");
        await Deno.writeTextFile(
          script,
          `import { openLibseccomp } from "${NAME}/ffi";
          import { DEFAULTS } from "${NAME}/hook";
          console.log(typeof openLibseccomp, DEFAULTS.strict);`,
        );
        const args = ["run", "-A", "--cached-only", script];
        assertEquals(await deno(args, scratch, offline), "function false\n");
      });
      assertEquals(registry.log, []);
    });

    await t.step(
      "installs the hook's own text, and that only once",
      async () => {
        const image = join(scratch, "image");
        await Deno.mkdir(image);
        const install = [
          "install",
          "podman",
          "--mode",
          "hook",
          "--root",
          image,
        ];
        const run = (): Promise<string> =>
          deno(["run", "-A", NAME, ...install], scratch, offline);
        await run();
        const program = join(image, "usr/local/lib/seccomp-tree/program");
        const installed = await filesOf(program, ["."]);
        assert(installed.size > 50, `${installed.size} files`);
        // A program that the hook starts, and imports nowhere.
        assert(
          installed.has("/./hook/reference_child.ts"),
          "the child is there",
        );
        for (const [path, bytes] of installed) {
          const source = await Deno.readTextFile(join(ROOT, path));
          assertEquals(DECODER.decode(bytes), source, path);
        }
        const before = await stateOf(program);
        assertMatch(await run(), /(?:no change|nothing|already)/i);
        assertEquals(await stateOf(program), before);
      },
    );

    await t.step(
      "deno compile embeds the commands of cli, once cached",
      async () => {
        const sizes: number[] = [];
        for (const entry of ["", "/cli"]) {
          const binary = join(scratch, `compiled${entry.length}`);
          const words = [
            "compile",
            "-A",
            "--no-check",
            "-o",
            binary,
            NAME + entry,
          ];
          await deno(words, scratch, {
            ...offline,
            DENORT_BIN: Deno.execPath(),
          });
          const bytes = await Deno.readFile(binary);
          const text = new TextDecoder("latin1").decode(bytes);
          assertEquals(text.includes("/cli/commands/install.ts"), entry !== "");
          sizes.push(bytes.length);
          await Deno.remove(binary);
        }
        const [library = 0, program = 0] = sizes;
        assert(library < program, "the library alone is smaller");
      },
    );

    registry.refuse = false;
    await t.step("deno install -g", async () => {
      const root = join(scratch, "global");
      const env = { DENO_DIR: cache, DENO_INSTALL_ROOT: root };
      const words = [
        "install",
        "-g",
        "-A",
        "-n",
        "seccomp-tree",
        `${NAME}/cli`,
      ];
      await deno(words, scratch, { ...online, ...env });
      const { code, stdout } = await new Deno.Command(
        join(root, "bin/seccomp-tree"),
        {
          args: ["syscalls", "openat"],
          cwd: scratch,
          env: { ...offline, ...env },
        },
      ).output();
      assertEquals(code, 0);
      assertMatch(DECODER.decode(stdout), /openat/);
    });
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
});
