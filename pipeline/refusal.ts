/**
 * The reasons why a filter cannot be optimized. Each names the responsible
 * instruction if there is one.
 *
 * @module
 */

import type { Program } from "../bpf/instruction.ts";
import { actionOf } from "../bpf/return_value.ts";
import { ARCH_OFFSET, NR_OFFSET } from "../bpf/seccomp_data.ts";
import { computingAt, type PieceInputs } from "../compiler/piece.ts";
import { SECCOMP_RET_USER_NOTIF } from "../tables/uapi.ts";
import type { NoOutline } from "../verify/describe/outline.ts";
import type { Range } from "../bpf/range.ts";

/** An instruction of one of the filters. */
interface Found {
  readonly filter: number;
  readonly at: number;
}

/**
 * Explains why a stack must not be merged: one of its filters has a listener, or
 * computes its answers and may have one.
 *
 * @param programs The filters.
 * @returns The reason; `undefined` if they may be merged.
 */
export function explainListener(
  programs: readonly Program[],
): string | undefined {
  if (programs.length === 1) return undefined;
  const found = find(
    programs,
    (program) =>
      program.findIndex(({ op, k }) =>
        op === "ret.a" ||
        op === "ret.k" && actionOf(k) === SECCOMP_RET_USER_NOTIF
      ),
  );
  return found &&
    `${
      name(programs, found)
    } can return USER_NOTIF, whose listener belongs to that filter alone; optimize each filter by itself`;
}

/**
 * Explains why the meaning of filters could not be determined.
 *
 * @param programs The filters.
 * @param cause The limit that was reached.
 */
export function explainNoOutline(
  programs: readonly Program[],
  { limit, word }: NoOutline,
): string {
  if (limit === "interrupted") return "it was interrupted";
  if (word !== undefined) {
    const offset = word === "arch" ? ARCH_OFFSET : NR_OFFSET;
    const cutting = find(
      programs,
      (program) =>
        findAfterLoad(
          program,
          offset,
          /^(?:jset|and|add|sub|mul|div|mod|or|xor|lsh|rsh|neg)/,
        ),
    ) ?? findComputing(programs);
    return `${
      cutting === undefined ? "it" : name(programs, cutting)
    } cuts ${word} into more than 8192 intervals`;
  }
  const computing = nameComputing(programs);
  return `the limit of ${limit} was reached before its meaning was known${
    computing === undefined
      ? ", which has too many combinations of words"
      : `, which ${computing} computes`
  }; raise it by --${limit}`;
}

/**
 * Names the instruction because of which a meaning may be too large to compute.
 *
 * @param programs The filters.
 * @returns Its index and operation; `undefined` if none combines words.
 */
export function nameComputing(
  programs: readonly Program[],
): string | undefined {
  const found = findComputing(programs);
  return found && name(programs, found);
}

/**
 * Finds the first instruction that computes, or else that tests or masks one word
 * by another.
 */
function findComputing(programs: readonly Program[]): Found | undefined {
  return find(
    programs,
    (program) => computingAt(program, EVERY_INPUT) ?? -1,
  ) ?? find(
    programs,
    (program) => program.findIndex(({ op }) => BY_WORD.test(String(op))),
  );
}

/** Operations with X. */
const BY_WORD = /^(?:and|jeq|jgt|jge|jset)\.x$/;

/**
 * Explains why a range of architectures cannot have separate answers.
 *
 * @param programs The filters.
 * @param range The architectures.
 */
export function explainArches(
  programs: readonly Program[],
  { first, last }: Range,
): string {
  const found = find(
    programs,
    (program) => findAfterLoad(program, ARCH_OFFSET, /^(?:jgt|jge|jset|and)/),
  );
  return `architectures ${first} to ${last} have their own answers${
    found === undefined ? "" : `, by ${name(programs, found)}`
  }; only single architectures can be told apart`;
}

/**
 * Explains why filters that act on the same calls are not a tree of tests: an
 * instruction that computes, or the number of values.
 *
 * @param programs The filters of the stack.
 * @param acting Indices of the filters that do more than allow.
 * @param inputs Architecture and number.
 */
export function explainPieces(
  programs: readonly Program[],
  acting: readonly number[],
  inputs: PieceInputs,
): string {
  const found = find(
    programs,
    (program, filter) =>
      acting.includes(filter) ? computingAt(program, inputs) ?? -1 : -1,
  );
  const reason = found === undefined
    ? "and distinguish too many values of an argument"
    : `and ${name(programs, found)} computes the answer`;
  return `filters ${
    acting.join(" and ")
  } decide number ${inputs.nr.first}, ${reason}; optimize each filter by itself`;
}

const EVERY_INPUT: PieceInputs = {
  arch: { first: 0, last: 0xffff_ffff },
  nr: { first: 0, last: 0xffff_ffff },
};

function find(
  programs: readonly Program[],
  indexOf: (program: Program, filter: number) => number,
): Found | undefined {
  for (const [filter, program] of programs.entries()) {
    const at = indexOf(program, filter);
    if (at >= 0) return { filter, at };
  }
  return undefined;
}

/** Finds an operation on a word: one that follows a load of that word. */
function findAfterLoad(
  program: Program,
  offset: number,
  operation: RegExp,
): number {
  let loaded = -1;
  return program.findIndex(({ op, k }) => {
    if (op === "ld.abs") loaded = k;
    return loaded === offset && operation.test(String(op));
  });
}

function name(
  programs: readonly Program[],
  { filter, at }: Found,
): string {
  const op = String(programs[filter]?.[at]?.op).replace(".", " ");
  const where = programs.length > 1 ? ` of filter ${filter}` : "";
  return `instruction ${at}${where} (${op})`;
}
