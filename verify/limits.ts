/**
 * The limits of a proof. A limit that is reached ends the work as unproven; it
 * never makes an answer.
 *
 * @module
 */

/** What may be spent on a proof. */
export interface ProofLimits {
  /** Most nodes of a diagram; a node takes up to {@linkcode NODE_BYTES}. */
  readonly nodes: number;
  /** Most steps on a diagram, each of about {@linkcode STEP_MICROSECONDS}. */
  readonly steps: number;
}

/** Most bytes that a node takes. */
export const NODE_BYTES = 40;
/** About how many microseconds a step takes. */
export const STEP_MICROSECONDS = 0.1;

/** 1.5 million nodes and four million steps: two or three seconds and 300 MB at most. */
export const DEFAULT_PROOF_LIMITS: ProofLimits = {
  nodes: 1_500_000,
  steps: 4_000_000,
};

/** What a diagram may spend before it gives up. */
export interface DiagramLimits extends ProofLimits {
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
