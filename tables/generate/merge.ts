/**
 * Merges several sources about an architecture into one table. If two sources
 * contradict each other, it fails and names both.
 *
 * @module
 */

import { type Abi, libraryName } from "./abi.ts";
import type { HeaderTable } from "./headers.ts";
import type { LibraryTable } from "./libseccomp.ts";

/** A library's table, and the library's name for messages. */
export interface NamedLibraryTable extends LibraryTable {
  /** A name such as `libseccomp 2.5.4`. */
  readonly source: string;
}

/** The calls that one multiplexer serves. */
export interface Multiplexer {
  /** Number of the multiplexer in `seccomp_data.nr`. */
  readonly nr: number;
  /** Values of argument 0 by name. */
  readonly calls: ReadonlyMap<string, number>;
}

/** Combined data of all sources. */
export interface MergedTable {
  /** libseccomp's token, a u32. */
  readonly scmpToken: number;
  /** Numbers by name, one name for each number. */
  readonly syscalls: ReadonlyMap<string, number>;
  /** `socketcall`, then `ipc`, if the architecture has them. */
  readonly multiplexers: readonly Multiplexer[];
  /** Names that only the headers have. */
  readonly headersOnly: readonly string[];
  /** Names that only a libseccomp has. */
  readonly librariesOnly: readonly string[];
  /** Header names that are omitted, as `alias of name`. */
  readonly aliases: readonly string[];
}

/**
 * Merges the sources of one architecture. The table is their union. A number
 * has the name that libseccomp gives it, because runtimes find it by that name;
 * the headers' other names for it are omitted.
 *
 * @param abi The architecture.
 * @param headers Data from its headers.
 * @param libraries Data from each libseccomp; at least one.
 * @throws {Error} if two sources give a name two numbers, or a number two
 * names.
 */
export function mergeTables(
  abi: Abi,
  headers: HeaderTable,
  libraries: readonly NamedLibraryTable[],
): MergedTable {
  const library = mergeLibraries(abi, libraries);
  const byNumber = new Map([...library].map(([name, nr]) => [nr, name]));
  const syscalls = new Map<string, number>(library);
  const headersOnly: string[] = [];
  const aliases: string[] = [];
  for (const [name, nr] of headers.syscalls) {
    const theirs = library.get(name);
    if (theirs === nr) continue;
    if (theirs !== undefined) {
      throw new Error(
        `Cannot merge ${abi.name}: ${name} is ${nr} in the headers and ` +
          `${theirs} in libseccomp`,
      );
    }
    const other = byNumber.get(nr);
    if (other === undefined) {
      syscalls.set(name, nr);
      headersOnly.push(name);
    } else if (headers.syscalls.get(other) === nr) {
      aliases.push(`${name} of ${other}`);
    } else {
      throw new Error(
        `Cannot merge ${abi.name}: ${nr} is ${name} in the headers and ` +
          `${other} in libseccomp`,
      );
    }
  }
  checkOneToOne(abi, syscalls);
  return {
    scmpToken: mergeTokens(abi, headers, libraries),
    syscalls,
    multiplexers: mergeMultiplexers(abi, syscalls, libraries),
    headersOnly: headersOnly.sort(),
    librariesOnly: [...library.keys()]
      .filter((name) => !headers.syscalls.has(name)).sort(),
    aliases: aliases.sort(),
  };
}

/** The union of the libraries' wired calls. */
function mergeLibraries(
  abi: Abi,
  libraries: readonly NamedLibraryTable[],
): Map<string, number> {
  const merged = new Map<string, number>();
  const sources = new Map<string, string>();
  for (const { source, syscalls } of libraries) {
    for (const [name, nr] of syscalls) {
      const before = merged.get(name);
      if (before !== undefined && before !== nr) {
        throw new Error(
          `Cannot merge ${abi.name}: ${name} is ${before} in ` +
            `${sources.get(name)} and ${nr} in ${source}`,
        );
      }
      merged.set(name, nr);
      sources.set(name, source);
    }
  }
  return merged;
}

/** Fails if a number has two names. */
function checkOneToOne(
  abi: Abi,
  syscalls: ReadonlyMap<string, number>,
): void {
  const names = new Map<number, string>();
  for (const [name, nr] of syscalls) {
    const other = names.get(nr);
    if (other !== undefined) {
      throw new Error(
        `Cannot merge ${abi.name}: ${nr} is both ${other} and ${name}`,
      );
    }
    names.set(nr, name);
  }
}

/**
 * The token on which the libraries agree. It is the audit value, except on x32,
 * whose audit value is that of x86_64: there it lacks the 64-bit flag.
 */
function mergeTokens(
  abi: Abi,
  headers: HeaderTable,
  libraries: readonly NamedLibraryTable[],
): number {
  const flag = 0x8000_0000;
  const expected = headers.syscallBit === 0
    ? headers.auditArch
    : (headers.auditArch & ~flag) >>> 0;
  for (const { source, token } of libraries) {
    if (token !== expected) {
      throw new Error(
        `Cannot merge ${abi.name}: ${libraryName(abi)} is ` +
          `0x${token.toString(16)} in ${source} and ` +
          `0x${expected.toString(16)} in linux/audit.h`,
      );
    }
  }
  return expected;
}

/**
 * The multiplexers that are wired, with the calls on which all sources agree.
 */
function mergeMultiplexers(
  abi: Abi,
  syscalls: ReadonlyMap<string, number>,
  libraries: readonly NamedLibraryTable[],
): Multiplexer[] {
  const multiplexers: Multiplexer[] = [];
  for (const name of ["socketcall", "ipc"]) {
    // A library may give a pseudo number to a call that an architecture without
    // the multiplexer lacks: it means "not here" (send, x86_64).
    const nr = syscalls.get(name);
    if (nr === undefined) continue;
    const calls = new Map<string, number>();
    for (const { source, multiplexed } of libraries) {
      for (const [call, value] of multiplexed.get(name) ?? []) {
        const before = calls.get(call);
        if (before !== undefined && before !== value) {
          throw new Error(
            `Cannot merge ${abi.name}: ${name} has ${call} at ${before} and, ` +
              `in ${source}, at ${value}`,
          );
        }
        calls.set(call, value);
      }
    }
    if (calls.size === 0) {
      throw new Error(`Cannot merge ${abi.name}: ${name} without calls`);
    }
    multiplexers.push({ nr, calls });
  }
  return multiplexers;
}
