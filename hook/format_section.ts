/**
 * Writes a section as container managers write it: with Go's `encoding/json`,
 * from the struct `LinuxSeccomp` of runtime-spec, `specs-go/config.go`. The
 * store finds a filter by the exact text of its section.
 *
 * @module
 */

import type { LinuxSeccomp, LinuxSyscall } from "../profile/formats/oci.ts";

/**
 * Writes a section as Go's `encoding/json` writes runtime-spec's struct.
 *
 * @param seccomp The section.
 * @returns One line.
 */
export function formatSection(seccomp: LinuxSeccomp): string {
  const { architectures, flags = [], listenerPath, listenerMetadata } = seccomp;
  return object([
    ["defaultAction", text(seccomp.defaultAction)],
    ["defaultErrnoRet", seccomp.defaultErrnoRet?.toString()],
    ["architectures", list(architectures.map(text))],
    ["flags", list(flags.map(text))],
    ["listenerPath", listenerPath ? text(listenerPath) : undefined],
    ["listenerMetadata", listenerMetadata ? text(listenerMetadata) : undefined],
    ["syscalls", list(seccomp.syscalls.map(formatSyscall))],
  ]);
}

function formatSyscall(syscall: LinuxSyscall): string {
  const args = syscall.args.map(({ index, value, valueTwo, op }) =>
    object([
      ["index", String(index)],
      ["value", String(value)],
      ["valueTwo", valueTwo === 0n ? undefined : String(valueTwo)],
      ["op", text(op)],
    ])
  );
  return object([
    ["names", list(syscall.names.map(text)) ?? "[]"],
    ["action", text(syscall.action)],
    ["errnoRet", syscall.errnoRet?.toString()],
    ["args", list(args)],
  ]);
}

/** An object of the members that are present. */
function object(
  members: readonly (readonly [key: string, value: string | undefined])[],
): string {
  const parts = members.flatMap(([key, value]) =>
    value === undefined ? [] : [`"${key}":${value}`]
  );
  return `{${parts.join(",")}}`;
}

/** A list; Go omits an empty one. */
function list(items: readonly string[]): string | undefined {
  return items.length === 0 ? undefined : `[${items.join(",")}]`;
}

/** Text, with the characters that Go escapes in addition to JSON's own. */
function text(value: string): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
