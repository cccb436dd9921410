/**
 * Tracks register contents: the input word that A contains at an instruction,
 * and the architecture that every path to it has selected.
 *
 * @module
 */

import { BPF_MEMWORDS } from "../tables/uapi.ts";
import type { Instruction, Program } from "./instruction.ts";
import { isConditionalJump } from "./opcode.ts";
import { ARCH_OFFSET } from "./seccomp_data.ts";

/** Facts that are known before an instruction; `undefined` for unknown ones. */
export interface Known {
  /** Offset in bytes of the input word that A contains. */
  readonly offset: number | undefined;
  /** Value of `arch` on every path to this instruction. */
  readonly arch: number | undefined;
}

/** Offset of the input word in each register: A, X, then the scratch words. */
type Places = readonly (number | undefined)[];

const A = 0;
const X = 1;
const SCRATCH = 2;

/** Known facts, and the location of each word. */
interface State extends Known {
  readonly places: Places;
}

/**
 * Tracks words of the input through a program. One pass is enough, because
 * jumps only go forward.
 *
 * @param program The instructions.
 * @returns The facts that are known before each instruction; `undefined` for
 * unreachable ones.
 */
export function follow(program: Program): readonly (Known | undefined)[] {
  const before: (State | undefined)[] = new Array(program.length);
  const arrive = (pc: number, state: State): void => {
    if (pc >= program.length) return;
    const other = before[pc];
    before[pc] = other === undefined ? state : join(other, state);
  };
  arrive(0, stateOf(new Array(SCRATCH + BPF_MEMWORDS).fill(undefined)));
  for (const [pc, instruction] of program.entries()) {
    const state = before[pc];
    if (state === undefined) continue;
    const { op, jt, jf, k } = instruction;
    if (isConditionalJump(op)) {
      const led = op === "jeq.k" && state.offset === ARCH_OFFSET;
      arrive(pc + 1 + jt, led ? { ...state, arch: k } : state);
      arrive(pc + 1 + jf, state);
    } else if (op === "ja") {
      arrive(pc + 1 + k, state);
    } else if (op !== "ret.k" && op !== "ret.a") {
      const places = placesAfter(instruction, state.places);
      arrive(pc + 1, stateOf(places, state.arch));
    }
  }
  return before;
}

/**
 * Lists the constants that a program compares `arch` with, in the order of
 * their instructions.
 *
 * @example Numbers of system calls do not count
 * ```ts
 * import { comparedArches } from "./follow.ts";
 * import { parseText } from "./text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const program = parseText(`
 *         ld [4]
 *         jeq #0xc000003e, good
 *         ret #0
 *   good: ld [0]
 *         jeq #0x40000028, bad
 *         ret #0x7fff0000
 *   bad:  ret #0x50001
 * `);
 * assertEquals(comparedArches(program), [0xc000_003e]);
 * ```
 *
 * @param program The instructions.
 * @returns Each constant once, u32.
 */
export function comparedArches(program: Program): readonly number[] {
  const known = follow(program);
  const values = program.flatMap(({ op, k }, pc) =>
    (op === "jeq.k" || op === "jge.k" || op === "jgt.k") &&
      known[pc]?.offset === ARCH_OFFSET
      ? [k]
      : []
  );
  return [...new Set(values)];
}

function stateOf(places: Places, arch?: number): State {
  return { places, offset: places[A], arch };
}

/** Keeps facts on which both paths agree. */
function join(one: State, other: State): State {
  const places = one.places.map((offset, i) =>
    offset === other.places[i] ? offset : undefined
  );
  return stateOf(places, one.arch === other.arch ? one.arch : undefined);
}

/**
 * Moves words as an instruction does; a computed value is not an input word.
 */
function placesAfter({ op, k }: Instruction, places: Places): Places {
  const put = (place: number, offset: number | undefined): Places =>
    places.with(place, offset);
  switch (op) {
    case "ld.abs":
      return put(A, k);
    case "ld.mem":
      return k < BPF_MEMWORDS ? put(A, places[SCRATCH + k]) : put(A, undefined);
    case "ldx.mem":
      return k < BPF_MEMWORDS ? put(X, places[SCRATCH + k]) : put(X, undefined);
    case "st":
    case "stx":
      return k < BPF_MEMWORDS
        ? put(SCRATCH + k, places[op === "st" ? A : X])
        : places;
    case "tax":
      return put(X, places[A]);
    case "txa":
      return put(A, places[X]);
    case "ldx.imm":
    case "ldx.len":
    case "ldxb.msh":
      return put(X, undefined);
    default:
      return put(A, undefined);
  }
}
