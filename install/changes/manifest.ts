/**
 * The manifest of an installation: every path that it created or changed, with
 * digests, so that it can be undone byte for byte and foreign changes are
 * detected.
 *
 * It is written before the first change, with all contents that a file may have
 * until the end, and again after the last change: an interrupted installation
 * leaves a manifest that is still correct.
 *
 * @module
 */

import { InstallError } from "../error.ts";
import type { MemberEdit } from "./json_edit.ts";

/** Targets of an installation. */
export type ManagerName = "podman" | "docker" | "containerd" | "crio";

/** All of them. */
export const TARGETS: readonly ManagerName[] = [
  "podman",
  "docker",
  "containerd",
  "crio",
];

/** Something that was created or changed. */
export type InstallRecord =
  /** A file that is entirely ours. */
  | {
    readonly kind: "file";
    readonly path: string;
    /** Digests of our contents; several while one is being replaced. */
    readonly sha256: readonly string[];
  }
  /** A folder that did not exist. */
  | {
    readonly kind: "directory";
    readonly path: string;
    /** True if its files come and go while containers run. */
    readonly cache: boolean;
  }
  /** Someone else's file that contains a change of ours. */
  | {
    readonly kind: "edit";
    readonly path: string;
    /** The file without our change; null if there was no file. */
    readonly before: string | null;
    /** Digest of the file with our change. */
    readonly after: string;
    /** Our change. */
    readonly undo: Undo;
  };

/** How to undo an edit in a file that others have changed in the meantime. */
export type Undo =
  | { readonly kind: "json"; readonly members: readonly MemberEdit[] }
  | { readonly kind: "block"; readonly text: string };

/** Owner of the records: a target, or the program that all of them use. */
export type Owner = ManagerName | "program";

/** Records of everything that is installed. */
export interface Manifest {
  /** Records in the order of their creation. */
  readonly records: Readonly<Record<Owner, readonly InstallRecord[]>>;
}

/** The empty manifest. */
export const EMPTY_MANIFEST: Manifest = {
  records: { program: [], podman: [], docker: [], containerd: [], crio: [] },
};

const VERSION = 1;

/**
 * Writes a manifest.
 *
 * @param manifest The manifest.
 * @returns JSON, ending in a line break.
 */
export function formatManifest(manifest: Manifest): string {
  return `${
    JSON.stringify({ schemaVersion: VERSION, ...manifest }, null, 2)
  }\n`;
}

/**
 * Reads a manifest.
 *
 * @param text JSON written by `formatManifest`.
 * @param path Its path, for messages.
 * @returns The manifest.
 * @throws {InstallError} `not-understood` if it is of another version or
 * damaged.
 */
export function parseManifest(text: string, path: string): Manifest {
  try {
    // Written by formatManifest() into a folder that only its owner can change;
    // the version and the shape of each record are checked.
    const value = JSON.parse(text) as Manifest & { schemaVersion: unknown };
    const known = value.schemaVersion === VERSION &&
      Object.values(value.records).every((list) => list.every(isRecord));
    if (known) {
      return { records: { ...EMPTY_MANIFEST.records, ...value.records } };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) {
      throw error;
    }
  }
  throw new InstallError(
    "not-understood",
    `Cannot read "${path}": damaged, or written by another version; use that version to uninstall`,
  );
}

function isRecord(record: InstallRecord): boolean {
  if (typeof record.path !== "string" || !record.path.startsWith("/")) {
    return false;
  }
  switch (record.kind) {
    case "file":
      return Array.isArray(record.sha256);
    case "directory":
      return typeof record.cache === "boolean";
    case "edit":
      return typeof record.after === "string" && record.undo !== undefined;
    default:
      return record satisfies never;
  }
}

/** Reports whether nothing is installed. */
export function hasNoRecords({ records }: Manifest): boolean {
  return Object.values(records).every((list) => list.length === 0);
}

/** The targets with an installation. */
export function targetsOf({ records }: Manifest): readonly ManagerName[] {
  return TARGETS.filter((target) => records[target].length > 0);
}

/** Builds a manifest from records by owner and path. */
export function collectRecords(
  maps: ReadonlyMap<Owner, ReadonlyMap<string, InstallRecord>>,
): Manifest {
  const list = (owner: Owner): readonly InstallRecord[] => [
    ...(maps.get(owner)?.values() ?? []),
  ];
  return {
    records: {
      program: list("program"),
      podman: list("podman"),
      docker: list("docker"),
      containerd: list("containerd"),
      crio: list("crio"),
    },
  };
}
