/**
 * The kernel's handling of return values, on symbols: the winner among several
 * filters, and the relevant bits of a return value.
 *
 * Source: kernel/seccomp.c, `seccomp_run_filters()` and `__seccomp_filter()`,
 * Linux 6.1.
 *
 * @module
 */

import * as uapi from "../../tables/uapi.ts";
import type { Diagram, Node } from "./diagram.ts";
import { compare, compute, constant, selectWord, type Word } from "./word.ts";

/** Actions whose data is never used. */
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
  // With the sign bit inverted, signed order becomes unsigned order.
  const rank = (value: Word): Word =>
    compute(d, "xor", actionOf(d, value), constant(0x8000_0000));
  return compare(d, "jgt", rank(newer), rank(older));
}

/**
 * Maps values that the kernel treats alike to equal words: an errno is capped,
 * unused data becomes 0, and an unknown action becomes KILL_PROCESS.
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
