/**
 * Assembles the inner loops of the interval search, compiler/search/kernel.wat.
 *
 * ```sh
 * deno task kernel            # writes compiler/search/kernel_code.ts
 * deno task kernel --check    # compares, exits 1 where they differ
 * ```
 *
 * @module
 */

import wabt from "wabt";
import { type Given, type Manual, start } from "./arguments.ts";

const SOURCE = new URL("../compiler/search/kernel.wat", import.meta.url);
const TARGET = new URL("../compiler/search/kernel_code.ts", import.meta.url);
const WIDTH = 76;

/** Text of the module that holds the assembled kernel. */
export async function kernelModule(): Promise<string> {
  const { parseWat } = await wabt();
  const source = await Deno.readTextFile(SOURCE);
  const { buffer } = parseWat("kernel.wat", source).toBinary({});
  const lines = buffer.toBase64().match(new RegExp(`.{1,${WIDTH}}`, "g")) ?? [];
  return `/**
 * compiler/search/kernel.wat as WebAssembly, ${buffer.length} bytes: written by
 * \`deno task kernel\`.
 *
 * @module
 */

/** The module in base64. */
export const KERNEL: string =
${lines.map((line) => `  "${line}"`).join(" +\n")};
`;
}

const MANUAL: Manual = {
  usage: "deno task kernel [OPTION...]",
  brief:
    "Assembles compiler/search/kernel.wat into compiler/search/kernel_code.ts.",
  options: {
    check: { brief: "Compare, write nothing; exit with 1 if they differ" },
  },
};

async function main(given: Given): Promise<number> {
  const text = await kernelModule();
  if (!given.has("check")) {
    await Deno.writeTextFile(TARGET, text);
    return 0;
  }
  if (await Deno.readTextFile(TARGET) === text) return 0;
  // deno-lint-ignore no-console -- a program for people
  console.error(
    "compiler/search/kernel_code.ts is not of kernel.wat: run deno task kernel",
  );
  return 1;
}

if (import.meta.main) start(MANUAL, main);
