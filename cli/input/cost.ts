/**
 * Converts the flags that define the best filter to options of the compiler.
 *
 * @module
 */

import type { CompileProfileOptions } from "../../pipeline/compile_profile.ts";
import type { Objective } from "../../tables/objectives.ts";
import {
  ALLOW_CACHE_SINCE,
  isAtLeast,
  type KernelVersion,
} from "../../profile/host.ts";
import { UsageError } from "../error.ts";
import { tellDiagnostics } from "../exit.ts";
import type { CostFlags, SourceFlags } from "./flags.ts";
import { inputName, type Io, readInput } from "../io.ts";
import { tellingProfile } from "./source.ts";

/**
 * Work units for a proof of the optimum: at most about ten seconds per
 * architecture.
 */
const PROOF_WORK = 100_000_000;
/** The same for a lower bound under --max-depth. */
const BOUND_WORK = 50_000_000;

/** Options of the compiler, with the objective chosen. */
export interface ChosenCost extends CompileProfileOptions {
  readonly objective: Objective;
}

/** The flags, with the file of weights read. */
export interface CostRequest extends CostFlags {
  /** Counts of calls by name, if there is a file. */
  readonly counts?: ReadonlyMap<string, number>;
}

/**
 * Reads the file of weights, if it is given.
 *
 * @param io Streams for standard input and warnings.
 * @param flags The flags.
 */
export async function readCost(
  io: Io,
  flags: CostFlags & Pick<SourceFlags, "quiet">,
): Promise<CostRequest> {
  const { weights: file, background } = flags;
  if (file === undefined) {
    if (background === undefined) return flags;
    throw new UsageError(
      "Cannot use --background without --weights: all calls have the same weight; add --weights FILE",
    );
  }
  const bytes = await readInput(io, file);
  const name = inputName(file);
  const { parseWeights }: typeof import("../../profile/formats/weights.ts") =
    await import("../../profile/formats/weights.ts" as string);
  const { counts, diagnostics } = await tellingProfile(
    io,
    name,
    () => parseWeights(new TextDecoder().decode(bytes)),
  );
  if (!flags.quiet) tellDiagnostics(io, name, diagnostics);
  return { ...flags, counts };
}

/**
 * Converts the flags to options of the compiler.
 *
 * @param cost The flags.
 * @param kernel The kernel that `--kernel` names; it decides the objective if
 * no flag does.
 */
export function costOptions(
  cost: CostRequest,
  kernel: KernelVersion | undefined,
): ChosenCost {
  const { background, counts, maxDepth, optimum } = cost;
  return {
    objective: cost.objective ?? objectiveFor(kernel),
    ...(optimum ? { workLimit: PROOF_WORK, boundWork: BOUND_WORK } : {}),
    ...(counts === undefined ? {} : { counts }),
    ...(background === undefined ? {} : { background }),
    ...(maxDepth === undefined
      ? {}
      : { maxDepth: maxDepth === 0 ? Infinity : maxDepth }),
  };
}

function objectiveFor(kernel: KernelVersion | undefined): Objective {
  if (kernel === undefined) return "balanced";
  return isAtLeast(kernel, ALLOW_CACHE_SINCE) ? "cached" : "uncached";
}
