/**
 * The parts of an installation, as data.
 *
 * @module
 */

import type { Manifest } from "./manifest.ts";
import type { TextDigest } from "./digest.ts";
import type { EditItem } from "./plan_edit.ts";

/** Something that should exist. */
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
    /** True if its files come and go while containers run. */
    readonly cache?: boolean;
  }
  | EditItem;

/** State of a path. */
export type FileState =
  | { readonly kind: "absent" }
  | {
    readonly kind: "file";
    readonly text: string;
    readonly sha256: string;
  }
  | { readonly kind: "directory"; readonly names: readonly string[] }
  /**
   * Anything else, such as a symbolic link, a device, or a file that is not
   * text.
   */
  | { readonly kind: "other"; readonly what: string };

/** States by path; paths that are not listed are absent. */
export type Disk = ReadonlyMap<string, FileState>;

/** A change of the disk. */
export type Change =
  | { readonly kind: "mkdir"; readonly path: string; readonly mode: number }
  | { readonly kind: "rmdir"; readonly path: string; readonly cache: boolean }
  | {
    readonly kind: "write";
    readonly path: string;
    /** Mode of a new file; an existing one keeps its own. */
    readonly mode: number;
    /** Existing content, if any. */
    readonly before?: string;
    readonly after: string;
  }
  | { readonly kind: "remove"; readonly path: string; readonly before: string };

/** Changes, and their records. */
export interface Plan {
  /** In the order in which they are made. */
  readonly changes: readonly Change[];
  /** The manifest while the changes are made. */
  readonly during: Manifest;
  /** The manifest after all changes. */
  readonly after: Manifest;
}

/** Inputs of a plan. */
export interface PlanInput {
  /** Current manifest. */
  readonly manifest: Manifest;
  /** Current state of the disk. */
  readonly disk: Disk;
  /** Folder for copies of files from before a change. */
  readonly backups: string;
  /** SHA-256 of a text in hexadecimal, lower case. */
  readonly digest: TextDigest;
}

/** The folders above a path, the outermost first, without the root. */
export function foldersOf(path: string): readonly string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join("/")}`);
}

/** Describes a state, for use within a sentence. */
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
