/**
 * The ids that each check may report: a check all of whose ids are disabled, or
 * off in a context, does not run.
 *
 * @module
 */

import { type LintContext, type LintId, lintLevelOf } from "./catalog.ts";

/** Names of the checks. */
export type CheckName =
  | "effects"
  | "conditions"
  | "names"
  | "architectures"
  | "arguments"
  | "needs"
  | "reach"
  | "attacks"
  | "tests";

const CHECKS: Readonly<Record<CheckName, readonly LintId[]>> = {
  effects: [
    "no-effect",
    "shadowed-rule",
    "contradictory-rules",
    "duplicate-rule",
    "duplicate-name",
  ],
  conditions: [
    "alternatives-on-one-argument",
    "condition-never-true",
    "condition-always-true",
    "bits-outside-mask",
  ],
  names: [
    "unknown-name",
    "name-not-on-target",
    "successor-not-named",
    "denies-nothing",
    "idle-errno",
    "readers-differ",
  ],
  architectures: ["missing-architecture"],
  arguments: [
    "high-half-bypass",
    "high-half-denied",
    "pointer-compared",
    "clone-flags-on-s390",
  ],
  needs: [
    "errno-zero",
    "eperm-for-new-call",
    "start-call-denied",
    "runtime-call-denied",
    "enforcement-faked",
    "notify-before-listener",
    "restart-syscall-denied",
    "hot-call-uncached",
  ],
  reach: [
    "reachable-by-multiplexer",
    "reachable-by-io-uring",
    "reachable-by-other-call",
    "reachable-by-other-abi",
  ],
  attacks: ["default-allows", "dangerous-call", "file-read-chain"],
  tests: ["dead-test"],
};

/**
 * Reports whether a check may report something.
 *
 * @param check The check.
 * @param options The context, and the ids that are disabled.
 */
export function isWanted(
  check: CheckName,
  { context, disabled }: {
    readonly context: LintContext;
    readonly disabled?: ReadonlySet<LintId>;
  },
): boolean {
  return CHECKS[check].some((id) =>
    lintLevelOf(id, context) !== "off" && disabled?.has(id) !== true
  );
}
