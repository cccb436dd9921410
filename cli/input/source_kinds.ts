/**
 * The kinds of sources, as `--from` names them.
 *
 * @module
 */

/** Kinds that `--from` can force. */
export const SOURCE_KINDS = [
  "profile",
  "docker",
  "podman",
  "oci",
  "config",
  "annotation",
  "yaml",
  "firecracker",
  "lxc",
  "minijail",
  "systemd",
  "raw",
  "base64",
  "hex",
  "xxd",
  "escapes",
  "asm",
  "json",
  "c",
  "go",
  "rust",
  "tcpdump",
  "strace",
] as const;

/** A kind that `--from` can force. */
export type SourceKind = typeof SOURCE_KINDS[number];

/** A policy of another tool. */
export type ForeignKind = "firecracker" | "lxc" | "minijail" | "systemd";

/** A policy of another tool, and where it came from. */
export interface ForeignText {
  /** The source word. */
  readonly name: string;
  readonly kind: ForeignKind;
  readonly bytes: Uint8Array;
  /** The part of the file, after `#`. */
  readonly part?: string | undefined;
}

/** A form of a filter that `--from` can force. */
export type FilterForm = Exclude<
  SourceKind,
  | "profile"
  | "docker"
  | "podman"
  | "oci"
  | "config"
  | "annotation"
  | "yaml"
  | ForeignKind
>;
