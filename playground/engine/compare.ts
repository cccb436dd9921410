/**
 * Compares two profiles or filters.
 *
 * @module
 */

import { formatReturnValue } from "../../bpf/return_value.ts";
import { describeCall } from "../../cli/input/call.ts";
import type { SourceFlags } from "../../cli/input/flags.ts";
import type { LoadedFilter } from "../../cli/input/filter.ts";
import { differencesText } from "../../cli/output/differences.ts";
import { ARCHES } from "../../tables/arch.ts";
import { byteOrderOf, type Subject } from "../../verify/core/subject.ts";
import { locateDifferences, proveNotLooser } from "../../verify/differences.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import type { Given, PageAnswer, PageChoice } from "../messages.ts";
import { pageRefusal } from "./failure.ts";
import { loadedSubject, subjectOfGiven } from "./load.ts";

/** Names of the sides. */
export interface ComparedSides {
  readonly a: string;
  readonly b: Given;
}

/**
 * Compares what is loaded with something else.
 *
 * @param loaded The first side.
 * @param sides The name of the first side, and the second one.
 * @param choice The machine.
 */
export function compareGiven(
  loaded: LoadedFilter,
  { a, b }: ComparedSides,
  choice: PageChoice,
): Extract<PageAnswer, { readonly kind: "compared" }> {
  const first = loadedSubject(loaded);
  const { subject: second, findings } = subjectOfGiven(b, choice);
  const arches = [loaded.native, ...ARCHES].map(({ auditArch }) => auditArch);
  const result = proveEquivalent(first, second, { arches });
  if (result.kind === "unproven") throw pageRefusal(unproven(result.limit));
  const base = { kind: "compared", findings } as const;
  if (result.kind === "equal") {
    const both = `${a} and ${b.name} permit the same`;
    return {
      ...base,
      isEqual: true,
      text: "equal: no call gets another answer\n",
      subset: both,
      superset: both,
    };
  }
  const list = locateDifferences(first, second, { arches });
  if (list.kind !== "listed") throw pageRefusal(unproven(list.limit));
  const flags = flagsOf(choice);
  const text = differencesText(
    list.differences,
    [{ word: a, flags }, { word: b.name, flags }],
    byteOrderOf([first, second]),
  );
  return {
    ...base,
    isEqual: false,
    text: list.complete
      ? text
      : `${text}There may be more differences: a limit was reached\n`,
    subset: within(second, first, { arches, inner: b.name, outer: a }),
    superset: within(first, second, { arches, inner: a, outer: b.name }),
  };
}

/** Says whether one side permits nothing that the other denies. */
function within(
  inner: Subject,
  outer: Subject,
  names: {
    readonly arches: readonly number[];
    readonly inner: string;
    readonly outer: string;
  },
): string {
  const result = proveNotLooser(outer, inner, { arches: names.arches });
  switch (result.kind) {
    case "not-looser":
      return `${names.inner} permits nothing that ${names.outer} denies`;
    case "unproven":
      return unproven(result.limit);
    case "different": {
      const { data, a, b } = result;
      const answer = (value: number): string =>
        formatReturnValue(value, data.arch);
      return `${names.inner} permits more than ${names.outer}: ${
        describeCall(data)
      } gets ${answer(b.value)} instead of ${answer(a.value)}`;
    }
  }
}

function unproven(limit: string): string {
  return `Unproven: the limit of ${limit} was reached; treat them as different`;
}

/** The options of the command line. */
export function flagsOf(choice: PageChoice): SourceFlags {
  const { arch, only, kernel, caps, semantics } = choice;
  return {
    ...(only ? { arch: [arch] } : {}),
    ...(caps.trim() === "" ? {} : { caps }),
    kernel,
    ...(semantics === "crun" ? {} : { semantics }),
    unknown: "deny-error",
    strict: false,
    quiet: false,
    verbose: false,
  };
}
