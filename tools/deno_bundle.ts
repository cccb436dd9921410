/**
 * `deno bundle`, with the options for all programs of this project.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/**
 * Bundles a program.
 *
 * @param entry Its main module, from the root of the project.
 * @param output Path of the result.
 * @param platform The variant of each package: variants for browsers need no
 * Node module, which a program without a path cannot load.
 * @returns Its text.
 */
export async function bundle(
  entry: string,
  output: string,
  platform: "deno" | "browser" = "deno",
): Promise<string> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--minify", "--platform", platform],
      ...["--lock=deno.lock", "--frozen", "-o", output, entry],
    ],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error(`Cannot bundle ${entry}: deno bundle failed`);
  return await Deno.readTextFile(output);
}
