/**
 * A condition of a policy as a comparison of a profile.
 *
 * @module
 */

import type { LinuxSeccompArg, ScmpOp } from "../../profile/formats/oci.ts";
import type { Condition } from "../../profile/policy.ts";

const OPS: Readonly<Record<Condition["op"], ScmpOp>> = {
  eq: "SCMP_CMP_EQ",
  ne: "SCMP_CMP_NE",
  lt: "SCMP_CMP_LT",
  le: "SCMP_CMP_LE",
  ge: "SCMP_CMP_GE",
  gt: "SCMP_CMP_GT",
};

/** Mask of all bits of an argument. */
const WHOLE = 0xffff_ffff_ffff_ffffn;

/**
 * Writes a condition as a comparison.
 *
 * @param condition An equality under any mask, or another comparison of all
 * bits.
 */
export function comparisonOf(
  { arg, op, mask, value }: Condition,
): LinuxSeccompArg {
  return mask === WHOLE
    ? { index: arg, value, valueTwo: 0n, op: OPS[op] }
    : { index: arg, value: mask, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" };
}
