/**
 * Converts filters that return a computed value to constant answers.
 *
 * @module
 */

import { ALWAYS, NEVER, type Node } from "../verify/core/diagram.ts";
import type { Symbols } from "../verify/core/symbols.ts";
import { type Word, WORD_BITS } from "../verify/core/word.ts";
import { Unstated } from "./answer_writer.ts";

/** Maximum number of answers that a `ret a` may have. */
const MOST_ANSWERS = 256;

/**
 * Replaces answers that are computed from the input by constant ones.
 *
 * @param symbols The symbols of the meaning.
 * @param meaning Function whose leaves are words.
 * @returns The same function; each leaf is a constant word.
 * @throws {Unstated} if there are too many answers.
 */
export function spreadAnswers(symbols: Symbols, meaning: Node): Node {
  const { diagram, leaf, wordOf } = symbols;
  const answers = new Set<Node>();
  /** The answers within a region that is not empty, for bits up to `bit`. */
  const spread = (word: Word, region: Node, bit: number): Node => {
    const f = word[bit];
    if (f === undefined) {
      const answer = leaf(word);
      answers.add(answer);
      if (answers.size <= MOST_ANSWERS) return answer;
      throw new Unstated(
        `it returns more than ${MOST_ANSWERS} different values, which it computes from the call`,
      );
    }
    const set = diagram.and(region, f);
    const clear = diagram.except(region, f);
    const given = (value: Node, region: Node): Node =>
      spread(word.with(bit, value), region, bit - 1);
    if (set === NEVER) return given(NEVER, region);
    if (clear === NEVER) return given(ALWAYS, region);
    return diagram.choose(f, given(ALWAYS, set), given(NEVER, clear));
  };
  return diagram.apply(
    meaning,
    meaning,
    (f) => spread(wordOf(f), ALWAYS, WORD_BITS - 1),
  );
}
