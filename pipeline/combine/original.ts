/**
 * The profile as written, if that is shorter than the normal form: one entry
 * may name several values of an argument as alternatives, for which the normal
 * form needs an entry each.
 *
 * @module
 */

import { ProfileError } from "../../profile/diagnostic.ts";
import {
  type ParsedProfile,
  parseProfile,
} from "../../profile/formats/parse.ts";
import {
  type CommentedSection,
  writeSection,
} from "../../profile/formats/write_section.ts";
import type { ProfileTarget } from "../resolve_profile.ts";
import type { DecidedCombinations } from "./conditions.ts";
import { resolveBare } from "./readings.ts";
import type { Combined, CombinedProfile, CombineInput } from "./result.ts";
import { writtenComment } from "./section.ts";

/**
 * Returns the only input if it is shorter than a result, or if the result is
 * that no profile in normal form has the meaning.
 *
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param inputs The inputs; more than one has no original.
 * @param target The machine, container and runtime.
 * @param made The result.
 * @param prove Compares a profile with the meaning of the inputs.
 * @returns The result, or the profile as written with its proof.
 */
export function orOriginal(
  inputs: readonly CombineInput[],
  target: ProfileTarget,
  made: Combined,
  prove: DecidedCombinations["prove"],
): Combined {
  const [input, second] = inputs;
  if (made.kind === "unproved" || second !== undefined) return made;
  if (input === undefined || !("profile" in input)) return made;
  const { section } = input.profile;
  if (section === undefined) return made;
  if (made.kind === "profile" && !isShorter(section, made.section)) return made;
  return originalOf(input.profile, section, target, made, prove) ?? made;
}

/** Compares the number of entries, then the bytes of the entries. */
function isShorter(one: CommentedSection, other: CommentedSection): boolean {
  const entries = one.syscalls.length - other.syscalls.length;
  return entries < 0 || (entries === 0 && bytesOf(one) < bytesOf(other));
}

/** The length of the entries in one layout, without comments. */
function bytesOf({ syscalls }: CommentedSection): number {
  return writeSection({
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: [],
    syscalls: syscalls.map(({ comment: _comment, ...rule }) => rule),
  }).length;
}

function originalOf(
  profile: ParsedProfile,
  section: CommentedSection,
  target: ProfileTarget,
  { arches }: Exclude<Combined, { readonly kind: "unproved" }>,
  prove: DecidedCombinations["prove"],
): CombinedProfile | undefined {
  const { text, parsed } = wholeText(profile) ??
    ownText(withComments(section, profile), profile);
  const proof = prove([{ profile }], target, parsed);
  if (proof?.policy === undefined || proof.wrong !== undefined) {
    return undefined;
  }
  const { policy, equal, refused, different } = proof;
  const inputs = [resolveBare(profile, target)];
  const facts = { section, text, policy, arches, inputs };
  const readings = { equal, refused, different };
  return { kind: "profile", isOriginal: true, ...facts, ...readings };
}

/** A text, as it is read back. */
interface ReadText {
  readonly text: string;
  readonly parsed: ParsedProfile;
}

/** The document, if it is JSON and contains nothing else. */
function wholeText(
  { kind, document: { text }, sectionPath }: ParsedProfile,
): ReadText | undefined {
  if (sectionPath !== "") return undefined;
  try {
    return { text, parsed: parseProfile(text, { kind }) };
  } catch (error) {
    if (error instanceof ProfileError) return undefined;
    throw error;
  }
}

/** The section of a config.json or of YAML as a profile of its own. */
function ownText(section: CommentedSection, { kind }: ParsedProfile): ReadText {
  const text = writeSection(section);
  const own = kind === "config" ? "oci" : kind;
  return { text, parsed: parseProfile(text, { kind: own }) };
}

function withComments(
  section: CommentedSection,
  { document }: ParsedProfile,
): CommentedSection {
  const syscalls = section.syscalls.map((entry) => ({
    ...entry,
    comment: writtenComment(document.root, entry.path),
  }));
  return { ...section, syscalls };
}
