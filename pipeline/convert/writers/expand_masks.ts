/**
 * Replaces comparisons under wide masks by equalities, for a format whose
 * numbers have 63 bits.
 *
 * @module
 */

import type { LinuxSeccompArg } from "../../../profile/formats/oci.ts";
import type {
  CommentedSection,
  CommentedSyscall,
} from "../../../profile/formats/write_section.ts";

const WHOLE = 0xffff_ffff_ffff_ffffn;
const LARGEST_INT64 = 0x7fff_ffff_ffff_ffffn;
/** Bits outside of a mask, up to which all values are listed. */
const MOST_FREE = 4;

/**
 * Rewrites a section; its meaning has to be proved again.
 *
 * @param section The section.
 * @returns The section, in which an entry may have become several.
 */
export function expandMasks(section: CommentedSection): CommentedSection {
  return { ...section, syscalls: section.syscalls.flatMap(expandEntry) };
}

function expandEntry(entry: CommentedSyscall): readonly CommentedSyscall[] {
  const at = entry.args.findIndex(({ op, value }) =>
    op === "SCMP_CMP_MASKED_EQ" && value > LARGEST_INT64
  );
  const arg = entry.args[at];
  const values = arg && valuesOf(arg);
  if (arg === undefined || values === undefined) return [entry];
  return values.flatMap((value) =>
    expandEntry({
      ...entry,
      args: entry.args.with(at, {
        index: arg.index,
        op: "SCMP_CMP_EQ",
        value,
        valueTwo: 0n,
      }),
    })
  );
}

/** The few values for which a comparison is true. */
function valuesOf(
  { value: mask, valueTwo }: LinuxSeccompArg,
): readonly bigint[] | undefined {
  let values = [valueTwo & mask];
  for (let bit = 1n; bit <= WHOLE; bit <<= 1n) {
    if ((mask & bit) !== 0n) continue;
    if (values.length === 1 << MOST_FREE) return undefined;
    values = values.flatMap((value) => [value, value | bit]);
  }
  return values.sort((a, b) => a < b ? -1 : 1);
}
