/**
 * Rules that have no effect because their calls do not exist on the target.
 *
 * A rule that denies `open` denies nothing on aarch64, whose `openat` does the
 * same; the runtimes do not report it.
 *
 * @module
 */

import type { Arch } from "../../tables/arch.ts";
import { successorsOf } from "../../tables/successors.ts";
import {
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_LOG,
} from "../../tables/uapi.ts";
import { returnValue } from "./action.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { hasCall } from "./hints.ts";
import { isStricter, type UnknownNames } from "./names.ts";
import type { LinuxSeccomp, LinuxSyscall } from "../formats/oci.ts";
import type { Condition, ReturnValue, Rule } from "../policy.ts";

/** Maximum number of names in one message. */
const MOST_SHOWN = 12;

/** The machine for which rules are checked, and the strictness. */
export interface LostRulesTarget {
  /** Architectures, the native one first. */
  readonly arches: readonly Arch[];
  /** Treatment of unknown names; `deny-error` by default. */
  readonly unknown?: UnknownNames;
  /** True if doubtful constructs that the runtimes accept are errors. */
  readonly strict?: boolean;
}

/**
 * Reports rules whose calls do not exist on the target. A missing name is not a
 * loss if the profile has rules for the calls that replace it there.
 *
 * - A rule that denies and has no call there: a warning with the successors.
 * - Other rules without a call there: one warning for all of them.
 * - A rule that loses some of its calls: a warning with the successors.
 * - Missing names that are not a loss: a note.
 *
 * @param entries The entries that make rules.
 * @param defaultValue Return value for calls without a rule.
 * @param target The machine.
 * @param skip Names that are not system calls, which are reported elsewhere.
 * @returns The findings; empty if unknown names are ignored.
 */
export function checkLostRules(
  entries: readonly LinuxSyscall[],
  defaultValue: ReturnValue,
  target: LostRulesTarget,
  skip: ReadonlySet<string>,
): Diagnostic[] {
  if (target.unknown === "ignore") return [];
  const { arches } = target;
  const isHere = (name: string): boolean =>
    arches.some((arch) => hasCall(arch, name));
  const diagnostics: Diagnostic[] = [];
  const idle: Loss[] = [];
  const coverage: Coverage = {
    named: new Set(entries.flatMap((entry) => entry.names)),
    denied: new Set(
      entries.filter((entry) => isStricter(entry, defaultValue))
        .flatMap((entry) => entry.names),
    ),
  };
  for (const entry of entries) {
    const names = entry.names.filter((name) => !skip.has(name));
    const absent = names.filter((name) => !isHere(name));
    const denies = isStricter(entry, defaultValue);
    const isWhole = names.length > 0 && absent.length === names.length;
    // An allowing rule does not need to have an effect on every architecture.
    const loss = lossOf(
      { entry, denies, names: denies ? names : absent, isWhole },
      arches,
      coverage,
    );
    if (loss === undefined) {
      if (absent.length > 0) diagnostics.push(noteOf(entry, absent, arches));
    } else if (!isWhole) diagnostics.push(partLost(loss));
    else if (denies) diagnostics.push(denialLost(loss, target));
    else idle.push(loss);
  }
  return idle.length === 0
    ? diagnostics
    : [...diagnostics, rulesIdle(idle, target)];
}

/**
 * Reports a filter that denies nothing although the profile has rules that
 * deny. Rules whose conditions are never true do not count.
 *
 * @param seccomp The profile.
 * @param defaultValue Return value for calls without a rule.
 * @param target The machine.
 * @param rules The rules of all architectures.
 * @returns At most one finding.
 */
export function checkDenials(
  seccomp: LinuxSeccomp,
  defaultValue: ReturnValue,
  target: LostRulesTarget,
  rules: Iterable<readonly Rule[]>,
): Diagnostic[] {
  const denials = seccomp.syscalls.filter(({ action, errnoRet }) =>
    denies(returnValue(action, errnoRet))
  );
  if (denials.length === 0 || denies(defaultValue)) return [];
  for (const list of rules) {
    for (const { value, conditions } of list) {
      if (denies(value) && conditions.every(mayHold)) return [];
    }
  }
  return [{
    severity: severityOf(target),
    code: "denies-nothing",
    path: "syscalls",
    message: `Filter denies nothing: every call may run on ${
      namesOf(target.arches)
    }, although the profile has ${denials.length} ${
      denials.length === 1 ? "rule that denies" : "rules that deny"
    }`,
    fix: "correct their names and conditions, or remove the filter",
  }];
}

function severityOf(
  { unknown, strict }: LostRulesTarget,
): Diagnostic["severity"] {
  return unknown === "error" || strict === true ? "error" : "warning";
}

/** Names that the profile has rules for. */
interface Coverage {
  /** All of them. */
  readonly named: ReadonlySet<string>;
  /** Names in rules that deny. */
  readonly denied: ReadonlySet<string>;
}

