/**
 * What a proof may spend. A limit that is hit ends the work as unproven; it
 * never makes an answer.
 *
 * @module
 */

/** What a diagram may spend before it gives up. */
export interface DiagramLimits {
  /** Most nodes; a node takes up to 40 bytes. */
  readonly nodes: number;
  /** Most steps of `choose`, about 0.1 µs each. */
  readonly steps: number;
  /** Asked now and then; true gives up. */
  readonly interrupted?: (() => boolean) | undefined;
}

/** Names of the limits. */
export type LimitName = "nodes" | "steps" | "interrupted";

/** Thrown where a limit is hit; never leaves `verify/`. */
export class LimitReached extends Error {
  override readonly name = "LimitReached";
  /** The limit. */
  readonly limit: LimitName;

  /** @param limit The limit that was hit. */
  constructor(limit: LimitName) {
    super(`Cannot finish the diagram: limit of ${limit} reached`);
    this.limit = limit;
  }
}

/** Steps between two questions whether to give up, less one. */
const STEPS_PER_QUESTION = 0xffff;

/**
 * Gives up where the steps are spent, or where somebody wants it to.
 *
 * @throws {LimitReached} then.
 *
 * @param limits What may be spent.
 * @param steps What was.
 */
export function checkSteps(limits: DiagramLimits, steps: number): void {
  if (steps > limits.steps) throw new LimitReached("steps");
  if ((steps & STEPS_PER_QUESTION) === 0 && limits.interrupted?.() === true) {
    throw new LimitReached("interrupted");
  }
}
