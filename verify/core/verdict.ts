/**
 * How the kernel acts on the return values of filters, on symbols: which of
 * several filters wins, and which bits of a return value matter.
 *
 * Source: kernel/seccomp.c, `seccomp_run_filters()` and `__seccomp_filter()`,
 * Linux 6.1.
 *
 * @module
 */

import * as uapi from "../../tables/uapi.ts";
import type { Diagram, Node } from "./diagram.ts";
import { compare, compute, constant, selectWord, type Word } from "./word.ts";

/** Actions whose data is never seen. */
const WITHOUT_DATA: readonly number[] = [
  uapi.SECCOMP_RET_KILL_THREAD,
  uapi.SECCOMP_RET_USER_NOTIF,
  uapi.SECCOMP_RET_LOG,
  uapi.SECCOMP_RET_ALLOW,
];

/**
 * Finds the inputs on which an older filter wins over a newer one: its action,
 * as a signed number, is lower.
 *
 * @param d Diagram of the words.
 * @param older Return value of the filter that was attached first.
 * @param newer Return value of the other.
 * @returns The inputs on which the kernel acts on `older`.
 */
export function prevails(d: Diagram, older: Word, newer: Word): Node {
  // With the sign inverted, the order of signed numbers is the unsigned one.
  const rank = (value: Word): Word =>
    compute(d, "xor", actionOf(d, value), constant(0x8000_0000));
  return compare(d, "jgt", rank(newer), rank(older));
}

/**
 * Gives equal words to values that the kernel treats alike: an errno is capped,
 * data that is never seen is 0, an unknown action is KILL_PROCESS.
 *
 * @param d Diagram of the words.
 * @param value A return value.
 * @returns The value that represents all with the same effect.
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
