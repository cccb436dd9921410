/**
 * Conditions as text, with names whose meaning depends on the call: `prot ⊆
 * PROT_READ|PROT_WRITE and flags ∌ MAP_SHARED`. docs/explain.md has the
 * grammar.
 *
 * @module
 */

/** Thrown if a statement or a condition cannot be read. */
export class StatementError extends Error {
  override readonly name = "StatementError";
  /** Position in the text, from 0, in UTF-16 units. */
  readonly offset: number;

  /**
   * @param message The problem.
   * @param offset Position in the text, from 0.
   */
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Thrown if a call has no argument with a given name. */
export class UnknownArgumentError extends StatementError {}

/** One name or number of a value. */
export interface ValueAtom {
  /** A number or its name. */
  readonly value: bigint | string;
  /** Position in the text. */
  readonly offset: number;
}

/** Names and numbers joined by `|`. */
export interface WrittenValue {
  readonly atoms: readonly ValueAtom[];
  /** True for `~(…)`: all other bits. */
  readonly inverted: boolean;
}

/** A value or a span of values. */
export interface WrittenSpan {
  readonly first: WrittenValue;
  /** `undefined` for one value; "end" for all from `first` on. */
  readonly last: WrittenValue | "end" | undefined;
}

/** Operators in the form of the syntax tree. */
export type ConditionWord =
  | ("==" | "!=" | "<" | "<=" | ">" | ">=")
  | ("in" | "not in" | "subset" | "not subset" | "has" | "lacks");

/** A comparison as written. */
export interface WrittenTest {
  readonly kind: "test";
  /** Name of the argument. */
  readonly name: string;
  /** The half of it. */
  readonly half: "low" | "high" | undefined;
  /** Mask that is applied first. */
  readonly mask: WrittenValue | undefined;
  readonly op: ConditionWord;
  /** One value, except for "in" and "not in". */
  readonly spans: readonly WrittenSpan[];
  /** Position in the text. */
  readonly offset: number;
}

/** A condition as written. */
export type WrittenCondition =
  | WrittenTest
  | { readonly kind: "not"; readonly part: WrittenCondition }
  | {
    readonly kind: "and" | "or";
    readonly parts: readonly WrittenCondition[];
  };
