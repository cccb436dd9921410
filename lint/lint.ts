/**
 * Checks a profile or filters. No finding is reported without evidence.
 *
 * @module
 */

import type { FilterStack } from "../bpf/filter.ts";
import type { SeccompData } from "../bpf/seccomp_data.ts";
import { ProfileError } from "../profile/diagnostic.ts";
import type { ParsedProfile } from "../profile/formats/parse.ts";
import { pointerOf } from "../profile/json/patch.ts";
import {
  type ProfileTarget,
  type ResolvedSection,
  resolveParsed,
} from "../pipeline/resolve_profile.ts";
import { Unstated } from "../statements/answer_writer.ts";
import type { Arch } from "../tables/arch.ts";
import type { Subject } from "../verify/core/subject.ts";
import type { Order } from "../verify/core/symbols.ts";
import {
  DEFAULT_PROOF_LIMITS,
  LimitReached,
  type ProofLimits,
} from "../verify/limits.ts";
import { AnswerMap } from "./answers.ts";
import { type LintContext, type LintId, lintLevelOf } from "./catalog.ts";
import { checkArguments } from "./checks/arguments.ts";
import { checkAttacks, checkUntested } from "./checks/attacks.ts";
import { checkReach } from "./checks/calls.ts";
import { checkConditions } from "./checks/conditions.ts";
import { checkEffects } from "./checks/effect.ts";
import { checkArchitectures, checkNamed } from "./checks/names.ts";
import { checkNeeds } from "./checks/runtimes.ts";
import { checkCappedErrnos, checkTests } from "./checks/tests.ts";
import type {
  FindingDraft,
  LintFinding,
  LintPlace,
  LintReport,
} from "./finding.ts";
import { placeIn, refusedProfile } from "./refused.ts";
import { Variants } from "./variants.ts";
import { isWanted } from "./wanted.ts";
import type { LintView, ProfileRules } from "./view.ts";

/** Options of a check. */
export interface LintOptions {
  /** The use of the policy. */
  readonly context: LintContext;
  /** Findings to ignore. */
  readonly disabled?: ReadonlySet<LintId>;
  /**
   * False to skip the search for tests that decide nothing, which are notes.
   */
  readonly tests?: boolean;
  /** Limits of each proof. */
  readonly limits?: Partial<ProofLimits>;
}

/** Runtimes whose reading counts, besides the requested one. */
export interface ProfileLintOptions extends LintOptions {
  /** By default both, because either may read a file. */
  readonly runtimes?: readonly ("crun" | "runc")[];
}

/**
 * Checks a profile.
 *
 * @example A rule that the runtimes skip, and a call that it does not protect
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseProfile } from "../profile/formats/parse.ts";
 * import { lintProfile } from "./lint.ts";
 *
 * const profile = parseProfile(`{
 *   "defaultAction": "SCMP_ACT_ERRNO",
 *   "syscalls": [
 *     { "names": ["ptrace"], "action": "SCMP_ACT_ERRNO", "args": [{ "index": 0, "value": 16, "op": "SCMP_CMP_EQ" }] },
 *     { "names": ["ptrace", "execve", "exit_group"], "action": "SCMP_ACT_ALLOW" }
 *   ]
 * }`);
 * const { findings } = lintProfile(profile, { arch: "x86_64" }, { context: "sandbox" });
 * const [first] = findings.filter(({ severity }) => severity !== "note");
 * assertEquals([first?.id, first?.line], ["contradictory-rules", 4]);
 * assertEquals(first?.witnesses[0]?.data.args[0], 16n);
 * ```
 *
 * @param profile The profile.
 * @param target The machine, container and runtime.
 * @param options Context, and findings to ignore.
 * @returns All findings, in the order of the text.
 * @throws {ProfileError} if the profile has no section, or cannot be decided for
 * the target.
 */