/** The loss of a rule. */
interface Loss {
  readonly entry: LinuxSyscall;
  /** True for a denying rule. */
  readonly denies: boolean;
  /** Its names without effect on some architecture. */
  readonly names: readonly string[];
  /** The architectures where they have no effect. */
  readonly arches: readonly Arch[];
  /** Replacements; some names have no successor. */
  readonly successors: readonly string[];
}

/**
 * Finds the loss of a rule. A name without a successor is a loss only in a rule
 * that has no call at all.
 */
function lossOf(
  { entry, denies, names, isWhole }:
    & Pick<Loss, "entry" | "denies" | "names">
    & { readonly isWhole: boolean },
  arches: readonly Arch[],
  { named, denied }: Coverage,
): Loss | undefined {
  const lost = new Set<string>();
  const affected = new Set<Arch>();
  const open = new Set<string>();
  for (const name of names) {
    let covered = false;
    for (const arch of arches) {
      if (hasCall(arch, name)) continue;
      const successors = successorsOf(name).filter((s) => hasCall(arch, s));
      // A denying rule needs all successors, an allowing rule only one.
      const missing = denies
        ? successors.filter((s) => !denied.has(s))
        : successors.some((s) => named.has(s))
        ? []
        : successors;
      if (missing.length > 0) {
        lost.add(name);
        affected.add(arch);
        for (const successor of missing) open.add(successor);
      } else if (successors.length > 0) covered = true;
    }
    if (isWhole && !covered) lost.add(name);
  }
  if (lost.size === 0) return undefined;
  return {
    entry,
    denies,
    names: [...lost],
    arches: isWhole ? arches : [...affected],
    successors: [...open],
  };
}

/** Builds the note on calls of other architectures. */
function noteOf(
  { path }: LinuxSyscall,
  absent: readonly string[],
  arches: readonly Arch[],
): Diagnostic {
  return {
    severity: "note",
    code: "no-such-call-here",
    path: `${path}.names`,
    message: `No rule on ${namesOf(arches)} for ${
      absent.join(", ")
    }: calls of other architectures`,
  };
}

/** Builds the finding on a rule that loses some of its calls. */
function partLost(
  { entry, denies, names, arches, successors }: Loss,
): Diagnostic {
  const less = denies ? "denies less" : "allows less";
  return {
    severity: "warning",
    code: "successor-not-named",
    path: `${entry.path}.names`,
    message: `Rule ${less} than it seems to: ${missing(names, arches)}`,
    fix: fixOf(successors),
  };
}

/** Builds the finding on a rule that would deny calls that do not exist. */
function denialLost(
  { entry, names, arches, successors }: Loss,
  target: LostRulesTarget,
): Diagnostic {
  return {
    severity: severityOf(target),
    code: "no-call-here",
    path: `${entry.path}.names`,
    message: `Rule denies nothing: ${missing(names, arches)}`,
    fix: fixOf(successors),
  };
}

/** Builds the one finding on all other rules without a call. */
function rulesIdle(
  idle: readonly Loss[],
  target: LostRulesTarget,
): Diagnostic {
  const names = idle.flatMap((loss) => loss.names);
  const successors = new Set(idle.flatMap((loss) => loss.successors));
  const what = idle.length === 1
    ? "Rule has no effect"
    : `${idle.length} rules have no effect`;
  return {
    severity: severityOf(target),
    code: "no-call-here",
    path: `${idle[0]?.entry.path ?? "syscalls"}.names`,
    message: `${what}: ${missing(names, target.arches)}`,
    fix: fixOf([...successors], idle.length),
  };
}

function fixOf(successors: readonly string[], rules = 1): string {
  return successors.length === 0
    ? rules === 1
      ? "remove it, or add the architecture that it is meant for"
      : "remove them, or add the architectures that they are meant for"
    : `name the calls that replace them: ${some(successors)}`;
}

/** Reports whether an action prevents a call from running as requested. */
function denies(value: ReturnValue): boolean {
  const action = (value & SECCOMP_RET_ACTION_FULL) >>> 0;
  return action !== SECCOMP_RET_ALLOW && action !== SECCOMP_RET_LOG;
}

/** Reports whether any argument satisfies a condition. */
function mayHold({ op, mask, value }: Condition): boolean {
  switch (op) {
    case "eq":
      return (value & ~mask) === 0n;
    case "lt":
      return value > 0n;
    case "gt":
      return value < mask;
    case "ge":
      return value <= mask;
    // No mask of a condition is empty.
    case "ne":
    case "le":
      return true;
  }
}

function namesOf(arches: readonly Arch[]): string {
  return arches.map((arch) => arch.name).join(", ");
}

function missing(names: readonly string[], arches: readonly Arch[]): string {
  const verb = names.length === 1 ? "does" : "do";
  return `${some(names)} ${verb} not exist on ${namesOf(arches)}`;
}

/** Lists names; if there are many, only the first of them. */
function some(names: readonly string[]): string {
  const more = names.length - MOST_SHOWN;
  const shown = names.slice(0, MOST_SHOWN).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}
