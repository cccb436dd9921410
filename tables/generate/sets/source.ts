/**
 * Sets of values that arguments of system calls take: the headers that define
 * their names, and the layout of names in a word.
 *
 * @module
 */

/** Names of the values of one argument. */
export interface SetSource {
  /** Name of the set, as `tables/signatures.ts` uses it. */
  readonly set: string;
  /**
   * Headers of the kernel, in order of preference. A name counts if it is
   * defined in a header of one of these base names.
   */
  readonly headers: readonly string[];
  /** Names of the set. */
  readonly names: RegExp;
  /** Names that match but are not values: counts, masks, shifts. */
  readonly not?: RegExp;
  /** Names that are read but never printed: second names of a value. */
  readonly second?: RegExp;
  /**
   * Masks of the parts of the word that hold one of several values, by the
   * expression of C; `"all"` for the whole word. Other bits are flags.
   */
  readonly fields?: readonly string[];
  /** Names that are in no user-space header, with their values in C. */
  readonly define?: Readonly<Record<string, string>>;
  /**
   * Headers of the C library, read for names that the kernel's headers lack.
   */
  readonly libc?: readonly string[];
  /**
   * True if, besides `names`, only macros count that use `_IO()` or a related
   * macro.
   */
  readonly requests?: true;
  /** Number of bits by which to shift values, and the names to shift. */
  readonly shift?: readonly [RegExp, number];
}

/** A set of which a word holds exactly one value. */
export function one(
  set: string,
  headers: string,
  names: RegExp,
  more: Partial<SetSource> = {},
): SetSource {
  return { ...flags(set, headers, names, more), fields: ["all"] };
}

/** A set whose values are or-ed. */
export function flags(
  set: string,
  headers: string,
  names: RegExp,
  more: Partial<SetSource> = {},
): SetSource {
  return {
    set,
    headers: headers.split(" ").filter((header) => header !== ""),
    names,
    ...more,
  };
}

/** Never a name of a value. */
export const NOTHING: SetSource["names"] = /^$/;
