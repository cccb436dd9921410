/**
 * The vocabularies of the runtime-spec's seccomp section, and the fields that
 * occur in more than one place.
 *
 * @module
 */

import { optional, readUnsigned, type Vocabulary } from "./fields.ts";
import { addError, addWarning, type CheckedPart } from "./findings.ts";
import type { JsonObject, JsonValue } from "../json/value.ts";
import type { ScmpAction, ScmpOp } from "./oci.ts";
import { quote } from "../text.ts";

/** Set of fields: Docker's format adds some that runtimes ignore. */
export type Dialect = "oci" | "docker";

/** The actions. */
export const ACTIONS: Vocabulary<ScmpAction> = {
  what: "action",
  code: "unknown-action",
  prefix: "SCMP_ACT_",
  words: [
    "SCMP_ACT_KILL",
    "SCMP_ACT_KILL_PROCESS",
    "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_TRAP",
    "SCMP_ACT_ERRNO",
    "SCMP_ACT_TRACE",
    "SCMP_ACT_ALLOW",
    "SCMP_ACT_LOG",
    "SCMP_ACT_NOTIFY",
  ],
};

/** The architectures of the runtime-spec, as of libseccomp 2.6. */
export const ARCHITECTURES: Vocabulary<string> = {
  what: "architecture",
  code: "unknown-architecture",
  prefix: "SCMP_ARCH_",
  words: [
    "SCMP_ARCH_X86",
    "SCMP_ARCH_X86_64",
    "SCMP_ARCH_X32",
    "SCMP_ARCH_ARM",
    "SCMP_ARCH_AARCH64",
    "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",
    "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64",
    "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PARISC",
    "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",
    "SCMP_ARCH_PPC64LE",
    "SCMP_ARCH_RISCV64",
    "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",
    "SCMP_ARCH_SH",
    "SCMP_ARCH_SHEB",
  ],
};

/**
 * The flags of the runtime-spec; the kernel has others, which runtimes refuse.
 */
export const FLAGS: Vocabulary<string> = {
  what: "flag",
  code: "unknown-flag",
  prefix: "SECCOMP_FILTER_FLAG_",
  words: [
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
  ],
};

/** The operators. */
export const OPERATORS: Vocabulary<ScmpOp> = {
  what: "operator",
  code: "unknown-operator",
  prefix: "SCMP_CMP_",
  words: [
    "SCMP_CMP_NE",
    "SCMP_CMP_LT",
    "SCMP_CMP_LE",
    "SCMP_CMP_EQ",
    "SCMP_CMP_GE",
    "SCMP_CMP_GT",
    "SCMP_CMP_MASKED_EQ",
  ],
};

/**
 * Largest errno that the kernel returns. Source: linux/seccomp.h, MAX_ERRNO.
 */
const MAX_ERRNO = 4095n;
/** Largest data of a filter's return value. */
const MAX_DATA = 0xffffn;
/** Largest number for an action without data: a u32 of the runtime-spec. */
const MAX_UNUSED = 0xffff_ffffn;

/**
 * Reads the data of an action. Data for an action without data is read as well:
 * its effect depends on the runtime.
 *
 * @param part The object with the field.
 * @param field Name of the field.
 * @param action The action it belongs to; `undefined` if that is invalid.
 * @returns The data, or `undefined` if it is absent or invalid.
 */
export function readErrnoRet(
  part: CheckedPart<JsonObject>,
  field: string,
  action: ScmpAction | undefined,
): number | undefined {
  const errno = optional(part, field);
  if (errno === undefined) return undefined;
  const at = errno.value;
  const { findings } = part;
  const { path } = errno;
  const max = largestErrnoRet(action);
  const largeCode = max === MAX_ERRNO ? "errno-too-large" : "bad-errno";
  const codes = { code: "bad-errno", largeCode };
  const number = readUnsigned(errno, { what: field, ...codes, max });
  if (number === 0n && action === "SCMP_ACT_ERRNO") {
    addWarning(findings, {
      code: "errno-zero",
      at,
      path,
      message: `${field} 0 makes a call pretend to succeed without running`,
      fix: "use 1 (EPERM) or 38 (ENOSYS)",
    });
  }
  return number === undefined ? undefined : Number(number);
}

/**
 * Finds the largest number that a profile may give with an action.
 *
 * @param action The action; `undefined` if it is invalid.
 * @returns The number; for an action without data any u32, which has no effect.
 */
export function largestErrnoRet(action: ScmpAction | undefined): bigint {
  if (!takesData(action)) return MAX_UNUSED;
  return action === "SCMP_ACT_TRACE" ? MAX_DATA : MAX_ERRNO;
}

/**
 * Reports whether an action carries data.
 *
 * @param action The action; `undefined` if it is invalid, so that no further
 * error follows from it.
 * @returns True for ERRNO and TRACE.
 */
export function takesData(action: ScmpAction | undefined): boolean {
  return action === undefined || action === "SCMP_ACT_ERRNO" ||
    action === "SCMP_ACT_TRACE";
}

/**
 * Refuses fields that only Docker and Podman know: a runtime would ignore them.
 * Empty ones have no effect and are accepted.
 *
 * @param part The object.
 * @param fields Their names.
 */
export function refuseDockerFields(
  part: CheckedPart<JsonObject>,
  fields: readonly string[],
): void {
  for (const field of fields) {
    const member = optional(part, field);
    if (member === undefined || isEmpty(member.value)) continue;
    addError(part.findings, {
      code: "docker-field",
      at: member.value,
      path: member.path,
      message: `Field ${
        quote(field)
      } is of Docker's format; runtimes ignore it here`,
      fix: "give the profile as a Docker profile, or resolve the field first",
    });
  }
}

/**
 * Reports whether a value is empty.
 *
 * @param value Any value.
 * @returns True for an empty object, array or string.
 */
export function isEmpty(value: JsonValue): boolean {
  return (value.kind === "object" && value.members.length === 0) ||
    (value.kind === "array" && value.items.length === 0) ||
    (value.kind === "string" && value.value === "");
}
