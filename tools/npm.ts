/**
 * Makes the npm package of the library: modules for Node and browsers, types,
 * no dependency.
 *
 * ```sh
 * deno task npm [FOLDER]   # default: dist/npm
 * npm pack ./dist/npm
 * ```
 *
 * `index.js` is the whole library, and `engine.js` the part that makes filters.
 * A third file has their common code, so that a program may use both.
 *
 * @module
 */

import { dirname, fromFileUrl, join } from "@std/path";
import { gzipSync } from "node:zlib";
import { ArgumentError, type Given, type Manual, start } from "./arguments.ts";
import { declarations } from "./npm/declarations.ts";
import { type Entry, entryText, readEntries } from "./npm/entries.ts";
import { shrink } from "./npm/shrink.ts";

const ROOT_URL = new URL("../", import.meta.url);
const ROOT = fromFileUrl(ROOT_URL);

/** Folder of the package if none is given. */
const USUAL = "dist/npm";

/** Maximum size of the engine after gzip -9, in bytes. */
export const MOST_ENGINE = 70_000;

const MANUAL: Manual = {
  usage: "deno task npm [FOLDER]",
  brief:
    "Makes the npm package of the library (default: dist/npm), and prints its\nsizes.",
  words: 1,
};

/** The parts of `deno.json` that are read. */
interface Config {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
}

/** Makes the content of `package.json`. */
function packageJson(
  { name, version, description, license }: Config,
  entries: readonly Entry[],
): string {
  const exports = entries.map(({ file, key }) => [
    key,
    { types: `./${file}.d.ts`, default: `./${file}.js` },
  ]);
  const content = {
    name,
    version,
    description,
    license,
    type: "module",
    sideEffects: false,
    exports: {
      ...Object.fromEntries(exports),
      "./package.json": "./package.json",
    },
    types: "./index.d.ts",
    files: ["*.js", "*.d.ts", "types", "NOTICE"],
    engines: { node: ">=20" },
    keywords: ["seccomp", "bpf", "containers", "sandbox", "oci", "docker"],
    publishConfig: { access: "public" },
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** Bundles the entries; returns texts by name of the file. */
async function bundleEntries(
  entries: readonly Entry[],
): Promise<ReadonlyMap<string, string>> {
  const scratch = await Deno.makeTempDir({ prefix: "npm-" });
  try {
    const paths: string[] = [];
    for (const entry of entries) {
      const path = join(scratch, `${entry.file}.ts`);
      const place = (from: string): string => new URL(from, ROOT_URL).href;
      await Deno.writeTextFile(path, entryText(entry, place));
      paths.push(path);
    }
    const output = join(scratch, "output");
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["bundle", "--quiet", "--minify", "--code-splitting"],
        ...["--platform", "browser", "--config", "deno.json"],
        ...["--lock=deno.lock", "--frozen", "--outdir", output, ...paths],
      ],
      cwd: ROOT,
    }).output();
    if (!success) {
      throw new Error(
        `Cannot bundle the library: ${new TextDecoder().decode(stderr)}`,
      );
    }
    const files = new Map<string, string>();
    for await (const { name } of Deno.readDir(output)) {
      const text = await Deno.readTextFile(join(output, name));
      files.set(name, await shrink(text));
    }
    return files;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** Gives the file that both entries need a name that does not change. */
function nameShared(
  files: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const chunks = [...files.keys()].filter((name) => name.startsWith("chunk-"));
  const [chunk] = chunks;
  if (chunk === undefined || chunks.length > 1) {
    throw new Error(`Unreachable: ${chunks.length} shared files`);
  }
  return new Map([...files].map(([name, text]) =>
    [
      name === chunk ? "shared.js" : name,
      text.replaceAll(`./${chunk}`, "./shared.js"),
    ] as const
  ));
}

/** Lists the files of the package, text by path. */
export async function packageFiles(): Promise<ReadonlyMap<string, string>> {
  const entries = await readEntries();
  const read = (path: string): Promise<string> =>
    Deno.readTextFile(join(ROOT, path));
  // A file of this repository.
  const config = JSON.parse(await read("deno.json")) as Config;
  return new Map([
    ...nameShared(await bundleEntries(entries)),
    ...await declarations(entries),
    ["package.json", packageJson(config, entries)],
    ["README.md", await read("docs/npm.md")],
    ["LICENSE", await read("LICENSE")],
    ["NOTICE", await read("NOTICE")],
  ]);
}

/**
 * Computes the size of the files that an entry loads, after gzip -9.
 *
 * @param files The files of the package.
 * @param entry Name of a file without its suffix.
 * @returns Bytes of the entry and the shared file.
 */
export function loadedSize(
  files: ReadonlyMap<string, string>,
  entry: Entry["file"],
): number {
  const sizeOf = (name: string): number =>
    gzipSync(files.get(name) ?? "", { level: 9 }).length;
  return sizeOf(`${entry}.js`) + sizeOf("shared.js");
}

/** Makes a folder for the package; only the usual one may have files. */
async function prepare(folder: string): Promise<void> {
  if (folder === USUAL) {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
  await Deno.mkdir(folder, { recursive: true });
  for await (const { name } of Deno.readDir(folder)) {
    throw new ArgumentError(
      `Cannot write to ${folder}: it has ${name}; give an empty folder`,
    );
  }
}

async function main({ words: [folder = USUAL] }: Given): Promise<number> {
  await prepare(folder);
  const files = await packageFiles();
  for (const [path, text] of files) {
    await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
    await Deno.writeTextFile(join(folder, path), text);
  }
  const [engine, all] = (["engine", "index"] as const)
    .map((entry) => loadedSize(files, entry));
  // deno-lint-ignore no-console -- a program for people
  console.log(
    `${folder}: ${files.size} files; after gzip -9, /engine loads ${engine} bytes (at most ${MOST_ENGINE}), the whole library ${all}`,
  );
  return (engine ?? Infinity) <= MOST_ENGINE ? 0 : 1;
}

if (import.meta.main) start(MANUAL, main);
