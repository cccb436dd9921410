/**
 * Exit codes, and how errors are told to people.
 *
 * @module
 */

import { AssemblyError, ProgramError } from "../bpf/error.ts";
import { SizeError } from "../compiler/size.ts";
import { type Diagnostic, ProfileError } from "../profile/error.ts";
import {
  ClosedPipe,
  InputError,
  type Io,
  MachineError,
  UsageError,
} from "./io.ts";

/** Exit codes; scripts depend on them. */
export const EXIT = {
  /** Yes, done. */
  ok: 0,
  /** The answer is no. */
  no: 1,
  /** The command line was wrong. */
  usage: 2,
  /** The input was wrong. */
  input: 3,
  /** Not proven, or a limit was reached: treat as no. */
  unproven: 4,
  /** The machine does not allow it. */
  machine: 5,
  /** A fault of ours. */
  fault: 70,
} as const;

/**
 * Tells an error and finds its exit code.
 *
 * @param io Where it is told.
 * @param error What was thrown.
 * @returns The exit code.
 */
export function report(io: Io, error: unknown): number {
  if (error instanceof ClosedPipe) return EXIT.ok;
  if (error instanceof ProfileError) {
    tellDiagnostics(io, undefined, error.diagnostics);
    return EXIT.input;
  }
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code !== EXIT.fault) {
    io.err(`${label(io, "error")}: ${message}\n`);
    return code;
  }
  const stack = error instanceof Error ? error.stack ?? message : message;
  io.err(
    `${
      label(io, "error")
    }: This is a fault of seccomp-tree, please report it with the input\n${stack}\n`,
  );
  return code;
}

function codeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof InputError || error instanceof ProgramError) {
    return EXIT.input;
  }
  if (error instanceof AssemblyError) return EXIT.input;
  if (error instanceof SizeError) return EXIT.unproven;
  // Loading the prover for its class alone would cost every command its start-up.
  if (error instanceof Error && error.name === "UnprovenError") {
    return EXIT.unproven;
  }
  if (error instanceof MachineError) return EXIT.machine;
  // Loading ffi/ for its class alone would cost every command its start-up.
  if (error instanceof Error && error.name === "SyscallError") {
    return EXIT.machine;
  }
  return EXIT.fault;
}

/**
 * Writes findings, one line each: `file:line:column: error: path: message: fix`.
 *
 * @param io Where to.
 * @param file Name of the source; left out where unknown.
 * @param diagnostics The findings.
 */
export function tellDiagnostics(
  io: Io,
  file: string | undefined,
  diagnostics: readonly Diagnostic[],
): void {
  for (const { severity, path, message, fix, line, column } of diagnostics) {
    const place = [file, line, column].filter((x) => x !== undefined).join(":");
    io.err(
      [
        ...(place === "" ? [] : [place]),
        label(io, severity),
        ...(path === "" ? [] : [path]),
        printable(message),
        ...(fix === undefined ? [] : [printable(fix)]),
      ].join(": ") + "\n",
    );
  }
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

/** Control characters of an input must not reach a terminal. */
function printable(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex -- they are what is looked for
    /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
