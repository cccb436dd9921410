/**
 * The parts of the input of a filter: the calls of an architecture, its numbers
 * without a call, and everything that no listed architecture has.
 *
 * @module
 */

import type { Range } from "../../bpf/range.ts";
import { callsNode } from "../../statements/prove_statements.ts";
import { type Arch, ARCHES } from "../../tables/arch.ts";
import { NEVER, type Node } from "../../verify/core/diagram.ts";
import type { Symbols } from "../../verify/core/symbols.ts";

/** No kernel serves numbers from here up. */
const FIRST_BEYOND = 0x8000_0000;
/** Bit of the numbers of x32. */
const X32_BIT = 0x4000_0000;

/**
 * Returns the numbers that calls of an architecture can have. x86_64 and x32
 * share an audit value, and a bit divides their numbers.
 */
export function numbersOfArch(arch: Arch): Range {
  const isShared = ARCHES.some((other) =>
    other !== arch && other.auditArch === arch.auditArch
  );
  if (!isShared) return { first: 0, last: FIRST_BEYOND - 1 };
  return arch.syscallBit === 0
    ? { first: 0, last: X32_BIT - 1 }
    : { first: X32_BIT, last: FIRST_BEYOND - 1 };
}

/** Makes functions that are true for parts of the input. */
export class Regions {
  readonly #symbols: Symbols;

  /** @param symbols The input. */
  constructor(symbols: Symbols) {
    this.#symbols = symbols;
  }

  /** The inputs of some numbers of an architecture. */
  numbers(arch: Arch, numbers: readonly Range[]): Node {
    const audit = { first: arch.auditArch, last: arch.auditArch };
    return callsNode(this.#symbols, { audit, arch }, numbers);
  }

  /** The inputs of one call. */
  call(arch: Arch, nr: number): Node {
    return this.numbers(arch, [{ first: nr, last: nr }]);
  }

  /** The inputs of all numbers that calls of an architecture can have. */
  whole(arch: Arch): Node {
    return this.numbers(arch, [numbersOfArch(arch)]);
  }

  /** The inputs of all calls that have a name. */
  named(arch: Arch): Node {
    const numbers = [...new Set(arch.syscalls.values())]
      .sort((a, b) => a - b)
      .map((nr) => ({ first: nr, last: nr }));
    return this.numbers(arch, numbers);
  }

  /** The inputs of several architectures. */
  all(arches: readonly Arch[]): Node {
    const { diagram: d } = this.#symbols;
    return arches.reduce(
      (all, arch) => d.or(all, this.whole(arch)),
      NEVER as Node,
    );
  }
}
