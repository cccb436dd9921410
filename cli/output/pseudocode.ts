/**
 * Filters as pseudocode.
 *
 * @module
 */

import type { FilterStack } from "../../bpf/filter.ts";
import { formatPseudo } from "../../bpf/pseudo/pseudo.ts";
import { paintPart } from "./assembly.ts";

/** Options of pseudocode. */
export interface PseudocodeOptions {
  /** True for the index of the first instruction of each line. */
  readonly numbers: boolean;
  /** True for colors of a terminal. */
  readonly color: boolean;
}

/**
 * Writes filters as pseudocode, each after a remark that `asm` recognizes.
 *
 * @param stack Filters that the kernel accepts.
 * @param options Indices and color.
 */
export function pseudocode(
  { programs, littleEndian }: FilterStack,
  { numbers, color }: PseudocodeOptions,
): string {
  const texts = programs.map((program, i) => {
    const which = programs.length > 1
      ? `filter ${i} of ${programs.length}, oldest first`
      : "the filter";
    const text = formatPseudo({ program, littleEndian }, { numbers });
    return `# pseudocode of ${which}: ${program.length} instructions\n${
      color ? painted(text) : text
    }`;
  });
  return texts.join("\n");
}

/** Colors answers, labels and names of constants. */
function painted(text: string): string {
  return text
    .replaceAll(/(?<=return )ALLOW\b/g, (it) => paintPart("allow", it))
    .replaceAll(
      /(?<=return )(?:ERRNO\([^)]*\)|KILL_\w+|0x[0-9a-f]+)/g,
      (it) => paintPart("deny", it),
    )
    .replaceAll(
      /(?<=return )(?:TRAP|TRACE|LOG|USER_NOTIF)(?:\([^)]*\))?/g,
      (it) => paintPart("other", it),
    )
    .replaceAll(
      /^L[0-9]+(?=:$)|(?<=goto )L[0-9]+/gm,
      (it) => paintPart("target", it),
    );
}
