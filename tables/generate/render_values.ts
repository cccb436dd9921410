/**
 * Writes the files of argument values as text.
 *
 * @module
 */

import type { NamedValue, ReadSet } from "./read_values.ts";
import { header, wrap } from "./render.ts";
import type { SetGroup } from "./value_sets.ts";

/**
 * Text of `tables/values/NAME.ts`.
 *
 * @param group The file.
 * @param read Sets by name, for each architecture.
 * @param sources Sources that the first lines name.
 */
export function renderValues(
  { file, title, sets }: SetGroup,
  read: ReadonlyMap<string, ReadonlyMap<string, ReadSet>>,
  sources: readonly string[],
): string {
  const constant = `${file.toUpperCase()}_VALUES`;
  return `${header(`Names of argument values: ${title}.`, sources, [])}
import type { ValueSetData } from "../value_data.ts";

/** The sets. */
export const ${constant}: readonly ValueSetData[] = [
${sets.map(({ set }) => renderSet(set, read)).join("")}];
`;
}

/** One set: the names on x86_64, and the differences of other architectures. */
function renderSet(
  set: string,
  read: ReadonlyMap<string, ReadonlyMap<string, ReadSet>>,
): string {
  let base: ReadSet | undefined;
  const others = new Map<string, string[]>();
  for (const [arch, sets] of read) {
    const here = sets.get(set);
    if (here === undefined) throw new Error(`Unreachable: no set ${set}`);
    base ??= here;
    const entries = here.names.map(entryOf);
    const known = base.names.map(entryOf);
    const names = new Set(here.names.map(({ name }) => name));
    const text = wrapEntries([
      ...entries.filter((entry) => !known.includes(entry)),
      ...base.names.filter(({ name }) => !names.has(name))
        .map(({ name }) => `${name}-`),
    ]);
    if (String(here.fields) !== String(base.fields)) {
      throw new Error(`Cannot render ${set}: ${arch} has other fields`);
    }
    if (text !== "") others.set(text, [...others.get(text) ?? [], arch]);
  }
  return `  {
    set: "${set}",
    fields: [${
    base?.fields.map((mask) => `0x${mask.toString(16)}n`).join(", ")
  }],
    names: \`
${wrapEntries(base?.names.map(entryOf) ?? [])}
\`,
    others: [${
    [...others].map(([text, arches]) => `
      [
        "${arches.join(" ")}",
        \`
${text}
\`,
      ],`).join("")
  }${others.size > 0 ? "\n    " : ""}],
  },
`;
}

/** `NAME=1`, or `NAME~0x10` for a name that is never printed. */
function entryOf({ name, value, second }: NamedValue): string {
  const digits = value < 10n ? String(value) : `0x${value.toString(16)}`;
  return `${name}${second ? "~" : "="}${digits}`;
}

/** Entries in lines of at most 80 columns. */
function wrapEntries(entries: readonly string[]): string {
  return entries.length === 0 ? "" : wrap(entries.join(" "), "").join("\n");
}
