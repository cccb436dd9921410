/**
 * The `config.json` of the tests' containers, as data and as text.
 *
 * @module
 */

import { assert } from "@std/assert";

/** A JSON value; a bigint is written with all its digits. */
export type Json =
  | string
  | number
  | boolean
  | null
  | bigint
  | readonly Json[]
  | { readonly [key: string]: Json };

/** Options of a config. */
export interface ConfigOptions {
  /** Command line of the container's first process. */
  readonly args: readonly string[];
  /** `linux.seccomp`. */
  readonly seccomp?: Json;
  /** `process.noNewPrivileges`; false when absent. */
  readonly noNewPrivileges?: boolean;
  /** `process.rlimits`; none when absent. */
  readonly rlimits?: Json;
}

/** Docker's default capabilities, 14 of them. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  "CAP_AUDIT_WRITE",
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_MKNOD",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_RAW",
  "CAP_SETFCAP",
  "CAP_SETGID",
  "CAP_SETPCAP",
  "CAP_SETUID",
  "CAP_SYS_CHROOT",
];

/**
 * A config like that of `crun spec`, without the parts that a small machine may
 * refuse: no `linux.resources`, limits only on demand, and only the namespaces
 * and mounts that the probe needs.
 */
export function ociConfig(options: ConfigOptions): Json {
  const capabilities = DEFAULT_CAPABILITIES;
  return {
    ociVersion: "1.0.0",
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: options.args,
      env: ["PATH=/bin"],
      cwd: "/",
      capabilities: {
        bounding: capabilities,
        effective: capabilities,
        permitted: capabilities,
      },
      ...(options.rlimits === undefined ? {} : { rlimits: options.rlimits }),
      noNewPrivileges: options.noNewPrivileges ?? false,
    },
    root: { path: "rootfs" },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs" },
    ],
    linux: {
      namespaces: [{ type: "pid" }, { type: "mount" }, { type: "ipc" }],
      ...(options.seccomp === undefined ? {} : { seccomp: options.seccomp }),
    },
  };
}

/**
 * Adds an annotation to a config as text, so that every other byte is
 * unchanged, including 64-bit numbers.
 *
 * @param text A `config.json` without annotations.
 * @param annotations Annotations to add.
 * @returns The text with the annotations in front.
 */
export function addAnnotations(
  text: string,
  annotations: Readonly<Record<string, string>>,
): string {
  const start = text.indexOf("{") + 1;
  assert(start > 0 && !/"annotations"\s*:/.test(text), "a config without any");
  return `${text.slice(0, start)}"annotations":${JSON.stringify(annotations)},${
    text.slice(start)
  }`;
}

/**
 * Writes a value as JSON.
 *
 * @param value Anything; each bigint becomes a number with all its digits.
 * @returns Text with two spaces a level.
 */
export function writeJson(value: Json): string {
  return JSON.stringify(
    value,
    (_key, v) => typeof v === "bigint" ? `bigint:${v}` : v,
    2,
  ).replace(/"bigint:(-?\d+)"/g, "$1");
}
