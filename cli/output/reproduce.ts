/**
 * Command lines that reproduce an answer, with every option that was given,
 * quoted for a shell.
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { printable } from "../../tables/printable.ts";
import { wordsOfCall } from "../input/call.ts";
import {
  SOURCE_FLAGS,
  type SourceFlags,
  TARGET_FLAG_NAMES,
} from "../input/flags.ts";
import { NAME } from "../command.ts";

/** A source as given by the user. */
export interface GivenSource {
  /** The source word. */
  readonly word: string;
  /** The options with which it was read. */
  readonly flags: SourceFlags;
}

/**
 * Writes the command that simulates a call on a source.
 *
 * @param source The source; standard input is named in a comment.
 * @param data The call.
 * @returns One line, without a line feed.
 */
export function simulateCommand(
  { word, flags }: GivenSource,
  data: SeccompData,
): string {
  return commandLine(
    ["simulate", ...givenOptions(flags), path(word), ...wordsOfCall(data)],
    word === "-" ? "- is the same standard input" : undefined,
  );
}

/**
 * Joins words into a command line of this program.
 *
 * @param words The words after its name.
 * @param comment A comment for the shell.
 */
export function commandLine(
  words: readonly string[],
  comment?: string,
): string {
  const line = [NAME, ...words.map(quoted)].join(" ");
  return comment === undefined ? line : `${line}  # ${comment}`;
}

/**
 * Lists the options about sources that were given; defaults are omitted.
 *
 * @param flags The parsed options.
 * @returns Words of a command line.
 */
export function givenOptions(flags: SourceFlags): readonly string[] {
  const given = new Map<string, unknown>(Object.entries(flags));
  return Object.entries(SOURCE_FLAGS).flatMap(([name, definition]) => {
    const value = given.get(name);
    if (!TARGET_FLAG_NAMES.has(name) || value === undefined) return [];
    if ("default" in definition && value === definition.default) return [];
    if (value === true) return [`--${name}`];
    return [`--${name}`, Array.isArray(value) ? value.join(",") : `${value}`];
  });
}

/** A word that cannot be mistaken for an option. */
function path(word: string): string {
  return word.startsWith("-") && word !== "-" ? `./${word}` : word;
}

/**
 * Quotes a word for a shell. Characters that must not reach a terminal are
 * written as bytes in `$'…'`, which bash, zsh and ksh read.
 *
 * @param word The word.
 */
export function quoted(word: string): string {
  if (/^[\w@%+:,./-][\w@%+=:,./-]*$/.test(word)) return word;
  if (printable(word) === word) return `'${word.replaceAll("'", "'\\''")}'`;
  const characters = [...word].map((character) =>
    character === "'" || character === "\\"
      ? `\\${character}`
      : printable(character) === character
      ? character
      : [...new TextEncoder().encode(character)].map((byte) =>
        `\\x${byte.toString(16).padStart(2, "0")}`
      ).join("")
  );
  return `$'${characters.join("")}'`;
}
