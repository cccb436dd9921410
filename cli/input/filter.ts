/**
 * From a source word to filters: what most commands start with.
 *
 * @module
 */

import { check } from "../../bpf/check.ts";
import type { ProgramError } from "../../bpf/error.ts";
import type { FilterStack } from "../../bpf/filter.ts";
import {
  compileParsed,
  type ProvedTree,
} from "../../pipeline/compile_profile.ts";
import {
  type ResolvedSection,
  resolveParsed,
} from "../../pipeline/resolve_profile.ts";
import type { Diagnostic } from "../../profile/diagnostic.ts";
import { type ChosenObjective, costOptions, type CostRequest } from "./cost.ts";
import { InputError, UnprovenError } from "../error.ts";
import { messageLine, tellDiagnostics } from "../exit.ts";
import type { SourceFlags } from "./flags.ts";
import { assumptionWords, type FilterMachine, machineOf } from "./machine.ts";
import type { Io } from "../io.ts";
import { withOwnSemantics } from "./semantics.ts";
import { loadSource, type ProfileSource, tellingProfile } from "./source.ts";
import { assumedWords, nativeArch, targetFor } from "./target.ts";

/** Filters and the machine that they are for. */
interface Loaded extends FilterStack, FilterMachine {
  /** Name of the source. */
  readonly name: string;
}

/** A profile with its program, proved equal to it. */
export interface CompiledSource extends Loaded {
  readonly kind: "profile";
  readonly resolved: ResolvedSection & ProvedTree;
  /** What was minimized. */
  readonly objective: ChosenObjective;
}

/** Filters that were there as such. */
export interface LoadedPrograms extends Loaded {
  readonly kind: "programs";
  /** What they were. */
  readonly form: string;
}

/** What a source word gives. */
export type LoadedFilter = CompiledSource | LoadedPrograms;

/** What a command needs of a filter. */
export interface FilterSourceOptions {
  /** Which filter of a profile is the best one. */
  readonly cost?: CostRequest;
  /** Whether the native architecture of bare filters matters, for calls that name none. */
  readonly native?: boolean;
  /** Whether filters are loaded although the kernel refuses them. */
  readonly refused?: boolean;
}

/**
 * Loads a source; a profile is compiled. Warnings go to `io`, and what was
 * assumed.
 *
 * @param io Where warnings go.
 * @param word The source word.
 * @param flags The options.
 * @param options What the command needs.
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
 * Requires filters that the kernel accepts; others do nothing.
 *
 * @param source The filters and the name of their source.
 * @throws {InputError} with what is wrong with the first one that is refused.
 */
export function requireAccepted(
  { name, programs }: Pick<Loaded, "name" | "programs">,
): void {
  for (const [i, program] of programs.entries()) {
    const fault = check(program);
    if (fault === undefined) continue;
    const place = programs.length > 1 ? `${name}#${i}` : name;
    throw new InputError(kernelRefusal(fault), { place, cause: fault });
  }
}

/** Says why the kernel refuses a filter. */
export function kernelRefusal({ message }: ProgramError): string {
  return message.replace(
    "Cannot load program",
    "The kernel refuses the filter",
  );
}

/**
 * Compiles a profile source and proves the filter.
 *
 * @param io Where warnings go, and what was assumed.
 * @param source The profile.
 * @param flags For whom it is meant.
 * @param cost Which filter is the best one.
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
  if (!flags.quiet) tellDepth(io, name, filter, cost?.maxDepth);
  return {
    kind: "profile",
    name,
    resolved: filter,
    objective: options?.objective ?? "balanced",
    programs: [filter.program],
    littleEndian: filter.littleEndian,
    native: filter.arches[0] ?? nativeArch(),
    arches: filter.arches,
    orderIsAssumed: false,
  };
}

/** Says where a bound on the depth could not be kept. */
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

/**
 * Resolves a profile source and reports what was found.
 *
 * @param io Where warnings go.
 * @param source The profile.
 * @param flags For whom it is meant.
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
 * Reports what was found in a profile, as loud as it was asked for.
 *
 * @param io Where to.
 * @param name The source.
 * @param diagnostics Warnings and notes.
 * @param flags Whether warnings are left out, and whether notes are not.
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

/** Prints for which machine a source was taken to be meant; empty parts are left out. */
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
