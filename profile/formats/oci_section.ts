/**
 * Checks a JSON value against the seccomp section of the runtime-spec (oci.ts).
 *
 * If the specification and the runtimes leave a choice, the check refuses input
 * that would run with a different filter than was written: numbers that are not
 * integers as written, words that runtimes skip, errno values that they
 * truncate.
 *
 * @module
 */

import {
  eachItem,
  optional,
  readString,
  readWord,
  readWords,
  required,
} from "./fields.ts";
import { addError, addWarning, type CheckedPart } from "./findings.ts";
import type { JsonObject } from "../json/value.ts";
import { checkKeys } from "./keys.ts";
import {
  ACTIONS,
  ARCHITECTURES,
  type Dialect,
  FLAGS,
  readErrnoRet,
  refuseDockerFields,
} from "./oci_fields.ts";
import { readSyscall } from "./oci_syscall.ts";
import type { LinuxSeccomp, LinuxSyscall } from "./oci.ts";

/** Fields of the section. */
export const SECTION_FIELDS: readonly string[] = [
  "defaultAction",
  "defaultErrnoRet",
  "architectures",
  "flags",
  "listenerPath",
  "listenerMetadata",
  "syscalls",
];
/** Fields of the whole document that only Docker and Podman know. */
export const DOCKER_SECTION_FIELDS: readonly string[] = [
  "archMap",
  "defaultErrno",
];
/** All fields; `comment` has no effect. */
const ALL_FIELDS: readonly string[] = [
  ...SECTION_FIELDS,
  ...DOCKER_SECTION_FIELDS,
  "comment",
];

/**
 * Reads the section, adding its problems to the findings.
 *
 * @param part The section.
 * @param dialect Expected set of fields. Docker's own fields are accepted for
 * `docker` and left to the caller.
 * @returns The section without its invalid parts; valid only if no error was
 * found.
 */
export function readSeccomp(
  part: CheckedPart<JsonObject>,
  dialect: Dialect,
): LinuxSeccomp {
  checkKeys(part, ALL_FIELDS);
  if (dialect === "oci") refuseDockerFields(part, DOCKER_SECTION_FIELDS);
  const actionPart = required(
    part,
    "defaultAction",
    'say what calls without a rule get, such as "SCMP_ACT_ERRNO"',
  );
  const defaultAction = actionPart && readWord(actionPart, ACTIONS);
  const defaultErrnoRet = readErrnoRet(part, "defaultErrnoRet", defaultAction);
  const archPart = optional(part, "architectures");
  const flagsPart = optional(part, "flags");
  const syscallsPart = optional(part, "syscalls");
  const architectures = archPart === undefined
    ? []
    : readWords(archPart, ARCHITECTURES);
  const flags = flagsPart === undefined
    ? undefined
    : readWords(flagsPart, FLAGS);
  const listener = readListener(part);
  const syscalls: LinuxSyscall[] = [];
  if (syscallsPart !== undefined) {
    for (const item of eachItem(syscallsPart, "an array of rules")) {
      const syscall = readSyscall(item, dialect);
      if (syscall !== undefined) syscalls.push(syscall);
    }
  }
  checkListener(part, listener, syscalls);
  return {
    defaultAction: defaultAction ?? "SCMP_ACT_KILL_PROCESS",
    ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }),
    architectures,
    ...(flags === undefined ? {} : { flags }),
    ...listener,
    syscalls,
  };
}

/** The listener of notifications. */
type Listener = Pick<LinuxSeccomp, "listenerPath" | "listenerMetadata">;

/** Reads the listener of notifications. */
function readListener(part: CheckedPart<JsonObject>): Listener {
  const listener: { -readonly [K in keyof Listener]?: string } = {};
  for (const field of ["listenerPath", "listenerMetadata"] as const) {
    const member = optional(part, field);
    const text = member && readString(member, "a string");
    if (text !== undefined && text !== "") listener[field] = text;
  }
  return listener;
}

/** Checks that notifications and their listener occur together. */
function checkListener(
  part: CheckedPart<JsonObject>,
  listener: Listener,
  syscalls: readonly LinuxSyscall[],
): void {
  const { findings, path, value } = part;
  if (
    listener.listenerMetadata !== undefined &&
    listener.listenerPath === undefined
  ) {
    addError(findings, {
      code: "metadata-without-listener",
      at: value,
      path,
      message: 'Field "listenerMetadata" needs "listenerPath"',
      fix: "add the path of the listener, or remove the metadata",
    });
  }
  if (listener.listenerPath !== undefined) return;
  const notify = syscalls.find((s) => s.action === "SCMP_ACT_NOTIFY");
  if (notify === undefined) return;
  addWarning(findings, {
    code: "notify-without-listener",
    at: value,
    path: notify.path,
    message:
      "SCMP_ACT_NOTIFY without listenerPath fails every call with ENOSYS",
    fix: 'add "listenerPath"',
  });
}
