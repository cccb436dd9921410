/**
 * Finds the best filter equal to a given seccomp filter. The meaning of the
 * filter is read back from the prover's diagram, compiled like a policy, and
 * proved equal to the original instructions.
 *
 * ```text
 * programs ─outlineOf▶ Outline ─decideFunction▶ decisions ─compileAttempt▶ Program
 *     └──────────────────────── proveEquivalent ─────────────────────────────┘
 * ```
 *
 * @module
 */

import { check } from "../bpf/check.ts";
import { encode } from "../bpf/encode.ts";
import type { Program } from "../bpf/instruction.ts";
import { compileAttempt } from "../compiler/compile.ts";
import {
  type Attempt,
  ATTEMPTS,
  type CompileOptions,
  sharing,
} from "../compiler/cost.ts";
import type { Policy } from "../profile/policy.ts";
import type { Objective } from "../tables/objectives.ts";
import type { DecidedCalls } from "../compiler/policy_calls.ts";
import type { Searches } from "../compiler/search/once.ts";
import { measure } from "../measure/measure.ts";
import type { Arch } from "../tables/arch.ts";
import {
  byteOrderOf,
  programsOf,
  type Subject,
} from "../verify/core/subject.ts";
import { type Outline, outlineOf } from "../verify/describe/outline.ts";
import {
  type Counterexample,
  type Proof,
  type ProofOptions,
  proveEquivalent,
  type Unproven,
} from "../verify/equivalence.ts";
import { auditedArches, OutlineReader } from "./read_outline.ts";
import { explainListener, explainNoOutline } from "./refusal.ts";

/**
 * Cost to minimize, and limits. Under `balanced`, the default, the cost is the
 * product of length and expected instructions.
 *
 * @category Optimize
 */
export interface OptimizeOptions
  extends CompileOptions, Pick<ProofOptions, "limits" | "interrupted"> {
  /**
   * Work units that the search for the optimum of each architecture may use,
   * about 10^7 per second; 1 million by default, 0 for only the quick search.
   */
  readonly workLimit?: number;
  /**
   * Equality of results: the same bits, or values that the kernel treats alike.
   * Default: `"bits"`.
   */
  readonly compare?: "effect" | "bits";
}

/**
 * Default of `OptimizeOptions.workLimit`: higher limits dominate the time, and
 * did not shorten any filter of a real program.
 */
const WORK_LIMIT = 1_000_000;

/**
 * Under `balanced`, a program that folds numbers must have at most this share
 * of the instructions of other programs, because each call pays for it.
 */
const MOST_FOLDED = 0.85;

/**
 * A filter that gives the same answer to every input.
 *
 * @category Optimize
 */
export interface Optimized {
  /** Discriminates it from the other outcomes. */
  readonly kind: "optimized";
  /** The instructions. */
  readonly program: Program;
  /** Byte order of the machine. */
  readonly littleEndian: boolean;
  /** The filter as `struct sock_filter[]`, in that byte order. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Number of pieces of the given program that it contains unchanged. */
  readonly pieces: number;
  /** The proof against the given instructions. */
  readonly proof: Proof;
}

/** No shorter filter of at most the same cost was found. */
type AlreadyBest = { readonly kind: "already-best" };

/**
 * No usable result exists.
 *
 * @category Optimize
 */
export interface NotOptimized {
  /** Discriminates it from the other outcomes. */
  readonly kind: "not-optimized";
  /** The reason, without a final period. */
  readonly message: string;
  /** The limit or difference that ended the proof, if it was reached. */
  readonly cause?: Unproven | Counterexample;
}

/**
 * Finds the best filter that is equal to the given one, or to a stack of them.
 *
 * The result is never longer than the original, and never costs more under the
 * objective.
 *
 * @throws {ProgramError} if the kernel would refuse a program.
 *
 * @example A list of comparisons
 * ```ts
 * import { optimize, parseFilters } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const tests = [0, 1, 2, 3].map((nr) => `jeq #${nr}, yes`).join("\n");
 * const list = parseFilters(`ld [0]\n${tests}\nret #0\nyes: ret #0x7fff0000`);
 * const best = optimize(list);
 * assertEquals(best.kind === "optimized" && best.program.length, 4);
 * ```
 *
 * @param subject The filter, or all filters of a thread, oldest first.
 * @param options Cost to minimize, and limits.
 * @returns The filter with its proof; `already-best` if no shorter filter of at
 * most the same cost was found; or the reason why it has none.
 * @category Optimize
 */
export function optimize(
  subject: Exclude<Subject, Policy>,
  options: OptimizeOptions = {},
): Optimized | { readonly kind: "already-best" } | NotOptimized {
  const programs = programsOf(subject);
  const listener = explainListener(programs);
  if (listener !== undefined) return refusal(listener);
  const outline = outlineOf(subject, comparison(options));
  if ("kind" in outline) return refusal(explainNoOutline(programs, outline));
  return optimizeOutline(outline, subject, options);
}

