/**
 * Checks entries without a system call table: values that the runtimes refuse,
 * and constructs whose meaning is not what it seems to be.
 *
 * @module
 */

import { MAX_ERRNO_RET } from "../semantics/action.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { LinuxSeccomp, LinuxSyscall, ScmpOp } from "./oci.ts";

/** Largest u64. */
const LARGEST = 0xffff_ffff_ffff_ffffn;

/** Refuses errno values that libseccomp refuses. */
export function checkErrnos(seccomp: LinuxSeccomp): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const checkOne = (
    action: string,
    errnoRet: number | undefined,
    path: string,
  ): void => {
    if (action !== "SCMP_ACT_ERRNO" || errnoRet === undefined) return;
    if ((errnoRet & 0xffff) > MAX_ERRNO_RET) {
      diagnostics.push({
        severity: "error",
        code: "errno-range",
        path,
        message: `Cannot return errno ${errnoRet}: out of range`,
        fix: `use 1 to ${MAX_ERRNO_RET}`,
      });
    }
  };
  checkOne(seccomp.defaultAction, seccomp.defaultErrnoRet, "defaultErrnoRet");
  for (const entry of seccomp.syscalls) {
    checkOne(entry.action, entry.errnoRet, `${entry.path}.errnoRet`);
  }
  return diagnostics;
}

/** Warns about entries whose meaning is not what it seems to be. */
export function checkEntries(
  entries: readonly LinuxSyscall[],
  options: { readonly strict?: boolean },
): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const entry of entries) {
    if (repeatsIndex(entry)) {
      diagnostics.push({
        severity: options.strict === true ? "error" : "warning",
        code: "repeated-index",
        path: `${entry.path}.args`,
        message:
          "Several conditions on one argument: the runtimes take all conditions of this entry as alternatives (OR)",
        fix:
          "write one entry per alternative, or use SCMP_CMP_MASKED_EQ for a conjunction",
      });
    }
    for (const [i, { op, value, valueTwo }] of entry.args.entries()) {
      const path = `${entry.path}.args[${i}]`;
      if (op !== "SCMP_CMP_MASKED_EQ") {
        const constant = constantBound(op, value);
        if (constant === undefined) continue;
        diagnostics.push({
          severity: "warning",
          code: constant ? "always-holds" : "dead-rule",
          path,
          message: constant
            ? `${op} ${value}: this condition is always true`
            : `${op} ${value}: this condition is never true, so the rule has no effect`,
          fix: "remove it, or correct the value",
        });
        continue;
      }
      if (value === 0n) {
        diagnostics.push({
          severity: "warning",
          code: "empty-mask",
          path,
          message: "Mask 0: this condition is always true",
          fix: "remove it, or give the mask in value and the bits in valueTwo",
        });
      } else if ((valueTwo & ~value) !== 0n) {
        diagnostics.push({
          severity: "warning",
          code: "bits-outside-mask",
          path: `${path}.valueTwo`,
          message: `Bits 0x${valueTwo.toString(16)} outside the mask 0x${
            value.toString(16)
          } are ignored`,
          fix: `write ${valueTwo & value}`,
        });
      }
    }
  }
  return diagnostics;
}

/**
 * The constant result of a bound at the end of the 64-bit numbers; `undefined`
 * for other comparisons.
 */
function constantBound(op: ScmpOp, value: bigint): boolean | undefined {
  if (value === 0n && op === "SCMP_CMP_LT") return false;
  if (value === 0n && op === "SCMP_CMP_GE") return true;
  if (value === LARGEST && op === "SCMP_CMP_GT") return false;
  if (value === LARGEST && op === "SCMP_CMP_LE") return true;
  return undefined;
}

/** Reports whether an entry names an argument twice. */
export function repeatsIndex(entry: LinuxSyscall): boolean {
  return new Set(entry.args.map((a) => a.index)).size < entry.args.length;
}
