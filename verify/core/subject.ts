/**
 * The sides of a comparison: anything that answers calls.
 *
 * @module
 */

import type { Filter } from "../../bpf/filter.ts";
import type { Program } from "../../bpf/instruction.ts";
import type { Policy } from "../../profile/policy.ts";

/**
 * One side of a comparison: a policy, a program, a program with its byte order,
 * or the filters of a thread, oldest first. A side without a byte order takes
 * that of the other side.
 *
 * @category Compare
 */
export type Subject =
  | Policy
  | Program
  | Filter
  | { readonly programs: readonly Program[]; readonly littleEndian?: boolean };

/**
 * Returns a side that is a policy.
 *
 * @param subject The side.
 * @returns The policy, or `undefined` if the side consists of programs.
 */
export function policyOf(subject: Subject): Policy | undefined {
  return "defaultValue" in subject ? subject : undefined;
}

/**
 * Lists the programs of a side in the order of attachment.
 *
 * @param subject The side.
 * @returns Its programs; empty for a policy.
 */
export function programsOf(subject: Subject): readonly Program[] {
  if ("defaultValue" in subject) return [];
  if ("programs" in subject) return subject.programs;
  return ["program" in subject ? subject.program : subject];
}

/**
 * Finds the byte order of a side.
 *
 * @param subject The side.
 * @returns True if it is little-endian; `undefined` if the side has no byte
 * order.
 */
export function orderOf(subject: Subject): boolean | undefined {
  return "littleEndian" in subject ? subject.littleEndian : undefined;
}

/**
 * Finds the common byte order of the sides.
 *
 * @throws {TypeError} if they have different ones.
 *
 * @param subjects The sides of a comparison.
 * @param asked The byte order requested by the caller, if any.
 * @returns The byte order; little-endian if none is given.
 */
export function byteOrderOf(
  subjects: readonly Subject[],
  asked?: boolean,
): boolean {
  const orders = new Set(
    [...subjects.map(orderOf), asked].filter((order) => order !== undefined),
  );
  if (orders.size > 1) {
    throw new TypeError(
      "Cannot compare for two byte orders: the sides and the options name both, one is needed",
    );
  }
  return !orders.has(false);
}
