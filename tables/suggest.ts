/**
 * Suggestions for misspelled words of users: names of calls, actions, options
 * and any other listed words.
 *
 * @module
 */

/** Maximum length of a word for which a suggestion is searched. */
const MAX_SUGGESTED = 64;

/**
 * Finds the most likely meaning of a misspelled word: equal except for case,
 * blanks and a missing prefix, or a few edits away.
 *
 * @example A missing prefix
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { didYouMean } from "./suggest.ts";
 *
 * const words = ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG"];
 * assertEquals(didYouMean("alow", words, "SCMP_ACT_"), "SCMP_ACT_ALLOW");
 * ```
 *
 * @param seen The word as written.
 * @param words The known words.
 * @param prefix Common prefix of the words, or an empty string.
 * @returns The nearest word, or `undefined` if none is near.
 */
export function didYouMean(
  seen: string,
  words: Iterable<string>,
  prefix = "",
): string | undefined {
  if (seen.length > MAX_SUGGESTED) return undefined;
  const core = (word: string): string => {
    const bare = word.toUpperCase().replace(/[\s-]+/g, "_").replace(
      /^_+|_+$/g,
      "",
    );
    return bare.startsWith(prefix.toUpperCase())
      ? bare.slice(prefix.length)
      : bare;
  };
  const wanted = core(seen);
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.ceil(wanted.length / 3)) + 1;
  for (const word of words) {
    const distance = editDistance(wanted, core(word));
    if (distance < bestDistance) {
      best = word;
      bestDistance = distance;
    }
  }
  return best;
}

/**
 * Counts insertions, deletions, replacements and swaps of neighbors from `a` to
 * `b`.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const differs = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + differs,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
