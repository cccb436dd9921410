/**
 * Keeps conditions of Docker's format (`includes`, `excludes`, `archMap`) in a
 * combination, if all inputs agree on the calls that have them. The other calls
 * are combined for each machine of the map.
 *
 * @module
 */

import type {
  DockerSeccomp,
  DockerSyscall,
} from "../../profile/formats/docker.ts";
import {
  type ParsedProfile,
  parseProfile,
} from "../../profile/formats/parse.ts";
import {
  type CommentedSection,
  writeSection,
} from "../../profile/formats/write_section.ts";
import { CAPABILITIES } from "../../profile/host.ts";
import { type Arch, archByScmp, ARCHES } from "../../tables/arch.ts";
import type { ProfileTarget } from "../resolve_profile.ts";
import type { DraftedProfile } from "./combination.ts";
import { type ReadingsProof, resolveBare } from "./readings.ts";
import type {
  CombinedProfile,
  CombineInput,
  CombineOptions,
} from "./result.ts";

/** Combinations for one target, with all conditions decided. */
export interface DecidedCombinations {
  /** Writes the combination of inputs; `undefined` if no profile says it. */
  readonly draft: (
    inputs: readonly CombineInput[],
    target: ProfileTarget,
  ) => DraftedProfile | undefined;
  /**
   * Compares a profile with the combination of inputs, as every known version
   * reads both; `undefined` if a limit is reached.
   */
  readonly prove: (
    inputs: readonly CombineInput[],
    target: ProfileTarget,
    profile: ParsedProfile,
  ) => ReadingsProof | undefined;
}

/** The parts of profiles that agree on conditions. */
interface SplitProfiles {
  /** The profiles without conditions and without the calls that have them. */
  readonly plain: readonly { readonly profile: ParsedProfile }[];
  /** The entries of the calls that have conditions. */
  readonly kept: readonly DockerSyscall[];
  readonly archMap: NonNullable<DockerSeccomp["archMap"]>;
}

/**
 * Combines profiles and keeps their conditions.
 *
 * @throws {ProfileError} if a profile cannot be used.
 *
 * @param inputs The inputs.
 * @param target The machine, container and runtime.
 * @param options The operation, and changes.
 * @param decided Combinations for one target.
 * @returns The profile; `undefined` if the conditions must be decided for a
 * target.
 */
export function keepConditions(
  inputs: readonly CombineInput[],
  target: ProfileTarget,
  options: CombineOptions,
  decided: DecidedCombinations,
): CombinedProfile | undefined {
  const { arch: native } = target;
  const split = splitProfiles(inputs, options);
  if (split === undefined || typeof native !== "string") return undefined;
  const machines = split.archMap.flatMap(({ architecture }) =>
    archByScmp(architecture) ?? []
  );
  const made: (readonly [Arch, DraftedProfile])[] = [];
  for (const machine of machines) {
    const on = { ...target, arch: machine.name };
    const drafted = decided.draft(split.plain, on);
    if (drafted === undefined) return undefined;
    made.push([machine, drafted]);
  }
  const first = made.find(([{ name }]) => name === native)?.[1];
  const merged = mergedEntries(made.map(([, { section }]) => section));
  if (first === undefined || merged === undefined) return undefined;
  const { architectures: _listed, ...rest } = first.section;
  const section: CommentedSection = {
    ...rest,
    architectures: [],
    archMap: split.archMap,
    syscalls: [...merged, ...split.kept],
  };
  const read = (one: CommentedSection): readonly [string, ParsedProfile] => {
    const text = writeSection(one);
    return [text, parseProfile(text, { kind: "docker" })];
  };
  const proofOf = (
    some: readonly CombineInput[],
    one: ProfileTarget,
    profile: ParsedProfile,
  ): ReadingsProof | undefined => {
    const proof = decided.prove(some, one, profile);
    return proof?.wrong === undefined ? proof : undefined;
  };
  const [text, profile] = read(section);
  const proof = proofOf(inputs, target, profile);
  if (proof?.policy === undefined) return undefined;
  const { policy, equal, refused, different } = proof;
  // A container without capabilities, and one with all.
  const containers = [new Set<string>(), new Set(CAPABILITIES)];
  const isWhole = containers.every((capabilities) =>
    proofOf(inputs, { ...target, capabilities }, profile) !== undefined
  );
  if (!isWhole) return undefined;
  // Entries of other calls do not name calls with conditions, so the machines
  // agree.
  const [, plain] = read({ ...section, syscalls: merged });
  const isEverywhere = machines.every(({ name }) =>
    proofOf(split.plain, { ...target, arch: name }, plain) !== undefined
  );
  if (!isEverywhere) return undefined;
  const resolved = inputs.map((input) =>
    "profile" in input ? resolveBare(input.profile, target) : undefined
  );
  const { arches } = first;
  const readings = { equal, refused, different };
  const facts = { section, text, policy, arches, inputs: resolved };
  return { kind: "profile", ...facts, ...readings };
}

