/**
 * The rewrite itself: one more annotation in a `config.json`, with every other
 * byte unchanged.
 *
 * The text is never printed from a parsed value: 18446744073709551615, `1E400`,
 * `-0`, escapes and blanks are left unchanged, because only the new member is
 * written. `linux.seccomp` is never touched: a runtime that ignores the
 * annotation still enforces the section.
 *
 * ```text
 * {"ociVersion":"1.0.2","annotations":{"a":"b"},…
 *                                      ▲ "run.oci.seccomp_bpf_data":"…",
 * {"ociVersion":"1.0.2",…
 *  ▲ "annotations":{"run.oci.seccomp_bpf_data":"…"},
 * ```
 *
 * @module
 */

import { ANNOTATION } from "../tables/annotation.ts";
import { ProfileError } from "../profile/diagnostic.ts";
import { readJson } from "../profile/json/read.ts";
import {
  findMember,
  type JsonDocument,
  type JsonObject,
  type JsonString,
} from "../profile/json/value.ts";
import { foldKey } from "../profile/text.ts";
import { RefusedError } from "./error.ts";

/**
 * Maximum length of a configuration, in bytes or UTF-16 units: 16 Mi; real ones
 * take 10 Ki.
 */
export const MAX_CONFIG_LENGTH: number = 16 * 1024 * 1024;

/** A document whose root is an object. */
export interface ObjectDocument extends JsonDocument {
  /** The object. */
  readonly root: JsonObject;
}

/** A `config.json` and its relevant positions. */
export interface ConfigText {
  /** The text as given. */
  readonly text: string;
  /** The entire configuration. */
  readonly root: JsonObject;
  /**
   * `linux.seccomp` exactly as written; absent if the container is
   * unconfined (no section, or null).
   */
  readonly section?: string;
  /** The section as parsed with the rest; absent if the section is absent. */
  readonly sectionDocument?: ObjectDocument;
  /** The value of an existing annotation. */
  readonly annotation?: JsonString;
}

/**
 * Reads the parts of a `config.json` that the rewrite needs, and refuses text
 * that two readers could understand differently: a repeated key anywhere, a key
 * that Go's readers would accept in another case, comments, a byte order mark.
 *
 * @example A container without a filter
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readConfigText } from "./rewrite.ts";
 *
 * assertEquals(readConfigText('{"linux":{}}').section, undefined);
 * ```
 *
 * @param text The configuration.
 * @param document The configuration, if it was parsed before.
 * @returns Text and positions.
 * @throws {RefusedError} `bad-config` if it is malformed or ambiguous.
 */
export function readConfigText(
  text: string,
  document: ObjectDocument = parseObject(text),
): ConfigText {
  const { root } = document;
  const linux = memberOf(root, "linux", "object");
  const section = linux === undefined
    ? undefined
    : memberOf(linux, "seccomp", "object");
  const annotations = memberOf(root, "annotations", "object");
  const annotation = annotations === undefined
    ? undefined
    : annotationOf(annotations);
  return {
    text,
    root,
    ...(section === undefined ? {} : {
      section: text.slice(section.start, section.end),
      sectionDocument: { ...document, root: section },
    }),
    ...(annotation === undefined ? {} : { annotation }),
  };
}

/**
 * Adds the annotation to a configuration that has none.
 *
 * @example Numbers beyond doubles survive
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { addAnnotation, readConfigText } from "./rewrite.ts";
 *
 * const config = readConfigText('{"hard":18446744073709551615,"annotations":{}}');
 * assertEquals(
 *   addAnnotation(config, "BgAAAAAA/38="),
 *   '{"hard":18446744073709551615,"annotations":' +
 *     '{"run.oci.seccomp_bpf_data":"BgAAAAAA/38="}}',
 * );
 * ```
 *
 * @param config The configuration.
 * @param value The filter as base64.
 * @returns The text with the annotation.
 * @throws {RangeError} if there is already an annotation, or the value is not
 * base64.
 */
