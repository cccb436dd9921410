/**
 * Loads several sources as the filters of one thread.
 *
 * @module
 */

import type { FilterStack } from "../../bpf/filter.ts";
import type { Arch } from "../../tables/arch.ts";
import { UnprovenError, UsageError } from "../error.ts";
import type { Io } from "../io.ts";
import { type Beyond, beyondFilter } from "../output/beyond.ts";
import { type LoadedFilter, readFilterSource } from "./filter.ts";
import type { SourceFlags } from "./flags.ts";

/** All filters of all sources. */
export interface LoadedStack extends FilterStack {
  readonly name: string;
  readonly arches: readonly Arch[];
  /** Requirements of the sources for the program that loads their filters. */
  readonly beyond: Beyond;
}

const LOG = "SECCOMP_FILTER_FLAG_LOG";
/**
 * One filter without this flag turns the mitigations on for the whole process.
 */
const SPEC_ALLOW = "SECCOMP_FILTER_FLAG_SPEC_ALLOW";

/**
 * Loads sources, the first one attached first.
 *
 * @param io Stream for warnings.
 * @param words The source words.
 * @param flags The options.
 * @throws {UnprovenError} if one filter logs its answers and another does not.
 */
export async function loadStack(
  io: Io,
  words: readonly string[],
  flags: SourceFlags,
): Promise<LoadedStack> {
  const loaded: LoadedFilter[] = [];
  for (const word of words) {
    loaded.push(await readFilterSource(io, word, flags, { native: true }));
  }
  const orders = new Set(loaded.map((filter) => filter.littleEndian));
  if (orders.size > 1) {
    throw new UsageError(
      "Cannot stack filters for machines of different byte order; optimize each by itself",
    );
  }
  const [first] = loaded;
  if (first === undefined) throw new Error("Unreachable: no source");
  return {
    name: loaded.length === 1
      ? first.name
      : `${first.name} and ${loaded.length - 1} more`,
    programs: loaded.flatMap((filter) => filter.programs),
    littleEndian: first.littleEndian,
    arches: first.arches,
    beyond: beyondStack(loaded),
  };
}

/** Combines the requirements of all sources. */
function beyondStack(loaded: readonly LoadedFilter[]): Beyond {
  const logs = loaded.flatMap(logsOf);
  const [with_, without] = [logs.indexOf(true), logs.indexOf(false)];
  if (with_ >= 0 && without >= 0) {
    throw new UnprovenError(
      `Cannot optimize the filters: filter ${with_} was attached with ${LOG} and filter ${without} without; optimize each filter by itself`,
    );
  }
  const sections = loaded.map((each) => beyondFilter(sectionOf(each)));
  const named = new Set(sections.flatMap(({ flags = [] }) => flags));
  if (with_ >= 0) named.add(LOG);
  if (!sections.every(({ flags }) => flags?.includes(SPEC_ALLOW) === true)) {
    named.delete(SPEC_ALLOW);
  }
  const [{ flags: _, ...listener } = {}] = sections;
  return { ...listener, ...(named.size === 0 ? {} : { flags: [...named] }) };
}

/** The flag of each filter, if known. */
function logsOf(source: LoadedFilter): readonly (boolean | undefined)[] {
  return source.kind === "profile"
    ? [sectionOf(source).flags?.includes(LOG) ?? false]
    : source.logs ?? source.programs.map(() => undefined);
}

function sectionOf(source: LoadedFilter): Beyond {
  return source.kind === "profile" ? source.resolved.seccomp : {};
}
