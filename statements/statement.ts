/**
 * Statements: which calls get which answer under which condition, in numbers.
 * The statements about one ABI and its answer to everything else are the whole
 * meaning of a filter for that ABI.
 *
 * @module
 */

import type { Range } from "../bpf/range.ts";
import type { ReturnValue } from "../profile/policy.ts";
import { type Arch, ARCHES } from "../tables/arch.ts";
import type { Formula } from "./formula.ts";

/** Inputs that one convention of system calls makes. */
export interface CallAbi {
  /**
   * Values of `arch`; for the rest, those that no other ABI of the list has.
   */
  readonly audit: Range | "rest";
  /** The architecture, if there is a table for it. */
  readonly arch?: Arch;
}

/** Calls with one answer. */
export interface Statement {
  /** The answer, as the kernel acts on it. */
  readonly value: ReturnValue;
  /**
   * Values of `nr`, rising; "other" for all that no statement about the ABI
   * lists.
   */
  readonly numbers: readonly Range[] | "other";
  /** The condition; always true if the arguments do not matter. */
  readonly formula: Formula;
}

/** The answers to all calls of an ABI. */
export interface AbiStatements {
  readonly abi: CallAbi;
  /** No call is in two statements with different answers. */
  readonly statements: readonly Statement[];
  /** The answer to everything else. */
  readonly rest: ReturnValue;
}

/** The numbers of x32: bit 30 of `nr` is set and bit 31 is not. */
const X32_NUMBERS: Range = { first: 0x4000_0000, last: 0x7fff_ffff };

/**
 * Lists the values of `nr` that belong to an ABI.
 *
 * @param abi The ABI.
 */
export function numbersOf({ arch }: CallAbi): readonly Range[] {
  if (arch?.name === "x32") return [X32_NUMBERS];
  const shares = ARCHES.some((other) =>
    other !== arch && other.auditArch === arch?.auditArch
  );
  if (!shares) return [{ first: 0, last: 0xffff_ffff }];
  return [
    { first: 0, last: X32_NUMBERS.first - 1 },
    { first: X32_NUMBERS.last + 1, last: 0xffff_ffff },
  ];
}

/**
 * Lists the ABIs of some values of `arch`: two for x86_64.
 *
 * @param audit The values.
 */
export function abisOf(audit: Range): readonly CallAbi[] {
  const known = audit.first === audit.last
    ? ARCHES.filter((arch) => arch.auditArch === audit.first)
    : [];
  return known.length === 0
    ? [{ audit }]
    : known.map((arch) => ({ audit, arch }));
}

/**
 * Returns the width of an argument comparison.
 *
 * @param abi The ABI; 64 bits if it is unknown.
 */
export function bitsOf({ arch }: CallAbi): 32 | 64 {
  return arch?.bits ?? 64;
}
