/**
 * Reads what is given to the page: a profile, or filters in one of the forms
 * that need nothing but the text.
 *
 * @module
 */

import type { ParsedFilters } from "../../bpf/assembly/link_filters.ts";
import { decodeBase64 } from "../../bpf/base64.ts";
import { check } from "../../bpf/check.ts";
import { decodeFilter } from "../../bpf/filter.ts";
import { fromHex } from "../../bpf/hex.ts";
import { parseFilters } from "../../bpf/text.ts";
import { guessKind } from "../../cli/input/sources/guess.ts";
import {
  type ParsedProfile,
  parseProfile,
} from "../../profile/formats/parse.ts";
import { findMember } from "../../profile/json/value.ts";
import { readJson } from "../../profile/json/read.ts";
import { ANNOTATION } from "../../tables/annotation.ts";
import type { Arch } from "../../tables/arch.ts";
import type { Given } from "../messages.ts";
import { PageRefusal, pageRefusal } from "./failure.ts";

/** A profile, or filters in some form. */
export type PageSource =
  | { readonly kind: "profile"; readonly profile: ParsedProfile }
  | (ParsedFilters & { readonly kind: "filters"; readonly form: string });

/**
 * Reads what was given.
 *
 * @param given The text.
 * @param arch The chosen architecture, for what a filter does not show.
 * @throws {Error} if it cannot be read.
 */
export function readGiven(given: Given, arch: Arch): PageSource {
  const bytes = given.isBinary
    ? decodeBase64(given.text)
    : new TextEncoder().encode(given.text);
  if (bytes.length === 0 || !given.isBinary && given.text.trim() === "") {
    throw pageRefusal(
      "Cannot read it: it is empty; paste a profile or a filter",
    );
  }
  const kind = guessKind(given.name, bytes);
  switch (kind) {
    case "profile":
      return annotated(given.text, arch) ??
        { kind: "profile", profile: parseProfile(bytes) };
    case "raw":
      return oneFilter(bytes, "raw", arch);
    case "base64":
      return oneFilter(decodeBase64(given.text.replace(/\s/g, "")), kind, arch);
    case "hex":
      return oneFilter(fromHex(given.text.replace(/\s/g, "")), kind, arch);
    case "asm":
      return accepted({
        ...parseFilters(given.text, {
          arches: [arch.name],
          assumedArch: arch.name,
        }),
        kind: "filters",
        form: kind,
      });
    default:
      throw pageRefusal(
        `Cannot read the form ${kind} here: this page reads profiles in JSON, and filters as bytes, base64, hex or assembly; convert it with "seccomp-tree disasm"`,
      );
  }
}

/** The filter of crun's annotation, if the text is an object with one. */
function annotated(text: string, arch: Arch): PageSource | undefined {
  if (!text.includes(ANNOTATION)) return undefined;
  const { root } = readJson(text).document;
  const own = root.kind === "object" ? findMember(root, ANNOTATION) : undefined;
  return own?.kind === "string"
    ? oneFilter(decodeBase64(own.value), "annotation", arch)
    : undefined;
}

function oneFilter(bytes: Uint8Array, form: string, arch: Arch): PageSource {
  let filter;
  try {
    filter = decodeFilter(bytes);
  } catch {
    // The bytes do not show their order, or are not a filter in either.
    filter = decodeFilter(bytes, { littleEndian: arch.littleEndian });
  }
  const { program, littleEndian } = filter;
  return accepted({
    kind: "filters",
    form,
    programs: [program],
    littleEndian,
    order: "given",
  });
}

/** Refuses filters that the kernel would not load. */
function accepted(
  source: Extract<PageSource, { readonly kind: "filters" }>,
): PageSource {
  for (const [i, program] of source.programs.entries()) {
    const fault = check(program);
    if (fault === undefined) continue;
    const place = fault.pc === undefined
      ? undefined
      : source.places?.[i]?.[fault.pc];
    throw new PageRefusal([{
      severity: "error",
      message: fault.message.replace(
        "Cannot load program",
        "The kernel refuses the filter",
      ),
      ...place,
    }]);
  }
  return source;
}
