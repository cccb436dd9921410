/**
 * Makes the hook as one file, and prints it: the file that `install` writes.
 *
 * ```sh
 * deno run -A tools/hook_program.ts
 * ```
 *
 * @module
 */

import { DEFAULT_PROFILE } from "../profile/default_profile.ts";
import { bundle } from "./deno_bundle.ts";
import type { Use } from "./calls.ts";
import { compileAtOnce } from "./eager.ts";

/** The hook's main module. */
export const HOOK = "hook/main.ts";

/**
 * Makes the hook, with the code for containers that the store does not know.
 *
 * @param scratch A folder for temporary files.
 * @returns Its text.
 */
export async function makeHook(scratch: string): Promise<string> {
  const text = await bundle(HOOK, `${scratch}/hook.js`);
  return await compileAtOnce(text, usesOfHook(scratch));
}

/** Containers under Docker's default that the store does not know yet. */
function usesOfHook(scratch: string): readonly Use[] {
  const { defaultAction, syscalls } = JSON.parse(DEFAULT_PROFILE);
  const seccomp = {
    defaultAction,
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    syscalls: syscalls.filter((entry: object) => !("includes" in entry))
      .map(({ names, action, args }: Record<string, unknown>) => ({
        ...{ names, action },
        ...(args === undefined ? {} : { args }),
      })),
  };
  const config = { ociVersion: "1.0.2", linux: { seccomp } };
  const settings = ["--store", `${scratch}/store`, "--log", `${scratch}/log`];
  return [{ args: ["hook", ...settings], input: JSON.stringify(config) }];
}

async function main(): Promise<void> {
  const scratch = await Deno.makeTempDir({ prefix: "hook-" });
  try {
    const bytes = new TextEncoder().encode(await makeHook(scratch));
    for (let rest = bytes; rest.length > 0;) {
      rest = rest.subarray(Deno.stdout.writeSync(rest));
    }
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

if (import.meta.main) main();
