/**
 * Words, numbers and signs of statements, such as `if (A == read) goto allow`.
 *
 * @module
 */

import type { Instruction } from "../instruction.ts";
import { readFields } from "./listing.ts";
import type { AssemblyProblems } from "./problems.ts";

/** One word, number, sign or label, and its position. */
export interface StatementToken {
  /**
   * Kind of token. `fields` are the numbers of an instruction in a listing;
   * `break` ends the line that they begin; `end` follows the last token.
   */
  readonly kind:
    | "word"
    | "number"
    | "sign"
    | "label"
    | "fields"
    | "break"
    | "end";
  /** Its text; for a label, the name. */
  readonly text: string;
  /** Line in the text, from 1. */
  readonly line: number;
  /** Column in the text, from 1, in UTF-16 units. */
  readonly column: number;
  /** True for the first token of a line. */
  readonly first: boolean;
  /** The instruction, for `fields`. */
  readonly fields?: Instruction;
}

const TOKEN =
  /(?<label>\w+):(?!\s*:)|(?<number>[0-9]\w*)|(?<word>\$?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)|(?<sign><<=|>>=|<<|>>|[-+*/%|&^=!<>]=|[-+*/%|&^=!<>?:,()[\]])/y;

/** A word after `?` is not a label, even if a colon follows. */
const CHOICE = /(?<word>\$?\w+)/y;
const SPACE = /\s*/y;

/**
 * Splits one line into tokens.
 *
 * @param text The line, without comments.
 * @param line Its number, from 1.
 * @param problems Receives characters that cannot begin a token.
 * @param breaks True if a statement ends with its line.
 * @returns The tokens; those of a listing end in a `break` as well.
 */
export function readStatementTokens(
  text: string,
  line: number,
  problems: AssemblyProblems,
  breaks: boolean,
): readonly StatementToken[] {
  const tokens: StatementToken[] = [];
  const push = (
    kind: StatementToken["kind"],
    shown: string,
    at: number,
    fields?: Instruction,
  ): void => {
    tokens.push({
      kind,
      text: shown,
      line,
      column: at + 1,
      first: tokens.length === 0,
      ...(fields && { fields }),
    });
  };
  const listed = readFields(text);
  let at = 0;
  if (listed !== undefined) {
    const { label, fields, end } = listed;
    if (label !== undefined) push("label", label.text, label.at);
    push("fields", text.slice(0, end).trim(), end, fields);
    at = end;
  }
  for (at = skip(text, at); at < text.length; at = skip(text, at)) {
    const last = tokens.at(-1);
    const choice = last?.kind === "sign" && last.text === "?";
    const pattern = choice ? CHOICE : TOKEN;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) {
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
      problems.add(
        "unknown-character",
        `Cannot read line: ${
          JSON.stringify(character)
        } does not begin a word, number or sign`,
        { line, column: at + 1 },
      );
      push("break", "", at);
      break;
    }
    const { label, number, word } = match.groups ?? {};
    if (label !== undefined) push("label", label, at);
    else if (number !== undefined) push("number", number, at);
    else push(word === undefined ? "sign" : "word", match[0], at);
    at += match[0].length;
  }
  if (breaks || listed !== undefined) push("break", "", text.length);
  return tokens;
}

function skip(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.exec(text);
  return SPACE.lastIndex;
}
