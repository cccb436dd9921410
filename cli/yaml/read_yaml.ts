/**
 * Profiles in YAML: the `SeccompProfile` objects of the Security Profiles
 * Operator, one or several in a file, whose `spec` is an OCI section.
 *
 * @module
 */

import { moduleUrl } from "../../host/packed.ts";
import { messageOf } from "../../host/reason.ts";
import { type Diagnostic, ProfileError } from "../../profile/diagnostic.ts";
import {
  type ParsedProfile,
  readProfileDocument,
} from "../../profile/formats/parse.ts";
import { tooLong } from "../../profile/json/read.ts";
import {
  findMember,
  type JsonDocument,
  type JsonObject,
  type JsonValue,
} from "../../profile/json/value.ts";
import { decodeUtf8, diagnosticAt, lineStartsOf } from "../../profile/text.ts";
import { MachineError } from "../error.ts";

/**
 * Maximum length of a text in bytes: a Kubernetes object has at most 1.5 MiB.
 */
const MAX_YAML_LENGTH = 4 * 1024 * 1024;

/** The documents of a text, or the first problem. */
export type YamlTree =
  | { readonly roots: readonly JsonValue[] }
  | {
    readonly message: string;
    /** Offset in the text. */
    readonly at: number;
  };

/** A SeccompProfile. */
export interface YamlProfile {
  /** `metadata.name`; empty if it has none. */
  readonly name: string;
  /** Its `spec`, with places in the whole text. */
  readonly document: JsonDocument;
}

/** Word of a source that names one profile or filter of a file. */
const NAMED = /^(.+\.(?:ya?ml|json))#([^#/]*)$/;

/**
 * Splits a word such as `profiles.yaml#nginx`, or `filters.json#vmm`.
 *
 * @param word A source word.
 * @returns The file, and the name of the profile in it; absent if it names none.
 */
export function splitNamedWord(
  word: string,
): { readonly file: string; readonly name: string } | undefined {
  const [, file, name] = NAMED.exec(word) ?? [];
  return file === undefined || name === undefined ? undefined : { file, name };
}

/**
 * Reads the SeccompProfiles of a text; other objects are skipped.
 *
 * @param bytes The text.
 * @returns The profiles, in their order, at least one.
 * @throws {ProfileError} if it cannot be read, or has no SeccompProfile.
 * @throws {MachineError} if the library is not available.
 */
export async function readYamlProfiles(
  bytes: Uint8Array,
): Promise<readonly YamlProfile[]> {
  if (bytes.length > MAX_YAML_LENGTH) {
    throw tooLong(bytes.length, MAX_YAML_LENGTH);
  }
  const text = decodeUtf8(bytes);
  const lineStarts = lineStartsOf(text);
  const problem = (
    message: string,
    at: number,
    more: Partial<Diagnostic> = {},
  ): ProfileError =>
    new ProfileError([{
      ...{ severity: "error", code: "yaml", path: "", message },
      ...diagnosticAt(lineStarts, at),
      ...more,
    }]);
  const tree = (await loadReader())(text);
  if ("message" in tree) {
    throw problem(`Cannot read YAML: ${tree.message}`, tree.at);
  }
  const objects = tree.roots.flatMap((root) =>
    root.kind === "object" && textOf(root, "kind") === "SeccompProfile"
      ? [root]
      : []
  );
  const found = objects.map((object): YamlProfile => {
    const metadata = findMember(object, "metadata");
    const name = metadata?.kind === "object"
      ? textOf(metadata, "name") ?? ""
      : "";
    const spec = findMember(object, "spec");
    if (spec?.kind !== "object") {
      throw problem(
        "Cannot read a profile from a SeccompProfile without a spec",
        object.start,
      );
    }
    const base = findMember(spec, "baseProfileName");
    if (base !== undefined && base.kind !== "null") {
      throw problem(
        "Cannot read a SeccompProfile with a base: its rules are elsewhere",
        base.start,
        {
          path: "baseProfileName",
          fix:
            "give the profile that the operator has written below /var/lib/kubelet/seccomp/operator",
        },
      );
    }
    return { name, document: { text, lineStarts, root: sectionOf(spec) } };
  });
  if (found.length > 0) return found;
  throw problem("Cannot read a profile from YAML without a SeccompProfile", 0, {
    fix: "give a SeccompProfile, or the profile as JSON",
  });
}

/**
 * Chooses a profile, and reads it.
 *
 * @param profiles The profiles of a file.
 * @param name Name of the requested profile; required if there are several.
 * @returns The profile.
 * @throws {ProfileError} if it cannot be used, or is not there.
 */
export function chooseYamlProfile(
  profiles: readonly YamlProfile[],
  name: string | undefined,
): ParsedProfile {
  const [first, second] = name === undefined
    ? profiles
    : profiles.filter((profile) => profile.name === name);
  if (first !== undefined && second === undefined) {
    return readProfileDocument(first.document, { kind: "oci" });
  }
  const names = profiles.map((profile) => profile.name).join(", ");
  throw new ProfileError([{
    ...{ severity: "error", code: "yaml", path: "" },
    message: name === undefined
      ? `Cannot choose among ${profiles.length} profiles: ${names}`
      : second === undefined
      ? `Cannot find the profile "${name}": the file has ${names}`
      : `Cannot choose among profiles that have one name: ${name}`,
    fix: "write FILE.yaml#NAME",
  }]);
}

/** Removes fields that do not belong to the section. */
function sectionOf(spec: JsonObject): JsonObject {
  const members = spec.members.filter(({ key }) =>
    key.value !== "disabled" && key.value !== "baseProfileName"
  );
  return { ...spec, members };
}

function textOf(object: JsonObject, key: string): string | undefined {
  const value = findMember(object, key);
  return value?.kind === "string" ? value.value : undefined;
}

/** The module that has the library. */
interface YamlLibrary {
  readonly readYaml: (text: string) => YamlTree;
  readonly writeYaml: (value: unknown) => string;
}

/** Loads the reader. */
async function loadReader(): Promise<YamlLibrary["readYaml"]> {
  return (await loadYaml("read")).readYaml;
}

/**
 * Loads the library, which Deno fetches from npm the first time; the single file
 * contains it.
 *
 * @param verb The action, for the message.
 * @throws {MachineError} if it is not available.
 */
export async function loadYaml(verb: "read" | "write"): Promise<YamlLibrary> {
  const url = await moduleUrl("cli/yaml/tree.ts");
  try {
    return await import(url);
  } catch (error) {
    const reason = messageOf(error).split("\n")[0]?.slice(0, 200);
    const remedy = verb === "read" ? "give the profile as JSON" : "write JSON";
    throw new MachineError(
      `Cannot ${verb} YAML: Deno cannot load the library from npm (${reason}); ${remedy}, or use the single file, which has the library`,
      { cause: error },
    );
  }
}
