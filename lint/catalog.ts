/**
 * The catalog of findings: id, severity by context, and one sentence.
 * docs/lint.md explains each with an example.
 *
 * @module
 */

import type { Diagnostic } from "../profile/diagnostic.ts";

/** How severe a finding is. */
export type LintLevel = Diagnostic["severity"];

/** The use of a policy, which determines the severity of a finding. */
export type LintContext = "container" | "sandbox" | "ctf";

/** A kind of finding. */
export interface LintKind {
  /** Severities in containers, sandboxes and challenges; `off`: not reported. */
  readonly levels: readonly [
    container: LintLevel | "off",
    sandbox: LintLevel | "off",
    ctf: LintLevel | "off",
  ];
  /** The problem in one sentence, without a final period. */
  readonly brief: string;
}

/** Stable identifier of a kind of finding. */
export type LintId =
  | "refused-by-runtime"
  | "conflicting-rules"
  | "errno-out-of-range"
  | "no-effect"
  | "shadowed-rule"
  | "contradictory-rules"
  | "duplicate-rule"
  | "duplicate-name"
  | "alternatives-on-one-argument"
  | "condition-never-true"
  | "condition-always-true"
  | "bits-outside-mask"
  | "high-half-bypass"
  | "high-half-denied"
  | "pointer-compared"
  | "clone-flags-on-s390"
  | "unknown-name"
  | "name-not-on-target"
  | "successor-not-named"
  | "denies-nothing"
  | "errno-zero"
  | "idle-errno"
  | "readers-differ"
  | "missing-architecture"
  | "eperm-for-new-call"
  | "start-call-denied"
  | "runtime-call-denied"
  | "enforcement-faked"
  | "notify-before-listener"
  | "restart-syscall-denied"
  | "hot-call-uncached"
  | "reachable-by-multiplexer"
  | "reachable-by-io-uring"
  | "reachable-by-other-call"
  | "reachable-by-other-abi"
  | "architecture-unchecked"
  | "dead-test"
  | "default-allows"
  | "dangerous-call"
  | "file-read-chain";

const ALL_WARN = ["warning", "warning", "warning"] as const;
const ALL_NOTE = ["note", "note", "note"] as const;
const ALL_ERROR = ["error", "error", "error"] as const;

