/**
 * The words of the runtime-spec's seccomp section, and the fields that occur in
 * more than one place of it.
 *
 * @module
 */

import { optional, readUnsigned, type Vocabulary } from "./fields.ts";
import { addError, addWarning, type CheckedPart } from "./findings.ts";
import type { JsonObject, JsonValue } from "../json/value.ts";
import type { ScmpAction, ScmpOp } from "./oci.ts";
import { quote } from "../text.ts";

/** Whose fields are read: Docker's format adds some that runtimes ignore. */
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

/** The flags of the runtime-spec; the kernel has more, which runtimes refuse. */
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

/** Largest errno the kernel hands out. Source: linux/seccomp.h, MAX_ERRNO. */
const MAX_ERRNO = 4095n;
/** Largest data of a filter's return value. */
const MAX_DATA = 0xffffn;
/** Largest number beside an action that takes none: a u32 of the runtime-spec. */
const MAX_UNUSED = 0xffff_ffffn;

/**
 * Reads the data of an action. Data beside an action that takes none is read
 * too: what it means is for the runtime to say.
 *
 * @param part The object with the field.
 * @param field Name of the field.
 * @param action The action it belongs to; `undefined` if that is wrong already.
 * @returns The data, or `undefined` if absent or wrong.
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
  const max = !takesData(action)
    ? MAX_UNUSED
    : action === "SCMP_ACT_TRACE"
    ? MAX_DATA
    : MAX_ERRNO;
  const number = readUnsigned(errno, { what: field, code: "bad-errno", max });
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
 * Says whether an action carries data.
 *
 * @param action The action; `undefined` if it is wrong, then no error follows
 * from it.
 * @returns Whether it is ERRNO or TRACE.
 */
export function takesData(action: ScmpAction | undefined): boolean {
  return action === undefined || action === "SCMP_ACT_ERRNO" ||
    action === "SCMP_ACT_TRACE";
}

/**
 * Refuses fields that only Docker and Podman know: a runtime would go on
 * without them. Empty ones say nothing and pass.
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
 * Says whether a value has nothing in it.
 *
 * @param value Any value.
 * @returns Whether it is an empty object, array or string.
 */
export function isEmpty(value: JsonValue): boolean {
  return (value.kind === "object" && value.members.length === 0) ||
    (value.kind === "array" && value.items.length === 0) ||
    (value.kind === "string" && value.value === "");
}
