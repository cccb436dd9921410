/**
 * A filter: a program together with the byte order of the machine that runs it.
 *
 * Instructions alone do not show which half of an argument a load reads, or how
 * their own bytes are laid out. Code that reads, writes, runs or explains a
 * program also needs the byte order, and a filter has both.
 *
 * @example Round trip of an s390x filter
 * ```ts
 * import { decodeFilter, encodeFilter } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const program = [{ op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 }] as const;
 * const bytes = encodeFilter({ program, littleEndian: false });
 * assertEquals(bytes, new Uint8Array([0, 6, 0, 0, 0x7f, 0xff, 0, 0]));
 * assertEquals(decodeFilter(bytes), { program, littleEndian: false });
 * ```
 *
 * @module
 */

import { ARCHES, OTHER_SCMP_ARCHES } from "../tables/arch.ts";
import { check } from "./check.ts";
import { decode, encode } from "./encode.ts";
import { ProgramError } from "./error.ts";
import { comparedArches } from "./follow.ts";
import type { Program } from "./instruction.ts";

/**
 * A program and the machine's byte order.
 *
 * @category Filters
 */
export interface Filter {
  /** Its instructions. */
  readonly program: Program;
  /** Byte order of the machine that runs it. */
  readonly littleEndian: boolean;
}

/**
 * The filters of one thread.
 *
 * @category Filters
 */
export interface FilterStack {
  /** Instructions of each filter, oldest first. */
  readonly programs: readonly Program[];
  /** Byte order of the machine that runs them. */
  readonly littleEndian: boolean;
}

/**
 * Writes a filter as `struct sock_filter[]`: the bytes in the order of its own
 * machine.
 *
 * @example A filter of x86_64
 * ```ts
 * import { encodeFilter } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const program = [{ op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 }] as const;
 * const bytes = encodeFilter({ program, littleEndian: true });
 * assertEquals(bytes, new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f]));
 * ```
 *
 * @throws {ProgramError} under the conditions of `encode`.
 *
 * @param filter The filter, such as the result of `compile`.
 * @returns Eight bytes per instruction.
 * @category Filters
 */
export function encodeFilter(
  { program, littleEndian }: Filter,
): Uint8Array<ArrayBuffer> {
  return encode(program, { littleEndian });
}

/**
 * Reads `struct sock_filter[]` in either byte order.
 *
 * Both orders are tried. A program that the kernel accepts ends in a `ret`. Its
 * code, 0x06 or 0x16, is valid in one order only, so at most one order gives
 * such a program, and that order is chosen. If neither does, the order in which
 * more codes have names is chosen.
 *
 * @example A filter of s390x
 * ```ts
 * import { decodeFilter } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const { program, littleEndian } = decodeFilter(new Uint8Array([0, 6, 0, 0, 0x7f, 0xff, 0, 0]));
 * assertEquals(littleEndian, false);
 * assertEquals(program, [{ op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 }]);
 * ```
 *
 * @throws {ProgramError} under the conditions of `decode`, and
 * `ambiguous-byte-order` if the two orders cannot be distinguished.
 *
 * @param bytes Eight bytes per instruction.
 * @param options The byte order, if it is known.
 * @returns The filter.
 * @category Filters
 */
export function decodeFilter(
  bytes: Uint8Array,
  options: { readonly littleEndian?: boolean } = {},
): Filter {
  const read = (littleEndian: boolean): Filter => ({
    program: decode(bytes, { littleEndian }),
    littleEndian,
  });
  if (options.littleEndian !== undefined) return read(options.littleEndian);
  const [little, big] = [read(true), read(false)];
  if (check(little.program) === undefined) return little;
  if (check(big.program) === undefined) return big;
  const known = [little, big].map(({ program }) =>
    program.filter(({ op }) => typeof op === "string").length
  );
  const [inLittle = 0, inBig = 0] = known;
  if (inLittle === inBig) {
    throw new ProgramError(
      "ambiguous-byte-order",
      "Cannot determine the byte order of the program: it is not a valid filter in either order; name the order",
    );
  }
  return inLittle > inBig ? little : big;
}

/** Byte order by `AUDIT_ARCH_*`, for architectures with and without a table. */
const ORDERS: ReadonlyMap<number, boolean> = new Map([
  ...OTHER_SCMP_ARCHES.map((a) => [a.scmpToken, a.littleEndian] as const),
  ...ARCHES.map((arch) => [arch.auditArch, arch.littleEndian] as const),
]);

/**
 * Infers the byte order from the architectures that programs compare `arch`
 * with.
 *
 * @param programs The programs of one thread.
 * @returns True if it is little-endian; `undefined` if the programs name no
 * known architecture, or architectures of both orders.
 */
export function inferByteOrder(
  programs: readonly Program[],
): boolean | undefined {
  const orders = new Set(
    programs.flatMap(comparedArches).flatMap((arch) => ORDERS.get(arch) ?? []),
  );
  const [order] = orders;
  return orders.size === 1 ? order : undefined;
}
