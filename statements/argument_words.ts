/**
 * Words for arguments: the name of an argument of a call, and the names of its
 * values.
 *
 * @module
 */

import type { Arch } from "../tables/arch.ts";
import {
  argumentsOf,
  argumentValueNames,
  formatArgument,
  formatArgumentMask,
  parseArgument,
} from "../tables/arguments.ts";
import { INSTRUCTION_POINTER } from "./formula.ts";

/** Words for one argument of one call. */
export interface ArgumentWords {
  /** Its name, such as `prot`; `arg2` if it has none. */
  readonly name: string;
  /** True if its values are combinations of named bits. */
  readonly isFlags: boolean;
  /** Writes a value in names; `undefined` if it has none. */
  write(value: bigint): string | undefined;
  /** Writes a mask in the names of its bits; `undefined` if it has none. */
  writeMask(value: bigint): string | undefined;
  /** Finds the value of a name. */
  read(name: string): bigint | undefined;
  /** All names that `read` knows, for suggestions. */
  names(): Iterable<string>;
}

/** The architecture and the call to which an argument belongs. */
export interface WordedCall {
  /** `undefined` if there is no table for the architecture. */
  readonly arch: Arch | undefined;
  /** Name of the call; `undefined` if the number has none. */
  readonly name: string | undefined;
}

/** Number of arguments of a call. */
export const ARGUMENTS = 6;

/**
 * Finds the words for an argument.
 *
 * @param call The call.
 * @param arg Index of the argument, or `INSTRUCTION_POINTER`.
 */
export function wordsOfArgument(
  { arch, name }: WordedCall,
  arg: number,
): ArgumentWords {
  const known = arch === undefined || name === undefined
    ? undefined
    : argumentsOf(arch, name)?.[arg];
  if (arch === undefined || name === undefined || known === undefined) {
    return {
      name: plainName(arg),
      isFlags: false,
      write: () => undefined,
      writeMask: () => undefined,
      read: () => undefined,
      names: () => [],
    };
  }
  // Octal digits would be read as decimal ones.
  const readable = (text: string | undefined): string | undefined =>
    text !== undefined && READABLE.test(text) ? text : undefined;
  return {
    // prctl(2) counts from 1: its arg2 has the index 1.
    name: /^arg[0-9]$/.test(known.name) ? plainName(arg) : known.name,
    isFlags: known.kind === "flags" || known.kind === "mixed",
    write: (value) => readable(formatArgument(arch, name, arg, value)),
    writeMask: (mask) => readable(formatArgumentMask(arch, name, arg, mask)),
    read: (word) => {
      try {
        return parseArgument(arch, name, arg, word);
      } catch (error) {
        if (error instanceof SyntaxError) return undefined;
        throw error;
      }
    },
    names: () => argumentValueNames(arch, name, arg),
  };
}

/** Names and numbers that a condition may contain. */
const READABLE =
  /^(?:[A-Za-z_]\w*|0x[0-9a-f]+|[0-9])(?:\|(?:[A-Za-z_]\w*|0x[0-9a-f]+|[0-9]))*$/;

/**
 * The generic name of an argument, valid for every call: `arg0` to `arg5`,
 * `ip`.
 */
export function plainName(arg: number): string {
  return arg === INSTRUCTION_POINTER ? "ip" : `arg${arg}`;
}

/**
 * Finds an argument by its name.
 *
 * @param call The call.
 * @param name `prot`, `arg2` or `ip`.
 * @returns Its index; `undefined` if there is no such argument.
 */
export function argumentByName(
  call: WordedCall,
  name: string,
): number | undefined {
  for (let arg = 0; arg <= INSTRUCTION_POINTER; arg++) {
    if (name === plainName(arg)) return arg;
  }
  for (let arg = 0; arg < ARGUMENTS; arg++) {
    if (name === wordsOfArgument(call, arg).name) return arg;
  }
  return undefined;
}
