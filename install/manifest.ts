/**
 * The manifest of an installation: every path that it created or
 * changed, with digests, so that it can be undone to the byte and somebody
 * else's change is noticed.
 *
 * It is written before the first change, with the contents that a file may
 * have until all is done, and again after the last one: whoever is stopped in
 * between leaves a manifest that still says the truth.
 *
 * @module
 */

import { InstallError } from "./error.ts";
import type { MemberEdit } from "./json_edit.ts";

/** What can be installed for. */
export type ManagerName = "podman" | "docker" | "containerd" | "crio";

/** All of them. */
export const TARGETS: readonly ManagerName[] = [
  "podman",
  "docker",
  "containerd",
  "crio",
];

/** Something that was made or changed. */
export type InstallRecord =
  /** A file of ours alone. */
  | {
    readonly kind: "file";
    readonly path: string;
    /** Digests of the contents that are ours; several while one is replaced. */
    readonly sha256: readonly string[];
  }
  /** A folder that was not there. */
  | {
    readonly kind: "directory";
    readonly path: string;
    /** Whether its files come and go while containers run. */
    readonly cache: boolean;
  }
  /** Somebody else's file with something of ours in it. */
  | {
    readonly kind: "edit";
    readonly path: string;
    /** The file without ours; null if there was no file. */
    readonly before: string | null;
    /** Digest of the file with ours. */
    readonly after: string;
    /** What is ours in it. */
    readonly undo: Undo;
  };

/** How an edit is undone where the file was changed elsewhere meanwhile. */
export type Undo =
  | { readonly kind: "json"; readonly members: readonly MemberEdit[] }
  | { readonly kind: "block"; readonly text: string };

/** Whose records they are: a target's, or the program that all of them use. */
export type Owner = ManagerName | "program";

/** Everything that is installed. */
export interface Manifest {
  /** Records in the order in which they were made. */
  readonly records: Readonly<Record<Owner, readonly InstallRecord[]>>;
}

/** Nothing installed. */
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
 * @param text What was written.
 * @param path Where it lies, for messages.
 * @returns The manifest.
 * @throws {InstallError} `not-understood` if it is of another version or damaged.
 */
export function parseManifest(text: string, path: string): Manifest {
  try {
    // Written by formatManifest() into a folder that only its owner can
    // change; the version and the shape of each record are looked at.
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

/** Whether nothing is installed. */
export function hasNoRecords({ records }: Manifest): boolean {
  return Object.values(records).every((list) => list.length === 0);
}

/** The targets that something is installed for. */
export function targetsOf({ records }: Manifest): readonly ManagerName[] {
  return TARGETS.filter((target) => records[target].length > 0);
}

/** Makes a manifest of records by owner and path. */
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
