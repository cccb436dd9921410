/**
 * Reproducible randomness for the generators: a seed gives the same sequence
 * on every machine.
 *
 * @module
 */

/** A sequence of random choices. */
export interface Random {
  /** An integer in [0, `below`). */
  int(below: number): number;
  /** True with the given probability, 0 to 1. */
  chance(probability: number): boolean;
  /** One of the items; there must be one. */
  pick<T>(items: readonly T[]): T;
  /** A u32. */
  u32(): number;
}

/**
 * Starts a sequence.
 *
 * The generator is xorshift32 (Marsaglia 2003) over a seed that is mixed
 * first, so that neighboring seeds give unlike sequences.
 *
 * @param seed A u32.
 * @returns The sequence.
 */
export function createRandom(seed: number): Random {
  let state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  for (let i = 0; i < 8; i++) next();
  const int = (below: number): number =>
    Math.floor(next() / 0x1_0000_0000 * below);
  return {
    int,
    u32: next,
    chance: (probability): boolean => next() < probability * 0x1_0000_0000,
    pick<T>(items: readonly T[]): T {
      return items[int(items.length)] as T; // int() stays within the items
    },
  };
}
