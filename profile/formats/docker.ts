/**
 * Docker's and Podman's profile format: the OCI section plus conditions on the
 * machine and the container. `includes` and `excludes` restrict a rule,
 * `archMap` lists the architectures that accompany the native one. Docker 1.10
 * to 1.12 wrote one `name` per rule; Podman names errno values and ignores
 * `minKernel`.
 *
 * Sources: moby/profiles seccomp.go and seccomp_linux.go (`setupSeccomp`),
 * containers/common pkg/seccomp, and experiments with Podman 4.3.1.
 *
 * @module
 */

import { errnoNumber } from "../../tables/errno.ts";
import { readFilter } from "./docker_filter.ts";
import type { DockerFilter } from "./docker_filter.ts";
import {
  eachItem,
  optional,
  readString,
  readWord,
  readWords,
  required,
  wrongKind,
} from "./fields.ts";
import { addError, type CheckedPart } from "./findings.ts";
import type { JsonObject, JsonValue } from "../json/value.ts";
import { checkKeys } from "./keys.ts";
import type { LinuxSeccomp, LinuxSyscall } from "./oci.ts";
import { readSeccomp } from "./oci_section.ts";
import { ARCHITECTURES, isEmpty } from "./oci_fields.ts";
import { quote } from "../text.ts";

/** An architecture and its companions. */
export interface DockerArch {
  /** `SCMP_ARCH_*` name of the native architecture. */
  readonly architecture: string;
  /** `SCMP_ARCH_*` names of the companions. */
  readonly subArchitectures: readonly string[];
}

/** A rule and its conditions on the host. */
export interface DockerSyscall extends LinuxSyscall {
  /** The rule applies only if all of this is true. */
  readonly includes?: DockerFilter;
  /** The rule does not apply if any of this is true. */
  readonly excludes?: DockerFilter;
}

/**
 * A parsed and checked profile in Docker's format; an OCI section is one as
 * well.
 */
export interface DockerSeccomp extends LinuxSeccomp {
  /**
   * Architectures by native architecture; absent if the profile has no such
   * field.
   */
  readonly archMap?: readonly DockerArch[];
  /** All rules, in order. */
  readonly syscalls: readonly DockerSyscall[];
}

/**
 * Reads a profile in Docker's format, adding its problems to the findings.
 *
 * @param part The profile.
 * @returns The profile; valid only if no error was found.
 */
export function readDocker(part: CheckedPart<JsonObject>): DockerSeccomp {
  const section = readSeccomp(part, "docker");
  const defaultErrnoRet = mergeErrno(part, {
    name: "defaultErrno",
    number: "defaultErrnoRet",
    read: section.defaultErrnoRet,
  });
  const archMap = readArchMap(part);
  const items = optional(part, "syscalls")?.value;
  const rules = items?.kind === "array" ? items.items : [];
  const syscalls: DockerSyscall[] = [];
  // The valid rules, in the same order.
  const left = section.syscalls.values();
  let next = left.next().value;
  const prefix = part.path === "" ? "" : `${part.path}.`;
  let i = 0;
  for (const value of rules) {
    const path = `${prefix}syscalls[${i++}]`;
    if (value.kind !== "object") continue;
    const conditions = readConditions({ findings: part.findings, value, path });
    if (next?.path !== path) continue;
    const syscall = next;
    next = left.next().value;
    const errnoRet = mergeErrno({ findings: part.findings, value, path }, {
      name: "errno",
      number: "errnoRet",
      read: syscall.errnoRet,
    });
    const isSame = errnoRet === syscall.errnoRet &&
      conditions.includes === undefined && conditions.excludes === undefined;
    syscalls.push(
      isSame ? syscall : {
        ...syscall,
        ...(errnoRet === undefined ? {} : { errnoRet }),
        ...conditions,
      },
    );
  }
  return {
    ...section,
    ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }),
    ...(archMap === undefined ? {} : { archMap }),
    syscalls,
  };
}

/** Reads the conditions of a rule. */
function readConditions(
  rule: CheckedPart<JsonObject>,
): Pick<DockerSyscall, "includes" | "excludes"> {
  const includes = readFilter(rule, "includes");
  const excludes = readFilter(rule, "excludes");
  return {
    ...(includes === undefined ? {} : { includes }),
    ...(excludes === undefined ? {} : { excludes }),
  };
}

/** Fields of an entry of `archMap`. */
export const ARCH_FIELDS: readonly string[] = [
  "architecture",
  "subArchitectures",
];

/** Reads `archMap`. */
function readArchMap(
  part: CheckedPart<JsonObject>,
): readonly DockerArch[] | undefined {
  const member = optional(part, "archMap");
  if (member === undefined) return undefined;
  const architectures = optional(part, "architectures");
  if (
    architectures !== undefined && !isEmpty(architectures.value) &&
    !isEmpty(member.value)
  ) {
    addError(part.findings, {
      code: "architectures-and-arch-map",
      at: member.value,
      path: member.path,
      message: 'Profile has both "architectures" and "archMap"',
      fix: "keep one of the two",
    });
  }
  const map: DockerArch[] = [];
  for (const item of eachItem(member, "an array of architectures")) {
    const arch = readArch(item);
    if (arch !== undefined) map.push(arch);
  }
  return map;
}

/** Reads one entry of `archMap`. */
function readArch(part: CheckedPart<JsonValue>): DockerArch | undefined {
  const { findings, path, value } = part;
  if (value.kind !== "object") {
    wrongKind(part, "an architecture (an object)");
    return undefined;
  }
  const entry: CheckedPart<JsonObject> = { findings, path, value };
  checkKeys(entry, ARCH_FIELDS);
  const native = required(entry, "architecture", 'such as "SCMP_ARCH_X86_64"');
  const subs = optional(entry, "subArchitectures");
  const architecture = native && readWord(native, ARCHITECTURES);
  const subArchitectures = subs === undefined
    ? []
    : readWords(subs, ARCHITECTURES);
  return architecture === undefined
    ? undefined
    : { architecture, subArchitectures };
}

/**
 * Two spellings of one errno: Podman writes the name in addition to the number.
 */
interface ErrnoFields {
  /** Field with the name. */
  readonly name: string;
  /** Field with the number. */
  readonly number: string;
  /** The number that was read. */
  readonly read: number | undefined;
}

/** Reads the name of an errno and checks that it agrees with the number. */
function mergeErrno(
  part: CheckedPart<JsonObject>,
  fields: ErrnoFields,
): number | undefined {
  const member = optional(part, fields.name);
  if (member === undefined || isEmpty(member.value)) return fields.read;
  const { value: at, path } = member;
  const name = readString(member, "the name of an errno");
  if (name === undefined) return fields.read;
  const number = errnoNumber(name);
  if (number === undefined) {
    addError(part.findings, {
      code: "unknown-errno",
      at,
      path,
      message: `Unknown errno ${quote(name)}`,
      fix: 'use a name such as "EPERM", in upper case',
    });
  } else if (fields.read !== undefined && fields.read !== number) {
    addError(part.findings, {
      code: "errno-disagrees",
      at,
      path,
      message: `${name} is ${number}, but ${fields.number} is ${fields.read}`,
      fix: "make both the same; Docker takes the number, Podman the name",
    });
  }
  return fields.read ?? number;
}
