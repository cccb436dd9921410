/**
 * Ranges of unsigned 32-bit values: the one shape that every interval of system
 * call numbers or word values extends.
 *
 * @module
 */

/** Values of a word, both ends included. */
export interface Range {
  /** First value, a u32. */
  readonly first: number;
  /** Last value, a u32. */
  readonly last: number;
}
