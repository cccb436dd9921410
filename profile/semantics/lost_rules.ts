/**
 * Rules that have no effect because their calls do not exist on the target.
 *
 * A rule that denies `open` denies nothing on aarch64, whose `openat` does the
 * same; the runtimes say nothing of it.
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

/** Names that one message lists. */
const MOST_SHOWN = 12;

/** For which machine rules are looked at, and how strictly. */
export interface LostRulesTarget {
  /** Architectures, the native one first. */
  readonly arches: readonly Arch[];
  /** What happens when a name is unknown; `deny-error` when absent. */
  readonly unknown?: UnknownNames;
  /** Whether doubtful constructs that the runtimes accept are errors. */
  readonly strict?: boolean;
}

/**
 * Reports rules whose calls do not exist on the target. A name is no loss when
 * the profile has rules for the calls that took its place there.
 *
 * - A rule that denies and has no call there: a warning with the successors.
 * - Other rules without a call there: one warning for all of them.
 * - A rule that loses some of its calls: a warning with the successors.
 * - What is no loss: a note.
 *
 * @param entries The entries that make rules.
 * @param defaultValue What calls without a rule get.
 * @param target For which machine.
 * @param skip Names that are not system calls, which are reported elsewhere.
 * @returns The findings; none when unknown names are ignored.
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
    // A rule that allows need not have an effect on every architecture.
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
 * deny. Conditions that never hold count as no rule.
 *
 * @param seccomp The profile.
 * @param defaultValue What calls without a rule get.
 * @param target For which machine.
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
  /** Those of rules that deny. */
  readonly denied: ReadonlySet<string>;
}

/** What a rule loses. */
interface Loss {
  readonly entry: LinuxSyscall;
  /** Whether it denies. */
  readonly denies: boolean;
  /** Its names without effect on some architecture. */
  readonly names: readonly string[];
  /** Those architectures. */
  readonly arches: readonly Arch[];
  /** What to name in their place; some have no successor. */
  readonly successors: readonly string[];
}

/**
 * Finds what a rule loses. A name without a successor is a loss only in a rule
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
      // To deny takes all of them, to allow one of them.
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

/** Builds the finding on a rule that would deny calls which do not exist. */
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
      ? "remove it, or add the architecture that it is for"
      : "remove them, or add the architectures that they are for"
    : `name what took their place: ${some(successors)}`;
}

/** Reports whether an action keeps a call from running as asked. */
function denies(value: ReturnValue): boolean {
  const action = (value & SECCOMP_RET_ACTION_FULL) >>> 0;
  return action !== SECCOMP_RET_ALLOW && action !== SECCOMP_RET_LOG;
}

/** Reports whether some argument meets a condition. */
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
    case "ne":
      return mask !== 0n || value !== 0n;
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

/** Lists names, the first of them when there are many. */
function some(names: readonly string[]): string {
  const more = names.length - MOST_SHOWN;
  const shown = names.slice(0, MOST_SHOWN).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}
