/**
 * Writes a profile for container runtimes, in the normal form of `combine`: so
 * that every known version of crun and runc reads it alike.
 *
 * @module
 */

import { parseProfile } from "../../../profile/formats/parse.ts";
import {
  type CommentedSection,
  writeSection,
} from "../../../profile/formats/write_section.ts";
import { BeyondArguments } from "../../../statements/argument_space.ts";
import type { ArchName } from "../../../tables/arch.ts";
import type { Node } from "../../../verify/core/diagram.ts";
import { proveEquivalent } from "../../../verify/equivalence.ts";
import { LimitReached } from "../../../verify/limits.ts";
import { CallFunctions } from "../../combine/call_functions.ts";
import { combine } from "../../combine/combine.ts";
import { CoverSpaces, LongFunction } from "../../combine/cover_spaces.ts";
import { policyOfMeaning } from "../../combine/meaning_policy.ts";
import { resolveBare } from "../../combine/readings.ts";
import type {
  CombinedProfile,
  CombineInput,
  UnsaidProfile,
} from "../../combine/result.ts";
import type { ProfileTarget } from "../../resolve_profile.ts";
import type { LossReasons } from "../losses.ts";
import type { ConvertFormat } from "../result.ts";
import { expandMasks } from "./expand_masks.ts";
import { roundMeaning, type SectionLimits } from "../rounding.ts";
import type { SourceView } from "../source_view.ts";
import { UnwritableSource } from "./written.ts";

/** A profile with the reasons of its losses. */
export interface WrittenSection {
  readonly profile: CombinedProfile;
  readonly reasons: LossReasons;
}

/** The format that is written, and the target. */
export interface SectionRequest {
  readonly format: ConvertFormat;
  readonly input: CombineInput;
  readonly target: ProfileTarget;
  readonly keepConditions: boolean;
  /** True if the input is not restricted to some architectures. */
  readonly isWhole: boolean;
}

/** Rounds of finding calls that entries cannot say. */
const MOST_ROUNDS = 24;
/** The operator keeps values in an `int64`. */
const LARGEST_INT64 = 0x7fff_ffff_ffff_ffffn;

/**
 * Writes a profile.
 *
 * @throws {UnwritableSource} if no profile comes near.
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param view The source.
 * @param request The format and the target.
 */
export function writeProfile(
  view: SourceView,
  { format, input, target, keepConditions, isWhole }: SectionRequest,
): WrittenSection {
  const rounded = new Map<string, string>();
  const direct = isWhole
    ? combine([input], target, {
      keepConditions,
      onlyTarget: true,
      limits: view.limits,
    })
    : undefined;
  if (direct?.kind === "unproved") throw new LimitReached(direct.limit);
  const whole = direct?.kind === "profile"
    ? fitted(direct, format, target, rounded)
    : undefined;
  if (whole !== undefined) {
    return { profile: whole, reasons: reasonsOf(rounded) };
  }
  const limits: SectionLimits = {
    plainDefault: format === "spo",
    noErrorZero: format === "spo",
  };
  for (const name of beyondNames(view)) {
    rounded.set(name, "no comparisons of arguments say its condition");
  }
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const meaning = roundMeaning(view, rounded, limits);
    const result = combineMeaning(view, meaning, target);
    const before = rounded.size;
    if (result.kind === "profile") {
      const profile = fitted(result, format, target, rounded);
      if (profile !== undefined) {
        return { profile, reasons: reasonsOf(rounded) };
      }
    } else {
      for (const [name, reason] of unsaidCalls(result)) {
        rounded.set(name, reason);
      }
    }
    if (rounded.size > before) continue;
    throw new UnwritableSource(
      result.kind === "profile"
        ? `a profile of the format ${format} has another meaning`
        : `${result.part}: ${result.reason}`,
    );
  }
  throw new UnwritableSource("too many calls cannot be said");
}

/** Calls whose answers depend on more than comparisons read. */
function beyondNames(view: SourceView): readonly string[] {
  const { arches, functions } = view;
  return arches.flatMap((arch) =>
    [...arch.syscalls].flatMap(([name, nr]) => {
      if (functions.constantOf(functions.at(arch, nr)) !== undefined) return [];
      return view.answersOf(arch, nr) === undefined ? [name] : [];
    })
  );
}

function combineMeaning(
  view: SourceView,
  meaning: Node,
  target: ProfileTarget,
): CombinedProfile | UnsaidProfile {
  const { symbols, native, limits, arches } = view;
  const functions = new CallFunctions(
    symbols,
    meaning,
    native.littleEndian,
    new CoverSpaces(limits),
  );
  const policy = policyOf(functions, arches);
  const names = arches.map(({ name }) => name);
  const [first = native.name, ...others] = names;
  const result = combine(
    [{ filter: policy }],
    { ...target, arch: [first, ...others] satisfies readonly ArchName[] },
    { onlyTarget: true, limits },
  );
  if (result.kind === "unproved") throw new LimitReached(result.limit);
  return result;
}

