/**
 * All inputs besides the section that determine the bytes of a filter: machine,
 * runtime semantics, source of names, version of this program.
 *
 * @module
 */

import { hostArch } from "../host/machine.ts";
import { type Arch, SYSCALL_TABLE_VERSION } from "../tables/arch.ts";
import { NEWEST } from "../profile/semantics/quirks.ts";
import {
  type Semantics,
  splitSemantics,
} from "../profile/semantics/versions.ts";
import { type FileIdentity, identify } from "./file_identity.ts";
import { digestFields, sha256 } from "./store/digest.ts";

/**
 * Version of the compiler, from deno.json: each version has its own entries.
 *
 * @category Containers
 */
export const COMPILER_VERSION = "0.2.0";

/** First field of every digest: version of the format of keys and entries. */
export const FORMAT = "seccomp-tree entry 2";

/**
 * Source of names.
 *
 * @category Containers
 */
export interface NameSource {
  /** The host's library or our tables. */
  readonly kind: "host" | "builtin";
  /**
   * A label such as `libseccomp 2.5.4 sha256:…` or the version of our tables.
   */
  readonly label: string;
  /** Reports whether a call exists; absent if the built-in tables decide. */
  readonly knows?: (name: string, arch?: Arch) => boolean;
  /** True if equal labels mean equal names; otherwise nothing may be stored. */
  readonly exact: boolean;
  /** Files that may change with the names; absent if they are unknown. */
  readonly files?: readonly FileIdentity[];
}

/**
 * The machine and runtime for which filters are made.
 *
 * @category Containers
 */
export interface Environment {
  /** Native architecture. */
  readonly native: Arch;
  /** Reading, with its version. */
  readonly semantics: Semantics;
  /** Source of names. */
  readonly names: NameSource;
  /** Digest of all these inputs, 16 hexadecimal digits. */
  readonly id: string;
  /** Name of the file in which a dispatcher finds the current entries. */
  readonly name: string;
  /** Files that may change with the environment; absent if they are unknown. */
  readonly files?: readonly FileIdentity[];
}

/**
 * Inputs of an environment.
 *
 * @category Containers
 */
export interface EnvironmentOptions {
  /** Reading; without a version, the newest known one. */
  readonly semantics: Semantics;
  /** Source of names. */
  readonly names: NameSource;
  /** Native architecture; this machine's by default. */
  readonly native?: Arch;
  /** Name of the reading in the settings; the reading itself by default. */
  readonly setting?: SemanticsSetting;
  /** Files that may change with the version of the runtime; none by default. */
  readonly files?: readonly FileIdentity[];
}

/**
 * Reading that settings name.
 *
 * @category Containers
 */
export interface SemanticsSetting {
  /** The runtime, and its version if it is given. */
  readonly semantics: Semantics;
  /** Path of the runtime; absent if it is found by name. */
  readonly program?: string;
}

/**
 * Describes an environment.
 *
 * @param options Semantics and names.
 * @returns The environment.
 * @throws {RangeError} If this machine has no system call table.
 * @category Containers
 */
export async function describeEnvironment(
  options: EnvironmentOptions,
): Promise<Environment> {
  const { names, files = [] } = options;
  const native = options.native ?? hostArch();
  if (native === undefined) {
    throw new RangeError(
      `Cannot compile for ${Deno.build.arch}: no system call table`,
    );
  }
  const { runtime, version } = splitSemantics(options.semantics);
  const semantics: Semantics = `${runtime}@${version ?? NEWEST[runtime]}`;
  const id = (await digestFields([
    FORMAT,
    COMPILER_VERSION,
    native.name,
    semantics,
    names.label,
  ])).slice(0, 16);
  const setting = options.setting ?? { semantics: options.semantics };
  return {
    native,
    semantics,
    names,
    id,
    name: environmentName(setting, names.kind),
    ...(names.files === undefined ? {} : { files: [...names.files, ...files] }),
  };
}

/**
 * Names the file in which the dispatcher finds the current entries. Settings
 * that can stand for different versions have different files.
 *
 * @param setting Name of the reading in the settings.
 * @param names Kind of the source of names.
 * @returns A name such as `environment.crun.host`.
 */
export function environmentName(
  { semantics, program }: SemanticsSetting,
  names: "host" | "builtin",
): string {
  const { version } = splitSemantics(semantics);
  const where = version === undefined && program !== undefined
    ? `.${program.replace(/[^\w.-]/g, escaped)}`
    : "";
  return `environment.${semantics}.${names}${where}`;
}

/**
 * Counts the files that identify a source of names: this program, and for the
 * host's names also the linker's cache and the library.
 *
 * @param names Kind of the source of names.
 * @returns The number, without the runtime whose version determines the
 * reading.
 */
