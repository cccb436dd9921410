/**
 * The parts of an installation, as data.
 *
 * @module
 */

import type { Manifest } from "./manifest.ts";
import type { TextDigest } from "./digest.ts";
import type { EditItem } from "./plan_edit.ts";

/** What should be there. */
export type Item =
  | {
    readonly kind: "file";
    readonly path: string;
    readonly mode: number;
    readonly text: string;
  }
  | {
    readonly kind: "directory";
    readonly path: string;
    readonly mode: number;
    /** Whether its files come and go while containers run. */
    readonly cache?: boolean;
  }
  | EditItem;

/** What is there. */
export type FileState =
  | { readonly kind: "absent" }
  | {
    readonly kind: "file";
    readonly text: string;
    readonly sha256: string;
  }
  | { readonly kind: "directory"; readonly names: readonly string[] }
  /** Such as a symbolic link, a device, a file that is no text. */
  | { readonly kind: "other"; readonly what: string };

/** What is there, by path; whatever is not listed is absent. */
export type Disk = ReadonlyMap<string, FileState>;

/** A change of the disk. */
export type Change =
  | { readonly kind: "mkdir"; readonly path: string; readonly mode: number }
  | { readonly kind: "rmdir"; readonly path: string; readonly cache: boolean }
  | {
    readonly kind: "write";
    readonly path: string;
    /** Mode of a new file; an old one keeps its own. */
    readonly mode: number;
    /** What is there; absent if nothing is. */
    readonly before?: string;
    readonly after: string;
  }
  | { readonly kind: "remove"; readonly path: string; readonly before: string };

/** Changes, and what is remembered of them. */
export interface Plan {
  /** In the order in which they are made. */
  readonly changes: readonly Change[];
  /** The manifest while they are made. */
  readonly during: Manifest;
  /** The manifest when all are made. */
  readonly after: Manifest;
}

/** What a plan is made from. */
export interface PlanInput {
  /** What is installed. */
  readonly manifest: Manifest;
  /** What is there. */
  readonly disk: Disk;
  /** Folder for copies of files as they were before a change. */
  readonly backups: string;
  /** SHA-256 of a text in hexadecimal, lower case. */
  readonly digest: TextDigest;
}

/** The folders above a path, the outermost first, without the root. */
export function foldersOf(path: string): readonly string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join("/")}`);
}

/** Says what is there, within a sentence. */
export function describeState(state: FileState): string {
  switch (state.kind) {
    case "absent":
      return "absent";
    case "file":
      return "a file";
    case "directory":
      return "a folder";
    case "other":
      return state.what;
  }
}
