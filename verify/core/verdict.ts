/**
 * How the kernel acts on what filters return, on symbols: which of several
 * filters prevails, and which bits of a return value make a difference.
 *
 * Source: kernel/seccomp.c, `seccomp_run_filters()` and `__seccomp_filter()`,
 * Linux 6.1.
 *
 * @module
 */

import * as uapi from "../../tables/uapi.ts";
import type { Diagram, Node } from "./diagram.ts";
import { compare, compute, constant, selectWord, type Word } from "./word.ts";

/** Actions whose data nobody sees. */
const WITHOUT_DATA: readonly number[] = [
  uapi.SECCOMP_RET_KILL_THREAD,
  uapi.SECCOMP_RET_USER_NOTIF,
  uapi.SECCOMP_RET_LOG,
  uapi.SECCOMP_RET_ALLOW,
];

/**
 * Reports where an older filter prevails over a newer one: where its action, as a
 * signed number, is lower.
 *
 * @param d Where the words live.
 * @param older What the filter attached first returns.
 * @param newer What the other returns.
 * @returns Where the kernel acts on `older`.
 */
export function prevails(d: Diagram, older: Word, newer: Word): Node {
  // With the sign turned over, the order of signed numbers is the unsigned one.
  const rank = (value: Word): Word =>
    compute(d, "xor", actionOf(d, value), constant(0x8000_0000));
  return compare(d, "jgt", rank(newer), rank(older));
}

/**
 * Gives equal words to values on which the kernel acts alike: an errno is
 * capped, data that nobody sees is 0, an unknown action is KILL_PROCESS.
 *
 * @param d Where the words live.
 * @param value A return value.
 * @returns The value that stands for all that have its effect.
 */
export function effectOf(d: Diagram, value: Word): Word {
  const action = actionOf(d, value);
  const data = compute(d, "and", value, constant(uapi.SECCOMP_RET_DATA));
  const tooLarge = compare(d, "jgt", data, constant(uapi.MAX_ERRNO));
  const largest = constant(uapi.SECCOMP_RET_ERRNO | uapi.MAX_ERRNO);
  let effect = constant(uapi.SECCOMP_RET_KILL_PROCESS);
  const become = (known: number, word: Word): void => {
    const where = compare(d, "jeq", action, constant(known));
    effect = selectWord(d, where, word, effect);
  };
  become(uapi.SECCOMP_RET_ERRNO, selectWord(d, tooLarge, largest, value));
  become(uapi.SECCOMP_RET_TRAP, value);
  become(uapi.SECCOMP_RET_TRACE, value);
  for (const known of WITHOUT_DATA) become(known, constant(known));
  return effect;
}

function actionOf(d: Diagram, value: Word): Word {
  return compute(d, "and", value, constant(uapi.SECCOMP_RET_ACTION_FULL));
}
