/**
 * Requests of the page to its engine, and the answers. The engine runs in a
 * worker, so both are plain data.
 *
 * @module
 */

import type { ArchName } from "../tables/arch.ts";
import type { Objective } from "../tables/objectives.ts";
import type { Semantics } from "../profile/semantics/versions.ts";

/** A profile or a filter as it was given. */
export interface Given {
  /** Name for messages, such as that of a dropped file. */
  readonly name: string;
  /** Text; of a file that is not text, its bytes in base64. */
  readonly text: string;
  /** True if the text is the base64 of a file of bytes. */
  readonly isBinary: boolean;
}

/** The machine and the cost for which a profile is compiled. */
export interface PageChoice {
  readonly arch: ArchName;
  /** True to compile for this architecture only, not for those it lists. */
  readonly only: boolean;
  /** A version such as `6.1`. */
  readonly kernel: string;
  /** As `--caps`; empty for the defaults. */
  readonly caps: string;
  readonly semantics: Semantics;
  readonly objective: Objective;
}

/** Formats of a filter that can be saved. */
export const SAVED_FORMATS = [
  "raw",
  "base64",
  "hex",
  "annotation",
  "c",
  "go",
  "rust",
  "asm",
  "json",
] as const;

/** A format of a saved filter. */
export type SavedFormat = typeof SAVED_FORMATS[number];

/** Requests by kind. */
export type Request =
  | { readonly kind: "example"; readonly name: string }
  | {
    readonly kind: "load";
    readonly given: Given;
    readonly choice: PageChoice;
  }
  | { readonly kind: "explain"; readonly only: string }
  | { readonly kind: "call"; readonly words: string }
  | { readonly kind: "compare"; readonly given: Given }
  | { readonly kind: "cost" }
  | { readonly kind: "digest" }
  | { readonly kind: "save"; readonly format: SavedFormat };

/** A finding about a profile or a filter. */
export interface PageFinding {
  readonly severity: "error" | "warning" | "note";
  readonly message: string;
  readonly fix?: string;
  /** Place in the text, both from 1. */
  readonly line?: number;
  readonly column?: number;
  /** Path in the document. */
  readonly path?: string;
}

/** A drawn test or action. */
export interface TreeNode {
  readonly id: string;
  /** Words in the node. */
  readonly lines: readonly string[];
  /** Everything about it: instructions, the calls that reach it. */
  readonly title: string;
  /** Name of the action, such as `ERRNO`; absent for tests. */
  readonly action?: string;
  /** Ways out of a test: first "yes", then "no". */
  readonly ways: readonly {
    readonly to: string;
    readonly answer: "yes" | "no";
  }[];
}

/** The decision graph of a filter. */
export interface Tree {
  readonly root: string;
  readonly nodes: readonly TreeNode[];
}

/** A loaded profile or filter. */
export interface Loaded {
  readonly kind: "loaded";
  /** True if it is a profile, whose filter is proved. */
  readonly isProfile: boolean;
  /** One sentence about it. */
  readonly summary: string;
  readonly findings: readonly PageFinding[];
  readonly tree: Tree;
  /** Number of filters; the tree is that of the first. */
  readonly filters: number;
  /** Names of calls, for completion. */
  readonly calls: readonly string[];
  /** Architecture of calls that name none. */
  readonly native: ArchName;
  /** The command line that gives the same bytes; absent for filters. */
  readonly command?: string;
}

/** Answers by kind. */
export type PageAnswer =
  | Loaded
  | { readonly kind: "refused"; readonly findings: readonly PageFinding[] }
  | { readonly kind: "text"; readonly text: string }
  | {
    readonly kind: "example";
    readonly given: Given;
    /** Names of all examples. */
    readonly names: readonly string[];
  }
  | {
    readonly kind: "called";
    /** The answer, such as `ERRNO(EPERM)`. */
    readonly verdict: string;
    readonly text: string;
    /** Nodes on the way, from the first test to the action. */
    readonly nodes: readonly string[];
  }
  | {
    readonly kind: "compared";
    readonly isEqual: boolean;
    readonly text: string;
    /** A sentence: the second permits nothing that the first denies, or what. */
    readonly subset: string;
    /** The same, the other way round. */
    readonly superset: string;
    readonly findings: readonly PageFinding[];
  }
  | {
    readonly kind: "costs";
    readonly rows: readonly CostRow[];
  }
  | {
    readonly kind: "saved";
    readonly name: string;
    readonly bytes: Uint8Array<ArrayBuffer>;
    /** True if the bytes are text. */
    readonly isText: boolean;
  };

/** Costs of one filter on one architecture. */
export interface CostRow {
  readonly filter: string;
  readonly instructions: string;
  readonly arch: string;
  readonly mean: string;
  readonly worst: string;
  readonly cached: string;
}