/** How results are compared with the original, and limits. */
function comparison(
  { compare = "bits", limits, interrupted }: OptimizeOptions,
): Pick<ProofOptions, "compare" | "limits" | "interrupted"> {
  return {
    compare,
    ...(limits === undefined ? {} : { limits }),
    ...(interrupted === undefined ? {} : { interrupted }),
  };
}

/**
 * Builds the best filter for an outline and proves it equal to the original. A
 * wrong outline only leads to a refusal.
 *
 * @param outline The presumed meaning of the original; it is not trusted.
 * @param subject The original.
 * @param options Cost to minimize, and limits.
 * @returns The filter with its proof; `already-best` if no shorter filter of at
 * most the same cost was found; or the reason why it has none.
 */
export function optimizeOutline(
  outline: Outline,
  subject: Exclude<Subject, Policy>,
  options: OptimizeOptions = {},
): Optimized | AlreadyBest | NotOptimized {
  const programs = programsOf(subject);
  const littleEndian = byteOrderOf([subject]);
  const reader = new OutlineReader(programs);
  const calls = reader.decide(outline, littleEndian);
  if (typeof calls === "string") return refusal(calls);
  const program = bestOf(calls, programs, options);
  if (program === undefined) return { kind: "already-best" };
  const proof = proveEquivalent(
    { programs, littleEndian },
    { program, littleEndian },
    comparison(options),
  );
  if (proof.kind !== "equal") {
    return {
      ...refusal(
        proof.kind === "different"
          ? `number ${proof.data.nr} gets another answer; report this as a bug of seccomp-tree`
          : "the result was not proved within the limits; raise them",
      ),
      cause: proof,
    };
  }
  return {
    kind: "optimized",
    program,
    littleEndian,
    bytes: encode(program, { littleEndian }),
    pieces: reader.pieces,
    proof,
  };
}

function refusal(reason: string): NotOptimized {
  return {
    kind: "not-optimized",
    message: `Cannot optimize the filter: ${reason}`,
  };
}

/** Attempts for an objective, before the attempts for `size`. */
function attemptsFor(objective: Objective): readonly Attempt[] {
  if (objective !== "balanced") return ATTEMPTS[objective];
  const plain = [0, 20, 73].map((price) => ({ objective, price }));
  const folded = [20, 73].map((price) => ({ objective, price, folds: true }));
  return [...plain, ...folded, ...sharing({ objective, price: 73 })];
}

/**
 * Compiles by the objective, then for size; accepts only what is neither longer
 * nor costlier. Under `balanced`, the lowest product of length and cost wins:
 * 10 % fewer instructions outweigh 5 % more executed ones.
 */
function bestOf(
  calls: DecidedCalls,
  programs: readonly Program[],
  options: OptimizeOptions,
): Program | undefined {
  const objective = options.objective ?? "balanced";
  // As in the search, x32 numbers have no weight.
  const arches = calls.arches.flatMap(({ auditArch }) =>
    auditedArches(auditArch)
  )
    .filter(({ syscallBit }) => syscallBit === 0);
  const work = { workLimit: WORK_LIMIT, ...options };
  const given = costOf(programs, arches, objective, options);
  const rank = objective === "balanced"
    ? (cost: Cost) => cost.length * cost.objective
    : (cost: Cost) => cost.objective;
  let best: { readonly program: Program; readonly rank: number } | undefined;
  let plain = Infinity;
  const searches: Searches = new Map();
  for (const attempts of [attemptsFor(objective), ATTEMPTS.size]) {
    for (const attempt of attempts) {
      const program = compileAttempt(calls, work, attempt, searches);
      if (program === undefined || check(program) !== undefined) continue;
      const cost = costOf([program], arches, objective, options);
      if (cost.length > given.length || cost.objective > given.objective) {
        continue;
      }
      if (
        cost.length === given.length && cost.objective === given.objective
      ) continue;
      if (attempt.folds !== true) plain = Math.min(plain, cost.length);
      else if (objective === "balanced" && cost.length > MOST_FOLDED * plain) {
        continue;
      }
      const ranked = rank(cost);
      if (best === undefined || ranked < best.rank) {
        best = { program, rank: ranked };
      }
    }
    if (best !== undefined) return best.program;
  }
  return undefined;
}

/** Number of instructions, and cost under the objective. */
interface Cost {
  readonly length: number;
  readonly objective: number;
}

function costOf(
  programs: readonly Program[],
  arches: readonly Arch[],
  objective: Objective,
  { weights, background }: OptimizeOptions,
): Cost {
  const length = programs.reduce((sum, program) => sum + program.length, 0);
  if (objective === "size") return { length, objective: length };
  const weighing = {
    ...(weights === undefined ? {} : { weights }),
    ...(background === undefined ? {} : { background }),
  };
  const measures = programs.map((p) => measure(p, arches, weighing));
  const cost = measures.reduce(
    (sum, { attach, arches }) =>
      sum +
      (objective === "cached"
        ? attach
        : arches.reduce((mean, { expected }) => mean + expected, 0)),
    0,
  );
  return { length, objective: cost };
}
