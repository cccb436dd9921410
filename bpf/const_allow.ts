/**
 * The system calls that the kernel will allow without running the filter.
 *
 * When a filter is attached, the kernel runs a small emulator over it for each
 * number of the native and the compat table. It records in a bitmap the numbers
 * for which the answer is ALLOW for any arguments (kernel/seccomp.c:
 * seccomp_cache_prepare(), seccomp_is_const_allow(); Linux 5.11 and later, on
 * the architectures that define SECCOMP_ARCH_NATIVE). The emulator knows only a
 * few instructions; at any other, it gives up and the number stays uncached.
 *
 * Not modeled: numbers with the x32 bit or beyond the table, which have no
 * place in the bitmap; `uretprobe` and `uprobe` on x86_64, which recent kernels
 * allow before they consult any filter; other filters of the thread, whose
 * bitmaps are combined by AND.
 *
 * @module
 */

import { SECCOMP_RET_ALLOW } from "../tables/uapi.ts";
import type { Program } from "./instruction.ts";
import { ARCH_OFFSET, NR_OFFSET } from "./seccomp_data.ts";

/** Result of the emulation, and its cost. */
export interface Emulation {
  /** True if the call is cached as allowed. */
  readonly allow: boolean;
  /** Number of instructions emulated, including the one where it stopped. */
  readonly steps: number;
}

/**
 * Reports whether the kernel will cache a call as always allowed.
 *
 * @example A test of an argument disables the cache
 * ```ts
 * import { isConstAllow } from "./const_allow.ts";
 * import { parseText } from "./text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const program = parseText(`
 *         ld [0]
 *         jeq #39, yes
 *         ld [16]
 *         jeq #0, yes
 *         ret #0x80000000
 *   yes:  ret #0x7fff0000
 * `);
 * assertEquals(isConstAllow(program, 0xc000_003e, 39), true);
 * assertEquals(isConstAllow(program, 0xc000_003e, 40), false);
 * ```
 *
 * @param program A program that `check` accepts.
 * @param arch `AUDIT_ARCH_*`, a u32.
 * @param nr System call number, a u32.
 * @returns True if the emulator reaches a `ret` of exactly ALLOW.
 */
export function isConstAllow(
  program: Program,
  arch: number,
  nr: number,
): boolean {
  return emulate(program, arch, nr).allow;
}

/**
 * Emulates a program as the kernel does.
 *
 * @param program A program that `check` accepts.
 * @param arch `AUDIT_ARCH_*`, a u32.
 * @param nr System call number, a u32.
 * @returns The result, and the number of instructions emulated.
 */
export function emulate(
  program: Program,
  arch: number,
  nr: number,
): Emulation {
  let a = 0;
  let pc = 0;
  for (let steps = 1;; steps++) {
    const instruction = program[pc];
    // The kernel's loop ends with the program as well.
    if (instruction === undefined) return { allow: false, steps: steps - 1 };
    const { op, jt, jf, k } = instruction;
    pc++;
    switch (op) {
      case "ld.abs":
        if (k === NR_OFFSET) a = nr;
        else if (k === ARCH_OFFSET) a = arch;
        else return { allow: false, steps };
        break;
      case "ret.k":
        return { allow: k === SECCOMP_RET_ALLOW, steps };
      case "ja":
        pc += k;
        break;
      case "jeq.k":
        pc += a === k ? jt : jf;
        break;
      case "jge.k":
        pc += a >= k ? jt : jf;
        break;
      case "jgt.k":
        pc += a > k ? jt : jf;
        break;
      case "jset.k":
        pc += (a & k) !== 0 ? jt : jf;
        break;
      case "and.k":
        a = (a & k) >>> 0;
        break;
      default:
        return { allow: false, steps };
    }
  }
}

/**
 * Emulates a program for many numbers at once. Numbers that reach the same
 * instructions are handled together, which is faster than one emulation each.
 *
 * @param program A program that `check` accepts.
 * @param arch `AUDIT_ARCH_*`, a u32.
 * @param count Emulates the numbers 0…count − 1.
 * @returns 1 for each number that `isConstAllow` accepts, else 0.
 */
export function constAllows(
  program: Program,
  arch: number,
  count: number,
): Uint8Array {
  const allows = new Uint8Array(count);
  if (count > 0) walk(0, 0, count - 1, 0);
  return allows;

  /**
   * Starts at `pc`, for the numbers first…last; `a` is absent if A is the
   * number itself.
   */
  function walk(
    pc: number,
    first: number,
    last: number,
    a: number | undefined,
  ): void {
    for (;;) {
      const instruction = program[pc];
      if (instruction === undefined) return;
      const { op, jt, jf, k } = instruction;
      pc++;
      if (a === undefined && first === last) a = first;
      switch (op) {
        case "ld.abs":
          if (k !== NR_OFFSET && k !== ARCH_OFFSET) return;
          a = k === NR_OFFSET ? undefined : arch;
          break;
        case "ret.k":
          if (k === SECCOMP_RET_ALLOW) allows.fill(1, first, last + 1);
          return;
        case "ja":
          pc += k;
          break;
        case "jeq.k":
          if (a === undefined && first <= k && k <= last) {
            if (first < k) walk(pc + jf, first, k - 1, a);
            if (k < last) walk(pc + jf, k + 1, last, a);
            first = last = k;
            pc += jt;
          } else pc += a === k ? jt : jf;
          break;
        case "jge.k":
        case "jgt.k": {
          const bound = op === "jge.k" ? k : k + 1;
          if (a === undefined && first < bound && bound <= last) {
            walk(pc + jf, first, bound - 1, a);
            first = bound;
            pc += jt;
          } else pc += (a ?? first) >= bound ? jt : jf;
          break;
        }
        case "jset.k":
        case "and.k":
          if (a === undefined) {
            for (let nr = first; nr <= last; nr++) walk(pc - 1, nr, nr, nr);
            return;
          }
          if (op === "and.k") a = (a & k) >>> 0;
          else pc += (a & k) !== 0 ? jt : jf;
          break;
        default:
          return;
      }
    }
  }
}
