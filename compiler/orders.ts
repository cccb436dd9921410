/**
 * The orders in which the words of a call's arguments may be tested.
 *
 * @module
 */

import type { ArgWord } from "./part.ts";

/** Maximum number of words whose orders are all tried: 4! = 24 orders. */
const MAX_PERMUTED = 4;

/**
 * Lists the orders to try: low words first, because a low word often settles
 * the question of the high one; then all other orders if there are few words.
 *
 * @param words Words in rising order.
 */
export function wordOrders(
  words: readonly ArgWord[],
): readonly (readonly ArgWord[])[] {
  const lowFirst = [
    ...words.filter((w) => w % 2 === 0),
    ...words.filter((w) => w % 2 === 1),
  ];
  if (words.length > MAX_PERMUTED) return [lowFirst, words];
  return permutations(lowFirst);
}

function permutations(
  words: readonly ArgWord[],
): readonly (readonly ArgWord[])[] {
  if (words.length < 2) return [words];
  return words.flatMap((word, i) =>
    permutations([...words.slice(0, i), ...words.slice(i + 1)])
      .map((rest) => [word, ...rest])
  );
}
