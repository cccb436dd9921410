/**
 * The OCI runtimes of a host, and which of them take a raw filter.
 *
 * @module
 */

import { ask, type CommandResult } from "../host/command.ts";
import { findProgram, PROGRAM_FOLDERS } from "../host/programs.ts";
import { locateFile } from "./changes/disk.ts";

/** Kind of a runtime, whatever its name. */
export type RuntimeKind =
  | "crun"
  | "runc"
  | "youki"
  | "runsc"
  | "kata"
  | "unknown";

/** A runtime of the host. */
export interface FoundRuntime {
  /** The name by which it was found. */
  readonly name: string;
  /** Its path. */
  readonly path: string;
  /** The file itself, with links resolved. */
  readonly realPath: string;
  readonly kind: RuntimeKind;
  /** Its version; absent if it was not queried or does not report it. */
  readonly version?: string;
  /** True if it takes the annotation `run.oci.seccomp_bpf_data`. */
  readonly rawFilters: "yes" | "no" | "unknown";
  /** The reason. */
  readonly reason: string;
  /**
   * True if it is statically linked: then it has its own libseccomp, whose
   * names may differ from those of the host's.
   */
  readonly isStatic?: boolean;
}

const NAMES: readonly string[] = [
  "crun",
  "runc",
  "youki",
  "runsc",
  "kata-runtime",
];

/** A program of a system. */
export interface FoundProgram {
  /** Its path below the root. */
  readonly path: string;
  /** The file itself, below the root. */
  readonly realPath: string;
}

/**
 * Finds a program of a system that may not be the running one.
 *
 * @param root The root folder; `/` for this system.
 * @param name Its name.
 * @returns The program, or `undefined`.
 */
export async function findBelow(
  root: string,
  name: string,
): Promise<FoundProgram | undefined> {
  const path = await findProgram(name, {
    folders: PROGRAM_FOLDERS,
    at: (path) => locateFile(root, path),
  });
  if (path === undefined) return undefined;
  const top = root === "/" ? "" : root.replace(/\/+$/, "");
  const real = await locateFile(root, path);
  return { path, realPath: real.slice(top.length) };
}

/**
 * Finds all runtimes. Programs below another root are not run, so only their
 * names are known.
 *
 * @param root The root folder.
 * @returns One for each real file.
 */
export async function findRuntimes(
  root: string,
): Promise<readonly FoundRuntime[]> {
  const found: FoundRuntime[] = [];
  for (const name of NAMES) {
    const program = await findBelow(root, name);
    if (program === undefined) continue;
    if (found.some((r) => r.realPath === program.realPath)) continue;
    found.push(await examine(root, name, program));
  }
  return found;
}

/**
 * Examines a runtime.
 *
 * @param root The root folder.
 * @param name Its name.
 * @param program Its path.
 */
export async function examine(
  root: string,
  name: string,
  program: FoundProgram,
): Promise<FoundRuntime> {
  if (root !== "/") {
    const kind = kindOf(name);
    const reason = "programs below another root are not run";
    const rawFilters = kind === "crun" ? "unknown" : "no";
    return { name, ...program, kind, rawFilters, reason };
  }
  const version = await ask([program.realPath, "--version"]);
  const judged = judge(version, name);
  const isStatic = judged.kind === "crun" &&
    await hasNoLinker(program.realPath);
  return { name, ...program, ...judged, ...(isStatic ? { isStatic } : {}) };
}

/**
 * Reports whether a 64-bit ELF file is without a dynamic linker (PT_INTERP).
 *
 * @param path The file; for any other file, the result is false.
 */
export async function hasNoLinker(path: string): Promise<boolean> {
  const head = new Uint8Array(4096);
  try {
    using file = await Deno.open(path);
    await file.read(head);
  } catch {
    return false;
  }
  const view = new DataView(head.buffer);
  // "\x7fELF", ELFCLASS64, ELFDATA2LSB.
  if (view.getUint32(0) !== 0x7f45_4c46 || view.getUint16(4) !== 0x0201) {
    return false;
  }
  const [start, size, count] = [
    Number(view.getBigUint64(0x20, true)),
    view.getUint16(0x36, true),
    view.getUint16(0x38, true),
  ];
  if (size < 4 || start + size * count > head.length) return false;
  return Array.from({ length: count }, (_, i) => start + i * size)
    .every((at) => view.getUint32(at, true) !== PT_INTERP);
}

/** elf(5). */
const PT_INTERP = 3;

/**
 * Recognizes a runtime by its own output.
 *
 * @example Debian 11 has a crun that is too old
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { judge } from "./runtimes.ts";
 *
 * const old = { code: 0, stdout: "crun version 0.17\n+SYSTEMD +SECCOMP\n", stderr: "" };
 * assertEquals(judge(old, "crun").rawFilters, "no");
 * ```
 *
 * @param answer Output for `--version`.
 * @param name The name by which it was found.
 */
export function judge(
  answer: CommandResult,
  name: string,
): Pick<FoundRuntime, "kind" | "version" | "rawFilters" | "reason"> {
  const text = answer.stdout;
  const match =
    /\b(crun|runc|youki|runsc|kata-runtime)\b\D*?version:?\s+\D*?(\d+\.\d+\S*)/
      .exec(text);
  const kind = kindOf(match?.[1] ?? (answer.code === 0 ? "" : name));
  const version = match?.[2];
  const told = { kind, ...(version === undefined ? {} : { version }) };
  if (answer.code !== 0 || match === null) {
    return {
      ...told,
      rawFilters: kind === "crun" || kind === "unknown" ? "unknown" : "no",
      reason: answer.code === 0
        ? "it does not identify itself"
        : `--version ended with status ${answer.code}`,
    };
  }
  if (kind !== "crun") {
    return {
      ...told,
      rawFilters: "no",
      reason:
        `${kind} ignores the annotation and compiles linux.seccomp itself`,
    };
  }
  if (isBefore(version ?? "", 0, 18)) {
    return {
      ...told,
      rawFilters: "no",
      reason: "the annotation came with crun 0.18",
    };
  }
  if (!/\+SECCOMP\b/.test(text)) {
    return { ...told, rawFilters: "no", reason: "built without +SECCOMP" };
  }
  return { ...told, rawFilters: "yes", reason: "crun 0.18 or later, +SECCOMP" };
}

function kindOf(name: string): RuntimeKind {
  switch (name) {
    case "crun":
    case "runc":
    case "youki":
    case "runsc":
      return name;
    case "kata-runtime":
      return "kata";
    default:
      return "unknown";
  }
}

/** Reports whether a version such as `1.8.1` is before major.minor. */
export function isBefore(
  version: string,
  major: number,
  minor: number,
): boolean {
  const match = /(\d+)\.(\d+)/.exec(version);
  const [a, b] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
  return a < major || (a === major && b < minor);
}
