/**
 * A cursor over the tokens of statements.
 *
 * @module
 */

import { AssemblyError } from "../error.ts";
import type { Label, TextPlace } from "./draft.ts";
import type { StatementToken } from "./statement_tokens.ts";

const NUMBER = /^(?:0x[0-9a-f]+|0b[01]+|[0-9]+)$/i;
const MAX_U32 = 0xffff_ffff;
const MAX_NEGATIVE = 2 ** 31;

/** A position among tokens. */
export class StatementCursor {
  readonly #tokens: readonly StatementToken[];
  readonly #end: StatementToken;
  #at = 0;

  /**
   * Starts before the first token.
   *
   * @param tokens The tokens.
   * @param end Position after the last token.
   */
  constructor(tokens: readonly StatementToken[], end: TextPlace) {
    this.#tokens = tokens;
    this.#end = { kind: "end", text: "", ...placeOf(end), first: true };
  }

  /** The next token, or one of those that follow it. */
  peek(ahead = 0): StatementToken {
    return this.#tokens[this.#at + ahead] ?? this.#end;
  }

  /** Takes the next token. */
  take(): StatementToken {
    const token = this.peek();
    this.#at++;
    return token;
  }

  /** Name of the next token: a word in lower case without `$`, or a sign. */
  name(ahead = 0): string {
    const { kind, text } = this.peek(ahead);
    if (kind === "sign") return text;
    return kind === "word" ? text.toLowerCase().replace(/^\$/, "") : "";
  }

  /** Takes the next token if it has one of these names. */
  accept(...names: readonly string[]): string | undefined {
    const name = this.name();
    if (!names.includes(name)) return undefined;
    this.#at++;
    return name;
  }

  /** Takes the next token, which must have this name. */
  expect(name: string): void {
    if (this.accept(name) === undefined) throw this.unexpected(`"${name}"`);
  }

  /** Takes a number, with an optional sign, as a u32. */
  takeNumber(octal: boolean): number {
    const first = this.peek();
    const negative = this.accept("-") !== undefined;
    const token = this.peek();
    if (token.kind !== "number") throw this.unexpected("a number");
    this.#at++;
    const size = sizeOf(token, octal);
    if (size > (negative ? MAX_NEGATIVE : MAX_U32)) {
      throw new AssemblyError(
        "number-range",
        `Cannot read number "${
          negative ? "-" : ""
        }${token.text}": not from -${MAX_NEGATIVE} to ${MAX_U32}`,
        first,
      );
    }
    return negative && size > 0 ? MAX_U32 + 1 - size : size;
  }

  /** Takes the name of a label. */
  takeLabel(numbers: boolean): Label {
    const { kind, text, line, column } = this.peek();
    if (kind !== "word" && !(numbers && kind === "number")) {
      throw this.unexpected("a label");
    }
    this.#at++;
    return { kind: "word", text, line, column, free: true };
  }

  /**
   * Skips to the first token of the next line, so that an incomplete statement
   * does not hide the next one.
   */
  recover(start: StatementToken): void {
    if (this.peek().first && this.peek() !== start) return;
    const { line } = this.peek();
    while (this.peek().kind !== "end" && this.peek().line === line) this.#at++;
  }

  /** Reports what was expected instead of the next token. */
  unexpected(wanted: string): AssemblyError {
    const { kind, text } = this.peek();
    const seen = kind === "end" || kind === "break"
      ? `the ${kind === "end" ? "text" : "line"} ends`
      : `seen "${text}${kind === "label" ? ":" : ""}"`;
    return new AssemblyError(
      "unexpected-token",
      `Cannot read statement: ${seen}; expected ${wanted}`,
      this.peek(),
    );
  }
}

/** Value of a number; a leading zero makes it ambiguous. */
function sizeOf(token: StatementToken, octal: boolean): number {
  const { text } = token;
  if (!NUMBER.test(text)) {
    throw new AssemblyError(
      "unknown-number",
      `Cannot read number "${text}": write 10, 0x0a or 0b1010`,
      token,
    );
  }
  if (!/^0[0-9]+$/.test(text)) return Number(text);
  const other = /^[0-7]+$/.test(text) ? Number(`0o${text}`) : undefined;
  if (octal && other !== undefined) return other;
  if (other === Number(text)) return Number(text);
  throw new AssemblyError(
    "ambiguous-number",
    `Cannot read number "${text}": ${
      other === undefined
        ? "8 and 9 are not octal digits"
        : `octal ${other} or decimal ${Number(text)}`
    }; write it without leading zeros, or as 0x${
      (other ?? Number(text)).toString(16)
    }`,
    token,
  );
}

function placeOf({ line, column }: TextPlace): TextPlace {
  return { line, column };
}
