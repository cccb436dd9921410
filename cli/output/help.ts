/**
 * Help texts: the output of `--help`, made from the definitions of the
 * commands. Each fits a screen of 80 columns and ends in two examples.
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
  const entry = findCommand(name);
  if (entry === undefined) return undefined;
  const [app, { command }] = await Promise.all([createApp(name), entry.load()]);
  const info = commandsOf(app).find((known) => known.name === name);
  return info === undefined ? undefined : commandHelp(info, command);
}

function programHelp(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length)) + 2;
  return [
    `Usage: ${NAME} ${USAGE}`,
    "Compiles seccomp profiles into optimal decision trees, with proof.",
    "",
    ...COMMANDS.map(({ name, brief }) => `  ${name.padEnd(width)}${brief}`),
    "",
    ...GLOBAL,
    `  ${
      "-h, --help".padEnd(LABEL_WIDTH)
    }Help, also for each command; --version`,
    "",
    ...exampleLines(EXAMPLES),
  ].map((line) => `${line}\n`).join("");
}

function commandHelp(
  { name, brief, flags, words }: CommandInfo,
  { usage, examples }: CommandDefinition,
): string {
  const readsSource = flags.some((flag) => flag.name === "from");
  const isTarget = (flag: FlagInfo): boolean =>
    readsSource && TARGET_FLAG_NAMES.has(flag.name);
  const own = flags.filter((flag) => !isTarget(flag));
  const target = flags.filter(isTarget);
  return [
    `Usage: ${`${NAME} ${name} ${usage}`.trimEnd()}`,
    "",
    brief,
    "",
    ...words.flatMap((word) => entry(word.placeholder, word.brief)),
    ...(words.length > 0 ? [""] : []),
    ...own.flatMap(flagEntry),
    ...GLOBAL,
    ...(readsSource
      ? ["", "For reading sources:", ...target.flatMap(flagEntry)]
      : []),
    "",
    ...exampleLines(examples),
  ].map((line) => `${line}\n`).join("");
}

const GLOBAL: readonly string[] = entry(
  "--color WHEN",
  "Color: auto, always or never (default: auto)",
);

function exampleLines(lines: readonly string[]): readonly string[] {
  return ["Examples:", ...lines.map((line) => `  ${NAME} ${line}`)];
}

function flagEntry(flag: FlagInfo): readonly string[] {
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
  return entry(label, `${brief}${more}${note}`);
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
