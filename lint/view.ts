/**
 * The source under check: its answers and, for a profile, its rules.
 *
 * @module
 */

import type { Program } from "../bpf/instruction.ts";
import type { Arch } from "../tables/arch.ts";
import { orderRules } from "../profile/semantics/precedence.ts";
import { returnValue } from "../profile/semantics/action.ts";
import { repeatsIndex } from "../profile/formats/entries.ts";
import type { LinuxSyscall } from "../profile/formats/oci.ts";
import type { ParsedProfile } from "../profile/formats/parse.ts";
import type { Condition, ReturnValue } from "../profile/policy.ts";
import type {
  ProfileTarget,
  ResolvedSection,
} from "../pipeline/resolve_profile.ts";
import type { AnswerMap, CallPlace } from "./answers.ts";

/** A source under check. */
export interface LintView {
  readonly answers: AnswerMap;
  /** The machine's own architecture. */
  readonly native: Arch;
  /** The architectures that are filtered, the native one first. */
  readonly arches: readonly Arch[];
  /** The rules; absent for filters. */
  readonly rules?: ProfileRules;
  /** The filters; absent for a profile. */
  readonly programs?: readonly Program[];
}

/** A profile under check. */
export interface ProfileRules {
  readonly profile: ParsedProfile;
  readonly target: ProfileTarget;
  readonly resolved: ResolvedSection;
  /** The runtimes that may read it. */
  readonly runtimes: readonly ("crun" | "runc")[];
}

/** A call by number and by name. */
export interface ArchCall extends CallPlace {
  readonly name: string;
}

/** Finds a call on an architecture. */
export function callOn(arch: Arch, name: string): ArchCall | undefined {
  const nr = arch.syscalls.get(name);
  return nr === undefined ? undefined : { arch, name, nr };
}

/** Lists the calls of a name on architectures. */
export function callsOn(
  arches: readonly Arch[],
  name: string,
): readonly ArchCall[] {
  return arches.flatMap((arch) => callOn(arch, name) ?? []);
}

/** Names architectures: `x86_64 and x86`. */
export function archWords(arches: readonly Arch[]): string {
  return listWords([...new Set(arches.map(({ name }) => name))]);
}

/**
 * Lists words: `a`, `a and b`, `a, b and c`; if there are many, only the first.
 */
export function listWords(words: readonly string[], most = 8): string {
  if (words.length > most) {
    const rest = words.length - most;
    return `${words.slice(0, most).join(", ")} and ${rest} more`;
  }
  const last = words.at(-1) ?? "";
  return words.length < 2
    ? last
    : `${words.slice(0, -1).join(", ")} and ${last}`;
}

/** A part of an entry in the form of a policy: one call and its conditions. */
export interface EntryPart extends CallPlace {
  readonly conditions: readonly Condition[];
}

/**
 * Lists the inputs that an entry names, whichever rule decides them: one part
 * for each architecture that has the call, and for each alternative.
 */
export function partsOfEntry(
  entry: LinuxSyscall,
  name: string,
  arches: readonly Arch[],
): readonly EntryPart[] {
  return arches.flatMap((arch) => {
    const nr = arch.syscalls.get(name);
    if (nr === undefined) return [];
    return alternativesOf(entry).map((args) => ({
      arch,
      nr,
      conditions: conditionsOf(args, arch),
    }));
  });
}

/** The conditions of a list of comparisons, all of which must be true. */
export function conditionsOf(
  args: LinuxSyscall["args"],
  arch: Arch,
): readonly Condition[] {
  const ordered = orderRules([{ args, value: 0, source: "" }], arch.bits);
  return "kind" in ordered ? [] : ordered[0]?.conditions ?? [];
}

/** Lists of comparisons, one of which must be true. */
export function alternativesOf(
  entry: LinuxSyscall,
): readonly LinuxSyscall["args"][] {
  return repeatsIndex(entry) ? entry.args.map((arg) => [arg]) : [entry.args];
}

/** The value that an entry returns. */
export function valueOfEntry(entry: LinuxSyscall): ReturnValue {
  return returnValue(entry.action, entry.errnoRet);
}

/** Writes an entry without its place, for fingerprints. */
export function entryWords(
  { names, action, errnoRet, args }: LinuxSyscall,
): string {
  const tests = args.map(({ index, op, value, valueTwo }) =>
    `a${index} ${op} ${value}${valueTwo === 0n ? "" : ` ${valueTwo}`}`
  );
  return [
    `${action}${errnoRet === undefined ? "" : ` ${errnoRet}`}`,
    [...names].sort().join(","),
    ...tests,
  ].join(" ");
}

/** Position of an entry's element in the profile's section. */
export function pathInSection(
  { profile: { sectionPath } }: ProfileRules,
  path: string,
): string {
  return sectionPath !== "" && path.startsWith(`${sectionPath}.`)
    ? path.slice(sectionPath.length + 1)
    : path;
}
