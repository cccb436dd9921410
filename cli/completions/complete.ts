/**
 * The possible continuations of a command line: one engine for the completions
 * of all shells. The scripts in this folder call it through the hidden command
 * `__complete`; see {@linkcode formatCompletion} for its output.
 *
 * Commands, options and listed values come from the definitions of the
 * commands. For any other value or argument, its placeholder determines the
 * kind (completers.ts).
 *
 * @module
 */

import { createApp } from "../app.ts";
import { type Candidate, choose, type Offers, plain } from "./completers.ts";
import {
  type CommandInfo,
  commandsOf,
  type FlagInfo,
  takesValue,
} from "../output/reflect.ts";
import { printable } from "../../tables/printable.ts";

/** Possible continuations. */
export interface Completion {
  /**
   * Completion that the shell adds: nothing, files, folders, or the completion
   * of the command after `--`.
   */
  readonly shell: "none" | "files" | "folders" | "command";
  /** Text before a file or a folder within the word, such as `--out=`. */
  readonly prefix: string;
  /** Whole words that begin with the typed text. */
  readonly candidates: readonly Candidate[];
}

/** Options of the program itself, which every command takes. */
const GLOBAL: readonly FlagInfo[] = [
  flag("help", "Help", undefined),
  flag("color", "Colored text", ["auto", "always", "never"]),
];

const VERSION: FlagInfo = flag("version", "Version", undefined);

function flag(
  name: string,
  brief: string,
  values: readonly string[] | undefined,
): FlagInfo {
  return {
    ...{ name, external: name, brief, values },
    ...{ alias: undefined, placeholder: undefined, preset: undefined },
  };
}

/**
 * Completes a command line.
 *
 * @param words The words after the program's name up to the cursor; the last
 * one is the typed part of the word at the cursor, and may be empty.
 */
export async function complete(words: readonly string[]): Promise<Completion> {
  const typed = words.at(-1) ?? "";
  const [name = "", ...rest] = words;
  if (rest.length === 0) return await completeFirst(typed);
  if (name === "help") {
    return rest.length === 1 ? matching(typed, await commandNames()) : NOTHING;
  }
  const command = commandsOf(await createApp(name)).find((c) =>
    c.name === name
  );
  return command === undefined ? NOTHING : await completeWord(command, rest);
}

/**
 * Writes a completion for a script: the first line has the shell's own
 * completion and the prefix, each further line a candidate with its
 * explanation; fields are separated by tabs.
 */
export function formatCompletion(
  { shell, prefix, candidates }: Completion,
): string {
  const lines = [
    [shell, prefix],
    ...candidates.map(({ value, brief }) => [value, brief]),
  ];
  return lines.map((fields) => `${fields.map(printable).join("\t")}\n`).join(
    "",
  );
}

const NOTHING: Completion = { shell: "none", prefix: "", candidates: [] };

async function completeFirst(typed: string): Promise<Completion> {
  const options = [...GLOBAL, VERSION].map(optionOf);
  return matching(
    typed,
    typed.startsWith("-") ? options : await commandNames(),
  );
}

async function commandNames(): Promise<readonly Candidate[]> {
  return commandsOf(await createApp()).map(({ name, brief }) => ({
    value: name,
    brief,
  }));
}

/** Completes a word after the command's name. */
async function completeWord(
  command: CommandInfo,
  words: readonly string[],
): Promise<Completion> {
  const flags = [...command.flags, ...GLOBAL];
  const typed = words.at(-1) ?? "";
  const seen = scan(words.slice(0, -1), flags);
  const { before, literal, pending } = seen;
  const arch = seen.values.get("arch");
  const value = async (
    { values, placeholder = "" }: FlagInfo,
    prefix: string,
  ): Promise<Completion> => {
    const choice = values === undefined
      ? await choose(placeholder, {
        typed: typed.slice(prefix.length),
        ...{ before, arch },
      })
      : plain(values);
    return completion(typed, prefix, choice);
  };
  if (pending !== undefined) return await value(pending, "");
  if (!literal && typed.startsWith("-")) {
    const attached = attachedValue(typed, flags);
    if (attached !== undefined) {
      return await value(attached.flag, attached.prefix);
    }
    return matching(typed, flags.flatMap((f) => spellings(f, typed)));
  }
  const placeholder = placeholderAt(command, before.length);
  if (placeholder === "COMMAND" && literal) {
    return { ...NOTHING, shell: "command" };
  }
  const choice = await choose(placeholder, { typed, before, arch });
  return completion(typed, "", choice);
}

