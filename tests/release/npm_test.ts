/**
 * The npm package, from `npm pack`, installed in an empty folder.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { chromium } from "playwright-core";
import ts from "typescript";
import * as library from "../../mod.ts";
import { joinRuns } from "../../tools/npm/shrink.ts";
import { loadedSize, MOST_ENGINE, packageFiles } from "../../tools/npm.ts";
import { needs, pathOf } from "../machine.ts";
import { compileCorpus, CORPUS } from "./corpus.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const DECODER = new TextDecoder();
const scratch = Deno.makeTempDirSync({ prefix: "seccomp-tree-npm-" });
addEventListener("unload", () => Deno.removeSync(scratch, { recursive: true }));

/** Runs a program; its status must be 0. */
async function run(
  program: string,
  args: readonly string[],
  cwd: string,
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { HOME: scratch, NO_COLOR: "1", npm_config_offline: "true" },
  }).output();
  const text = DECODER.decode(stdout);
  const shown = `${text}${DECODER.decode(stderr)}`.slice(-2000);
  assertEquals(code, 0, `${program}: ${shown}`);
  return text;
}

let built: Promise<string> | undefined;

/** The folder that the task has written. */
function made(): Promise<string> {
  built ??= build();
  return built;
}

async function build(): Promise<string> {
  const output = join(scratch, "package");
  const tool = join(ROOT, "tools/npm.ts");
  await run(Deno.execPath(), ["run", "-A", tool, output], ROOT);
  return output;
}

let installed: Promise<string> | undefined;

/** The folder in which the packed package is the only one. */
function folder(): Promise<string> {
  installed ??= install();
  return installed;
}

async function install(): Promise<string> {
  const packed = await made();
  const empty = join(scratch, "empty");
  await Deno.mkdir(empty);
  const [pack] = JSON.parse(
    await run("npm", ["pack", "--json", packed], empty),
  );
  await Deno.writeTextFile(join(empty, "package.json"), '{"type":"module"}\n');
  await run("npm", ["install", "--no-audit", `./${pack.filename}`], empty);
  await Deno.writeTextFile(join(empty, "files.json"), JSON.stringify(pack));
  return empty;
}

/** Runs a module in Node, in the folder of the package. */
async function runInNode(text: string): Promise<string> {
  const file = join(await folder(), "program.mjs");
  await Deno.writeTextFile(file, text);
  return await run("node", [file], await folder());
}

/** The example of README's section Library, as a program of Node. */
async function readmeExample(): Promise<string> {
  const readme = await Deno.readTextFile(join(ROOT, "README.md"));
  const [, code = ""] = /\n## Library\n\n```ts\n(.*?)```/s.exec(readme) ?? [];
  assertMatch(code, /compileProfile/);
  return code.replace('"jsr:', '"');
}

/** Compiles a TypeScript program that uses the package; returns the errors. */
async function typeErrors(
  text: string,
  moduleResolution: ts.ModuleResolutionKind,
): Promise<readonly string[]> {
  const file = join(await folder(), "program.ts");
  await Deno.writeTextFile(file, text);
  const program = ts.createProgram([file], {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: moduleResolution === ts.ModuleResolutionKind.Bundler
      ? ts.ModuleKind.ESNext
      : ts.ModuleKind.NodeNext,
    moduleResolution,
    types: [],
    lib: ["lib.es2023.d.ts"],
  });
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file }) =>
    `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`
  );
}

const names = (values: object): readonly string[] => Object.keys(values).sort();

let expected: readonly string[] | undefined;

/** The filters that Deno makes. */
function expectedFilters(): readonly string[] {
  expected ??= compileCorpus(library, CORPUS);
  return expected;
}

Deno.test("deno task npm gives the same bytes again, and a small engine", async () => {
  const first = await packageFiles();
  for (const [path, text] of first) {
    const written = await Deno.readTextFile(join(await made(), path));
    assert(written === text, `${path} differs`);
  }
  assert(loadedSize(first, "engine") <= MOST_ENGINE);
  const { version } = JSON.parse(
    await Deno.readTextFile(join(ROOT, "deno.json")),
  );
  const own = JSON.parse(first.get("package.json") ?? "");
  assertEquals([own.version, own.license], [version, "Apache-2.0"]);
  assertEquals(Object.keys(own).filter((key) => /depend/i.test(key)), []);
});

Deno.test("joinRuns() joins the lines of tables that continue, and no others", () => {
  const text = (runs: string): string => `const table = \`${runs}\`;\n`;
  assertEquals(
    joinRuns(text("\n1 a b\n3 c\n7 d\n8 e f\n")),
    text("\n1 a b c\n7 d e f\n"),
  );
  for (const other of ["\n1 a b\n3 c", "\n1 a\nb c\n", "\n1 a\n2 ${b}\n"]) {
    assertEquals(joinRuns(text(other)), text(other));
  }
});

