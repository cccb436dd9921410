/**
 * Exit codes, and the reporting of errors to users.
 *
 * @module
 */

import { messageOf } from "../host/reason.ts";
import { AssemblyError, ProgramError } from "../bpf/error.ts";
import { type Diagnostic, ProfileError } from "../profile/diagnostic.ts";
import { printable } from "../tables/printable.ts";
import {
  ClosedPipe,
  InputError,
  MachineError,
  NoFilterError,
  ReportedError,
  UnprovenError,
  UsageError,
} from "./error.ts";
import type { Io } from "./io.ts";

/** Exit codes; scripts depend on them. */
export const EXIT = {
  /** Yes, done. */
  ok: 0,
  /** The answer is no. */
  no: 1,
  /** The command line was wrong. */
  usage: 2,
  /** The input was invalid. */
  input: 3,
  /** Not proven, or a limit was reached: treat as no. */
  unproven: 4,
  /** This machine does not permit it. */
  machine: 5,
  /** An internal error. */
  fault: 70,
} as const;

/**
 * Reports an error and determines its exit code.
 *
 * @param io Stream for the message.
 * @param error The thrown value.
 * @returns The exit code.
 */
export function report(io: Io, error: unknown): number {
  if (error instanceof ClosedPipe) return EXIT.ok;
  if (error instanceof ReportedError) return error.code ?? EXIT.input;
  if (error instanceof ProfileError) {
    tellDiagnostics(io, undefined, error.diagnostics);
    return EXIT.input;
  }
  if (error instanceof NoFilterError) {
    const severity = error.other === undefined ? "note" : "warning";
    io.err(messageLine(io, severity, error.message, error.place));
    return EXIT.no;
  }
  const code = codeOf(error);
  if (code !== EXIT.fault) {
    const place = error instanceof InputError ? error.place : undefined;
    io.err(messageLine(io, "error", messageOf(error), place));
    return code;
  }
  io.err(`${faultText(error)}\n`);
  return code;
}

/** Reports an error as a fault of the program, with its origin. */
export function faultText(error: unknown): string {
  const stack = error instanceof Error ? error.stack : undefined;
  return `error: Unexpected fault of seccomp-tree; please report it with the input\n${
    stack ?? messageOf(error)
  }`;
}

/**
 * Processes several inputs and reports the problems of each before continuing.
 *
 * @param io Stream for problems.
 * @param inputs The inputs.
 * @param work Processes one input; throws if it cannot be used.
 * @returns The inputs that could not be used, and their common exit code; 3 if
 * the codes differ, 0 if there are none.
 */
export async function forEachInput<T>(
  io: Io,
  inputs: readonly T[],
  work: (input: T) => Promise<void>,
): Promise<{ readonly failed: readonly T[]; readonly code: number }> {
  const failed: T[] = [];
  const codes = new Set<number>();
  for (const input of inputs) {
    try {
      await work(input);
    } catch (error) {
      if (error instanceof ClosedPipe) throw error;
      codes.add(report(io, error));
      failed.push(input);
    }
  }
  const [code = EXIT.ok] = codes;
  const common = codes.size > 1 ? EXIT.input : code;
  return { failed, code: codes.has(EXIT.fault) ? EXIT.fault : common };
}

function codeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof InputError || error instanceof ProgramError) {
    return EXIT.input;
  }
  if (error instanceof AssemblyError) return EXIT.input;
  if (error instanceof UnprovenError) return EXIT.unproven;
  if (error instanceof MachineError) return EXIT.machine;
  // Loading ffi/ just for its class would slow down the start of every command.
  if (error instanceof Error && error.name === "SyscallError") {
    return EXIT.machine;
  }
  if (error instanceof Deno.errors.NotCapable) return EXIT.machine;
  return EXIT.fault;
}

/**
 * Writes findings, one line each: `file:line:column: error: path: message: fix`.
 *
 * @param io Stream for the messages.
 * @param file Name of the source; omitted if unknown.
 * @param diagnostics The findings.
 */
export function tellDiagnostics(
  io: Io,
  file: string | undefined,
  diagnostics: readonly Diagnostic[],
): void {
  for (const { severity, path, message, fix, line, column } of diagnostics) {
    const place = [file, line, column].filter((x) => x !== undefined).join(":");
    const parts = [
      ...(path === "" ? [] : [path]),
      message,
      ...(fix === undefined ? [] : [fix]),
    ];
    io.err(messageLine(io, severity, parts.join(": "), place));
  }
}

/**
 * Formats one line of a message: `place: severity: text`.
 *
 * @param io Its color setting is used.
 * @param severity Severity.
 * @param text Text of the message.
 * @param place Position; omitted if empty or absent.
 */
export function messageLine(
  io: Io,
  severity: Diagnostic["severity"],
  text: string,
  place = "",
): string {
  const where = place === "" ? "" : `${printable(place)}: `;
  return `${where}${label(io, severity)}: ${printable(text)}\n`;
}

const COLORS: Readonly<Record<Diagnostic["severity"], number>> = {
  error: 31,
  warning: 33,
  note: 36,
};

function label(io: Io, severity: Diagnostic["severity"]): string {
  if (!io.color) return severity;
  return `\x1b[1;${COLORS[severity]}m${severity}\x1b[0m`;
}
