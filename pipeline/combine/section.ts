/**
 * Builds a section from entries: names the actions, adds the flags and comments
 * of the first profile, and orders entries and names.
 *
 * @module
 */

import type { JsonValue } from "../../profile/json/value.ts";
import { findMember } from "../../profile/json/value.ts";
import type {
  LinuxSeccomp,
  LinuxSyscall,
  ScmpAction,
} from "../../profile/formats/oci.ts";
import type { ParsedProfile } from "../../profile/formats/parse.ts";
import type {
  CommentedSection,
  CommentedSyscall,
} from "../../profile/formats/write_section.ts";
import { formatReturnValue } from "../../bpf/return_value.ts";
import type { ReturnValue } from "../../profile/policy.ts";
import { MAX_ERRNO_RET, returnValue } from "../../profile/semantics/action.ts";
import type { Arch } from "../../tables/arch.ts";
import {
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_DATA,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_TRAP,
  SECCOMP_RET_USER_NOTIF,
} from "../../tables/uapi.ts";
import type { ResolvedSection } from "../resolve_profile.ts";
import { comparisonOf } from "./comparison.ts";
import type { NormalEntry } from "./normal_rules.ts";
import type { CombineInput } from "./result.ts";

/** Thrown if no action of a profile gives an answer. */
export class UnsaidAnswer extends Error {
  override readonly name = "UnsaidAnswer";
  readonly part: string;
  readonly reason: string;

  constructor(part: string, reason: string) {
    super(`${part}: ${reason}`);
    this.part = part;
    this.reason = reason;
  }
}

/** The parts of a section in numbers. */
export interface SectionParts {
  readonly fallback: ReturnValue;
  readonly entries: readonly NormalEntry[];
  readonly arches: readonly Arch[];
}

/** Actions by the action of an answer. */
const ACTIONS: ReadonlyMap<number, ScmpAction> = new Map([
  // This name of KILL_THREAD is known to every version of every runtime.
  [SECCOMP_RET_KILL_THREAD, "SCMP_ACT_KILL"],
  [SECCOMP_RET_KILL_PROCESS, "SCMP_ACT_KILL_PROCESS"],
  [SECCOMP_RET_TRAP, "SCMP_ACT_TRAP"],
  [SECCOMP_RET_ERRNO, "SCMP_ACT_ERRNO"],
  [SECCOMP_RET_TRACE, "SCMP_ACT_TRACE"],
  [SECCOMP_RET_ALLOW, "SCMP_ACT_ALLOW"],
  [SECCOMP_RET_LOG, "SCMP_ACT_LOG"],
  [SECCOMP_RET_USER_NOTIF, "SCMP_ACT_NOTIFY"],
]);

/** Data of ERRNO and TRACE that does not need to be written. */
const EPERM = 1;

/**
 * Makes a section.
 *
 * @throws {UnsaidAnswer} if an answer has data that no action can have.
 *
 * @param parts The parts in numbers.
 * @param inputs The inputs, the first profile of which provides flags and
 * comments.
 * @param resolved The resolved profiles among them.
 * @param options The order of entries.
 */
export function sectionOf(
  { fallback, entries, arches }: SectionParts,
  inputs: readonly CombineInput[],
  resolved: readonly (ResolvedSection | undefined)[],
  { keepOrder }: { readonly keepOrder: boolean },
): CommentedSection {
  const at = resolved.findIndex((one) => one !== undefined);
  const input = inputs[at];
  const profile = input !== undefined && "profile" in input
    ? input.profile
    : undefined;
  const seccomp = resolved[at]?.seccomp;
  const { action, errnoRet } = actionOf(fallback, "the default");
  const made = entries.map((entry) => ({
    entry,
    syscall: syscallOf(entry, profile, seccomp),
  }));
  const syscalls = made.map(({ syscall }) => syscall);
  return {
    defaultAction: action,
    ...(errnoRet === undefined ? {} : { defaultErrnoRet: errnoRet }),
    architectures: arches.map(({ scmp }) => scmp),
    ...beyondRules(seccomp),
    syscalls: keepOrder && seccomp !== undefined
      ? inOrderOf(syscalls, seccomp)
      : syscalls,
  };
}

