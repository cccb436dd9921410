/**
 * Calls as users write them: `openat`, `x86:102`, `0xc000003e:59`, `-1`.
 *
 * @module
 */

import { formatReturnValue } from "../../bpf/return_value.ts";
import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { didYouMean } from "../../tables/suggest.ts";
import { type Arch, archByName, ARCHES } from "../../tables/arch.ts";
import { quoteText } from "../../tables/printable.ts";
import { NAME } from "../command.ts";
import { UsageError } from "../error.ts";
import { archNames, syscallName } from "../output/names.ts";

/** Arguments of a call. */
const ARGUMENTS = 6;

/** Architecture and number of a call. */
export interface CallNumber {
  /** `AUDIT_ARCH_*`. */
  readonly arch: number;
  /** A u32. */
  readonly nr: number;
}

/**
 * Reads `name`, `number`, `arch:name` or `arch:number`, where arch may be an
 * `AUDIT_ARCH_*` value in hex.
 *
 * @param text Text of the user.
 * @param native Architecture of calls that name none.
 * @throws {UsageError} if there is no such call.
 */
export function parseCall(text: string, native: Arch): CallNumber {
  const colon = text.indexOf(":");
  const archText = colon === -1 ? native.name : text.slice(0, colon);
  const name = text.slice(colon + 1);
  const arch = archByName(archText);
  const auditArch = arch?.auditArch ??
    (/^0x[0-9a-f]{1,8}$/i.test(archText) ? Number(archText) : undefined);
  if (auditArch === undefined) {
    throw new UsageError(
      `Cannot read call "${text}": unknown architecture "${archText}"; use one of ${
        ARCHES.map((a) => a.name).join(", ")
      }, or an AUDIT_ARCH value in hex`,
    );
  }
  if (/^-?[0-9]/.test(name)) {
    return { arch: auditArch, nr: parseNumber(name) };
  }
  const nr = arch?.syscalls.get(name);
  if (nr === undefined) throw unknownCall(name, archText, arch);
  return { arch: auditArch, nr };
}

function parseNumber(text: string): number {
  const value = parseWord(text);
  const nr = Number(BigInt.asUintN(32, value));
  if (value !== BigInt(nr) && value !== BigInt.asUintN(64, BigInt(nr | 0))) {
    throw new UsageError(
      `Cannot read call number ${text}: it has more than 32 bits`,
    );
  }
  return nr;
}

function unknownCall(
  name: string,
  archText: string,
  arch: Arch | undefined,
): UsageError {
  const elsewhere = ARCHES.filter((arch) => arch.syscalls.has(name))
    .map((arch) => arch.name);
  const near = didYouMean(name, arch?.syscalls.keys() ?? []);
  const fix = elsewhere.length > 0
    ? `it exists on ${elsewhere.join(", ")}`
    : near === undefined
    ? `see "${NAME} syscalls"`
    : `did you mean "${near}"`;
  return new UsageError(
    `Cannot read call "${name}": unknown on ${archText}; ${fix}`,
  );
}

/**
 * Reads a 64-bit word: decimal, hex, octal, binary, negative.
 *
 * @param text The digits.
 * @param what Name of the value in messages.
 * @throws {UsageError} if the text is not a number.
 */
export function parseWord(text: string, what = "argument"): bigint {
  const match = /^(-?)(0x[0-9a-f]+|0o[0-7]+|0b[01]+|[0-9]+)$/i.exec(text);
  const value = match === null ? undefined : BigInt(match[2] ?? "0");
  const limit = match?.[1] === "-" ? 2n ** 63n : 2n ** 64n - 1n;
  if (value === undefined || value > limit) {
    throw new UsageError(
      `Cannot read ${what} ${
        quoteText(text)
      }: not a 64-bit integer; write 38, 0x26 or -1`,
    );
  }
  return BigInt.asUintN(64, match?.[1] === "-" ? -value : value);
}

/** Pads the arguments of a call with zeros. */
export function sixArguments(args: readonly string[]): readonly bigint[] {
  return Array.from({ length: ARGUMENTS }, (_, i) => parseWord(args[i] ?? "0"));
}

/** Writes a call in words: `socket(0x26, 0x1, …), number 41 on x86_64+x32`. */
export function describeCall(data: SeccompData): string {
  const name = syscallName(data.arch, data.nr) ?? "unknown";
  const args = argumentsOf(data).map(hexWord).join(", ");
  return `${name}(${args}), number ${data.nr} on ${describeArch(data.arch)}`;
}

/** Names an audit value, or writes it in hex. */
export function describeArch(auditArch: number): string {
  return archNames(auditArch) ?? `0x${auditArch.toString(16).padStart(8, "0")}`;
}

/** Writes a call so that `simulate` reads it back. */
export function wordsOfCall(data: SeccompData): readonly string[] {
  const [arch = `0x${data.arch.toString(16)}`] = (archNames(data.arch) ?? "")
    .split("+").filter((name) => name !== "");
  const args = argumentsOf(data).map(hexWord);
  while (args.at(-1) === "0x0") args.pop();
  const ip = data.instructionPointer === 0n
    ? []
    : ["--ip", hexWord(data.instructionPointer)];
  return [...ip, `${arch}:${data.nr}`, ...args];
}

/** A call and its verdict as JSON. */
export function jsonOfCall(
  data: SeccompData,
): Readonly<Record<string, unknown>> {
  return {
    arch: describeArch(data.arch),
    nr: data.nr,
    syscall: syscallName(data.arch, data.nr) ?? null,
    args: argumentsOf(data).map(hexWord),
    ...(data.instructionPointer === 0n
      ? {}
      : { ip: hexWord(data.instructionPointer) }),
  };
}

/** A return value as JSON. */
export function jsonOfValue(
  value: number,
  auditArch: number,
): { readonly value: number; readonly verdict: string } {
  return { value, verdict: formatReturnValue(value, auditArch) };
}

function argumentsOf(data: SeccompData): bigint[] {
  return Array.from({ length: ARGUMENTS }, (_, i) => data.args[i] ?? 0n);
}

function hexWord(value: bigint): string {
  return `0x${value.toString(16)}`;
}