/** Interpretation of the words before the cursor. */
interface Scan {
  /** Arguments that are not options. */
  readonly before: readonly string[];
  /** True if `--` precedes the cursor, so nothing after it is an option. */
  readonly literal: boolean;
  /** The option that waits for its value. */
  readonly pending: FlagInfo | undefined;
  /** Values of options by name. */
  readonly values: ReadonlyMap<string, string>;
}

function scan(words: readonly string[], flags: readonly FlagInfo[]): Scan {
  const before: string[] = [];
  const values = new Map<string, string>();
  let literal = false;
  let pending: FlagInfo | undefined;
  for (const word of words) {
    if (pending !== undefined) {
      values.set(pending.name, word);
      pending = undefined;
    } else if (literal || !word.startsWith("-") || word === "-") {
      before.push(word);
    } else if (word === "--") literal = true;
    else {
      const attached = attachedValue(word, flags);
      const last = attached?.flag ?? lastFlag(word, flags);
      if (last === undefined) continue;
      if (attached !== undefined) {
        values.set(last.name, word.slice(attached.prefix.length));
      } else if (takesValue(last)) pending = last;
    }
  }
  return { before, literal, pending, values };
}

/** The option that a word ends in: `--format`, or `-f` of `-qf`. */
function lastFlag(
  word: string,
  flags: readonly FlagInfo[],
): FlagInfo | undefined {
  return word.startsWith("--")
    ? flags.find(({ external }) => `--${external}` === word)
    : flags.find(({ alias }) => alias !== undefined && word.endsWith(alias));
}

/** Finds the option whose value is in the same word: `--format=h`, `-qfh`. */
function attachedValue(
  word: string,
  flags: readonly FlagInfo[],
): { readonly flag: FlagInfo; readonly prefix: string } | undefined {
  const [, long] = /^--([^=]+)=/.exec(word) ?? [];
  if (long !== undefined) {
    const flag = flags.find(({ external }) => external === long);
    const found = flag !== undefined && takesValue(flag);
    return found ? { flag, prefix: `--${long}=` } : undefined;
  }
  if (word.startsWith("--")) return undefined;
  for (let i = 1; i < word.length - 1; i++) {
    const flag = flags.find(({ alias }) => alias === word[i]);
    if (flag === undefined) return undefined;
    if (!takesValue(flag)) continue;
    const end = word[i + 1] === "=" ? i + 2 : i + 1;
    return { flag, prefix: word.slice(0, end) };
  }
  return undefined;
}

/** The spellings of an option; if only a dash was typed, the short ones. */
function spellings(flag: FlagInfo, typed: string): readonly Candidate[] {
  const { alias, brief } = flag;
  const short = typed === "-" && alias !== undefined
    ? [{ value: `-${alias}`, brief }]
    : [];
  return [...short, optionOf(flag)];
}

function optionOf({ external, brief }: FlagInfo): Candidate {
  return { value: `--${external}`, brief };
}

/** The placeholder of an argument; empty beyond the last one. */
function placeholderAt(
  { words, repeats }: CommandInfo,
  index: number,
): string {
  const names = words.flatMap(({ placeholder }) => placeholder.split(" "));
  return names[index] ?? (repeats ? names.at(-1) ?? "" : "");
}

/**
 * Puts the prefix before each candidate, and removes those that do not match.
 */
function completion(
  typed: string,
  prefix: string,
  { candidates = [], shell = "none", prefix: kept = "" }: Offers,
): Completion {
  const whole = candidates.map(({ value, brief }) => ({
    value: prefix + value,
    brief,
  }));
  return { ...matching(typed, whole), shell, prefix: prefix + kept };
}

function matching(
  typed: string,
  candidates: readonly Candidate[],
): Completion {
  const fitting = candidates.filter(({ value }) => value.startsWith(typed));
  return { ...NOTHING, candidates: fitting };
}
