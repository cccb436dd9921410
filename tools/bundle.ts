/**
 * Makes the single file: `dist/seccomp-tree`, one executable script that needs
 * deno on the machine and nothing else.
 *
 * ```sh
 * deno task bundle && dist/seccomp-tree demo
 * deno task bundle FILE
 * ```
 *
 * Deno reads all of it at each start, so it is kept small: the libraries that
 * draw the charts of `bench`, and the hook that `install` puts in place, are
 * packed, and unpacked where they are used. One
 * character beyond Latin-1 would make V8 keep all of the text in two bytes a
 * character, so there is none.
 *
 * @module
 */

import { dirname } from "@std/path";
import { PACKED } from "../install/packed.ts";
import { FAST } from "../install/program.ts";
import { type Given, type Manual, start } from "./arguments.ts";
import { bundle } from "./deno_bundle.ts";
import { compileAtOnce, type Use } from "./eager.ts";
import { HOOK, makeHook } from "./hook_program.ts";

const SHEBANG = [
  ...["#!/usr/bin/env", "-S", "deno", "run", "-A", "--ext=js"],
  ...["--no-config", "--no-lock", "--no-remote", `--v8-flags=${FAST}\n`],
].join(" ");

/** Libraries that are packed; each is imported where it is used. */
const LIBRARIES = ["vega", "vega-lite"];

/** What the program is used for most. */
const USES: readonly Use[] = [
  { args: ["compile", "default:docker", "-f", "raw", "--quiet"] },
];

/** Programs that are packed; other processes run them. */
const PROGRAMS = [
  HOOK,
  "bench/experiments/stacked_child.ts",
  "bench/experiments/memory_child.ts",
  "bench/engine/process_child.ts",
];

/** Unpacks: texts in base64 stand in place of `@LIBRARIES@` and `@PROGRAMS@`. */
const UNPACK = `
async function unpackText(base64) {
  const stream = new Blob([Uint8Array.fromBase64(base64)]).stream();
  return await new Response(
    stream.pipeThrough(new DecompressionStream("gzip")),
  ).text();
}
let libraries;
function unpack(name) {
  libraries ??= unpackText("@LIBRARIES@").then((text) =>
    import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })))
  );
  return libraries.then((unpacked) => unpacked[name]);
}
let programs;
globalThis[Symbol.for(${JSON.stringify(PACKED.description)})] = (path) => {
  programs ??= unpackText("@PROGRAMS@").then(JSON.parse);
  return programs.then((unpacked) => unpacked[path]);
};
`;

const MANUAL: Manual = {
  usage: "deno task bundle [FILE]",
  brief:
    "Makes the single file, dist/seccomp-tree unless another FILE is named: one\nexecutable script that needs Deno and nothing else.",
  words: 1,
};

async function main({ words }: Given): Promise<void> {
  const [path = "dist/seccomp-tree"] = words;
  const scratch = await Deno.makeTempDir({ prefix: "bundle-" });
  try {
    const program = await bundle(
      "cli/main.ts",
      `${scratch}/main.js`,
      LIBRARIES,
    );
    // In this folder, whose deno.json says which version of a library is meant.
    const list = "tools/packed.ts";
    await Deno.writeTextFile(list, exportsOf(LIBRARIES));
    const packed = await bundle(list, `${scratch}/packed.js`, [])
      .finally(() => Deno.remove(list));
    const programs: Record<string, string> = {};
    for (const entry of PROGRAMS) {
      programs[entry] = entry === HOOK
        ? await makeHook(scratch)
        : await bundle(entry, `${scratch}/program.js`, []);
    }
    const unpacking = UNPACK.replace("@LIBRARIES@", await pack(packed))
      .replace("@PROGRAMS@", await pack(JSON.stringify(programs)));
    const text = toAscii(unpacking + withUnpacking(program));
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(
      path,
      SHEBANG + await compileAtOnce(text, USES),
    );
    await Deno.chmod(path, 0o755);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

function exportsOf(names: readonly string[]): string {
  return names.map((name) =>
    `export * as ${JSON.stringify(name)} from ${JSON.stringify(name)};\n`
  ).join("");
}

/** Has the imports of packed libraries unpack them. */
function withUnpacking(program: string): string {
  for (const name of LIBRARIES) {
    const [imported, unpacked] = [`import("${name}")`, `unpack("${name}")`];
    if (!program.includes(imported)) {
      throw new Error(`Cannot pack ${name}: nothing imports it`);
    }
    program = program.replaceAll(imported, unpacked);
  }
  return program;
}

/** Compresses a text. */
async function pack(text: string): Promise<string> {
  const stream = new Blob([text]).stream();
  const bytes = await new Response(
    stream.pipeThrough(new CompressionStream("gzip")),
  ).bytes();
  return bytes.toBase64();
}

/** Writes what is not ASCII as an escape, which strings and patterns read alike. */
function toAscii(text: string): string {
  return text.replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

if (import.meta.main) start(MANUAL, main);
