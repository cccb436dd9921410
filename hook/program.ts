/**
 * The program to which hook and wrapper fall back: the modules of `hook/`, or
 * one bundled file. The installer copies it to a folder that only root can
 * change.
 *
 * @module
 */

import { ask } from "../host/command.ts";
import { packedProgram } from "../host/packed.ts";

/** The program's files. */
export interface ProgramFiles {
  /** Text by path below the program's folder. */
  readonly files: ReadonlyMap<string, string>;
  /** Path of the main file; `undefined` if the hook is in a compiled binary. */
  readonly main: string | undefined;
}

/** Form of the program. */
export type ProgramForm =
  /** The modules unchanged, without any download. */
  | "modules"
  /**
   * One file by `deno bundle`, which starts faster and downloads esbuild once.
   */
  | "bundle";

/**
 * V8 flags for a program that runs for a tenth of a second: compiling on other
 * threads, or with optimization, costs more than it gains. Code that runs
 * longer is still optimized later.
 */
export const FAST: string = [
  "--single-threaded",
  "--invocation-count-for-maglev=3000",
  "--invocation-count-for-turbofan=100000",
].join(",");

/** The hook's main module. */
const MAIN = new URL("../hook/main.ts", import.meta.url);
/** The line that Deno adds to a module in its cache. */
const CACHE_LINE = /\n\/\/ denoCacheMetadata=[^\n]*$/;
/** Prints the whole hook as one module. */
const BUNDLER = new URL("../tools/hook_program.ts", import.meta.url);

/**
 * Reads this program's hook.
 *
 * @param deno Path of Deno, or of this program if it is a compiled binary: then
 * containers start that.
 * @param form Form of the program; the single file has only the bundle.
 * @returns Its files.
 * @throws {Error} if Deno cannot list or bundle it.
 */
export async function readProgram(
  deno: string,
  form: ProgramForm,
): Promise<ProgramFiles> {
  if (Deno.build.standalone && deno === Deno.execPath()) {
    return { files: new Map(), main: undefined };
  }
  const packed = await packedProgram("hook/main.ts");
  if (packed !== undefined || form === "bundle") {
    const main = "hook.js";
    if (packed === undefined && BUNDLER.protocol !== "file:") {
      throw new Error(
        "Cannot bundle the hook: its bundler is not part of the published package; omit --bundle, or use a checkout",
      );
    }
    const text = packed ?? await run([deno, "run", "-A", BUNDLER.href]);
    return { files: new Map([[main, text]]), main };
  }
  // Output of Deno; every field is checked before use.
  const graph = JSON.parse(
    await run([deno, "info", "--json", MAIN.href]),
  ) as { readonly modules?: readonly GraphModule[] };
  const base = new URL("..", MAIN).href;
  const files = new Map<string, string>();
  for (const { specifier, local } of graph.modules ?? []) {
    if (
      typeof specifier !== "string" || typeof local !== "string" ||
      !specifier.startsWith(base)
    ) {
      throw new Error(
        `Cannot copy the hook: it imports "${specifier}", which does not belong to this program; please report this`,
      );
    }
    const text = await Deno.readTextFile(local);
    files.set(
      specifier.slice(base.length),
      specifier.startsWith("file:") ? text : text.replace(CACHE_LINE, ""),
    );
  }
  return { files, main: MAIN.href.slice(base.length) };
}

interface GraphModule {
  readonly specifier?: unknown;
  readonly local?: unknown;
}

async function run(words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await ask(words, { limitMs: 60_000 });
  if (code === 0) return stdout;
  throw new Error(
    `Cannot read the hook's program: deno ${
      words[1]
    } ended with status ${code}: ${stderr.trim().split("\n").at(-1)}`,
  );
}

/**
 * The command that starts the program, up to its own arguments.
 *
 * @param deno Path of Deno or of a compiled binary, absolute and real.
 * @param source The program.
 * @param folder Its folder.
 * @param v8 Flags of V8.
 */
export function programWords(
  deno: string,
  { main }: ProgramFiles,
  folder: string,
  v8: string,
): readonly string[] {
  if (main === undefined) {
    // `deno task compile` passes these flags to a binary as FAST; env sets
    // variables.
    return v8 === FAST ? [deno] : [`DENO_V8_FLAGS=${v8}`, deno];
  }
  return [
    ...[deno, "run", "-A", "--no-prompt", "--no-config", "--no-lock"],
    ...["--no-remote", "--no-npm", `--v8-flags=${v8}`],
    `${folder}/${main}`,
  ];
}
