/**
 * Makes the single file: `dist/seccomp-tree`, one executable script that needs
 * only Deno on the machine.
 *
 * ```sh
 * deno task bundle && dist/seccomp-tree demo
 * deno task bundle FILE
 * ```
 *
 * Deno reads the whole file at each start, so it is kept small: only the code
 * that `compile` and `--help` need is plain text. All other code is packed, and
 * unpacked on use: the code of other commands (see `defer.ts`), the libraries
 * that draw the charts of `bench`, place the nodes of `draw` and read YAML, the
 * hook that `install` writes, and programs for other processes. A single
 * character outside Latin-1 would make V8 store the whole text with two bytes
 * per character, so the file contains none.
 *
 * @module
 */

import { dirname } from "@std/path";
import { brotliCompressSync } from "node:zlib";
import { PACKED } from "../host/packed.ts";
import { FAST } from "../hook/program.ts";
import { type Given, type Manual, start } from "./arguments.ts";
import { deferOthers } from "./defer.ts";
import { bundle } from "./deno_bundle.ts";
import type { Use } from "./calls.ts";
import { compileAtOnce } from "./eager.ts";
import { HOOK, makeHook } from "./hook_program.ts";

/**
 * Starts Deno from any `sh`, because only GNU's `env` accepts several words.
 */
const SHEBANG = `#!/bin/sh
":" //; exec deno run -A --ext=js --no-config --no-lock --no-remote --v8-flags=${FAST} "$0" "$@"
`;

/** The most frequent use of the program. */
const COMPILE: Use = {
  args: ["compile", "default:docker", "-f", "raw", "--quiet"],
};
/** Uses that do not load external code. */
const FREQUENT: readonly Use[] = [
  COMPILE,
  ...[["--help"], ["--version"], ["compile", "--help"]]
    .map((args) => ({ args })),
];

/** Modules to pack. */
const PACKED_MODULES = [
  HOOK,
  "hook/reference_child.ts",
  "bench/report/draw_chart.ts",
  "cli/draw/layout.ts",
  "cli/licenses/texts.ts",
  "cli/yaml/tree.ts",
  "bench/experiments/stacked_child.ts",
  "bench/experiments/memory_child.ts",
  "bench/engine/process_child.ts",
];

/** Unpacks code; texts in base64 replace `@DEFERRED@` and `@MODULES@`. */
const UNPACK = `
function unpack$(base64) {
  return new Response(
    new Blob([Uint8Array.fromBase64(base64)]).stream()
      .pipeThrough(new DecompressionStream("brotli")),
  ).text();
}
async function DEFERRED$() {
  return (await unpack$("@DEFERRED@")).split("\\0");
}
let modules;
globalThis[Symbol.for(${JSON.stringify(PACKED.description)})] = (path) => {
  modules ??= unpack$("@MODULES@").then(JSON.parse);
  return modules.then((unpacked) => unpacked[path]);
};
`;

const MANUAL: Manual = {
  usage: "deno task bundle [OPTION...] [FILE]",
  brief:
    "Makes the single file FILE (default: dist/seccomp-tree): one executable\nscript that needs only Deno.",
  options: {
    lazy: { brief: "Do not mark the functions that every run calls" },
  },
  words: 1,
};

async function main(given: Given): Promise<void> {
  const [path = "dist/seccomp-tree"] = given.words;
  const scratch = await Deno.makeTempDir({ prefix: "bundle-" });
  try {
    const { program, deferred } = await deferOthers(
      await bundle("cli/main.ts", `${scratch}/main.js`),
      FREQUENT,
    );
    const modules: Record<string, string> = {};
    for (const entry of PACKED_MODULES) {
      modules[entry] = entry === HOOK ? await makeHook(scratch) : await bundle(
        entry,
        `${scratch}/module.js`,
        entry.startsWith("cli/yaml/") ? "browser" : "deno",
      );
    }
    const unpacking = UNPACK.replace("@DEFERRED@", packTexts(deferred))
      .replace("@MODULES@", pack(JSON.stringify(modules)));
    const text = toAscii(unpacking + program);
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(
      path,
      SHEBANG +
        (given.has("lazy") ? text : await compileAtOnce(text, [COMPILE])),
    );
    await Deno.chmod(path, 0o755);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** Packs texts; no code has a NUL. */
function packTexts(texts: readonly string[]): string {
  return pack(toAscii(texts.join("\0")));
}

/** Compresses a text, better than a `CompressionStream` does. */
function pack(text: string): string {
  return brotliCompressSync(text).toString("base64");
}

/**
 * Writes non-ASCII characters as escapes, which strings and patterns read
 * alike.
 */
function toAscii(text: string): string {
  return text.replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

if (import.meta.main) start(MANUAL, main);
