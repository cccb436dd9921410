/**
 * The files that tell the dispatcher which entries are current.
 *
 * @module
 */

import { type Environment, linksName } from "../environment.ts";
import type { FileIdentity } from "../file_identity.ts";
import { keepCounts } from "./counts.ts";
import { ENTRY_MODE } from "./entry.ts";
import { writeWhole } from "../../host/files.ts";
import { doubtOf, trustedOwners } from "../../host/trust.ts";

/**
 * Writes the data that the dispatcher needs.
 *
 * @param environment The environment.
 * @returns The text; absent if the library's files are unknown, so that the
 * dispatcher cannot detect changes.
 */
export function formatEnvironment(
  environment: Environment,
): string | undefined {
  const { files } = environment;
  if (files === undefined) return undefined;
  if (files.some(({ path }) => !/^\/[\w./@+-]+$/.test(path))) return undefined;
  return [
    "seccomp-tree environment 1",
    `id ${environment.id}`,
    ...files.map(({ path, size, mtime }) => `file ${path} ${size} ${mtime}`),
    "end\n",
  ].join("\n");
}

/**
 * Records which entries are current.
 *
 * @param directory The store.
 * @param environment The current environment.
 */
export async function putEnvironment(
  directory: string,
  environment: Environment,
): Promise<void> {
  keepCounts(directory);
  const text = formatEnvironment(environment);
  if (text === undefined) return;
  const path = `${directory}/${environment.name}`;
  let there: string | undefined;
  try {
    const info = await Deno.lstat(path);
    // A new file would inherit the owner and the mode of this one.
    if (doubtOf(info, "file", await trustedOwners()) !== undefined) {
      await Deno.remove(path);
    } else there = await Deno.readTextFile(path);
  } catch {
    // It does not exist yet.
  }
  try {
    if (there !== text) writeWhole(path, text, { mode: ENTRY_MODE });
    await putLinks(
      `${directory}/${linksName(environment.name)}`,
      environment.files ?? [],
    );
  } catch {
    // Without it, the dispatcher calls Deno every time, which is slower but
    // correct.
  }
}

/**
 * Creates links to files, numbered from 1. They only serve as names for
 * stat(1): if one leads elsewhere, size and time differ from those of the
 * environment.
 */
async function putLinks(
  folder: string,
  files: readonly FileIdentity[],
): Promise<void> {
  for (const [i, { path }] of files.entries()) {
    const link = `${folder}/${i + 1}`;
    try {
      if (await Deno.readLink(link) === path) continue;
      await Deno.remove(link);
    } catch {
      // It does not exist yet.
    }
    await Deno.mkdir(folder, { mode: 0o700, recursive: true });
    await Deno.symlink(path, link);
  }
}
