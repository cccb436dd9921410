/**
 * Sources that differ in a known way.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { call, FIXED, type Folder, SMALL_PROFILE } from "./harness.ts";

/** Writes profiles and the filter of the first one. */
export async function prepare(folder: Folder): Promise<{
  readonly profile: string;
  readonly looser: string;
  readonly tighter: string;
  readonly filter: string;
}> {
  const profile = await folder.write("p.json", SMALL_PROFILE);
  const looser = await folder.write(
    "looser.json",
    SMALL_PROFILE.replace('"write"', '"write","ptrace"'),
  );
  const tighter = await folder.write(
    "tighter.json",
    SMALL_PROFILE.replace('["read","write"]', '["read"]'),
  );
  const filter = join(folder.path, "f.bpf");
  const made = await call([
    "compile",
    ...FIXED,
    profile,
    "-f",
    "raw",
    "-O",
    filter,
  ]);
  assertEquals([made.code, made.out], [0, ""], made.err);
  return { profile, looser, tighter, filter };
}
