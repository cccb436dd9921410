/**
 * The limits of a proof. A limit that is reached ends the work as unproven; it
 * never produces an answer.
 *
 * @module
 */

/** Limits of the work on a proof. */
export interface ProofLimits {
  /**
   * Maximum number of nodes of a diagram; a node takes up to {@linkcode
   * NODE_BYTES}.
   */
  readonly nodes: number;
  /**
   * Maximum number of steps on all diagrams together, each of about {@linkcode
   * STEP_MICROSECONDS}.
   */
  readonly steps: number;
}

/** Maximum size of a node in bytes. */
export const NODE_BYTES = 40;
/** Approximate duration of a step in microseconds. */
export const STEP_MICROSECONDS = 0.1;

/** 1.5 million nodes and four million steps: about two seconds and 200 MB. */
export const DEFAULT_PROOF_LIMITS: ProofLimits = {
  nodes: 1_500_000,
  steps: 4_000_000,
};

/** Limits of a diagram before it gives up. */
export interface DiagramLimits extends ProofLimits {
  /** Called regularly; if it returns true, the diagram gives up. */
  readonly interrupted?: (() => boolean) | undefined;
}

/** Names of the limits. */
export type LimitName = "nodes" | "steps" | "interrupted";

/** Thrown if a limit is reached; never leaves `verify/`. */
export class LimitReached extends Error {
  override readonly name = "LimitReached";
  /** The limit. */
  readonly limit: LimitName;

  /** @param limit The limit that was reached. */
  constructor(limit: LimitName) {
    super(`Cannot finish the diagram: limit of ${limit} reached`);
    this.limit = limit;
  }
}

/** Number of steps between two checks, minus one. */
const STEPS_PER_QUESTION = 0xffff;

/**
 * Gives up if the steps are used up, or if the caller requests it.
 *
 * @throws {LimitReached} then.
 *
 * @param limits The limits.
 * @param steps Number of steps so far.
 */
export function checkSteps(limits: DiagramLimits, steps: number): void {
  if (steps > limits.steps) throw new LimitReached("steps");
  if ((steps & STEPS_PER_QUESTION) === 0 && limits.interrupted?.() === true) {
    throw new LimitReached("interrupted");
  }
}
