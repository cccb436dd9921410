/**
 * The definition of a combination, stated by filters alone: the answers of both
 * filters are renamed so that a stack of the two has the renamed answers of the
 * result. The order of answers is written down here once more.
 *
 * @module
 */

import type { Program } from "../../bpf/instruction.ts";
import type { CombineOperation } from "../../pipeline/combine/result.ts";
import type { FilterStack } from "../../bpf/filter.ts";

/** Two filters that give every input the same answer if a result is right. */
export interface RenamedSides {
  readonly result: FilterStack;
  readonly stack: FilterStack;
}

const ERRNO = 0x0005_0000;
const PERMISSIONS: readonly number[] = [0x7fff_0000, 0x7ffc_0000];

/** One answer of each action, in the kernel's order. */
const RANKED: readonly number[] = [
  0x8000_0000,
  0,
  0x0003_0007,
  ERRNO + 7,
  0x7fc0_0000,
  0x7ff0_0007,
  0x7ffc_0000,
  0x7fff_0000,
];

/**
 * Renames the answers of two filters and of their combination.
 *
 * @param programs The filters, and that of the result.
 * @param options The operation, the answer to what `minus` takes away, and the
 * byte order of the machine.
 * @returns Both sides; `undefined` if there are more answers than actions.
 */
export function renameAnswers(
  [a, b, result]: readonly [Program, Program, Program],
  { operation, denial, littleEndian }: {
    readonly operation: CombineOperation;
    readonly denial: number;
    readonly littleEndian: boolean;
  },
): RenamedSides | undefined {
  const answers = new Set([denial]);
  for (const program of [a, b, result]) {
    for (const { op, k } of program) if (op === "ret.k") answers.add(effect(k));
  }
  const order = [...answers].sort((x, y) => strictness(x) - strictness(y));
  const side = (...programs: Program[]): FilterStack => ({
    programs,
    littleEndian,
  });
  if (operation === "minus") {
    const code = (value: number): number => ERRNO + 1 + order.indexOf(value);
    // Of two errors, the kernel takes that of the newer filter, which is `a`.
    const left = (value: number): number =>
      PERMISSIONS.includes(value) ? value : code(value);
    const right = (value: number): number =>
      PERMISSIONS.includes(value) ? code(denial) : 0x7fff_0000;
    return {
      result: side(renamed(result, left)),
      stack: side(renamed(b, right), renamed(a, left)),
    };
  }
  if (order.length > RANKED.length) return undefined;
  const rank = (value: number): number => {
    const at = order.indexOf(value);
    const up = operation === "intersect";
    return RANKED[up ? at : order.length - 1 - at] ?? 0;
  };
  return {
    result: side(renamed(result, rank)),
    stack: side(renamed(a, rank), renamed(b, rank)),
  };
}

function renamed(
  program: Program,
  rename: (value: number) => number,
): Program {
  return program.map((one) =>
    one.op === "ret.k" ? { ...one, k: rename(effect(one.k)) } : one
  );
}

/** The definition of an operation for two answers. */
export function joinAnswers(
  a: number,
  b: number,
  operation: CombineOperation,
  denial: number,
): number {
  const [x, y] = [effect(a), effect(b)];
  if (operation === "minus") {
    return PERMISSIONS.includes(x) && PERMISSIONS.includes(y) ? denial : x;
  }
  const isLess = strictness(x) <= strictness(y);
  return isLess === (operation === "intersect") ? x : y;
}

/** The answer to what is taken away from a profile with this default. */
export function denialOf(fallback: number): number {
  const denies = [0, 0x8000_0000, 0x0003_0000, ERRNO]
    .includes((fallback & 0xffff_0000) >>> 0);
  return denies ? effect(fallback) : ERRNO + 1;
}

/** Actions in the kernel's order; of one action, the lesser data, 0 last. */
function strictness(value: number): number {
  return ((value & 0xffff_0000) | 0) + ((value & 0xffff) || 0xffff);
}

/** Data that the kernel does not show is 0. */
export function effect(value: number): number {
  const action = (value & 0xffff_0000) >>> 0;
  return [ERRNO, 0x0003_0000, 0x7ff0_0000].includes(action) ? value : action;
}