/** Fields that no filter can express. */
function beyondRules(
  seccomp: LinuxSeccomp | undefined,
): Pick<LinuxSeccomp, "flags" | "listenerPath" | "listenerMetadata"> {
  if (seccomp === undefined) return {};
  const { flags, listenerPath, listenerMetadata } = seccomp;
  return {
    ...(flags === undefined ? {} : { flags }),
    ...(listenerPath === undefined ? {} : { listenerPath }),
    ...(listenerMetadata === undefined ? {} : { listenerMetadata }),
  };
}

function actionOf(
  value: ReturnValue,
  part: string,
): Pick<LinuxSyscall, "action" | "errnoRet"> {
  const kind = (value & SECCOMP_RET_ACTION_FULL) >>> 0;
  const data = value & SECCOMP_RET_DATA;
  const action = ACTIONS.get(kind);
  const most = kind === SECCOMP_RET_ERRNO ? MAX_ERRNO_RET : SECCOMP_RET_DATA;
  if (action === undefined || data > most) {
    throw new UnsaidAnswer(
      part,
      `libseccomp refuses ${formatReturnValue(value)}`,
    );
  }
  const takesData = kind === SECCOMP_RET_ERRNO || kind === SECCOMP_RET_TRACE;
  if (!takesData && data !== 0) {
    throw new UnsaidAnswer(
      part,
      `no action of a profile is ${formatReturnValue(value)}`,
    );
  }
  return {
    action,
    ...(takesData && data !== EPERM ? { errnoRet: data } : {}),
  };
}

function syscallOf(
  entry: NormalEntry,
  profile: ParsedProfile | undefined,
  seccomp: LinuxSeccomp | undefined,
): CommentedSyscall {
  const { names, value, conditions } = entry;
  const comment = commentOf(entry, profile, seccomp);
  return {
    names,
    ...actionOf(value, names.join(", ")),
    args: conditions.map(comparisonOf),
    ...(comment === "" ? {} : { comment }),
    path: "",
  };
}

/** The comments of entries of the first profile for the same calls and action. */
function commentOf(
  { names, value }: NormalEntry,
  profile: ParsedProfile | undefined,
  seccomp: LinuxSeccomp | undefined,
): string {
  if (profile === undefined || seccomp === undefined) return "";
  const comments = seccomp.syscalls
    .filter((one) =>
      returnValue(one.action, one.errnoRet) === value &&
      one.names.some((name) => names.includes(name))
    )
    .map(({ path }) => writtenComment(profile.document.root, path))
    .filter((text) => text !== "");
  return [...new Set(comments)].join("; ");
}

/**
 * Finds the comment of an entry of a document.
 *
 * @param root The document.
 * @param path The entry's path, such as `syscalls[3]`.
 * @returns The comment; empty if it has none.
 */
export function writtenComment(root: JsonValue, path: string): string {
  let at: JsonValue | undefined = root;
  for (const [, name, index] of path.matchAll(/([A-Za-z]+)|\[([0-9]+)\]/g)) {
    if (name !== undefined) {
      at = at?.kind === "object" ? findMember(at, name) : undefined;
    } else at = at?.kind === "array" ? at.items.at(Number(index)) : undefined;
  }
  const comment = at?.kind === "object" ? findMember(at, "comment") : undefined;
  return comment?.kind === "string" ? comment.value : "";
}

/** Entries and names in the order of their first occurrence in a profile. */
function inOrderOf(
  syscalls: readonly CommentedSyscall[],
  seccomp: LinuxSeccomp,
): readonly CommentedSyscall[] {
  const places = new Map<string, number>();
  const rules = new Map<string, number>();
  for (const [i, { names, action, errnoRet }] of seccomp.syscalls.entries()) {
    for (const name of names) {
      if (!places.has(name)) places.set(name, places.size);
      const key = `${name} ${returnValue(action, errnoRet)}`;
      if (!rules.has(key)) rules.set(key, i);
    }
  }
  const placeOf = (name: string): number => places.get(name) ?? Infinity;
  const ordered = (a: number, b: number): number => a === b ? 0 : a - b;
  return syscalls
    .map((one) => {
      const value = returnValue(one.action, one.errnoRet);
      const first = Math.min(
        ...one.names.map((name) => rules.get(`${name} ${value}`) ?? Infinity),
      );
      const names = one.names.toSorted((a, b) =>
        ordered(placeOf(a), placeOf(b))
      );
      return { first, one: { ...one, names } };
    })
    .toSorted((a, b) => ordered(a.first, b.first))
    .map(({ one }) => one);
}
