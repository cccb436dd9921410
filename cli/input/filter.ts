/**
 * Loads filters from a source word: the first step of most commands.
 *
 * @module
 */

import { check } from "../../bpf/check.ts";
import type { ProgramError } from "../../bpf/error.ts";
import type { ParsedFilters } from "../../bpf/assembly/link_filters.ts";
import type { FilterStack } from "../../bpf/filter.ts";
import {
  compileParsed,
  type ProvedTree,
} from "../../pipeline/compile_profile.ts";
import {
  type ProfileTarget,
  type ResolvedSection,
  resolveParsed,
} from "../../pipeline/resolve_profile.ts";
import type { ParsedProfile } from "../../profile/formats/parse.ts";
import type { Diagnostic } from "../../profile/diagnostic.ts";
import type { Objective } from "../../tables/objectives.ts";
import { costOptions, type CostRequest } from "./cost.ts";
import { InputError, UnprovenError } from "../error.ts";
import { messageLine, tellDiagnostics } from "../exit.ts";
import type { SourceFlags } from "./flags.ts";
import { assumptionWords, type FilterMachine, machineOf } from "./machine.ts";
import type { Io } from "../io.ts";
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

/** Filters that existed as such. */
export interface LoadedPrograms extends Loaded {
  readonly kind: "programs";
  /** Their format. */
  readonly form: string;
  /** `SECCOMP_FILTER_FLAG_LOG` of each filter, as far as it is known. */
  readonly logs?: readonly (boolean | undefined)[];
}

/** Result of loading a source word. */
export type LoadedFilter = CompiledSource | LoadedPrograms;

/** Requirements of a command. */
export interface FilterSourceOptions {
  /** Definition of the best filter of a profile. */
  readonly cost?: CostRequest;
  /**
   * True if the native architecture of bare filters matters, for calls that
   * name none.
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
 * Requires filters that the kernel accepts.
 *
 * @param source The filters and the name of their source.
 * @throws {InputError} with the problem of the first one that is refused.
 */
export function requireAccepted(
  { name, programs, places }:
    & Pick<Loaded, "name" | "programs">
    & Pick<ParsedFilters, "places">,
): void {
  for (const [i, program] of programs.entries()) {
    const fault = check(program);
    if (fault === undefined) continue;
    const place = placeOfFault(name, fault, i, {
      programs,
      ...(places && { places }),
    });
    throw new InputError(kernelRefusal(fault), { place, cause: fault });
  }
}

/**
 * Finds the position of what the kernel refuses.
 *
 * @param name Name of the source.
 * @param fault The refusal.
 * @param index Index of the filter.
 * @param filters The filters, with the positions in their text.
 * @returns `file:line:column`, or the filter.
 */
export function placeOfFault(
  name: string,
  { pc }: ProgramError,
  index: number,
  { programs, places }: Partial<ParsedFilters>,
): string {
  const place = pc === undefined ? undefined : places?.[index]?.[pc];
  if (place !== undefined) return `${name}:${place.line}:${place.column}`;
  return (programs?.length ?? 1) > 1 ? `${name}#${index}` : name;
}

/** Explains why the kernel refuses a filter. */
export function kernelRefusal({ message }: ProgramError): string {
  return message.replace(
    "Cannot load program",
    "The kernel refuses the filter",
  );
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

/** Reports limits on depth that could not be kept. */
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

/** Says where limits kept the compiler from what the objective asks for. */
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
      `Rules on arguments are tested one by one in ${testedInOrder} ${lists}: to find better tests would exceed the limit on work`,
    );
  }
  for (const note of notes) io.err(messageLine(io, "note", note, name));
}

/**
 * Resolves a profile source and reports its diagnostics.
 *
 * @param io Stream for warnings.
 * @param source The profile.
 * @param flags Options of profiles.
 */
export async function resolveSource(
  io: Io,
  { name, profile }: ProfileSource,
  flags: SourceFlags,
): Promise<ResolvedSection> {
  const target = await targetFor(flags);
  const resolved = await tellingProfile(
    io,
    name,
    () => resolveParsed(profile, target),
  );
  tellFindings(io, name, resolved.diagnostics, flags);
  return resolved;
}

/**
 * Reports the diagnostics of a profile, at the requested level.
 *
 * @param io Stream for the messages.
 * @param name The source.
 * @param diagnostics Warnings and notes.
 * @param flags Options for warnings and notes.
 */
export function tellFindings(
  io: Io,
  name: string,
  diagnostics: readonly Diagnostic[],
  { quiet = false, verbose }: Pick<SourceFlags, "verbose"> & {
    readonly quiet?: boolean;
  },
): void {
  const told = diagnostics.filter(({ severity }) =>
    severity === "note" ? verbose : !quiet
  );
  tellDiagnostics(io, name, told);
}

/**
 * Prints the machine that was assumed for a source; empty parts are omitted.
 */
export function tellAssumed(
  io: Io,
  name: string,
  flags: Pick<SourceFlags, "quiet">,
  parts: readonly string[],
): void {
  const known = parts.filter((part) => part !== "");
  if (flags.quiet || known.length === 0) return;
  io.err(messageLine(io, "note", `for ${known.join(", ")}`, name));
}
