/**
 * Reads the filters of Firecracker: JSON with one filter for each category of
 * threads.
 *
 * ```json
 * { "vmm": { "default_action": "trap", "filter_action": "allow", "filter": [
 *     { "syscall": "ioctl", "args": [
 *       { "index": 1, "type": "dword", "op": "eq", "val": 44672 } ] } ] } }
 * ```
 *
 * Sources: Firecracker 1.14, docs/seccompiler.md and src/seccompiler. Since
 * 1.11 libseccomp makes the filters: `dword` then matters for `eq` only, and
 * all other comparisons are of 64 bits. Before that, `dword` compared the low
 * 32 bits with every operator, so such rules are reported.
 *
 * @module
 */

import { readJson } from "../json/read.ts";
import { findMember, type JsonObject, type JsonValue } from "../json/value.ts";
import { quote } from "../text.ts";
import { actionMember, FirecrackerReader } from "./firecracker_filter.ts";
import {
  type ForeignMachine,
  type ForeignPolicy,
  libseccompPolicy,
} from "./foreign_policy.ts";

/** Options of reading. */
export interface FirecrackerOptions extends ForeignMachine {
  /** Category of threads; of several, one has to be named. */
  readonly category?: string | undefined;
}

/**
 * Reads one filter.
 *
 * @example One call, and no other
 * ```ts
 * import { archByName } from "../../tables/arch.ts";
 * import { readFirecracker } from "./firecracker.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const native = archByName("x86_64");
 * if (native === undefined) throw new Error("Unreachable: no x86_64");
 * const text = `{ "vmm": { "default_action": "trap", "filter_action": "allow",
 *   "filter": [{ "syscall": "read" }] } }`;
 * const { policy } = readFirecracker(text, { native });
 * assertEquals(policy.defaultValue, 0x0003_0000);
 * ```
 *
 * @param text The JSON.
 * @param options The machine and the category.
 * @returns The meaning.
 * @throws {ProfileError} if it cannot be used; it has every problem.
 */
export function readFirecracker(
  text: string,
  { native, knows, category }: FirecrackerOptions,
): ForeignPolicy {
  const { document } = readJson(text);
  const reader = new FirecrackerReader(text, native);
  const { name, filter } = chooseCategory(document.root, category, reader);
  const section = filter && reader.section(filter, name);
  const diagnostics = reader.report.settle();
  if (section === undefined) throw new Error("Unreachable: no filter");
  return {
    policy: libseccompPolicy(section, [native], knows),
    arches: [native],
    diagnostics,
  };
}

/** Reports whether a value is one filter. */
function isFilter(value: JsonValue): boolean {
  return value.kind === "object" &&
    findMember(value, "filter") !== undefined &&
    actionMember(value, "default") !== undefined;
}

function chooseCategory(
  root: JsonValue,
  wanted: string | undefined,
  { report }: FirecrackerReader,
): { readonly name: string; readonly filter?: JsonObject } {
  const isSingle = isFilter(root);
  if (root.kind === "object" && isSingle && wanted === undefined) {
    return { name: "", filter: root };
  }
  const members = root.kind !== "object" || isSingle ? [] : root.members;
  const names = members.map(({ key }) => key.value);
  const fitting = wanted === undefined
    ? members
    : members.filter(({ key }) => key.value === wanted);
  const [first, second] = fitting;
  const all = names.map(quote).join(", ");
  if (first === undefined) {
    report.add(
      "error",
      root.start,
      wanted === undefined
        ? "Cannot find a filter of Firecracker"
        : `Cannot find the category ${quote(wanted)}`,
      names.length === 0
        ? 'write {"vmm": {"default_action": …, "filter_action": …, "filter": […]}}'
        : `give one of ${all}`,
    );
    return { name: "" };
  }
  if (second !== undefined) {
    report.add(
      "error",
      root.start,
      wanted === undefined
        ? `Cannot choose among ${members.length} filters: ${all}`
        : `Two filters are named ${quote(wanted)}`,
      "write FILE.json#NAME",
    );
    return { name: "" };
  }
  if (first.value.kind === "object" && isFilter(first.value)) {
    return { name: first.key.value, filter: first.value };
  }
  report.add(
    "error",
    first.value.start,
    `Cannot read the filter ${quote(first.key.value)}`,
    'give it "default_action", "filter_action" and "filter"',
  );
  return { name: "" };
}
