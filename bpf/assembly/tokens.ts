/**
 * Words, numbers and punctuation of one line of assembly text.
 *
 * @module
 */

import { AssemblyError } from "../error.ts";
import type { Label } from "./draft.ts";

/** One word, number or sign, and its position. */
export interface Token {
  /** Kind of token; `end` follows the last one. */
  readonly kind: "number" | "word" | "sign" | "end";
  /** Its text. */
  readonly text: string;
  /** Line in the text, from 1. */
  readonly line: number;
  /** Column in the text, from 1, in UTF-16 units. */
  readonly column: number;
}

/** Reads the tokens of a line, first to last. */
export interface Cursor {
  /** The next token, or one of those that follow it. */
  peek(ahead?: number): Token;
  /** Takes the next token. */
  take(): Token;
  /**
   * Takes the next token if it is this sign or word; words match in any case.
   */
  accept(text: string): boolean;
  /** Takes the next token, which must be this sign or word. */
  expect(text: string): void;
  /** Takes a label and the colon after it, if they come next. */
  takeLabel(): Label | undefined;
  /** Takes a number with an optional sign, as a u32 of at most `most`. */
  takeNumber(most?: number): number;
  /** Reports whether nothing is left. */
  atEnd(): boolean;
  /** Throws if anything is left. */
  expectEnd(): void;
  /** Reports what was expected instead of the next token. */
  unexpected(wanted: string): AssemblyError;
}

const COMMENT = /\/\*[^]*?\*\/|;[^\n]*|^[ \t]*#[^\n]*/gm;
const TOKEN = /(?<number>[0-9]\w*)|(?<word>[A-Za-z_.][\w.]*)|[#%,:+*&()[\]-]/y;
const NUMBER = /^(?:0x[0-9a-f]+|0b[01]+|0[0-7]*|[1-9][0-9]*)$/i;
const OCTAL = /^0[0-7]+$/;
const SPACE = /[ \t\r\f\v]*/y;

const MAX_U32 = 0xffff_ffff;
const MAX_NEGATIVE = 2 ** 31;

/**
 * Replaces comments by spaces, so positions do not change.
 *
 * @param text Assembly text.
 * @returns The same number of lines.
 */
export function blankComments(text: string): string {
  return text.replaceAll(
    COMMENT,
    (comment) => comment.replaceAll(/[^\n]/g, " "),
  );
}

/**
 * Splits a line into tokens.
 *
 * @throws {AssemblyError} at a character that cannot begin a token.
 *
 * @param text The line, without comments.
 * @param line Its number, from 1.
 * @returns A cursor before the first token.
 */
export function createCursor(text: string, line: number): Cursor {
  const tokens = tokenize(text, line);
  const end: Token = { kind: "end", text: "", line, column: text.length + 1 };
  let at = 0;
  const peek = (ahead = 0): Token => tokens[at + ahead] ?? end;
  const accept = (wanted: string): boolean => {
    if (peek().kind === "number" || peek().text.toLowerCase() !== wanted) {
      return false;
    }
    at++;
    return true;
  };
  const unexpected = (wanted: string): AssemblyError => {
    const seen = peek().kind === "end"
      ? "the line ends"
      : `seen "${peek().text}"`;
    return new AssemblyError(
      "unexpected-token",
      `Cannot read instruction: ${seen}; expected ${wanted}`,
      peek(),
    );
  };
  return {
    peek,
    take(): Token {
      const token = peek();
      at++;
      return token;
    },
    accept,
    expect(wanted: string): void {
      if (!accept(wanted)) throw unexpected(`"${wanted}"`);
    },
    takeLabel(): Label | undefined {
      const { kind, text, line, column } = peek();
      if (kind === "sign" || peek(1).text !== ":") return undefined;
      at += 2;
      return { kind: "word", text, line, column };
    },
    takeNumber(most = MAX_U32): number {
      const first = peek();
      const negative = accept("-");
      if (!negative) accept("+");
      const token = peek();
      if (token.kind !== "number") throw unexpected("a number");
      at++;
      const size = toNumber(token);
      // A negative number is the u32 with the same bits, as in bpf_asm.
      const value = negative && size > 0 ? MAX_U32 + 1 - size : size;
      if (value > most || (negative && size > MAX_NEGATIVE)) {
        throw new AssemblyError(
          "number-range",
          `Cannot read number "${
            negative ? "-" : ""
          }${token.text}": not from -${MAX_NEGATIVE} to ${most}`,
          first,
        );
      }
      return value;
    },
    atEnd: (): boolean => peek().kind === "end",
    expectEnd(): void {
      if (peek().kind !== "end") throw unexpected("the end of the line");
    },
    unexpected,
  };
}

function tokenize(text: string, line: number): Token[] {
  const tokens: Token[] = [];
  let at = skipSpace(text, 0);
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    const column = at + 1;
    if (match === null) {
      throw new AssemblyError(
        "unknown-character",
        `Cannot read line: ${
          JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))
        } does not begin a word, number or sign`,
        { line, column },
      );
    }
    const [found] = match;
    const kind = match.groups?.number !== undefined
      ? "number"
      : match.groups?.word !== undefined
      ? "word"
      : "sign";
    tokens.push({ kind, text: found, line, column });
    at = skipSpace(text, at + found.length);
  }
  return tokens;
}

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  return at + (SPACE.exec(text)?.[0].length ?? 0);
}

function toNumber(token: Token): number {
  if (!NUMBER.test(token.text)) {
    throw new AssemblyError(
      "unknown-number",
      `Cannot read number "${token.text}": write 10, 0x0a, 0b1010 or octal 012`,
      token,
    );
  }
  return Number(
    OCTAL.test(token.text) ? `0o${token.text.slice(1)}` : token.text,
  );
}
