/**
 * Calls as users write them: `openat`, `x86:102`, `0xc000003e:59`, `-1`.
 *
 * @module
 */

import { formatReturnValue } from "../../bpf/return_value.ts";
import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { didYouMean } from "../../tables/suggest.ts";
import { type Arch, ARCHES } from "../../tables/arch.ts";
import { archByAnyName } from "../../tables/arch_names.ts";
import {
  argumentsOf,
  formatArgument,
  parseArgument,
} from "../../tables/arguments.ts";
import { parseInteger } from "../../tables/value_set.ts";
import { quoteText } from "../../tables/printable.ts";
import { NAME } from "../command.ts";
import { UsageError } from "../error.ts";
import {
  archNames,
  archOfNumber,
  archRemedy,
  syscallName,
} from "../output/names.ts";

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
 * Reads `name`, `number`, `arch:name`, `arch:number` or `x32_name`, where arch
 * is any usual name or an `AUDIT_ARCH_*` value in hex.
 *
 * @param text Text of the user.
 * @param native Architecture of calls that name none.
 * @throws {UsageError} if there is no such call.
 */
export function parseCall(text: string, native: Arch): CallNumber {
  const colon = text.indexOf(":");
  const prefixed = colon === -1 && text.startsWith("x32_");
  const archText = prefixed
    ? "x32"
    : colon === -1
    ? native.name
    : text.slice(0, colon);
  const name = prefixed ? text.slice(4) : text.slice(colon + 1);
  const arch = archByAnyName(archText);
  const auditArch = arch?.auditArch ??
    (/^0x[0-9a-f]{1,8}$/i.test(archText) ? Number(archText) : undefined);
  if (auditArch === undefined) {
    throw new UsageError(
      `Cannot read call ${quoteText(text)}: unknown architecture ${
        quoteText(archText)
      }; ${archRemedy(archText)}, or an AUDIT_ARCH value in hex`,
    );
  }
  if (/^-?[0-9]/.test(name)) {
    return { arch: auditArch, nr: parseNumber(name) };
  }
  const nr = arch?.syscalls.get(name) ?? arch?.syscalls.get(name.toLowerCase());
  if (nr === undefined) throw unknownCall(name, archText, arch);
  return { arch: auditArch, nr };
}

function parseNumber(text: string): number {
  const value = parseWord(text);
  const nr = Number(BigInt.asUintN(32, value));
  if (value !== BigInt(nr) && value !== BigInt.asUintN(64, BigInt(nr | 0))) {
    throw new UsageError(
      `Cannot read call number ${text}: it does not fit in 32 bits`,
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
  const value = parseInteger(text);
  if (value === undefined) {
    throw new UsageError(
      `Cannot read ${what} ${
        quoteText(text)
      }: not a 64-bit integer; write 38, 0x26 or -1`,
    );
  }
  return value;
}

/**
 * Reads the arguments of a call: numbers, and names such as `AF_VSOCK` or
 * `PROT_READ|PROT_EXEC` where the argument has them. Missing ones are 0.
 *
 * @param texts At most six words.
 * @param call The call.
 * @throws {UsageError} if a word is neither a number nor a name of the argument.
 */
export function parseArguments(
  texts: readonly string[],
  { arch: auditArch, nr }: CallNumber,
): readonly bigint[] {
  const arch = archOfNumber(auditArch, nr);
  const call = syscallName(auditArch, nr) ?? "";
  const args: bigint[] = [];
  for (const [i, text] of texts.entries()) {
    // In no call does a later argument choose the names of an earlier one.
    args.push(
      arch === undefined
        ? parseWord(text)
        : parsed(() => parseArgument(arch, call, i, text, args)),
    );
  }
  return Array.from({ length: ARGUMENTS }, (_, i) => args[i] ?? 0n);
}

function parsed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

/**
 * Writes a call in words: `socket(AF_ALG, SOCK_STREAM, 0), number 41 on
 * x86_64+x32`.
 */
export function describeCall(data: SeccompData): string {
  const name = syscallName(data.arch, data.nr) ?? "unknown";
  const args = argumentTexts(data).join(", ");
  return `${name}(${args}), number ${data.nr} on ${describeArch(data.arch)}`;
}

/**
 * Writes the arguments of a call: names if they have any, else numbers.
 * Arguments that a call does not take are omitted if they are 0.
 */
function argumentTexts(data: SeccompData): readonly string[] {
  const args = sixOf(data);
  const arch = archOfNumber(data.arch, data.nr);
  const call = syscallName(data.arch, data.nr);
  const takes = arch === undefined || call === undefined
    ? undefined
    : argumentsOf(arch, call);
  const last = args.findLastIndex((value) => value !== 0n);
  return args.slice(0, Math.max(takes?.length ?? ARGUMENTS, last + 1)).map(
    (value, i) => textOfArgument(data, value, i) ?? numberText(value),
  );
}

function textOfArgument(
  { arch: auditArch, nr, args }: SeccompData,
  value: bigint,
  index: number,
): string | undefined {
  const arch = archOfNumber(auditArch, nr);
  const call = syscallName(auditArch, nr);
  if (arch === undefined || call === undefined) return undefined;
  return formatArgument(arch, call, index, value, args);
}

/** Names an audit value, or writes it in hex. */
export function describeArch(auditArch: number): string {
  return archNames(auditArch) ?? `0x${auditArch.toString(16).padStart(8, "0")}`;
}

/** Writes a call so that `simulate` reads it back. */
export function wordsOfCall(data: SeccompData): readonly string[] {
  const arch = archOfNumber(data.arch, data.nr);
  const call = syscallName(data.arch, data.nr) ?? data.nr;
  const args = sixOf(data).map((value, i) =>
    textOfArgument(data, value, i) ?? hexWord(value)
  );
  const used = sixOf(data).findLastIndex((value) => value !== 0n) + 1;
  const ip = data.instructionPointer === 0n
    ? []
    : ["--ip", hexWord(data.instructionPointer)];
  const archText = arch?.name ?? `0x${data.arch.toString(16)}`;
  return [...ip, `${archText}:${call}`, ...args.slice(0, used)];
}

/** A call and its verdict as JSON: `args` are numbers, `arguments` their names. */
export function jsonOfCall(
  data: SeccompData,
): Readonly<Record<string, unknown>> {
  return {
    arch: describeArch(data.arch),
    nr: data.nr,
    syscall: syscallName(data.arch, data.nr) ?? null,
    args: sixOf(data).map(hexWord),
    arguments: argumentTexts(data),
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

function sixOf(data: SeccompData): bigint[] {
  return Array.from({ length: ARGUMENTS }, (_, i) => data.args[i] ?? 0n);
}

function hexWord(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** A number as people write it, such as 0, 7 or 0x26. */
function numberText(value: bigint): string {
  return value < 10n ? String(value) : hexWord(value);
}
