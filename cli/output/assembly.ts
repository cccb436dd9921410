/**
 * Filters as assembly text with comments.
 *
 * @module
 */

import { annotate } from "../../bpf/annotate.ts";
import type { FilterStack } from "../../bpf/filter.ts";
import { formatFilters } from "../../bpf/format.ts";
import { archNames, callName } from "./names.ts";

/** Writes text that reads back to the same filters. */
export function assembly(stack: FilterStack): string {
  const { littleEndian } = stack;
  const names = { archName: archNames, syscallName: callName };
  return formatFilters(stack, {
    comments: (program) => annotate({ program, littleEndian }, names),
  });
}
