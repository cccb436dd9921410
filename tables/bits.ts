/**
 * Bits of words.
 *
 * @module
 */

/**
 * Counts the bits of a word that are 1.
 *
 * @param word Not negative.
 */
export function countBits(word: number | bigint): number {
  return word.toString(2).replaceAll("0", "").length;
}
