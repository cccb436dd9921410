/**
 * Command lines of the developer programs: `--help`, options, refusals.
 *
 * ```ts ignore
 * if (import.meta.main) {
 *   start({ usage: "deno task fuzz [OPTION...]", ... }, (given) => main(given));
 * }
 * ```
 *
 * The program for users uses `@stricli/core` instead (cli/app.ts).
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";

/** Arguments of a developer program. */
export interface Manual {
  /** The command line, such as `deno task fuzz [OPTION...]`. */
  readonly usage: string;
  /** The purpose of the program, in one or two sentences. */
  readonly brief: string;
  /** Options by name, without `--help`. */
  readonly options?: Readonly<Record<string, Option>>;
  /** Maximum number of words that are not options (default: 0). */
  readonly words?: number;
}

/** One option. */
export interface Option {
  readonly brief: string;
  /** Placeholder of the value; absent if the option has none. */
  readonly placeholder?: string;
}

/** Values of a command line. */
export interface Given {
  /** Words that are not options. */
  readonly words: readonly string[];
  /** Reports whether an option without a value was given. */
  has(name: string): boolean;
  /** Returns the value of an option; `undefined` if it was not given. */
  text(name: string): string | undefined;
  /** Returns the value of an option as a u32. */
  number(name: string): number | undefined;
}

/** Thrown if the command line is invalid. */
export class ArgumentError extends Error {
  override readonly name = "ArgumentError";
}

/** Exit code of an invalid command line. */
const USAGE = 2;
/** Exit code of an internal error of a program. */
const FAULT = 70;
/** Indentation of the explanation of an option. */
const LABEL_WIDTH = 22;

/**
 * Runs a program on the command line of this process, then exits: 0 after
 * `--help`, 2 if the command line is invalid, otherwise with the program's
 * code.
 *
 * @param manual Its arguments.
 * @param main The program; returns its exit code, or nothing for 0.
 */
export async function start(
  manual: Manual,
  main: (given: Given) => Promise<number | void> | number | void,
): Promise<void> {
  Deno.exit(await run(manual, main));
}

async function run(
  manual: Manual,
  main: (given: Given) => Promise<number | void> | number | void,
): Promise<number> {
  try {
    const given = readArguments(Deno.args, manual);
    if (given !== undefined) return await main(given) ?? 0;
    write(Deno.stdout, helpText(manual));
    return 0;
  } catch (error) {
    if (error instanceof ArgumentError) {
      write(Deno.stderr, `error: ${error.message}\n`);
      return USAGE;
    }
    const shown = error instanceof Error ? error.stack ?? error.message : error;
    write(Deno.stderr, `error: ${shown}\n`);
    return FAULT;
  }
}

/**
 * Reads a command line.
 *
 * @param args The words without the program's name.
 * @param manual Arguments of the program.
 * @returns The values; `undefined` if help is requested.
 * @throws {ArgumentError} if they are invalid.
 */
export function readArguments(
  args: readonly string[],
  { options = {}, words: most = 0 }: Manual,
): Given | undefined {
  const names = Object.keys(options);
  const hasValue = (name: string): boolean =>
    options[name]?.placeholder !== undefined;
  const parsed = parseArgs(args, {
    boolean: ["help", ...names.filter((name) => !hasValue(name))],
    string: ["_", ...names.filter(hasValue)],
    alias: { h: "help" },
    unknown: (arg, key) => {
      if (key === undefined) return true;
      throw new ArgumentError(
        `Unknown option ${arg}; --help lists the options`,
      );
    },
  });
  if (parsed["help"] === true) return undefined;
  const words = parsed._.map(String);
  if (words.length > most) {
    throw new ArgumentError(
      `Too many words: ${JSON.stringify(words[most])}; --help shows the usage`,
    );
  }
  const text = (name: string): string | undefined => {
    const value = parsed[name];
    if (value === "") throw new ArgumentError(`Missing value of --${name}`);
    return value === undefined ? undefined : String(value);
  };
  for (const name of names.filter(hasValue)) text(name);
  return {
    words,
    text,
    has: (name) => parsed[name] === true,
    number: (name) => {
      const value = text(name);
      return value === undefined ? undefined : toNumber(`--${name}`, value);
    },
  };
}

/**
 * Reads a u32.
 *
 * @param what Name of the value in the message.
 * @param text The digits.
 * @throws {ArgumentError} if it is not one.
 */
export function toNumber(what: string, text: string): number {
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : NaN;
  if (value <= 0xffff_ffff) return value;
  throw new ArgumentError(
    `Cannot read ${what} ${
      JSON.stringify(text)
    }: not an integer from 0 to 4294967295`,
  );
}

/** Writes the help of a program. */
export function helpText({ usage, brief, options = {} }: Manual): string {
  const entries = Object.entries({
    ...options,
    help: { brief: "Show this help" },
  });
  const lines = entries.map(([name, { brief, placeholder }]: [
    string,
    Option,
  ]) => {
    const label = [`--${name}`, placeholder ?? ""].join(" ").trimEnd();
    return `  ${label.padEnd(LABEL_WIDTH)}  ${brief}\n`;
  });
  return `Usage: ${usage}\n\n${brief}\n\n${lines.join("")}`;
}

function write(
  stream: { writeSync(data: Uint8Array): number },
  text: string,
): void {
  const bytes = new TextEncoder().encode(text);
  for (let rest = bytes; rest.length > 0;) {
    rest = rest.subarray(stream.writeSync(rest));
  }
}
