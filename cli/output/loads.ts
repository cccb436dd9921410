/**
 * The filters that a command loads, as text, files and JSON.
 *
 * @module
 */

import { encodeBase64 } from "../../bpf/base64.ts";
import { decode, encode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { strictModeProgram } from "../../bpf/strict_mode.ts";
import type { FilterLoad } from "../../ffi/traced/filter_load.ts";
import { type Arch, archByName, ARCHES } from "../../tables/arch.ts";
import { formatArgument } from "../../tables/arguments.ts";
import { errnoText } from "../../tables/errno.ts";
import { printable } from "../../tables/printable.ts";
import type { Format } from "../input/flags.ts";
import { formatFilter } from "./formats.ts";

/** A load with its program. */
export interface LoadedProgram extends FilterLoad {
  /**
   * The program as loaded, or an equivalent of strict mode; absent if
   * unreadable.
   */
  readonly bytes?: Uint8Array;
}

/** Adds the equivalent program to a load of strict mode. */
export function withProgram(load: FilterLoad): LoadedProgram {
  if (load.mode !== "strict" || !isLoaded(load)) return load;
  return { ...load, bytes: encode(strictModeProgram(Deno.build.arch)) };
}

/** Reports whether the kernel accepted a load. */
export function isLoaded({ result }: FilterLoad): boolean {
  return result !== undefined && result >= 0;
}

/** Writes a load as its call, such as `seccomp(SECCOMP_SET_MODE_FILTER, 0) = 0`. */
export function callLine(load: LoadedProgram): string {
  const { order, comm, pid, tid, mode, length } = load;
  const thread = tid === pid ? String(pid) : `${pid}/${tid}`;
  const parts = [
    `${order}: ${comm}[${thread}] ${callOf(load)} = ${resultOf(load)}`,
    archOf(load)?.name ?? `0x${load.auditArch.toString(16)}`,
    mode === "strict"
      ? "strict mode, shown as the equal filter"
      : load.bytes === undefined
      ? `${length} instructions at 0x${
        load.address.toString(16)
      }, not readable or not loadable`
      : `${length} instructions`,
    ...(load.unstable ? ["changed by another thread during the call"] : []),
  ];
  return printable(parts.join(", "));
}

function callOf(load: LoadedProgram): string {
  if (load.call === "prctl") {
    return `prctl(PR_SET_SECCOMP, SECCOMP_MODE_${load.mode.toUpperCase()})`;
  }
  const flags = flagText(load);
  return `seccomp(SECCOMP_SET_MODE_${load.mode.toUpperCase()}, ${flags})`;
}

function flagText({ flags }: LoadedProgram): string {
  const arch = archByName(Deno.build.arch);
  const names = arch &&
    formatArgument(arch, "seccomp", 1, BigInt(flags));
  return flags === 0 ? "0" : names ?? `0x${flags.toString(16)}`;
}

function resultOf({ result }: LoadedProgram): string {
  return result === undefined
    ? "?, the thread died"
    : result < 0
    ? `-1 ${errnoText(-result)}`
    : String(result);
}

/** The architecture of the call: x32 shares its audit value with x86_64. */
function archOf({ auditArch, narrow }: LoadedProgram): Arch | undefined {
  const arches = ARCHES.filter((arch) => arch.auditArch === auditArch);
  return arches.find(({ bits }) => (bits === 32) === narrow) ?? arches[0];
}

/** Makes the JSON of a load, without its program. */
export function jsonOfLoad(
  load: LoadedProgram,
): Readonly<Record<string, unknown>> {
  const { order, pid, tid, comm, call, mode, result, length, unstable } = load;
  return {
    ...{ order, pid, tid, comm, call, mode },
    arch: archOf(load)?.name ?? null,
    flags: load.flags === 0 ? [] : flagText(load).split("|"),
    result: result ?? null,
    errno: result !== undefined && result < 0 ? errnoText(-result) : null,
    instructions: mode === "strict" ? null : length,
    ...(unstable ? { unstable } : {}),
  };
}

/** The filter of a load in a format; `undefined` if it is unreadable. */
export async function formatLoad(
  { bytes }: LoadedProgram,
  format: Format,
): Promise<string | Uint8Array | undefined> {
  if (bytes === undefined) return undefined;
  return format === "raw" ? bytes : await formatFilter(
    { program: programOf(bytes), littleEndian: true },
    format,
  );
}

function programOf(bytes: Uint8Array): Program {
  return decode(bytes);
}

/**
 * Writes the programs of loads as text, each once. A program that is not in
 * force is a comment, so that the text reads back as the filters in force.
 */
export async function textOfLoads(
  loads: readonly LoadedProgram[],
  format: Exclude<Format, "raw">,
): Promise<string> {
  const seen = new Map<string, LoadedProgram[]>();
  for (const load of loads) {
    const key = load.bytes === undefined ? "" : encodeBase64(load.bytes);
    seen.set(key, [...seen.get(key) ?? [], load]);
  }
  const groups = [...seen.values()];
  const several = groups.filter((same) => same.some(isLoaded)).length > 1;
  const texts: string[] = [];
  for (const same of groups) {
    const [first] = same;
    const isUsed = same.some(isLoaded);
    const text = first === undefined
      ? undefined
      : await formatLoad(first, format);
    const program = typeof text === "string" ? text : "";
    if (format !== "asm") {
      texts.push(isUsed ? program : "");
      continue;
    }
    texts.push(
      isUsed && several ? ".filter\n" : "",
      same.map((load) => `; ${callLine(load)}\n`).join(""),
      isUsed ? program : program.replaceAll(/^(?=.)/gm, "; "),
    );
  }
  return texts.join("");
}
