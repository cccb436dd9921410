/**
 * The options of the program itself, which are read before those of a command.
 *
 * @module
 */

import { quoteText } from "../../tables/printable.ts";
import { UsageError } from "../error.ts";
import {
  type CommandInfo,
  type FlagInfo,
  takesValue,
} from "../output/reflect.ts";
import { NAME } from "../command.ts";

/** Result of reading the program's own options. */
export interface CommandLine {
  /** The rest for the command. */
  readonly words: readonly string[];
  /**
   * True or false if messages and reports should have color; by default, the terminal
   * decides.
   */
  readonly color: boolean | undefined;
  /**
   * The command for which help is requested, empty for the program; otherwise
   * absent.
   */
  readonly help: string | undefined;
  /** True if the version is requested. */
  readonly version: boolean;
}

const COLORS: Readonly<Record<string, boolean | undefined>> = {
  auto: undefined,
  always: true,
  never: false,
};

/**
 * Reads the program's own options among the words up to `--`; those after it
 * belong to the command.
 *
 * @param args The words without the program's name.
 * @throws {UsageError} if `--color` cannot be read.
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
    else words.push(arg);
  }
  if (words[0] === "help") {
    help = true;
    words.shift();
  } else if (words[0] === "version" && words.length === 1) {
    version = true;
    words.shift();
  }
  return {
    words: [...words, ...args.slice(end)],
    color: colorOf(colors),
    help: help ? words.find((arg) => !arg.startsWith("-")) ?? "" : undefined,
    version,
  };
}

/**
 * Splits bundled short options (`-qf hex`) and attached values (`-fhex`), which
 * the scanner of @stricli/core does not support, and refuses words that it
 * would treat as arguments although they look like options.
 *
 * @param words The words after the command's name.
 * @param command The command.
 * @returns The words, with each option as a word of its own.
 * @throws {UsageError} if one of them looks like an option and is not one.
 */
export function separateOptions(
  words: readonly string[],
  { name, flags }: Pick<CommandInfo, "name" | "flags">,
): readonly string[] {
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  const unknown = (option: string): UsageError =>
    new UsageError(
      `Unknown option ${option}; see "${NAME} ${name} --help", or write -- before an argument that begins with a dash`,
    );
  const separated = words.slice(0, end).flatMap((word) => {
    if (/^-[a-z]/i.test(word)) return separate(word, flags, unknown);
    if (!word.startsWith("--")) return [word];
    // The pattern of options in @stricli/core.
    const [, option, value] = /^(--[a-z][a-z.\d_-]+)(=.*)?$/is.exec(word) ?? [];
    if (option === undefined) throw unknown(word);
    if (value === "=") throw new UsageError(`Missing value of ${option}`);
    return [word];
  });
  return [...separated, ...words.slice(end)];
}

/** Splits a word of short options. */
function separate(
  word: string,
  flags: readonly FlagInfo[],
  unknown: (option: string) => UsageError,
): readonly string[] {
  const options: string[] = [];
  for (const [i, letter] of [...word].entries()) {
    if (i === 0) continue;
    const flag = flags.find(({ alias }) => alias === letter);
    if (flag === undefined) {
      if (letter === "h") return ["--help"];
      throw unknown(`-${letter}`);
    }
    const rest = word.slice(i + 1);
    if (takesValue(flag) && rest !== "") {
      const value = rest.replace(/^=/, "");
      if (value !== "") return [...options, `--${flag.external}=${value}`];
      throw new UsageError(`Missing value of --${flag.external}`);
    }
    if (rest.startsWith("=")) {
      throw new UsageError(
        `Cannot read -${letter} ${
          quoteText(rest.slice(1))
        }: the option takes no value`,
      );
    }
    options.push(`-${letter}`);
  }
  return options;
}

function colorOf(colors: readonly string[]): boolean | undefined {
  const [when] = colors;
  if (when === undefined) return undefined;
  if (colors.length > 1) {
    throw new UsageError("Option --color is given twice; give it once");
  }
  if (when === "") throw new UsageError("Missing value of --color");
  if (!Object.hasOwn(COLORS, when)) {
    throw new UsageError(
      `Cannot read --color ${quoteText(when)}: not one of auto, always, never`,
    );
  }
  return COLORS[when];
}
