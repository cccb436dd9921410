/**
 * Loads filters from a source word: the first step of most commands.
 *
 * @module
 */

import type { FilterStack } from "../../bpf/filter.ts";
import {
  compileParsed,
  type ProvedTree,
} from "../../pipeline/compile_profile.ts";
import type {
  ProfileTarget,
  ResolvedSection,
} from "../../pipeline/resolve_profile.ts";
import type { ParsedProfile } from "../../profile/formats/parse.ts";
import type { Objective } from "../../tables/objectives.ts";
import { costOptions, type CostRequest } from "./cost.ts";
import { UnprovenError } from "../error.ts";
import { messageLine } from "../exit.ts";
import type { SourceFlags } from "./flags.ts";
import { assumptionWords, type FilterMachine, machineOf } from "./machine.ts";
import type { Io } from "../io.ts";
import {
  requireAccepted,
  tellAssumed,
  tellFindings,
} from "./resolve_source.ts";
import { withOwnSemantics } from "./semantics.ts";
import { loadSource, type ProfileSource, tellingProfile } from "./source.ts";
import { assumedWords, nativeArch, targetFor } from "./target.ts";
import { BPF_MAXINSNS } from "../../tables/uapi.ts";

/** Filters and their machine. */
interface Loaded extends FilterStack, FilterMachine {
  /** Name of the source. */
  readonly name: string;
}

/** A profile with its program, proved equal to it. */
export interface CompiledSource extends Loaded {
  readonly kind: "profile";
  /** The profile as its author wrote it. */
  readonly profile: ParsedProfile;
  /** The machine, container and runtime for which it is resolved. */
  readonly target: ProfileTarget;
  readonly resolved: ResolvedSection & ProvedTree;
  /** The minimized cost. */
  readonly objective: Objective;
}

/** Filters that were given as filters. */
export interface LoadedPrograms extends Loaded {
  readonly kind: "programs";
  /** Their format. */
  readonly form: string;
  /** `SECCOMP_FILTER_FLAG_LOG` of each filter, if known. */
  readonly logs?: readonly (boolean | undefined)[];
}

/** Result of loading a source word. */
export type LoadedFilter = CompiledSource | LoadedPrograms;

/** Requirements of a command. */
export interface FilterSourceOptions {
  /** Definition of the best filter of a profile. */
  readonly cost?: CostRequest;
  /**
   * True if the native architecture of bare filters matters, for calls without
   * one.
   */
  readonly native?: boolean;
  /** True to load filters even if the kernel refuses them. */
  readonly refused?: boolean;
}

/**
 * Loads a source; a profile is compiled. Prints warnings and assumptions.
 *
 * @param io Stream for warnings.
 * @param word The source word.
 * @param flags The options.
 * @param options Requirements of the command.
 */
export async function readFilterSource(
  io: Io,
  word: string,
  flags: SourceFlags,
  options: FilterSourceOptions = {},
): Promise<LoadedFilter> {
  const { cost, native = false, refused = false } = options;
  const source = await loadSource(io, word, flags);
  if (source.kind === "profile") {
    const own = await withOwnSemantics(io, flags, [word]);
    return await compileSource(io, source, own, cost);
  }
  if (!refused) requireAccepted(source);
  const machine = machineOf(source.name, source, flags.arch);
  const words = assumptionWords(machine, { native });
  tellAssumed(io, source.name, flags, [words]);
  return { ...source, ...machine };
}

/**
 * Compiles a profile source and proves the filter.
 *
 * @param io Stream for warnings and assumptions.
 * @param source The profile.
 * @param flags Options of profiles.
 * @param cost Definition of the best filter.
 * @throws {UnprovenError} if there is no proved filter.
 */
export async function compileSource(
  io: Io,
  source: ProfileSource,
  flags: SourceFlags,
  cost?: CostRequest,
): Promise<CompiledSource> {
  const { name, profile } = source;
  const target = await targetFor(flags);
  const kernel = flags.kernel === undefined ? undefined : target.kernel;
  const options = cost && costOptions(cost, kernel);
  const filter = await tellingProfile(
    io,
    name,
    () => compileParsed(profile, target, options),
  );
  tellFindings(io, name, filter.diagnostics, flags);
  tellAssumed(io, name, flags, [
    assumedWords(filter.assumed, flags),
    ...(options === undefined ? [] : [`objective ${options.objective}`]),
  ]);
  if (filter.kind === "unproved") {
    const { cause, message } = filter;
    if (cause.kind === "different") throw new Error(`Unreachable: ${message}`);
    throw new UnprovenError(message);
  }
  if (!flags.quiet) {
    tellDepth(io, name, filter, cost?.maxDepth);
    tellLimits(io, name, filter);
  }
  return {
    kind: "profile",
    name,
    profile,
    target,
    resolved: filter,
    objective: filter.madeForSize === "everything"
      ? "size"
      : options?.objective ?? "balanced",
    programs: [filter.program],
    littleEndian: filter.littleEndian,
    native: filter.arches[0] ?? nativeArch(),
    arches: filter.arches,
    orderIsAssumed: false,
  };
}

/** Reports depth limits that could not be met. */
function tellDepth(
  io: Io,
  name: string,
  { trees }: ProvedTree,
  maxDepth: number | undefined,
): void {
  if (maxDepth === undefined || maxDepth === 0) return;
  for (const { names, depth, intervals } of trees) {
    if (depth <= maxDepth) continue;
    const message = `Cannot keep --max-depth ${maxDepth} on ${
      names.join("+")
    }: ${intervals} intervals: ${depth} tests are used`;
    io.err(messageLine(io, "warning", message, name));
  }
}

/** Reports where limits kept the compiler from minimizing the objective. */
function tellLimits(
  io: Io,
  name: string,
  { madeForSize, testedInOrder }: ProvedTree,
): void {
  const notes: string[] = [];
  if (madeForSize !== "nothing") {
    const what = madeForSize === "everything" ? "The filter" : "Arguments";
    const verb = madeForSize === "everything" ? "is" : "are";
    notes.push(
      `${what} ${verb} compiled for size, not for the objective: the filter would exceed ${BPF_MAXINSNS} instructions`,
    );
  }
  if (testedInOrder > 0) {
    const lists = testedInOrder === 1 ? "list" : "lists";
    notes.push(
      `Rules on arguments are tested one by one in ${testedInOrder} ${lists}: finding better tests would exceed the limit on work`,
    );
  }
  for (const note of notes) io.err(messageLine(io, "note", note, name));
}
