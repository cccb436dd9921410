/**
 * The program that hook and wrapper fall back on: the modules of `hook/`, or one
 * bundled file. Whoever installs it copies it to a folder that only root can change.
 *
 * @module
 */

import { ask } from "../host/command.ts";
import { packedProgram } from "../host/packed.ts";

/** The program's files. */
export interface ProgramFiles {
  /** Text by path below the program's folder. */
  readonly files: ReadonlyMap<string, string>;
  /** Path of the one that is started. */
  readonly main: string;
}

/** How the program is made. */
export type ProgramForm =
  /** The modules as they are; nothing has to be fetched. */
  | "modules"
  /** One file by `deno bundle`, which starts faster and fetches esbuild once. */
  | "bundle";

/**
 * Flags of V8 for a program that runs for a tenth of a second: what is compiled
 * on other threads, or well, is paid for and hardly used. What runs for longer
 * is compiled well all the same, later.
 */
export const FAST: string = [
  "--single-threaded",
  "--invocation-count-for-maglev=3000",
  "--invocation-count-for-turbofan=100000",
].join(",");

/** The hook's main module. */
const MAIN = new URL("../hook/main.ts", import.meta.url);
/** Prints all of the hook as one module. */
const BUNDLER = new URL("../tools/hook_program.ts", import.meta.url);

/**
 * Reads the hook that belongs to this program.
 *
 * @param deno Path of Deno.
 * @param form How it is made; the single file has the bundle only.
 * @returns Its files.
 * @throws {Error} if Deno cannot list or bundle it.
 */
export async function readProgram(
  deno: string,
  form: ProgramForm,
): Promise<ProgramFiles> {
  const packed = await packedProgram("hook/main.ts");
  if (packed !== undefined || form === "bundle") {
    const main = "hook.js";
    const text = packed ?? await run([deno, "run", "-A", BUNDLER.href]);
    return { files: new Map([[main, text]]), main };
  }
  // What Deno prints; every field is checked if it is used.
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
        `Cannot copy the hook: it imports "${specifier}", which does not belong to this program: report this`,
      );
    }
    files.set(specifier.slice(base.length), await Deno.readTextFile(local));
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
 * The words that start the program, up to its own arguments.
 *
 * @param deno Path of Deno, absolute and real.
 * @param source The program.
 * @param folder Where it is.
 * @param v8 Flags of V8.
 */
export function programWords(
  deno: string,
  { main }: ProgramFiles,
  folder: string,
  v8: string,
): readonly string[] {
  return [
    ...[deno, "run", "-A", "--no-prompt", "--no-config", "--no-lock"],
    ...["--no-remote", "--no-npm", `--v8-flags=${v8}`],
    `${folder}/${main}`,
  ];
}
