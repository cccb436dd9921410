/**
 * Checks filters and resolves profiles, without the compiler: `check` and
 * `prove` never load it.
 *
 * @module
 */

import { check } from "../../bpf/check.ts";
import type { ProgramError } from "../../bpf/error.ts";
import type { ParsedFilters } from "../../bpf/assembly/link_filters.ts";
import type { FilterStack } from "../../bpf/filter.ts";
import {
  type ResolvedSection,
  resolveParsed,
} from "../../pipeline/resolve_profile.ts";
import type { Diagnostic } from "../../profile/diagnostic.ts";
import { InputError } from "../error.ts";
import { messageLine, tellDiagnostics } from "../exit.ts";
import type { SourceFlags } from "./flags.ts";
import type { Io } from "../io.ts";
import { type ProfileSource, tellingProfile } from "./source.ts";
import { targetFor } from "./target.ts";

/**
 * Requires filters that the kernel accepts.
 *
 * @param source The filters and the name of their source.
 * @throws {InputError} with the problem of the first one that is refused.
 */
export function requireAccepted(
  { name, programs, places }:
    & { readonly name: string }
    & Pick<FilterStack, "programs">
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