needs("node", "npm")(
  "the packed package is whole, and has what mod.ts exports",
  async () => {
    const { files } = JSON.parse(
      await Deno.readTextFile(join(await folder(), "files.json")),
    );
    const paths = files.map(({ path }: { readonly path: string }) => path);
    for (
      const path of [
        ...["LICENSE", "NOTICE", "README.md", "index.js", "index.d.ts"],
        ...["engine.js", "engine.d.ts", "shared.js"],
      ]
    ) assert(paths.includes(path), path);
    const output = await runInNode(
      `import * as all from "@x/seccomp-tree";
       import * as engine from "@x/seccomp-tree/engine";
       const other = Object.keys(engine).filter((name) => all[name] !== engine[name]);
       console.log(JSON.stringify([Object.keys(all).sort(), other]));`,
    );
    assertEquals(JSON.parse(output), [names(library), []]);
  },
);

needs("node", "npm")("README's example runs in Node", async () => {
  const text = '{"defaultAction": "SCMP_ACT_ALLOW"}';
  const output = await runInNode(
    `const text = ${JSON.stringify(text)};
     ${await readmeExample()}
     console.log(bytes.join(), proof.kind, diagnostics.length);`,
  );
  const filter = library.compileProfile(text, { arch: "x86_64" });
  assert(filter.kind === "proved");
  const { bytes, diagnostics } = filter;
  assertEquals(output, `${bytes.join()} equal ${diagnostics.length}\n`);
});

needs("node", "npm")("the types of the package check, strictly", async () => {
  const { NodeNext, Bundler } = ts.ModuleResolutionKind;
  const example = `declare const text: string;\n${await readmeExample()}
    export const sizes: readonly number[] = [bytes.length, diagnostics.length];
    export const kind: "equal" = proof.kind;
    import { digestOf, type Policy } from "@x/seccomp-tree/engine";
    export const digest = (policy: Policy) => digestOf(policy);\n`;
  for (const resolution of [NodeNext, Bundler]) {
    assertEquals(await typeErrors(example, resolution), []);
  }
  const wrong = example.replace('arch: "x86_64"', 'arch: "vax"');
  const [error = ""] = await typeErrors(wrong, NodeNext);
  assertMatch(error, /"vax"' is not assignable/);
});

needs("node", "npm")(
  "Node makes the filters that Deno makes: 30 profiles, 6 targets",
  async () => {
    const output = await runInNode(
      `import * as library from "@x/seccomp-tree/engine";
       ${compileCorpus}
       console.log(JSON.stringify(compileCorpus(library, ${
        JSON.stringify(CORPUS)
      })));`,
    );
    assertEquals(CORPUS.profiles.length * CORPUS.targets.length, 180);
    const filters = expectedFilters().filter((line) =>
      /^[0-9a-f]+$/.test(line)
    );
    assert(filters.length >= 170, `${filters.length} filters`);
    assertEquals(JSON.parse(output), expectedFilters());
  },
);

needs("chromium", "node", "npm")(
  "Chromium makes the filters that Deno makes, under a policy that permits only scripts",
  async () => {
    const home = join(await folder(), "node_modules/@x/seccomp-tree");
    const program = `import * as library from "./engine.js";
      ${compileCorpus}
      const corpus = ${JSON.stringify(CORPUS)};
      document.title = "done";
      globalThis.filters = compileCorpus(library, corpus);`;
    const answer = async ({ url }: Request): Promise<Response> => {
      const { pathname } = new URL(url);
      const script = (text: string | Uint8Array<ArrayBuffer>): Response =>
        new Response(text, { headers: { "content-type": "text/javascript" } });
      if (pathname === "/program.js") return script(program);
      if (/^\/\w+\.js$/.test(pathname)) {
        return script(await Deno.readFile(join(home, pathname)));
      }
      return new Response(
        '<!doctype html><script type="module" src="program.js"></script>',
        {
          headers: {
            "content-type": "text/html",
            "content-security-policy": "default-src 'none'; script-src 'self'",
          },
        },
      );
    };
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      answer,
    );
    const executablePath = pathOf("chromium") ?? "";
    const browser = await chromium.launch({
      executablePath,
      args: ["--no-sandbox"],
    });
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${server.addr.port}/`);
      await page.waitForFunction("globalThis.filters !== undefined");
      assertEquals(await page.evaluate("filters"), expectedFilters());
      // The policy that would permit WebAssembly is absent.
      const wasm = await page.evaluate(
        `WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))
          .then(() => "compiled", () => "refused")`,
      );
      assertEquals(wasm, "refused");
    } finally {
      await browser.close();
    }
  },
);

Deno.test("the workflow publishes what the task makes, with provenance", async () => {
  const path = join(ROOT, ".github/workflows/publish.yml");
  const text = await Deno.readTextFile(path);
  assertMatch(text, /deno task npm/);
  assertMatch(text, /npm publish --provenance --access public \.\/dist\/npm/);
  assertMatch(text, /id-token: write/);
});
