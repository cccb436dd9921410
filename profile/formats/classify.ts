/**
 * Detects the format of a profile from its document.
 *
 * @module
 */

import { describe, optional, wrongKind } from "./fields.ts";
import { addError, addNote, type CheckedPart } from "./findings.ts";
import { foreignValue } from "./foreign.ts";
import { join } from "../json/path.ts";
import type { JsonObject, JsonValue } from "../json/value.ts";
import { foldKey, quote } from "../text.ts";

/**
 * Kinds of documents: an OCI `linux.seccomp` section by itself; a profile with
 * Docker's or Podman's own fields; one of Docker 1.10 to 1.12 with one `name`
 * per rule; a complete runtime configuration. Docker and Podman read one format
 * in two ways, so `podman` is never detected: the user must name it.
 */
export type ProfileKind =
  | "oci"
  | "docker"
  | "docker-legacy"
  | "podman"
  | "config";

/** A document whose kind is known. */
export interface Classified {
  /** Its kind. */
  readonly kind: ProfileKind;
  /** The whole document. */
  readonly object: CheckedPart<JsonObject>;
}

/** Expected kind of a profile. */
const SHAPE =
  'an object with "defaultAction" and "syscalls", or a whole config.json';
/** Keys of a runtime configuration. Source: runtime-spec, config.md. */
export const CONFIG_KEYS: readonly string[] = [
  "ociVersion",
  "process",
  "root",
  "mounts",
  "hostname",
  "hooks",
  "annotations",
  "linux",
];
/** Fields of a rule that make a profile Docker's. */
const DOCKER_RULE_KEYS: readonly string[] = ["includes", "excludes", "errno"];

/**
 * Detects the kind of a document. Documents of other tools are refused by name.
 *
 * @param root The document.
 * @param wanted The required kind, if it is given.
 * @returns Its kind, or `undefined` after an error.
 */
export function classify(
  root: CheckedPart<JsonValue>,
  wanted: ProfileKind | undefined,
): Classified | undefined {
  const { findings, path, value } = root;
  const foreign = foreignValue(value);
  if (foreign !== undefined) {
    addError(findings, { ...foreign, at: value, path });
    return undefined;
  }
  if (value.kind !== "object") {
    addError(findings, {
      code: "not-a-profile",
      at: value,
      path,
      message: `Cannot read a profile from ${describe(value)}`,
      fix: `give ${SHAPE}`,
    });
    return undefined;
  }
  const object: CheckedPart<JsonObject> = { findings, path, value };
  const isConfig = isRuntimeConfig(object);
  if (wanted === undefined) {
    return { kind: isConfig ? "config" : sectionKind(object), object };
  }
  if (isConfig !== (wanted === "config")) {
    addError(findings, {
      code: "wrong-kind",
      at: value,
      path,
      message: isConfig
        ? `Expected a profile of kind ${wanted}, found a whole config.json`
        : "Expected a whole config.json, found a profile by itself",
      fix: "omit the kind, or give the other document",
    });
    return undefined;
  }
  return { kind: wanted, object };
}

/**
 * Finds the seccomp section of a runtime configuration.
 *
 * @param config The configuration.
 * @returns The section, or `undefined` if it is absent or null: unconfined.
 */
export function findSection(
  config: CheckedPart<JsonObject>,
): CheckedPart<JsonObject> | undefined {
  refuseOtherCase(config, "linux");
  const linux = optional(config, "linux");
  const part = linux === undefined ? undefined : asObject(linux);
  if (linux !== undefined && part === undefined) return undefined;
  if (part !== undefined) refuseOtherCase(part, "seccomp");
  const section = part === undefined ? undefined : optional(part, "seccomp");
  if (section !== undefined) return asObject(section);
  addNote(config.findings, {
    code: "unconfined",
    at: linux?.value ?? config.value,
    path: "linux.seccomp",
    message:
      "Configuration has no seccomp section: the container is unconfined",
  });
  return undefined;
}

/**
 * Detects a complete configuration; a document that is also a profile is an
 * error.
 */
function isRuntimeConfig(object: CheckedPart<JsonObject>): boolean {
  const member = object.value.members.find((m) =>
    CONFIG_KEYS.includes(m.key.value)
  );
  if (member === undefined) return false;
  const action = optional(object, "defaultAction");
  if (action !== undefined) {
    addError(object.findings, {
      code: "two-formats",
      at: action.value,
      path: action.path,
      message: `Document has "defaultAction" and ${quote(member.key.value)}: ` +
        "a profile and a config.json in one",
      fix: "give one of the two",
    });
  }
  return true;
}

/** Detects the kind of a profile. */
function sectionKind(object: CheckedPart<JsonObject>): ProfileKind {
  const syscalls = optional(object, "syscalls")?.value;
  const rules = syscalls?.kind === "array" ? syscalls.items : [];
  let kind: ProfileKind = optional(object, "archMap") === undefined &&
      optional(object, "defaultErrno") === undefined
    ? "oci"
    : "docker";
  for (const rule of rules) {
    if (rule.kind !== "object") continue;
    for (const { key, value } of rule.members) {
      if (value.kind === "null") continue;
      if (key.value === "name") return "docker-legacy";
      if (DOCKER_RULE_KEYS.includes(key.value)) kind = "docker";
    }
  }
  return kind;
}

/** Treats a value as an object. */
function asObject(
  part: CheckedPart<JsonValue>,
): CheckedPart<JsonObject> | undefined {
  const { findings, path, value } = part;
  if (value.kind === "object") return { findings, path, value };
  wrongKind(part, "an object");
  return undefined;
}

/** Refuses a key in another case, which Go's readers accept and C's do not. */
function refuseOtherCase(part: CheckedPart<JsonObject>, name: string): void {
  for (const { key } of part.value.members) {
    if (key.value === name || foldKey(key.value) !== name) continue;
    addError(part.findings, {
      code: "misspelt-field",
      at: key,
      path: join(part.path, key.value),
      message: `Unknown field ${quote(key.value)}`,
      fix: `did you mean ${
        quote(name)
      }; runtimes differ in whether they read it`,
    });
  }
}