/** All kinds of findings by their stable ids. */
export const LINTS: Readonly<Record<LintId, LintKind>> = {
  "refused-by-runtime": {
    levels: ALL_ERROR,
    brief: "The runtime does not start a container with this profile",
  },
  "conflicting-rules": {
    levels: ALL_ERROR,
    brief: "Two rules have one condition and two actions (EEXIST)",
  },
  "errno-out-of-range": {
    levels: ALL_ERROR,
    brief: "An errno is larger than 4095, the largest that a caller can see",
  },
  "no-effect": {
    levels: ALL_WARN,
    brief: "The rule changes no answer",
  },
  "shadowed-rule": {
    levels: ALL_WARN,
    brief: "Other rules with other actions always come before this rule",
  },
  "contradictory-rules": {
    levels: ALL_WARN,
    brief: "Two rules with different actions match one call",
  },
  "duplicate-rule": {
    levels: ALL_WARN,
    brief: "Other rules give these calls the same action",
  },
  "duplicate-name": {
    levels: ALL_WARN,
    brief: "Other rules give this call the same action",
  },
  "alternatives-on-one-argument": {
    levels: ALL_WARN,
    brief: 'The runtimes take several conditions on one argument as "or"',
  },
  "condition-never-true": {
    levels: ALL_WARN,
    brief: "The condition is false for every value of the argument",
  },
  "condition-always-true": {
    levels: ALL_WARN,
    brief: "The condition is true for every value of the argument",
  },
  "bits-outside-mask": {
    levels: ALL_WARN,
    brief: "The value has bits outside the mask, which libseccomp drops",
  },
  "high-half-bypass": {
    levels: ALL_WARN,
    brief:
      "The upper half of a 32-bit argument turns a denied call into one that may run",
  },
  "high-half-denied": {
    levels: ALL_NOTE,
    brief: "The upper half of a 32-bit argument makes the answer stricter",
  },
  "pointer-compared": {
    levels: ALL_WARN,
    brief: "The answer depends on an address that the program chooses",
  },
  "clone-flags-on-s390": {
    levels: ALL_WARN,
    brief: "On s390 the flags of clone are argument 1, not 0",
  },
  "unknown-name": {
    levels: ALL_WARN,
    brief: "The name is not a system call, or unknown to the host's library",
  },
  "name-not-on-target": {
    levels: ALL_WARN,
    brief: "The rule has no call on the target's architectures",
  },
  "successor-not-named": {
    levels: ALL_WARN,
    brief: "A rule names a call, but not its successor on the target",
  },
  "denies-nothing": {
    levels: ALL_WARN,
    brief: "The profile has rules that deny, but every call may run",
  },
  "errno-zero": {
    levels: ALL_WARN,
    brief: "A denied call returns 0, as if it had succeeded",
  },
  "idle-errno": {
    levels: ALL_WARN,
    brief: "An errno is given for an action without one, which crun refuses",
  },
  "readers-differ": {
    levels: ALL_WARN,
    brief: "Docker and Podman read different policies from this profile",
  },
  "missing-architecture": {
    levels: ALL_NOTE,
    brief: "Programs of another ABI of the machine are killed",
  },
  "eperm-for-new-call": {
    levels: ["warning", "warning", "off"],
    brief: "C libraries use an older call only if the new one returns ENOSYS",
  },
  "start-call-denied": {
    levels: ["error", "off", "off"],
    brief: "The runtime or every program needs this call, and it never runs",
  },
  "runtime-call-denied": {
    levels: ["warning", "off", "off"],
    brief:
      "A runtime makes this call under the filter before it starts the program",
  },
  "enforcement-faked": {
    levels: ["error", "off", "off"],
    brief: "A call by which runtimes drop privileges only appears to succeed",
  },
  "notify-before-listener": {
    levels: ["warning", "off", "off"],
    brief: "NOTIFY on a call by which a listener is handed over",
  },
  "restart-syscall-denied": {
    levels: ["warning", "warning", "off"],
    brief: "Blocking calls that a signal interrupts cannot be restarted",
  },
  "hot-call-uncached": {
    levels: ["note", "note", "off"],
    brief: "The kernel runs the filter for each of these frequent calls",
  },
  "reachable-by-multiplexer": {
    levels: ALL_WARN,
    brief: "socketcall or ipc makes a call that is denied",
  },
  "reachable-by-io-uring": {
    levels: ALL_WARN,
    brief: "io_uring performs the work of denied calls, bypassing the filter",
  },
  "reachable-by-other-call": {
    levels: ALL_WARN,
    brief: "Another call does the same as a denied call",
  },
  "reachable-by-other-abi": {
    levels: ALL_WARN,
    brief: "A call that is denied may run through another ABI",
  },
  "architecture-unchecked": {
    levels: ["warning", "warning", "error"],
    brief: "Calls of architectures that the filter does not test may run",
  },
  "dead-test": {
    levels: ["note", "note", "note"],
    brief: "A test of the filter decides nothing",
  },
  "default-allows": {
    levels: ["off", "note", "warning"],
    brief: "Calls that the policy does not name may run",
  },
  "dangerous-call": {
    levels: ["off", "off", "warning"],
    brief: "A powerful call may run",
  },
  "file-read-chain": {
    levels: ["off", "off", "error"],
    brief: "A file can be opened, read and written out",
  },
};

/** All ids, in the order of the catalog. */
export const LINT_IDS: readonly LintId[] = Object.keys(LINTS) as LintId[]; // its own keys

/** The contexts, in the order of `levels`. */
export const LINT_CONTEXTS: readonly LintContext[] = [
  "container",
  "sandbox",
  "ctf",
];

/**
 * Finds the severity of a kind of finding in a context.
 *
 * @param id The kind.
 * @param context The context.
 * @returns The severity; `off` if it is not reported there.
 */
export function lintLevelOf(
  id: LintId,
  context: LintContext,
): LintLevel | "off" {
  return LINTS[id].levels[LINT_CONTEXTS.indexOf(context)] ?? "off";
}
