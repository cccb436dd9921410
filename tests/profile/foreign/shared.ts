/**
 * Parts that tests of foreign policies share: answers to calls by name, and
 * the problems of a text.
 *
 * @module
 */

import { assertThrows } from "@std/assert";
import { formatReturnValue } from "../../../bpf/return_value.ts";
import { ProfileError } from "../../../profile/diagnostic.ts";
import type { ForeignPolicy } from "../../../profile/foreign/foreign_policy.ts";
import { type Arch, archByName } from "../../../tables/arch.ts";
import { decide } from "../../../verify/decide.ts";

/** Finds an architecture. */
export function archOf(name: Arch["name"]): Arch {
  const arch = archByName(name);
  if (arch === undefined) throw new Error(`Unreachable: no ${name}`);
  return arch;
}

/**
 * Returns the answer to a call, such as `socket 1 2` or `x86:read`; `#335` is a
 * number.
 */
export function answer(read: ForeignPolicy, call: string): string {
  const [, word = "x86_64", name = "", rest = ""] =
    /^(?:(\w+):)?([#\w]+)(.*)$/.exec(call) ?? [];
  const arch = archOf(word as Arch["name"]);
  const nr = name.startsWith("#")
    ? Number(name.slice(1))
    : arch.syscalls.get(name);
  if (nr === undefined) throw new Error(`Unreachable: no ${name} on ${word}`);
  const given = rest.trim().split(/\s+/).filter((text) => text !== "")
    .map(BigInt);
  const args = [...given, 0n, 0n, 0n, 0n, 0n, 0n].slice(0, 6);
  const data = { nr, arch: arch.auditArch, instructionPointer: 0n, args };
  return formatReturnValue(decide(read.policy, data).value);
}

/** Returns the problems of a text as `line:column message`. */
export function problems(read: () => unknown): readonly string[] {
  return assertThrows(read, ProfileError).diagnostics.map((
    { line, column, message },
  ) => `${line}:${column} ${message}`);
}
