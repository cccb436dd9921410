/**
 * Arguments of system calls in names: `socket(domain, type, protocol)`,
 * `AF_VSOCK`, `PROT_READ|PROT_WRITE`.
 *
 * Names belong to an architecture: MIPS has other flags of mmap(2), and the
 * arguments of clone(2) come in three orders.
 *
 * @example There and back
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { archByName } from "./arch.ts";
 * import { argumentsOf, formatArgument, parseArgument } from "./arguments.ts";
 *
 * const arch = archByName("x86_64");
 * if (arch === undefined) throw new Error("Unreachable: no x86_64");
 * const names = argumentsOf(arch, "socket")?.map(({ name }) => name);
 * assertEquals(names, ["domain", "type", "protocol"]);
 * assertEquals(formatArgument(arch, "socket", 0, 40n), "AF_VSOCK");
 * assertEquals(parseArgument(arch, "mmap", 2, "PROT_READ|PROT_EXEC"), 5n);
 * ```
 *
 * @module
 */

import type { Arch } from "./arch.ts";
import { quoteText } from "./printable.ts";
import {
  type Choice,
  CHOICES,
  OTHER_SIGNATURES,
  SIGNATURES,
} from "./signatures.ts";
import {
  formatMaskIn,
  formatWordIn,
  kindOf,
  parseWordIn,
  type ValueKind,
  type ValueSet,
  valueSet,
} from "./value_set.ts";

/** One argument of a system call. */
export interface CallArgument {
  /** Name, such as `domain`. */
  readonly name: string;
  /**
   * A pointer, or the way in which the named values share the word; absent for
   * plain numbers, and if it depends on another argument.
   */
  readonly kind?: "pointer" | ValueKind;
}

/** An argument as written in the tables. */
interface Parameter {
  readonly name: string;
  readonly isPointer: boolean;
  /** Name of a set, or of a choice after `?`. */
  readonly set?: string;
}

/** Signatures by name: those of all architectures, then those of some. */
let signatures: readonly (readonly [string, ReadonlyMap<string, string>])[] =
  [];

/**
 * Lists the arguments of a call.
 *
 * @param arch The architecture.
 * @param call Name of the call.
 * @returns The arguments in order; `undefined` if the call is unknown. The list
 * ends before a 64-bit argument that is passed in two registers.
 */
export function argumentsOf(
  arch: Arch,
  call: string,
): readonly CallArgument[] | undefined {
  return parametersOf(arch, call)?.map(({ name, isPointer, set }) => {
    if (isPointer) return { name, kind: "pointer" };
    if (set === undefined || set.startsWith("?")) return { name };
    return { name, kind: kindOf(valueSet(set, arch)) };
  });
}

/**
 * Writes the value of an argument in names.
 *
 * @param arch The architecture.
 * @param call Name of the call.
 * @param index Index of the argument, from 0.
 * @param value 64 bits.
 * @param args All arguments of the call if they are known: the protocol of a
 * socket depends on its domain.
 * @returns Names joined by `|`, with a number for the rest; `undefined` if no
 * part has a name. `parseArgument` reads the same value.
 */
export function formatArgument(
  arch: Arch,
  call: string,
  index: number,
  value: bigint,
  args?: readonly bigint[],
): string | undefined {
  const sets = setsOf(arch, call, index, args);
  const [only] = sets;
  return only === undefined || sets.length > 1
    ? undefined
    : formatWordIn(only, value);
}

/**
 * Writes a mask of an argument in the names of its bits.
 *
 * @param arch The architecture.
 * @param call Name of the call.
 * @param index Index of the argument, from 0.
 * @param mask 64 bits.
 * @param args All arguments of the call if they are known.
 * @returns Names joined by `|`, with a number for the rest; `undefined` if no
 * bit has a name.
 */
