/**
 * How the kernel acts on what filters return, on symbols: which of several
 * filters prevails, and which bits of a return value make a difference.
 *
 * Source: kernel/seccomp.c, `seccomp_run_filters()` and `__seccomp_filter()`,
 * Linux 6.1.
 *
 * @module
 */

import {
  MAX_ERRNO,
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_DATA,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_TRAP,
  SECCOMP_RET_USER_NOTIF,
} from "../tables/uapi.ts";
import type { Node } from "./diagram.ts";
import type { SymbolicWord, WordAlgebra } from "./symbolic_word.ts";

/** Actions whose data nobody sees. */
const WITHOUT_DATA: readonly number[] = [
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_USER_NOTIF,
  SECCOMP_RET_LOG,
  SECCOMP_RET_ALLOW,
];

/** Turns the order of signed numbers into that of unsigned ones. */
const SIGN = 0x8000_0000;

/**
 * Tells where an older filter prevails over a newer one: where its action, as a
 * signed number, is lower.
 *
 * @param algebra Where the words live.
 * @param older What the filter attached first returns.
 * @param newer What the other returns.
 * @returns Where the kernel acts on `older`.
 */
export function prevails(
  algebra: WordAlgebra,
  older: SymbolicWord,
  newer: SymbolicWord,
): Node {
  const rank = (value: SymbolicWord): SymbolicWord =>
    algebra.binary(
      "xor",
      algebra.binary("and", value, algebra.constant(SECCOMP_RET_ACTION_FULL)),
      algebra.constant(SIGN),
    );
  return algebra.compare("jgt", rank(newer), rank(older));
}

/**
 * Gives equal words to values on which the kernel acts alike: an errno is
 * capped, data that nobody sees is 0, an unknown action is KILL_PROCESS.
 *
 * @param algebra Where the words live.
 * @param value A return value.
 * @returns The value that stands for all that have its effect.
 */
export function effectOf(
  algebra: WordAlgebra,
  value: SymbolicWord,
): SymbolicWord {
  const { binary, compare, constant, select } = algebra;
  const action = binary("and", value, constant(SECCOMP_RET_ACTION_FULL));
  const data = binary("and", value, constant(SECCOMP_RET_DATA));
  const capped = select(
    compare("jgt", data, constant(MAX_ERRNO)),
    constant(SECCOMP_RET_ERRNO | MAX_ERRNO),
    value,
  );
  const cases: readonly (readonly [number, SymbolicWord])[] = [
    [SECCOMP_RET_ERRNO, capped],
    [SECCOMP_RET_TRAP, value],
    [SECCOMP_RET_TRACE, value],
    ...WITHOUT_DATA.map((a) => [a, constant(a)] as const),
  ];
  let effect = constant(SECCOMP_RET_KILL_PROCESS);
  for (const [known, word] of cases) {
    effect = select(compare("jeq", action, constant(known)), word, effect);
  }
  return effect;
}