export function addAnnotation(config: ConfigText, value: string): string {
  const { text, root, annotation } = config;
  if (annotation !== undefined) {
    throw new RangeError(
      `Cannot add the annotation ${ANNOTATION}: it already exists: verify it`,
    );
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) {
    throw new RangeError(
      "Cannot add the annotation: its value is not base64: encode the filter",
    );
  }
  const member = `"${ANNOTATION}":"${value}"`;
  const annotations = findMember(root, "annotations");
  if (annotations === undefined) {
    return insert(text, root, `"annotations":{${member}}`);
  }
  if (annotations.kind === "object") return insert(text, annotations, member);
  // The value is null, which memberOf() treats as absent.
  return `${text.slice(0, annotations.start)}{${member}}${
    text.slice(annotations.end)
  }`;
}

/** Inserts a member before the first one of an object. */
function insert(text: string, object: JsonObject, member: string): string {
  const at = object.start + 1;
  const comma = object.members.length === 0 ? "" : ",";
  return `${text.slice(0, at)}${member}${comma}${text.slice(at)}`;
}

/**
 * Reads a text whose root must be an object and which has only one meaning.
 *
 * @param text JSON without comments.
 * @returns The document.
 * @throws {RefusedError} `bad-config` if it is not.
 */
export function parseObject(text: string): ObjectDocument {
  if (text.charCodeAt(0) === 0xfeff) {
    throw bad("it starts with a byte order mark, which runtimes refuse");
  }
  let document;
  try {
    const reading = readJson(text, {
      maxLength: MAX_CONFIG_LENGTH,
      comments: "reject",
    });
    const errors = reading.diagnostics.filter((d) => d.severity === "error");
    if (errors.length > 0) throw new ProfileError(errors);
    document = reading.document;
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    throw bad(firstOf(error), { cause: error });
  }
  const { root } = document;
  if (root.kind !== "object") {
    throw bad(`it is a JSON ${root.kind}, not an object`);
  }
  return { ...document, root };
}

/**
 * Reports the first problem of a document with its position.
 *
 * @param error All problems.
 * @param path Path of the document in its file.
 * @returns One line without a final period.
 */
export function firstOf(error: ProfileError, path = ""): string {
  const errors = error.diagnostics.filter((d) => d.severity === "error");
  const first = errors[0];
  if (first === undefined) return error.message;
  const { line, column = 1 } = first;
  const place = line === undefined ? "" : `line ${line}, column ${column}: `;
  const paths = [path, first.path].filter((part) => part !== "").join(".");
  const where = paths === "" ? "" : `${paths}: `;
  const more = errors.length === 1 ? "" : ` (and ${errors.length - 1} more)`;
  return `${place}${where}${first.message}${
    first.fix === undefined ? "" : `: ${first.fix}`
  }${more}`;
}

/** Finds a member of an object by its name; null counts as absent. */
function memberOf(
  object: JsonObject,
  name: string,
  kind: "object",
): JsonObject | undefined {
  for (const { key } of object.members) {
    if (key.value !== name && foldKey(key.value) === name) {
      throw bad(
        `it has a key "${key.value}", which some runtimes read as "${name}"`,
      );
    }
  }
  const value = findMember(object, name);
  if (value === undefined || value.kind === "null") return undefined;
  if (value.kind !== kind) {
    throw bad(`"${name}" is of kind ${value.kind}, not ${kind}`);
  }
  return value;
}

/**
 * The annotation's value; every value must be a string, as runtimes require.
 */
function annotationOf(annotations: JsonObject): JsonString | undefined {
  for (const { key, value } of annotations.members) {
    if (value.kind !== "string") {
      throw bad(
        `annotation ${
          JSON.stringify(key.value.slice(0, 80))
        } is of kind ${value.kind}, not string`,
      );
    }
  }
  const value = findMember(annotations, ANNOTATION);
  return value?.kind === "string" ? value : undefined;
}

function bad(seen: string, options?: ErrorOptions): RefusedError {
  return new RefusedError(
    "bad-config",
    `Cannot use the configuration: ${seen}`,
    options,
  );
}
