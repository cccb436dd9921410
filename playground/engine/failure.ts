/**
 * Errors of the core as findings.
 *
 * @module
 */

import { AssemblyError } from "../../bpf/error.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import type { PageFinding } from "../messages.ts";

/** Thrown with findings that stop a request. */
export class PageRefusal extends Error {
  override readonly name = "PageRefusal";
  readonly findings: readonly PageFinding[];

  /**
   * Builds the error.
   *
   * @param findings At least one.
   */
  constructor(findings: readonly PageFinding[]) {
    super(findings[0]?.message);
    this.findings = findings;
  }
}

/** Makes the error of one sentence. */
export function pageRefusal(message: string): PageRefusal {
  return new PageRefusal([{ severity: "error", message }]);
}

/** Lists the findings of any error; all of them, each with its place. */
export function findingsOf(error: unknown): readonly PageFinding[] {
  if (error instanceof PageRefusal) return error.findings;
  if (error instanceof ProfileError) return error.diagnostics;
  if (error instanceof AssemblyError) {
    return error.all.map(({ detail, line, column }) => ({
      severity: "error",
      message: detail,
      line,
      column,
    }));
  }
  const message = error instanceof Error ? error.message : String(error);
  return [{ severity: "error", message }];
}
