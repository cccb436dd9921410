/**
 * Writes a section of the OCI runtime-spec, or a profile of Docker, as text.
 * Numbers of 64 bits stay exact.
 *
 * @module
 */

import type { DockerArch, DockerSeccomp, DockerSyscall } from "./docker.ts";
import type { DockerFilter } from "./docker_filter.ts";
import type { LinuxSeccompArg } from "./oci.ts";

/** A rule, and a comment for people. */
export interface CommentedSyscall extends DockerSyscall {
  readonly comment?: string;
}

/** A section whose rules may have comments. */
export interface CommentedSection extends DockerSeccomp {
  readonly syscalls: readonly CommentedSyscall[];
}

/** A value: text on one line, or parts on separate lines. */
type Layout = string | {
  readonly brackets: "[]" | "{}";
  readonly parts: readonly (readonly [key: string, value: Layout])[];
};
/** A field, or `undefined`. */
type Field = readonly [key: string, value: Layout] | undefined;

/**
 * Writes a section with one name per line, so that changes are easy to review.
 *
 * @example One rule
 * ```ts
 * import { writeSection } from "./write_section.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const text = writeSection({
 *   defaultAction: "SCMP_ACT_ERRNO",
 *   architectures: ["SCMP_ARCH_X86_64"],
 *   syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW", args: [], path: "" }],
 * });
 * assertEquals(JSON.parse(text).syscalls, [{ names: ["read"], action: "SCMP_ACT_ALLOW" }]);
 * ```
 *
 * @param section The section.
 * @returns JSON that ends in a line feed.
 */
export function writeSection(section: CommentedSection): string {
  const { archMap, flags } = section;
  const layout = fieldsOf([
    word("defaultAction", section.defaultAction),
    number("defaultErrnoRet", section.defaultErrnoRet),
    archMap === undefined
      ? ["architectures", wordsOf(section.architectures)]
      : ["archMap", itemsOf(archMap.map(archText))],
    flags === undefined ? undefined : ["flags", wordsOf(flags)],
    word("listenerPath", section.listenerPath),
    word("listenerMetadata", section.listenerMetadata),
    ["syscalls", itemsOf(section.syscalls.map(ruleLayout))],
  ]);
  return `${textOf(layout, "")}\n`;
}

function ruleLayout(rule: CommentedSyscall): Layout {
  return fieldsOf([
    ["names", wordsOf(rule.names)],
    word("action", rule.action),
    number("errnoRet", rule.errnoRet),
    rule.args.length === 0
      ? undefined
      : ["args", itemsOf(rule.args.map(argText))],
    word("comment", rule.comment === "" ? undefined : rule.comment),
    filterField("includes", rule.includes),
    filterField("excludes", rule.excludes),
  ]);
}

function argText({ index, value, valueTwo, op }: LinuxSeccompArg): string {
  const two = valueTwo === 0n && op !== "SCMP_CMP_MASKED_EQ"
    ? ""
    : `, "valueTwo": ${valueTwo}`;
  return `{ "index": ${index}, "value": ${value}${two}, "op": "${op}" }`;
}

function archText({ architecture, subArchitectures }: DockerArch): string {
  return `{ "architecture": ${
    JSON.stringify(architecture)
  }, "subArchitectures": ${JSON.stringify(subArchitectures)} }`;
}

function filterField(key: string, filter: DockerFilter | undefined): Field {
  if (filter === undefined) return undefined;
  const { caps, arches, minKernel } = filter;
  const parts = [
    ...(caps.length === 0 ? [] : [`"caps": ${JSON.stringify(caps)}`]),
    ...(arches.length === 0 ? [] : [`"arches": ${JSON.stringify(arches)}`]),
    ...(minKernel === undefined
      ? []
      : [`"minKernel": "${minKernel.major}.${minKernel.minor}"`]),
  ];
  return [key, parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`];
}

function word(key: string, value: string | undefined): Field {
  return value === undefined ? undefined : [key, JSON.stringify(value)];
}

function number(key: string, value: number | undefined): Field {
  return value === undefined ? undefined : [key, String(value)];
}

function wordsOf(words: readonly string[]): Layout {
  return itemsOf(words.map((item) => JSON.stringify(item)));
}

function itemsOf(items: readonly Layout[]): Layout {
  return { brackets: "[]", parts: items.map((item) => ["", item]) };
}

function fieldsOf(fields: readonly Field[]): Layout {
  return {
    brackets: "{}",
    parts: fields.flatMap((field) =>
      field === undefined ? [] : [[`"${field[0]}": `, field[1]] as const]
    ),
  };
}

function textOf(layout: Layout, indent: string): string {
  if (typeof layout === "string") return layout;
  const { brackets: [open, close], parts } = layout;
  if (parts.length === 0) return `${open}${close}`;
  const inner = `${indent}  `;
  const lines = parts.map(([key, part]) =>
    `${inner}${key}${textOf(part, inner)}`
  );
  return `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}