function policyOf(
  functions: CallFunctions,
  arches: SourceView["arches"],
): NonNullable<ReturnType<typeof policyOfMeaning>> {
  try {
    const policy = policyOfMeaning(functions, arches);
    if (policy !== undefined) return policy;
  } catch (error) {
    const isKnown = error instanceof BeyondArguments ||
      error instanceof LongFunction;
    if (!isKnown) throw error;
  }
  throw new UnwritableSource("its rules would be too many");
}

/** The calls that a profile cannot say, with that of the witness. */
function unsaidCalls(
  { calls, part, reason }: UnsaidProfile,
): ReadonlyMap<string, string> {
  const [, name] = /^(\w+) on \w+$/.exec(part) ?? [];
  const isCall = name !== undefined && !/^(?:number|architecture)$/.test(name);
  return isCall && !calls.has(name)
    ? new Map([...calls, [name, reason]])
    : calls;
}

/**
 * Returns the profile if it has the same meaning in a format; calls that it
 * cannot say there are added.
 */
function fitted(
  profile: CombinedProfile,
  format: ConvertFormat,
  target: ProfileTarget,
  rounded: Map<string, string>,
): CombinedProfile | undefined {
  if (format !== "spo") {
    return isFor(profile, format, target) ? profile : undefined;
  }
  const section = expandMasks(profile.section);
  const text = writeSection(section);
  const isSame = text === profile.text ||
    isEqualUnderAll(text, profile, target);
  const made = isSame ? { ...profile, section, text } : profile;
  return isForOperator(made.section, rounded) ? made : undefined;
}

/** Proves a profile equal to another one, as every version reads it. */
function isEqualUnderAll(
  text: string,
  { policy, arches, equal }: CombinedProfile,
  target: ProfileTarget,
): boolean {
  const [first, ...others] = arches.map(({ name }) => name);
  if (first === undefined) return false;
  const arch = [first, ...others] as const;
  const parsed = parseProfile(text, { kind: "oci" });
  return equal.every((semantics) => {
    const back = resolveBare(parsed, { ...target, arch, semantics });
    return proveEquivalent(back.policy, policy).kind === "equal";
  });
}

/** Reports whether the reader of a format gives a profile the same meaning. */
function isFor(
  { section, text, policy, arches }: CombinedProfile,
  format: ConvertFormat,
  target: ProfileTarget,
): boolean {
  const kinds = format === "docker"
    ? ["docker"] as const
    : format === "podman"
    ? ["podman"] as const
    : format === "k8s"
    ? ["oci", "podman"] as const
    : ["oci"] as const;
  const needsPlain = format === "oci" || format === "config" ||
    format === "k8s";
  if (needsPlain && hasConditions(section)) return false;
  const hasMap = section.archMap !== undefined;
  const [first, ...others] = arches.map(({ name }) => name);
  const arch = hasMap || first === undefined
    ? target.arch
    : [first, ...others] as const;
  return kinds.every((kind) => {
    const back = resolveBare(parseProfile(text, { kind }), { ...target, arch });
    return proveEquivalent(back.policy, policy).kind === "equal";
  });
}

function hasConditions({ archMap, syscalls }: CommentedSection): boolean {
  return archMap !== undefined ||
    syscalls.some((entry) =>
      entry.includes !== undefined || entry.excludes !== undefined
    );
}

/** The operator has no `defaultErrnoRet`, no error 0, and values of 63 bits. */
function isForOperator(
  section: CommentedSection,
  rounded: Map<string, string>,
): boolean {
  if (hasConditions(section) || section.defaultErrnoRet !== undefined) {
    return false;
  }
  let isRight = true;
  for (const { names, args, errnoRet } of section.syscalls) {
    if (errnoRet === 0) isRight = false;
    const isLarge = args.some(({ value, valueTwo }) =>
      value > LARGEST_INT64 || valueTwo > LARGEST_INT64
    );
    if (!isLarge) continue;
    isRight = false;
    for (const name of names) {
      rounded.set(name, "the operator keeps values of 63 bits");
    }
  }
  return isRight;
}

function reasonsOf(calls: ReadonlyMap<string, string>): LossReasons {
  return {
    calls,
    fallback:
      "a profile gives calls without a name one answer, and answers have the data that libseccomp takes",
    arch: "a profile gives architectures that it does not list KILL_THREAD",
  };
}