export function lintProfile(
  profile: ParsedProfile,
  target: ProfileTarget,
  options: ProfileLintOptions,
): LintReport {
  const lenient = { ...target, unknown: "warn", strict: false } as const;
  let resolved: ResolvedSection;
  try {
    resolved = resolveParsed(profile, lenient);
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    return refusedProfile(profile, error, options);
  }
  const [native] = resolved.arches;
  const { section } = profile;
  if (native === undefined || section === undefined) {
    throw new Error("Unreachable: resolved without a section");
  }
  const rules: ProfileRules = {
    profile,
    target: lenient,
    resolved,
    runtimes: options.runtimes ?? ["crun", "runc"],
  };
  const { littleEndian } = resolved.policy;
  const machine = { native, arches: resolved.arches, littleEndian };
  return check(resolved.policy, machine, options, (view, limits) => {
    const own = { ...view, rules };
    const variants = new Variants(rules, section, limits);
    const effects = isWanted("effects", options)
      ? checkEffects(own, rules, variants)
      : { drafts: [], open: [] };
    const drafts = [
      ...effects.drafts,
      ...isWanted("conditions", options)
        ? checkConditions(own, rules, variants)
        : [],
      ...isWanted("names", options) ? checkNamed(own, rules, variants) : [],
      ...isWanted("architectures", options)
        ? checkArchitectures(own, rules)
        : [],
      ...checkPolicy(own, options),
    ];
    return {
      assumed: resolved.assumed,
      open: effects.open,
      findings: finish(own, drafts, options, (path) => placeIn(profile, path)),
    };
  });
}

/** The machine of a policy. */
export interface LintMachine {
  /** The machine's own architecture. */
  readonly native: Arch;
  /** The architectures that the filters test, the native one first. */
  readonly arches: readonly Arch[];
}

/**
 * Checks filters.
 *
 * @example A filter that does not check the architecture
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseFilters } from "../bpf/text.ts";
 * import { archByName } from "../tables/arch.ts";
 * import { lintFilters } from "./lint.ts";
 *
 * const native = archByName("x86_64");
 * if (native === undefined) throw new Error("Unreachable: no x86_64");
 * const filters = parseFilters("ld [0]\njeq #59, no\nret #0x7fff0000\nno: ret #0");
 * const { findings } = lintFilters(filters, { native, arches: [native] }, { context: "ctf" });
 * assertEquals(findings.some(({ id }) => id === "architecture-unchecked"), true);
 * ```
 *
 * @param filters The filters of a thread, oldest first.
 * @param machine Their machine.
 * @param options Context, and findings to ignore.
 * @returns All findings, in the order of the instructions.
 * @throws {ProgramError} if the kernel would refuse a filter.
 */
export function lintFilters(
  filters: FilterStack,
  machine: LintMachine,
  options: LintOptions,
): LintReport {
  const { programs, littleEndian } = filters;
  const subject = { programs, littleEndian };
  return check(
    subject,
    { ...machine, littleEndian },
    options,
    (view, limits, again) => {
      const own = { ...view, programs };
      const raw = again(true);
      const tests = options.tests === false || !isWanted("tests", options)
        ? { drafts: [], open: [] }
        : checkTests(own, limits);
      const drafts = [
        ...tests.drafts,
        ...checkCappedErrnos(raw, own),
        ...checkUntested(own),
        ...checkPolicy(own, options),
      ];
      return {
        open: tests.open,
        findings: finish(own, drafts, options, () => ({ path: "" })),
      };
    },
  );
}

/** Checks that policies and filters share. */
function checkPolicy(
  view: LintView,
  options: LintOptions,
): readonly FindingDraft[] {
  return [
    ...isWanted("arguments", options) ? checkArguments(view) : [],
    ...isWanted("needs", options) ? checkNeeds(view) : [],
    ...isWanted("reach", options) ? checkReach(view) : [],
    ...isWanted("attacks", options) ? checkAttacks(view) : [],
  ];
}

/**
 * Orders of variables and shares of the nodes: a small diagram is made faster,
 * and nearly always enough.
 */
