/**
 * Builds filters from a parsed text.
 *
 * @module
 */

import type { Arch } from "../../tables/arch.ts";
import { archByAnyName } from "../../tables/arch_names.ts";
import { type FilterStack, inferByteOrder } from "../filter.ts";
import type { ReadSections } from "./draft.ts";
import { linkLabels, orderOfFields, resolveNames } from "./link.ts";
import type { AssemblyProblems } from "./problems.ts";

/**
 * Facts about the machine of a text.
 *
 * @category Filters
 */
export interface ParseFiltersOptions {
  /** Byte order, unless the text states one. */
  readonly littleEndian?: boolean;
  /** Architectures of the calls that the text names, the native one first. */
  readonly arches?: readonly Arch["name"][];
  /** Architecture of calls for which nothing else determines one. */
  readonly assumedArch?: Arch["name"];
}

/**
 * The filters of a text.
 *
 * @category Filters
 */
export interface ParsedFilters extends FilterStack {
  /**
   * Origin of the byte order: `given` by a directive, `inferred` from the
   * architectures in the programs, or `assumed` to be little-endian.
   */
  readonly order: "given" | "inferred" | "assumed";
  /**
   * Line and column of each instruction of each filter, both from 1; columns
   * count UTF-16 units.
   */
  readonly places?: readonly (readonly {
    readonly line: number;
    readonly column: number;
  }[])[];
  /** The assumed architecture, if the number of a named call depends on it. */
  readonly assumedArch?: Arch["name"];
}

/**
 * Resolves labels, names and byte order of filters, and reports all errors.
 *
 * @throws {AssemblyError} if there are any.
 *
 * @param read The filters.
 * @param options Facts about their machine.
 * @param problems The errors so far.
 */
export function linkFilters(
  { sections, order: named }: ReadSections,
  options: ParseFiltersOptions,
  problems: AssemblyProblems,
): ParsedFilters {
  const linked = sections.map((section) => linkLabels(section, problems));
  problems.report();
  const inferred = inferByteOrder(linked.map(({ program }) => program)) ??
    sections.map(orderOfFields).find((order) => order !== undefined);
  const littleEndian = named?.littleEndian ?? options.littleEndian ??
    inferred ?? true;
  const target = {
    littleEndian,
    given: archesNamed(options.arches ?? []),
    assumed: archesNamed([options.assumedArch ?? ""])[0],
  };
  const resolved = linked.map((each) => resolveNames(each, target, problems));
  problems.report();
  const assumes = resolved.some((each) => each.assumes);
  return {
    programs: resolved.map(({ program }) => program),
    littleEndian,
    order: named !== undefined
      ? "given"
      : inferred === undefined
      ? "assumed"
      : "inferred",
    places: sections.map(({ written }) =>
      written.map(({ line, column }) => ({ line, column }))
    ),
    ...(assumes && target.assumed && { assumedArch: target.assumed.name }),
  };
}

function archesNamed(names: readonly string[]): readonly Arch[] {
  return names.flatMap((name) => archByAnyName(name) ?? []);
}
