/**
 * The result of a writer of a format: a text and its meaning, or none.
 *
 * @module
 */

import type { Policy } from "../../../profile/policy.ts";
import type { Arch } from "../../../tables/arch.ts";
import type { LossReasons } from "../losses.ts";

/** A text that was read back. */
export interface WrittenPolicy {
  readonly text: string;
  /** The meaning of the text, as the reader of its format gives it. */
  readonly policy: Policy;
  /** Architectures that it has. */
  readonly arches: readonly Arch[];
  readonly reasons: LossReasons;
}

/** Thrown if a format has no result for a source. */
export class UnwritableSource extends Error {
  override readonly name = "UnwritableSource";
}
