/**
 * What the command line says to the program itself, before a command sees it.
 *
 * @module
 */

import { UsageError } from "../error.ts";

/** A command line that was looked through. */
export interface CommandLine {
  /** What is left for the command. */
  readonly words: readonly string[];
  /** Whether messages are colored; by the terminal where absent. */
  readonly color: boolean | undefined;
  /** The command that help is asked for, empty for the program; else absent. */
  readonly help: string | undefined;
  /** Whether the version is asked for. */
  readonly version: boolean;
}

const COLORS: Readonly<Record<string, boolean | undefined>> = {
  auto: undefined,
  always: true,
  never: false,
};

/**
 * Looks through the words up to `--`, behind which they belong to the command.
 *
 * @param args The words without the program's name.
 * @throws {UsageError} when one of them looks like a flag and is none.
 */
export function readCommandLine(args: readonly string[]): CommandLine {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const words: string[] = [];
  const colors: string[] = [];
  let help = args.length === 0;
  let version = false;
  for (let i = 0; i < end; i++) {
    const arg = args[i] ?? "";
    if (arg === "--help" || arg === "-h") help = true;
    else if (arg === "--version") version = true;
    else if (arg === "--color") colors.push(i + 1 < end ? args[++i] ?? "" : "");
    else if (arg.startsWith("--color=")) colors.push(arg.slice(8));
    else {
      refuseOddFlag(arg);
      words.push(arg);
    }
  }
  if (words[0] === "help") {
    help = true;
    words.shift();
  }
  return {
    words: [...words, ...args.slice(end)],
    color: colorOf(colors),
    help: help ? words.find((arg) => !arg.startsWith("-")) ?? "" : undefined,
    version,
  };
}

/** The scanner of @stricli/core takes what it cannot read as a flag for a word. */
function refuseOddFlag(arg: string): void {
  const known = /^--[a-z][a-z.\d_-]+(?:=.+)?$/is.test(arg) ||
    /^-[a-z]+$/i.test(arg) || /^-[a-z]=.+$/is.test(arg);
  if (known || !/^-(?:-|[a-z])/i.test(arg)) return;
  const [name = ""] = arg.split("=");
  throw new UsageError(
    arg.endsWith("=")
      ? `Cannot read the command line: ${name} has no value`
      : `Cannot read the command line: no flag ${
        JSON.stringify(arg)
      }: put -- before a word that begins with a dash`,
  );
}

function colorOf(colors: readonly string[]): boolean | undefined {
  const [when] = colors;
  if (when === undefined) return undefined;
  if (colors.length > 1) {
    throw new UsageError(
      "Cannot read the command line: --color is given twice: once will do",
    );
  }
  if (!Object.hasOwn(COLORS, when)) {
    throw new UsageError(
      `Cannot read the command line: --color ${
        JSON.stringify(when)
      }: use one of auto, always, never`,
    );
  }
  return COLORS[when];
}
