/**
 * Help texts: the output of `--help`, generated from the definitions of the
 * commands. Each fits in 80 columns and ends with two examples.
 *
 * @module
 */

import { createApp } from "../app.ts";
import { TARGET_FLAG_NAMES } from "../input/flags.ts";
import { type CommandDefinition, NAME } from "../command.ts";
import { COMMANDS, EXAMPLES, findCommand, USAGE } from "../registry.ts";
import { type CommandInfo, commandsOf, type FlagInfo } from "./reflect.ts";

/** Width of a line. */
const WIDTH = 80;
/** Indentation of the explanation of a flag. */
const LABEL_WIDTH = 24;

/**
 * Writes the help of a command.
 *
 * @param name Its name; empty for the program.
 * @returns The text, or `undefined` if there is no such command.
 */
export async function helpText(name: string): Promise<string | undefined> {
  if (name === "") return programHelp();
  const help = await readHelp(name);
  return help === undefined ? undefined : commandHelp(help);
}

/** The parts of a command's help. */
export interface CommandHelp extends Pick<CommandInfo, "name" | "brief"> {
  /** The command line without the program's name. */
  readonly usage: string;
  /** Arguments and their explanations. */
  readonly words: readonly HelpEntry[];
  /** Options of the command itself. */
  readonly options: readonly HelpEntry[];
  /** Options for reading profiles, which many commands share. */
  readonly sourceOptions: readonly HelpEntry[];
  /** Command lines without the program's name. */
  readonly examples: readonly [string, string];
}

/** A label, such as `-f, --format FORMAT`, and its explanation. */
export type HelpEntry = readonly [label: string, text: string];

/**
 * Reads the help of a command from its definition.
 *
 * @param name Its name.
 * @returns `undefined` if there is no such command.
 */
export async function readHelp(name: string): Promise<CommandHelp | undefined> {
  const entry = findCommand(name);
  if (entry === undefined) return undefined;
  const [app, { command }] = await Promise.all([createApp(name), entry.load()]);
  const info = commandsOf(app).find((known) => known.name === name);
  return info === undefined ? undefined : partsOf(info, command);
}

function programHelp(): string {
  const listed = COMMANDS.filter(({ isSeldom }) => !isSeldom);
  const seldom = COMMANDS.filter(({ isSeldom }) => isSeldom);
  const width = Math.max(...listed.map(({ name }) => name.length)) + 2;
  return [
    `Usage: ${NAME} ${USAGE}`,
    "Compiles seccomp profiles into optimal decision trees, with proof.",
    "",
    ...listed.map(({ name, brief }) => `  ${name.padEnd(width)}${brief}`),
    `  Also: ${seldom.map(({ name }) => name).join(" ")}`,
    "",
    ...entry(...COLOR_OPTION),
    `  ${
      "-h, --help".padEnd(LABEL_WIDTH)
    }Help, also for each command; --version`,
    "",
    ...exampleLines(EXAMPLES),
  ].map((line) => `${line}\n`).join("");
}

function partsOf(
  { name, brief, flags, words }: CommandInfo,
  { usage, examples }: CommandDefinition,
): CommandHelp {
  const readsSource = flags.some((flag) => flag.name === "from");
  const isTarget = (flag: FlagInfo): boolean =>
    readsSource && TARGET_FLAG_NAMES.has(flag.name);
  return {
    name,
    brief,
    usage: `${name} ${usage}`.trimEnd(),
    words: words.map((word) => [word.placeholder, word.brief]),
    options: [
      ...flags.filter((flag) => !isTarget(flag)).map(flagEntry),
      COLOR_OPTION,
    ],
    sourceOptions: flags.filter(isTarget).map(flagEntry),
    examples,
  };
}

function commandHelp(
  { brief, usage, words, options, sourceOptions, examples }: CommandHelp,
): string {
  const lines = (entries: readonly HelpEntry[]): readonly string[] =>
    entries.flatMap(([label, text]) => entry(label, text));
  return [
    `Usage: ${NAME} ${usage}`,
    "",
    brief,
    "",
    ...lines(words),
    ...(words.length > 0 ? [""] : []),
    ...lines(options),
    ...(sourceOptions.length > 0
      ? ["", "For reading sources:", ...lines(sourceOptions)]
      : []),
    "",
    ...exampleLines(examples),
  ].map((line) => `${line}\n`).join("");
}

/** The option of the program itself that applies to every command. */
export const COLOR_OPTION: HelpEntry = [
  "--color WHEN",
  "Color: auto, always or never (default: auto)",
];

function exampleLines(lines: readonly string[]): readonly string[] {
  return ["Examples:", ...lines.map((line) => `  ${NAME} ${line}`)];
}

function flagEntry(flag: FlagInfo): HelpEntry {
  const { external, alias, brief, values, placeholder, preset } = flag;
  const listed = values === undefined ? "" : values.join("|");
  const value = placeholder ?? listed;
  const label = [
    alias === undefined ? "" : `-${alias}, `,
    `--${external}`,
    value === "" ? "" : ` ${value}`,
  ].join("");
  const more = placeholder !== undefined && values !== undefined
    ? `: ${values.join(", ")}`
    : "";
  const note = preset === undefined ? "" : ` (default: ${preset})`;
  return [label, `${brief}${more}${note}`];
}

/** A label and its explanation, wrapped; a long label has a line of its own. */
function entry(label: string, text: string): readonly string[] {
  const lines: string[] = [];
  let line = `  ${label.padEnd(LABEL_WIDTH)}`;
  if (label.length >= LABEL_WIDTH) {
    lines.push(`  ${label}`);
    line = " ".repeat(LABEL_WIDTH + 2);
  }
  let fresh = true;
  for (const word of text.split(" ")) {
    if (!fresh && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = " ".repeat(LABEL_WIDTH + 2);
      fresh = true;
    }
    line += fresh ? word : ` ${word}`;
    fresh = false;
  }
  return [...lines, line];
}
