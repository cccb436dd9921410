/**
 * Reads an OCI section from JSON for the tests, with exact integers and without
 * code of `profile/`.
 *
 * @module
 */

import type {
  LinuxSeccomp,
  ScmpAction,
  ScmpOp,
} from "../../profile/formats/oci.ts";

/** A section as JSON has it. */
interface RawSection {
  readonly defaultAction: ScmpAction;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[] | null;
  readonly syscalls?:
    | readonly {
      readonly names: readonly string[];
      readonly action: ScmpAction;
      readonly errnoRet?: number | null;
      readonly args?:
        | readonly {
          readonly index: number;
          readonly value: bigint | number;
          readonly valueTwo?: bigint | number;
          readonly op: ScmpOp;
        }[]
        | null;
    }[]
    | null;
}

/**
 * Parses JSON; `value` and `valueTwo` become exact.
 *
 * @param text The document.
 * @returns The value; the caller knows its shape.
 */
export function parseExact(text: string): unknown {
  return JSON.parse(
    text,
    (key: string, value: unknown, context?: { readonly source: string }) =>
      typeof value === "number" && (key === "value" || key === "valueTwo")
        ? BigInt(context?.source ?? value)
        : value,
  );
}

/**
 * Makes a section from the result of {@linkcode parseExact}.
 *
 * @param raw A section in the shape of the runtime-spec; not checked.
 * @returns The section.
 */
export function toSection(raw: unknown): LinuxSeccomp {
  // Test data: the shape is that of the runtime-spec.
  const section = raw as RawSection;
  const { defaultErrnoRet } = section;
  return {
    defaultAction: section.defaultAction,
    ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }),
    architectures: section.architectures ?? [],
    syscalls: (section.syscalls ?? []).map((entry, i) => ({
      names: entry.names,
      action: entry.action,
      ...(typeof entry.errnoRet === "number"
        ? { errnoRet: entry.errnoRet }
        : {}),
      args: (entry.args ?? []).map((arg) => ({
        index: arg.index,
        value: BigInt(arg.value),
        valueTwo: BigInt(arg.valueTwo ?? 0),
        op: arg.op,
      })),
      path: `syscalls[${i}]`,
    })),
  };
}