function splitProfiles(
  inputs: readonly CombineInput[],
  { operation, edits = [] }: CombineOptions,
): SplitProfiles | undefined {
  if (operation === "minus") return undefined;
  const profiles = inputs.flatMap((input) =>
    "profile" in input && input.profile.kind === "docker" ? [input.profile] : []
  );
  if (profiles.length < inputs.length) return undefined;
  const sections = profiles.flatMap(({ section }) => section ?? []);
  const [first] = sections;
  if (first?.archMap === undefined) return undefined;
  const frames = new Set(sections.map((section) =>
    JSON.stringify([
      section.archMap,
      section.defaultAction,
      section.defaultErrnoRet ?? 1,
    ])
  ));
  const conditional = new Set(
    sections.flatMap(({ syscalls }) =>
      syscalls.filter(isConditional).flatMap(({ names }) => names)
    ),
  );
  if (frames.size !== 1 || conditional.size === 0) return undefined;
  // A call that always gets the same answer depends on nothing else.
  for (const { call, condition } of edits) {
    if (condition === undefined) conditional.delete(call);
    else if (conditional.has(call)) return undefined;
  }
  if ([...conditional].some(isServed)) return undefined;
  const kept = sections.map(({ syscalls }) =>
    withNames(syscalls, (name) => conditional.has(name))
  );
  if (new Set(kept.map(textOf)).size !== 1) return undefined;
  return {
    archMap: first.archMap,
    kept: kept[0] ?? [],
    plain: profiles.flatMap((profile) => {
      const { section } = profile;
      if (section === undefined) return [];
      const syscalls = withNames(
        section.syscalls.filter((entry) => !isConditional(entry)),
        (name) => !conditional.has(name),
      );
      return [{ profile: { ...profile, section: { ...section, syscalls } } }];
    }),
  };
}

function isConditional({ includes, excludes }: DockerSyscall): boolean {
  return includes !== undefined || excludes !== undefined;
}

/** Reports whether a call is a multiplexer, or is served by one. */
function isServed(name: string): boolean {
  return ARCHES.some(({ multiplexed, syscalls }) =>
    multiplexed.some((call) =>
      call.name === name || call.nr === syscalls.get(name)
    )
  );
}

/** The entries for some names. */
function withNames(
  syscalls: readonly DockerSyscall[],
  has: (name: string) => boolean,
): readonly DockerSyscall[] {
  return syscalls.flatMap((entry) => {
    const names = entry.names.filter(has);
    return names.length === 0 ? [] : [{ ...entry, names }];
  });
}

/** Entries as text, without their places. */
function textOf(syscalls: readonly DockerSyscall[]): string {
  return JSON.stringify(
    syscalls.map(({ path: _path, ...entry }) => entry),
    (_key, value) => typeof value === "bigint" ? `${value}` : value,
  );
}

/** Entries of several machines; `undefined` if they differ on a call. */
function mergedEntries(
  sections: readonly CommentedSection[],
): CommentedSection["syscalls"] | undefined {
  const rules = new Map<string, string>();
  const entries = new Map<string, CommentedSection["syscalls"][number]>();
  const names = new Map<string, Set<string>>();
  for (const { syscalls } of sections) {
    const own = new Map<string, string[]>();
    for (const entry of syscalls) {
      const { names: called, comment: _comment, ...rule } = entry;
      const key = textOf([{ ...rule, names: [] }]);
      if (!entries.has(key)) entries.set(key, entry);
      const all = names.get(key) ?? new Set();
      for (const name of called) {
        all.add(name);
        own.set(name, [...own.get(name) ?? [], key]);
      }
      names.set(key, all);
    }
    for (const [name, keys] of own) {
      const text = keys.join();
      if ((rules.get(name) ?? text) !== text) return undefined;
      rules.set(name, text);
    }
  }
  return [...entries].map(([key, entry]) => ({
    ...entry,
    names: [...names.get(key) ?? []].sort(),
  }));
}