export function formatArgumentMask(
  arch: Arch,
  call: string,
  index: number,
  mask: bigint,
  args?: readonly bigint[],
): string | undefined {
  const sets = setsOf(arch, call, index, args);
  const [only] = sets;
  return only === undefined || sets.length > 1
    ? undefined
    : formatMaskIn(only, mask);
}

/**
 * Reads the value of an argument: numbers and names, joined by `|`, in any
 * case.
 *
 * @param arch The architecture.
 * @param call Name of the call; an unknown one accepts only numbers.
 * @param index Index of the argument, from 0.
 * @param text Text of the user.
 * @param args The arguments before this one if they are known.
 * @returns 64 bits.
 * @throws {SyntaxError} if a part is neither a number nor a name that the
 * argument has; the message suggests one.
 */
export function parseArgument(
  arch: Arch,
  call: string,
  index: number,
  text: string,
  args?: readonly bigint[],
): bigint {
  const sets = setsOf(arch, call, index, args);
  try {
    return parseWordIn(sets, text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const name = parametersOf(arch, call)?.[index]?.name;
    const what = name === undefined ? "argument" : `${name} of ${call}`;
    throw new SyntaxError(
      `Cannot read ${what} ${quoteText(text)}: ${error.message}`,
      { cause: error },
    );
  }
}

/**
 * Lists the names that an argument takes, second names included.
 *
 * @param arch The architecture.
 * @param call Name of the call.
 * @param index Index of the argument, from 0.
 * @returns Names; none for plain numbers.
 */
export function argumentValueNames(
  arch: Arch,
  call: string,
  index: number,
): readonly string[] {
  return setsOf(arch, call, index).flatMap(({ byName }) =>
    [...byName.values()].map(({ name }) => name)
  );
}

/** The sets from which an argument takes its names. */
function setsOf(
  arch: Arch,
  call: string,
  index: number,
  args?: readonly bigint[],
): readonly ValueSet[] {
  const set = parametersOf(arch, call)?.[index]?.set;
  if (set === undefined) return [];
  if (!set.startsWith("?")) return [valueSet(set, arch)];
  const choice = CHOICES.find(({ name }) => name === set.slice(1));
  if (choice === undefined) throw new Error(`Unreachable: no choice ${set}`);
  const by = parametersOf(arch, call)?.[choice.by]?.set;
  const given = args?.[choice.by];
  return rowsOf(choice).filter(([, names]) => {
    if (given === undefined || by === undefined) return true;
    const { byName } = valueSet(by, arch);
    return names.some((name) =>
      byName.get(name.toUpperCase())?.value === given
    );
  }).map(([name]) => valueSet(name, arch));
}

function rowsOf({ rows }: Choice): readonly (readonly [string, string[]])[] {
  return rows.trim().split("\n").map((row) => {
    const [set = "", ...names] = row.split(" ");
    return [set, names];
  });
}

/** The arguments of a call; a wider form of a call has the same arguments. */
function parametersOf(
  arch: Arch,
  call: string,
): readonly Parameter[] | undefined {
  const line = signatureOf(arch, call) ??
    signatureOf(arch, call.replace(/_time64$|64$|32$/, "")) ??
    signatureOf(arch, call.replace(/^_new|^u(?=getrlimit)/, ""));
  return line?.split(" ").slice(1).map((word) => {
    const [name = "", set] = word.replace("*", "").split(":");
    return {
      name,
      isPointer: word.startsWith("*"),
      ...(set === undefined ? {} : { set }),
    };
  });
}

function signatureOf(arch: Arch, call: string): string | undefined {
  if (signatures.length === 0) {
    signatures = [...OTHER_SIGNATURES, ["", SIGNATURES] as const]
      .map(([arches, text]) => [arches, readSignatures(text)]);
  }
  for (const [arches, lines] of signatures) {
    if (arches !== "" && !arches.split(" ").includes(arch.name)) continue;
    const line = lines.get(call);
    if (line !== undefined) return line;
  }
  return undefined;
}

function readSignatures(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.trim().split("\n").map((line) => [line.split(" ")[0] ?? "", line]),
  );
}
