/**
 * Edits of files that we do not own, and how to undo them.
 *
 * @module
 */

import type { TextDigest } from "./digest.ts";
import { InstallError } from "../error.ts";
import {
  isSame,
  type MemberEdit,
  setMember,
  unsetMember,
} from "./json_edit.ts";
import type { InstallRecord, Undo } from "./manifest.ts";

/** Content to add to a file that we do not own. */
export type EditItem =
  | {
    readonly kind: "json";
    readonly path: string;
    readonly members: readonly {
      readonly path: readonly string[];
      /** JSON text without line breaks. */
      readonly value: string;
      /** True if it replaces an existing value. */
      readonly replace: boolean;
    }[];
  }
  | {
    readonly kind: "block";
    readonly path: string;
    /** Complete lines for the end of the file. */
    readonly text: string;
  };

/**
 * Adds a change to a file.
 *
 * @param base The file without it; empty if it does not exist.
 * @param item The change.
 * @returns The file with it, and how to undo that.
 * @throws {InstallError} `foreign` if the file already has another value.
 */
export function applyEdit(
  base: string,
  item: EditItem,
): { readonly text: string; readonly undo: Undo } {
  if (item.kind === "block") {
    // The empty line before it ends an unterminated last line.
    const text = `\n${item.text}`;
    return { text: base + text, undo: { kind: "block", text } };
  }
  let text = base;
  const members: MemberEdit[] = [];
  for (const { path, value, replace } of item.members) {
    const set = setMember(text, path, value, item.path);
    const { was } = set.edit;
    if (was !== undefined && !replace && !isSame(was, value)) {
      throw new InstallError(
        "foreign",
        `"${path.join(".")}" in "${item.path}" is ${was} already`,
      );
    }
    text = set.text;
    members.push(set.edit);
  }
  return { text, undo: { kind: "json", members } };
}

/**
 * Reconstructs a file without our change.
 *
 * @param now The file; absent if it does not exist.
 * @param record The record of our change, if there is one.
 * @param digest SHA-256 in hexadecimal.
 * @returns The file without it; absent if it did not exist before.
 * @throws {InstallError} `foreign` if our change was modified.
 */
export function baseOf(
  now: string | undefined,
  record: InstallRecord | undefined,
  digest: TextDigest,
): string | undefined {
  if (now === undefined || record?.kind !== "edit") return now;
  const { undo, path, before } = record;
  if (now === before) return now;
  if (digest(now) === record.after) return before ?? undefined;
  const base = undo.kind === "json"
    ? [...undo.members].reverse().reduce(
      (text, edit) => unsetMember(text, edit, path),
      now,
    )
    : withoutBlock(now, undo.text, path);
  return before === null && /^\s*(?:\{\s*\}\s*)?$/.test(base)
    ? undefined
    : base;
}

function withoutBlock(now: string, block: string, path: string): string {
  const at = now.indexOf(block);
  if (at < 0 || now.indexOf(block, at + 1) >= 0) {
    throw new InstallError(
      "foreign",
      `Cannot restore "${path}": the lines between the marks of seccomp-tree were changed; remove them`,
    );
  }
  return now.slice(0, at) + now.slice(at + block.length);
}