const ATTEMPTS: readonly (readonly [order: Order, share: number])[] = [
  ["word", 1 / 64],
  ["word", 1 / 8],
  ["word", 1],
  ["bit", 1],
];

/** Builds the answers and checks, in the first order that suffices. */
function check(
  subject: Subject,
  { native, arches, littleEndian }: LintMachine & {
    readonly littleEndian: boolean;
  },
  options: LintOptions,
  work: (
    view: LintView,
    limits: ProofLimits,
    again: (raw: boolean) => AnswerMap,
  ) => LintReport,
): LintReport {
  const limits = { ...DEFAULT_PROOF_LIMITS, ...options.limits };
  let reason = "";
  for (const [order, share] of ATTEMPTS) {
    const nodes = Math.ceil(limits.nodes * share);
    const own = { ...limits, nodes };
    try {
      const answers = new AnswerMap(subject, {
        littleEndian,
        order,
        limits: own,
      });
      return work(
        { answers, native, arches },
        limits,
        (raw) =>
          new AnswerMap(subject, { littleEndian, order, limits: own, raw }),
      );
    } catch (error) {
      if (error instanceof LimitReached) {
        reason =
          `the limit of ${error.limit} was reached; raise --${error.limit}`;
      } else if (error instanceof Unstated) reason = error.message;
      else throw error;
    }
  }
  return { findings: [], open: [`anything: ${reason}`] };
}

/** Adds severities, places and answers, and puts findings in order. */
function finish(
  view: LintView,
  drafts: readonly FindingDraft[],
  { context, disabled }: LintOptions,
  placeOf: (path: string) => LintPlace,
): readonly LintFinding[] {
  const findings: LintFinding[] = [];
  const sectionPath = view.rules?.profile.sectionPath ?? "";
  const prefix = pointerOf(sectionPath);
  for (const draft of drafts) {
    const { id, at, message, about, proof, fix } = draft;
    const level = lintLevelOf(id, context);
    if (level === "off" || disabled?.has(id) === true) continue;
    const witnesses = (draft.witnesses ?? []).map((data) => ({
      data,
      value: view.answers.answer(data).value,
    }));
    findings.push({
      id,
      severity: draft.severity ?? level,
      ...placeOfDraft(view, at, placeOf),
      message,
      witnesses,
      ...(proof === undefined ? {} : { proof }),
      ...(fix === undefined ? {} : {
        fix: {
          ...fix,
          patch: fix.patch.map((step) => ({
            ...step,
            path: `${prefix}${step.path}`,
          })),
        },
      }),
      fingerprint: `${id}: ${about}`,
    });
  }
  const rank = (
    { line = 0, column = 0, filter = 0, instruction = 0 }: LintPlace,
  ): readonly number[] => [line, column, filter, instruction];
  return findings.sort((a, b) => {
    const [ours, theirs] = [rank(a), rank(b)];
    const i = ours.findIndex((n, at) => n !== theirs[at]);
    return i < 0
      ? a.fingerprint < b.fingerprint ? -1 : 1
      : (ours[i] ?? 0) - (theirs[i] ?? 0);
  });
}

function placeOfDraft(
  { answers, rules, programs = [] }: LintView,
  at: FindingDraft["at"],
  placeOf: (path: string) => LintPlace,
): LintPlace {
  if (typeof at === "string") return placeOf(at);
  if ("instruction" in at) return { path: "", ...at };
  const { source, paths, value } = answers.answer(at as SeccompData);
  if (rules !== undefined) {
    const place = source === undefined ? undefined : placeOf(source);
    return source === undefined || !source.includes("syscalls[")
      ? placeOf("defaultAction")
      : place ?? placeOf("defaultAction");
  }
  // The filter that decided: the first whose last instruction returned it.
  const filter = Math.max(
    0,
    paths.findIndex((path, i) => programs[i]?.[path.at(-1) ?? 0]?.k === value),
  );
  return { path: "", filter, instruction: paths[filter]?.at(-1) ?? 0 };
}