export function filesOfNames(names: "host" | "builtin"): number {
  return names === "host" ? 3 : 1;
}

/**
 * Names the folder of links to the files of an environment, through which a
 * dispatcher calls stat(1) on them.
 *
 * @param name Result of {@linkcode environmentName}.
 * @returns The name of a folder in the store.
 */
export function linksName(name: string): string {
  return `${name}.files`;
}

/** A character as its number, so that different paths stay different. */
function escaped(character: string): string {
  return `+${character.codePointAt(0)?.toString(16)}+`;
}

/**
 * Lists the environments for which this machine's containers may currently need
 * filters: any reading, either source of names.
 *
 * @param host Result of {@linkcode hostNames}.
 * @param readings Readings that may apply.
 * @returns Their ids.
 * @throws {RangeError} If this machine has no system call table.
 */
export async function presentEnvironments(
  host: NameSource | undefined,
  readings: Iterable<Semantics>,
): Promise<ReadonlySet<string>> {
  const sources = [await builtinNames(), ...(host === undefined ? [] : [host])];
  const ids = new Set<string>();
  for (const semantics of readings) {
    for (const names of sources) {
      ids.add((await describeEnvironment({ semantics, names })).id);
    }
  }
  return ids;
}

/**
 * Returns the built-in tables as source of names.
 *
 * @returns The source.
 * @category Containers
 */
export async function builtinNames(): Promise<NameSource> {
  const label = `builtin ${SYSCALL_TABLE_VERSION}`;
  try {
    const files = await identifyAll(programFiles());
    return { kind: "builtin", label, exact: true, files };
  } catch {
    return { kind: "builtin", label, exact: true };
  }
}

/** Reports whether this process may call the host's libraries. */
export function mayCallLibraries(): boolean {
  return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/**
 * Opens the host's libseccomp as source of names. Distributions add names to a
 * library without changing its version, so its digest is part of the label if
 * the file can be read.
 *
 * @returns The source, or `undefined` if the host has no libseccomp or this
 * process may not call it.
 * @category Containers
 */
export async function hostNames(): Promise<NameSource | undefined> {
  if (!mayCallLibraries()) return undefined;
  const { openLibseccomp } = await import("../ffi/libseccomp.ts");
  const { hostCalls } = await import("../ffi/host_names.ts");
  const library = openLibseccomp();
  if (library === undefined) return undefined;
  const label = `libseccomp ${library.version}`;
  const knows = hostCalls(library);
  const path = await mappedLibrary();
  const plain: NameSource = { kind: "host", label, exact: false, knows };
  if (path === undefined) return plain;
  try {
    const digest = await sha256(await Deno.readFile(path));
    const files = [
      await linkerCache(),
      ...await identifyAll([path, ...programFiles()]),
    ];
    return {
      ...plain,
      label: `${label} sha256:${digest}`,
      exact: true,
      files,
    };
  } catch {
    return plain;
  }
}

/**
 * The linker's cache, which decides which library would be loaded. If there is
 * no cache, as with musl, creating one changes its folder.
 */
async function linkerCache(): Promise<FileIdentity> {
  try {
    return await identify("/etc/ld.so.cache");
  } catch {
    return await identify("/etc");
  }
}

/** Path of the loaded library; reading /proc requires `-A`. */
async function mappedLibrary(): Promise<string | undefined> {
  try {
    const maps = await Deno.readTextFile("/proc/self/maps");
    return /\s(\/\S*\/libseccomp\.so\.2\S*)$/m.exec(maps)?.[1];
  } catch {
    return undefined;
  }
}

/**
 * This program (for a bundle, all of it): another version may compile
 * differently.
 */
function programFiles(): readonly string[] {
  const program = import.meta.filename;
  return program === undefined ? [] : [program];
}

/** Reads the identities of files. */
function identifyAll(
  paths: readonly string[],
): Promise<readonly FileIdentity[]> {
  return Promise.all(paths.map(identify));
}

/**
 * Computes the key of a section: a digest over all inputs that determine the
 * bytes of its filter. The architectures follow from the section and the
 * machine, the names from the source of names, whose label must be exact.
 *
 * @param environment Machine, semantics, names.
 * @param text The section exactly as written.
 * @returns 64 hexadecimal digits.
 */
export async function keyOf(
  environment: Environment,
  text: string,
): Promise<string> {
  const { native, semantics, names } = environment;
  return await digestFields([
    FORMAT,
    COMPILER_VERSION,
    native.name,
    semantics,
    names.label,
    text,
  ]);
}
