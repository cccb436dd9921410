/**
 * Denied calls, as text and as JSON.
 *
 * @module
 */

import { formatReturnValue } from "../../bpf/return_value.ts";
import type { Denial } from "../../ffi/traced/supervise.ts";
import { argumentsOf, formatArgument } from "../../tables/arguments.ts";
import { printable } from "../../tables/printable.ts";
import type { CallMemory } from "../input/call_memory.ts";
import { archOfNumber, callName, syscallName } from "./names.ts";

/** A denied call, with known facts about its thread. */
export interface NamedDenial extends Denial<CallMemory> {
  /** Name of the thread. */
  readonly comm: string | undefined;
  /** Path of the program. */
  readonly exe: string | undefined;
  /** The mapped file of the call, and the offset in it. */
  readonly place:
    | { readonly file: string; readonly offset: bigint }
    | undefined;
  /** The rule that decided; absent for a bare filter. */
  readonly rule: string | undefined;
}

/** One argument. */
interface ShownArgument {
  readonly name: string;
  readonly value: string;
  /** The value in names, or the memory that it points to. */
  readonly text?: string;
}

/** Number of arguments of a call. */
const ARGUMENTS = 6;

function argumentsOfDenial(
  { data, facts }: NamedDenial,
): readonly ShownArgument[] {
  const arch = archOfNumber(data.arch, data.nr);
  const call = syscallName(data.arch, data.nr);
  const known = arch === undefined || call === undefined
    ? undefined
    : argumentsOf(arch, call);
  return Array.from({ length: known?.length ?? ARGUMENTS }, (_, i) => {
    const value = data.args[i] ?? 0n;
    const text = facts[i] ??
      (arch === undefined || call === undefined
        ? undefined
        : formatArgument(arch, call, i, value, data.args));
    return {
      name: known?.[i]?.name ?? `arg${i}`,
      value: numberText(value, known?.[i]?.kind === "pointer"),
      ...(text === undefined ? {} : { text }),
    };
  });
}

/** Small numbers are decimal, and negative ones have a sign. */
function numberText(value: bigint, isPointer: boolean): string {
  const signed = BigInt.asIntN(64, value);
  const isSmall = signed > -4096n && signed < 0x1_0000n;
  return isSmall && !(isPointer && value !== 0n)
    ? String(signed)
    : `0x${value.toString(16)}`;
}

/** Writes a call with its arguments by name. */
export function denialCall(denial: NamedDenial): string {
  const { arch, nr } = denial.data;
  const args = argumentsOfDenial(denial).map(({ name, value, text }) =>
    `${name} ${text ?? value}`
  );
  return `${callName(arch, nr) ?? `call ${nr}`}(${args.join(", ")})`;
}

/** Writes a denial: the call and its answer, then who and why. */
export function denialLines(denial: NamedDenial): string {
  const { pid, tid, comm, exe, place, rule, value, allowed, stable } = denial;
  const verdict = formatReturnValue(value, denial.data.arch);
  const at = place === undefined
    ? ""
    : ` at ${place.file}+0x${place.offset.toString(16)}`;
  const lines = [
    `${denialCall(denial)} → ${verdict}${allowed ? ", but allowed here" : ""}`,
    `  by    ${comm ?? "?"}[${tid === pid ? pid : `${pid}/${tid}`}] ${
      exe ?? ""
    }${at}`,
    ...(rule === undefined ? [] : [`  rule  ${rule}`]),
    ...(stable ? [] : ["  note  memory of the arguments changed meanwhile"]),
  ];
  return lines.map((line) => `${printable(line)}\n`).join("");
}

/** Makes the JSON of a denial. */
export function jsonOfDenial(
  denial: NamedDenial,
): Readonly<Record<string, unknown>> {
  const { data, pid, tid, comm, exe, place, rule, value, allowed } = denial;
  return {
    call: syscallName(data.arch, data.nr) ?? null,
    nr: data.nr,
    arch: archOfNumber(data.arch, data.nr)?.name ?? null,
    args: argumentsOfDenial(denial),
    verdict: formatReturnValue(value, data.arch),
    ...(rule === undefined ? {} : { rule }),
    ...{ allowed, stable: denial.stable, pid, tid },
    comm: comm ?? null,
    exe: exe ?? null,
    place: place === undefined
      ? null
      : { file: place.file, offset: `0x${place.offset.toString(16)}` },
    ip: `0x${data.instructionPointer.toString(16)}`,
  };
}
