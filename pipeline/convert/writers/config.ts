/**
 * Writes a profile as `linux.seccomp` of a runtime configuration: in place of
 * the section of the source, of which all else stays as it is, or in a
 * configuration that has nothing else.
 *
 * @module
 */

import type { ParsedProfile } from "../../../profile/formats/parse.ts";
import { findMember, type JsonValue } from "../../../profile/json/value.ts";

/** The version of the specification in which all fields exist. */
const OCI_VERSION = "1.1.0";

/**
 * Writes a configuration.
 *
 * @param section The section as JSON that ends in a line feed.
 * @param source The source, if it is a profile.
 */
export function configText(
  section: string,
  source: ParsedProfile | undefined,
): string {
  const trimmed = section.trimEnd();
  const old = source?.kind === "config"
    ? memberOf(memberOf(source.document.root, "linux"), "seccomp")
    : undefined;
  if (source === undefined || old === undefined) {
    const indented = trimmed.replaceAll("\n", "\n    ");
    return `{
  "ociVersion": "${OCI_VERSION}",
  "linux": {
    "seccomp": ${indented}
  }
}
`;
  }
  const { text } = source.document;
  const lineStart = text.lastIndexOf("\n", old.start) + 1;
  const [indent = ""] = /^[ \t]*/.exec(text.slice(lineStart)) ?? [];
  return text.slice(0, old.start) +
    trimmed.replaceAll("\n", `\n${indent}`) + text.slice(old.end);
}

function memberOf(
  value: JsonValue | undefined,
  name: string,
): JsonValue | undefined {
  return value?.kind === "object" ? findMember(value, name) : undefined;
}
