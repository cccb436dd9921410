/**
 * Statements with names: equal ones about several architectures are one row.
 *
 * @module
 */

import type { Range } from "../bpf/range.ts";
import { formatReturnValue } from "../bpf/return_value.ts";
import type { ReturnValue } from "../profile/policy.ts";
import type { Arch } from "../tables/arch.ts";
import type { WordedCall } from "./argument_words.ts";
import { numberText, writeCondition } from "./write_condition.ts";
import type { AbiStatements, CallAbi, Statement } from "./statement.ts";

/** Calls that no other row of their architectures names. */
export const EVERYTHING_ELSE = "everything else";
/** Numbers that no other row of their architectures names. */
export const EVERY_OTHER_CALL = "every other call";
/** Values of `arch` that no row names. */
export const OTHER_ARCHES = "every other architecture";
/** All values of `arch`. */
export const ALL_ARCHES = "every architecture";

/** One answer to one call on some architectures. */
export interface StatementRow {
  readonly value: ReturnValue;
  /** The answer in names; the number of an error depends on the architecture. */
  readonly action: string;
  /** Name or number of the call, a range, or one of the words above. */
  readonly call: string;
  /** The condition; empty for none. */
  readonly condition: string;
  /** Names of the architectures, in the order of the explanation. */
  readonly arches: readonly string[];
}

/** Names of the calls of an architecture by number. */
const names = new Map<string, ReadonlyMap<number, string>>();

/**
 * Names a number of an architecture.
 *
 * @param arch The architecture, if there is a table for it.
 * @param nr The number, as in `seccomp_data.nr`.
 */
export function nameOfCall(
  arch: Arch | undefined,
  nr: number,
): string | undefined {
  if (arch === undefined) return undefined;
  let table = names.get(arch.name);
  if (table === undefined) {
    table = new Map([...arch.syscalls].map(([name, nr]) => [nr, name]));
    names.set(arch.name, table);
  }
  return table.get(nr);
}

/**
 * Names an ABI.
 *
 * @param abi The ABI.
 * @returns `x86_64`, an audit value, a range of them, or the word for the rest.
 */
export function nameOfAbi({ audit, arch }: CallAbi): string {
  if (arch !== undefined) return arch.name;
  if (audit === "rest") return OTHER_ARCHES;
  const [first, last] = [audit.first, audit.last].map((value) =>
    `0x${value.toString(16)}`
  );
  return first === last ? `${first}` : `${first}..${last}`;
}

/**
 * Returns the value of `arch` that gives error numbers their names.
 *
 * @param abi The ABI.
 */
export function auditOf({ audit }: CallAbi): number | undefined {
  return audit === "rest" ? undefined : audit.first;
}

/**
 * Writes statements as rows; equal ones are merged.
 *
 * @param abis The statements.
 * @param names The architecture whose names are used if the filter does not
 * distinguish architectures.
 * @returns The rows, in the order of the statements.
 */
export function rowsOf(
  abis: readonly AbiStatements[],
  names: Arch | undefined,
): readonly StatementRow[] {
  const rows = new Map<string, { row: StatementRow; arches: string[] }>();
  const isOnly = abis.length === 1;
  const add = (
    [value, action]: readonly [ReturnValue, string],
    call: string,
    condition: string,
    arch: string,
  ): void => {
    const key = JSON.stringify([action, call, condition]);
    const known = rows.get(key);
    if (known === undefined) {
      const arches = [arch];
      rows.set(key, {
        row: { value, action, call, condition, arches },
        arches,
      });
    } else if (!known.arches.includes(arch)) known.arches.push(arch);
  };
  for (const { abi, statements, rest } of abis) {
    const arch = abi.arch ?? (isOnly ? names : undefined);
    const place = isOnly ? ALL_ARCHES : nameOfAbi(abi);
    const answer = (value: ReturnValue): string =>
      formatReturnValue(value, auditOf(abi));
    for (const statement of statements) {
      for (const call of callsOf(statement, arch)) {
        const { value, formula } = statement;
        const condition = writeCondition(formula, { arch, name: call.name });
        add([value, answer(value)], call.text, condition, place);
      }
    }
    add([rest, answer(rest)], EVERYTHING_ELSE, "", place);
  }
  return [...rows.values()].map(({ row }) => row);
}

/** A call with its name, or with numbers. */
interface CallWord extends Pick<WordedCall, "name"> {
  readonly text: string;
}

/** Names of numbers; consecutive ones without names are one range. */
function callsOf(
  { numbers }: Statement,
  arch: Arch | undefined,
): readonly CallWord[] {
  if (numbers === "other") {
    return [{ text: EVERY_OTHER_CALL, name: undefined }];
  }
  const calls: CallWord[] = [];
  for (const range of numbers) {
    for (const { first, last } of splitAtNames(range, arch)) {
      const name = nameOfCall(arch, first);
      calls.push({ text: name ?? rangeText(first, last), name });
    }
  }
  return calls;
}

/** Splits a range so that each number with a name is separate. */
function splitAtNames(
  { first, last }: Range,
  arch: Arch | undefined,
): readonly Range[] {
  if (arch === undefined) return [{ first, last }];
  const named = [...arch.syscalls.values()]
    .filter((nr) => first <= nr && nr <= last).sort((a, b) => a - b);
  const parts: Range[] = [];
  let from = first;
  for (const nr of named) {
    if (nr > from) parts.push({ first: from, last: nr - 1 });
    if (nr >= from) parts.push({ first: nr, last: nr });
    from = nr + 1;
  }
  if (from <= last) parts.push({ first: from, last });
  return parts;
}

function rangeText(first: number, last: number): string {
  const [from, to] = [first, last].map((nr) =>
    nr < 0x4000_0000 ? String(nr) : numberText(BigInt(nr))
  );
  return first === last ? `${from}` : `${from}..${to}`;
}

/**
 * Names the ABIs of statements, as their rows do.
 *
 * @param abis The statements.
 */
export function placesOf(abis: readonly AbiStatements[]): readonly string[] {
  return abis.length === 1
    ? [ALL_ARCHES]
    : abis.map(({ abi }) => nameOfAbi(abi));
}
