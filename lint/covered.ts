/**
 * Diagnostics of the reader that findings replace.
 *
 * @module
 */

import type { Diagnostic } from "../profile/diagnostic.ts";

/** Reports whether a diagnostic of the reader is covered by a finding. */
export function isCovered({ code }: Diagnostic): boolean {
  return COVERED.has(code);
}

/** Codes of diagnostics that checks replace. */
const COVERED: ReadonlySet<string> = new Set([
  ...["unknown-syscall", "no-call-here", "successor-not-named"],
  ...["denies-nothing", "idle-errno", "min-kernel", "repeated-index"],
  ...["always-holds", "dead-rule", "empty-mask", "bits-outside-mask"],
  ...["cannot-start", "cannot-end", "rule-order", "no-names"],
  ...["native-only", "no-such-call-here"],
]);
