/**
 * The library as one module for engines other than Deno.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";

const ROOT = fromFileUrl(new URL("../../..", import.meta.url));

/**
 * Bundles `digests.ts`.
 *
 * @returns A module text in which `digests` is in scope.
 */
export async function bundleForBrowsers(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform", "browser", "--lock=deno.lock"],
      "tests/verify/engines/digests.ts",
    ],
    cwd: ROOT,
  }).output();
  if (!success) {
    throw new Error(`Cannot bundle: ${new TextDecoder().decode(stderr)}`);
  }
  return new TextDecoder().decode(stdout);
}
