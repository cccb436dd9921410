/**
 * The installed copy of the hook's program.
 *
 * @module
 */

import type { ProgramFiles } from "../hook/program.ts";
import type { Item } from "./changes/item.ts";
import { backupFolder, type Layout } from "./changes/layout.ts";

/** Folder of the program. */
export function programFolder({ library }: Layout): string {
  return `${library}/program`;
}

/**
 * Lists the common parts of all targets: folders and the program.
 *
 * @param source The program.
 * @param layout The folders.
 * @returns The items.
 */
export function programItems(
  { files }: ProgramFiles,
  layout: Layout,
): readonly Item[] {
  const folder = programFolder(layout);
  return [
    { kind: "directory", path: layout.state, mode: 0o755 },
    { kind: "directory", path: backupFolder(layout), mode: 0o700 },
    { kind: "directory", path: layout.store, mode: 0o700, cache: true },
    ...[...files].sort(([a], [b]) => a < b ? -1 : 1).map((
      [path, text],
    ): Item => ({
      kind: "file",
      path: `${folder}/${path}`,
      mode: 0o644,
      text,
    })),
  ];
}
