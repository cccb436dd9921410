/**
 * One rule of a seccomp section: names, action, comparisons.
 *
 * @module
 */

import {
  eachItem,
  optional,
  readString,
  readUnsigned,
  readWord,
  required,
  wrongKind,
} from "./fields.ts";
import { addError, addWarning, type CheckedPart } from "./findings.ts";
import type { JsonObject, JsonValue } from "../json/value.ts";
import { checkKeys } from "./keys.ts";
import type { LinuxSeccompArg, LinuxSyscall } from "./oci.ts";
import {
  ACTIONS,
  type Dialect,
  isEmpty,
  OPERATORS,
  readErrnoRet,
  refuseDockerFields,
} from "./oci_fields.ts";

/** Fields of a rule that only Docker and Podman know. */
export const DOCKER_RULE_FIELDS: readonly string[] = [
  "name",
  "includes",
  "excludes",
  "errno",
];
/** Fields of a rule; `comment` is for people. */
export const RULE_FIELDS: readonly string[] = [
  "names",
  "action",
  "errnoRet",
  "args",
  "comment",
  ...DOCKER_RULE_FIELDS,
];
/** Fields of a comparison. */
export const ARG_FIELDS: readonly string[] = [
  "index",
  "value",
  "valueTwo",
  "op",
];
/** Number of arguments of a system call. */
export const MAX_ARGS = 6;
/** Largest number to compare with: a u64. */
export const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/**
 * Reads one rule.
 *
 * @param part The rule.
 * @param dialect Expected set of fields.
 * @returns The rule, or `undefined` after an error that leaves nothing usable.
 */
export function readSyscall(
  part: CheckedPart<JsonValue>,
  dialect: Dialect,
): LinuxSyscall | undefined {
  const { findings, path, value } = part;
  if (value.kind !== "object") {
    wrongKind(part, "a rule (an object)");
    return undefined;
  }
  const rule: CheckedPart<JsonObject> = { findings, path, value };
  checkKeys(rule, RULE_FIELDS);
  if (dialect === "oci") refuseDockerFields(rule, DOCKER_RULE_FIELDS);
  const names = readNames(rule, dialect);
  const fix = 'say what the calls get, such as "SCMP_ACT_ALLOW"';
  const actionPart = required(rule, "action", fix);
  const action = actionPart && readWord(actionPart, ACTIONS);
  const errnoRet = readErrnoRet(rule, "errnoRet", action);
  const args = readArgs(rule);
  if (actionPart === undefined || action === undefined) return undefined;
  return {
    names,
    action,
    ...(errnoRet === undefined ? {} : { errnoRet }),
    args,
    path,
  };
}

/** Reads `names`, or Docker's old `name`. */
function readNames(
  rule: CheckedPart<JsonObject>,
  dialect: Dialect,
): readonly string[] {
  const old = optional(rule, "name");
  const list = optional(rule, "names");
  // The old form is already refused: an error about missing names would repeat
  // it.
  if (dialect === "oci" && old !== undefined && list === undefined) return [];
  if (dialect === "docker" && old !== undefined && !isEmpty(old.value)) {
    if (list !== undefined && !isEmpty(list.value)) {
      addError(rule.findings, {
        code: "name-and-names",
        at: old.value,
        path: old.path,
        message: 'Rule has both "name" and "names"',
        fix: "move the name into the names",
      });
    }
    const name = readString(old, "the name of a system call");
    return name === undefined ? [] : [name];
  }
  const part = required(rule, "names", "list the names of the system calls");
  if (part === undefined) return [];
  const names: string[] = [];
  for (const item of eachItem(part, "an array of names")) {
    const name = readString(item, "the name of a system call");
    if (name !== undefined) names.push(name);
  }
  if (isEmpty(part.value)) {
    addWarning(rule.findings, {
      code: "no-names",
      at: part.value,
      path: part.path,
      message: "Rule names no system call, so it has no effect",
      fix: "add a name or remove the rule",
    });
  }
  return names.slice();
}

/** Reads `args`. */
function readArgs(rule: CheckedPart<JsonObject>): readonly LinuxSeccompArg[] {
  const part = optional(rule, "args");
  if (part === undefined) return [];
  const args: LinuxSeccompArg[] = [];
  for (const item of eachItem(part, "an array of comparisons")) {
    const arg = readArg(item);
    if (arg !== undefined) args.push(arg);
  }
  return args.slice();
}

/** Reads one comparison. */
function readArg(part: CheckedPart<JsonValue>): LinuxSeccompArg | undefined {
  const { findings, path, value: object } = part;
  if (object.kind !== "object") {
    wrongKind(part, "a comparison (an object)");
    return undefined;
  }
  const arg: CheckedPart<JsonObject> = { findings, path, value: object };
  checkKeys(arg, ARG_FIELDS);
  const indexPart = required(arg, "index", "give the argument, 0 to 5");
  const valuePart = required(arg, "value", "give the number to compare with");
  const opPart = required(
    arg,
    "op",
    `use one of ${OPERATORS.words.join(", ")}`,
  );
  const twoPart = optional(arg, "valueTwo");
  const index = indexPart && readUnsigned(indexPart, {
    what: "Argument index",
    code: "bad-index",
    max: BigInt(MAX_ARGS - 1),
  });
  const value = valuePart && readU64(valuePart, "value");
  const valueTwo = twoPart === undefined ? 0n : readU64(twoPart, "valueTwo");
  const op = opPart && readWord(opPart, OPERATORS);
  if (
    index === undefined || value === undefined || valueTwo === undefined ||
    op === undefined
  ) return undefined;
  return { index: Number(index), value, valueTwo, op };
}

/** Reads a number to compare with. */
function readU64(
  part: CheckedPart<JsonValue>,
  what: string,
): bigint | undefined {
  return readUnsigned(part, { what, code: "bad-value", max: MAX_U64 });
}
