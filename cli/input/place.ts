/**
 * Places in programs: the mapped file at an address, and the offset in it.
 *
 * @module
 */

import { openLibc } from "../../ffi/libc.ts";
import { readProcText } from "../../ffi/live/proc.ts";

/** A mapped file. */
interface Mapping {
  readonly first: bigint;
  readonly end: bigint;
  readonly offset: bigint;
  readonly file: string;
}

/** Number of processes whose mappings are kept. */
const MOST_KEPT = 64;

/** Finds places; keeps mappings, because most calls come from a few files. */
export class PlaceFinder {
  readonly #kept = new Map<number, readonly Mapping[]>();

  /**
   * Finds the place of an address.
   *
   * @param pid The process, which may have ended.
   */
  find(
    pid: number,
    address: bigint,
  ): { readonly file: string; readonly offset: bigint } | undefined {
    const found = search(this.#kept.get(pid) ?? [], address) ??
      search(this.#read(pid), address);
    return found &&
      { file: found.file, offset: address - found.first + found.offset };
  }

  #read(pid: number): readonly Mapping[] {
    const mappings = readMappings(pid);
    this.#kept.delete(pid);
    this.#kept.set(pid, mappings);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) {
      this.#kept.delete(oldest);
    }
    return mappings;
  }

  /** Forgets a process that has become another program. */
  forget(pid: number): void {
    this.#kept.delete(pid);
  }
}

function search(
  mappings: readonly Mapping[],
  address: bigint,
): Mapping | undefined {
  return mappings.find(({ first, end }) => first <= address && address < end);
}

function readMappings(pid: number): readonly Mapping[] {
  const text = readProcText(openLibc(), `/proc/${pid}/maps`) ?? "";
  return text.split("\n").flatMap((line) => {
    const found = /^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) \S+ \d+ +(\S.*)$/
      .exec(line);
    if (found === null) return [];
    const [, first, end, offset, file = ""] = found;
    return [{
      first: BigInt(`0x${first}`),
      end: BigInt(`0x${end}`),
      offset: BigInt(`0x${offset}`),
      file,
    }];
  });
}
