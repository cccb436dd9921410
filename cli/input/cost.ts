/**
 * From the flags that say which filter is the best one to what the compiler
 * takes.
 *
 * @module
 */

import type { CompileOptions } from "../../compiler/compile.ts";
import type { Objective, Weights } from "../../compiler/cost.ts";
import { isAtLeast, type KernelVersion } from "../../profile/host.ts";
import type { Arch } from "../../tables/arch.ts";
import { UsageError } from "../error.ts";
import { tellDiagnostics } from "../exit.ts";
import type { CostFlags, SourceFlags } from "./flags.ts";
import { type Io, readInputFile } from "../io.ts";
import { tellingProfile } from "./source.ts";

/** The first kernel that caches calls which are always allowed. */
const CACHE_SINCE: KernelVersion = { major: 5, minor: 11 };

/** Work units for a proof of the optimum: at most some ten seconds for each architecture. */
const PROOF_WORK = 100_000_000;

/** The flags, with the file of weights read. */
export interface CostRequest extends CostFlags {
  /** Calls by name; absent where there is no file. */
  readonly counts?: ReadonlyMap<string, number>;
}

/** How to compile, and what of it was not asked for by name. */
export interface CompileChoice {
  readonly options: CompileOptions;
  /** In words. */
  readonly assumed: string;
}

/**
 * Reads the file of weights, if there is one.
 *
 * @param io Where standard input is, and where warnings go.
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
      "Cannot use --background without --weights: all calls weigh alike then",
    );
  }
  const bytes = file === "-" ? await io.stdin() : readInputFile(file);
  const name = file === "-" ? "<stdin>" : file;
  const { parseWeights } = await import("../../profile/formats/weights.ts");
  const { counts, diagnostics } = await tellingProfile(
    io,
    name,
    () => parseWeights(new TextDecoder().decode(bytes)),
  );
  if (!flags.quiet) tellDiagnostics(io, name, diagnostics);
  return { ...flags, counts };
}

/**
 * Chooses what the compiler makes small.
 *
 * @param cost What was asked for.
 * @param target The kernel that was asked for, and the architectures.
 */
export function chooseCost(
  cost: CostRequest,
  target: {
    readonly kernel: KernelVersion | undefined;
    readonly arches: readonly Arch[];
  },
): CompileChoice {
  const { background, counts, maxDepth, optimum } = cost;
  const objective = cost.objective ?? objectiveFor(target.kernel);
  return {
    options: {
      objective,
      ...(optimum ? { workLimit: PROOF_WORK } : {}),
      ...(counts === undefined
        ? {}
        : { weights: weightsFor(counts, target.arches) }),
      ...(background === undefined ? {} : { background }),
      ...(maxDepth === undefined
        ? {}
        : { maxDepth: maxDepth === 0 ? Infinity : maxDepth }),
    },
    assumed: `objective ${objective}`,
  };
}

function objectiveFor(kernel: KernelVersion | undefined): Objective {
  if (kernel === undefined) return "balanced";
  return isAtLeast(kernel, CACHE_SINCE) ? "cached" : "uncached";
}

/**
 * Turns names into the numbers of each architecture. x32 shares the audit value
 * of x86_64; its numbers weigh nothing.
 *
 * @param counts Calls by name.
 * @param arches The architectures.
 */
export function weightsFor(
  counts: ReadonlyMap<string, number>,
  arches: readonly Arch[],
): Weights {
  const weighed = arches.filter((arch) => arch.syscallBit === 0);
  return new Map(weighed.map((arch) => [
    arch.auditArch,
    new Map(
      [...counts].flatMap(([call, count]) => {
        const nr = arch.syscalls.get(call);
        return nr === undefined ? [] : [[nr, count] as const];
      }),
    ),
  ]));
}
