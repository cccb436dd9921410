/**
 * Words, numbers and signs of source code in C, Go and Rust.
 *
 * @module
 */

import { AssemblyError } from "../../../bpf/error.ts";
import { diagnosticAt, lineStartsOf } from "../../../profile/text.ts";
import { callOfName, numberOfName, offsetOfField } from "./code_names.ts";
import type { NamedCall } from "../../../bpf/assembly/draft.ts";

/** One word, number or sign. */
export interface CodeToken {
  readonly kind: "word" | "number" | "sign" | "end";
  readonly text: string;
  /** Offset in the text. */
  readonly at: number;
}

/** A comment; or a string, inside which comments do not begin. */
const COMMENT = /\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"/g;
const TOKEN =
  /\s+|(?<number>[0-9]\w*)|(?<word>[A-Za-z_]\w*(?:(?:::|\.)[A-Za-z_]\w*)*)|(?<sign>\.\.\.|<<|[-+|&(){}[\],:;=.~*<>!?%^/#"'\\@$`])/y;

const MAX_U32 = 0xffff_ffff;
/** Deepest nesting of parentheses. */
const MAX_DEPTH = 50;

/**
 * Replaces comments by spaces; offsets do not change.
 *
 * @param text Source code.
 */
export function blankCode(text: string): string {
  return text.replaceAll(
    COMMENT,
    (it) => it.startsWith('"') ? it : it.replaceAll(/[^\n]/g, " "),
  );
}

/** A position in source code. */
export class CodeCursor {
  readonly #text: string;
  readonly #starts: readonly number[];
  #at: number;
  #next: CodeToken | undefined;
  /** Number of open parentheses. */
  #depth = 0;

  /**
   * Starts at an offset.
   *
   * @param text The text, without comments.
   * @param at The offset.
   * @param starts Offsets of the lines, if they are known.
   */
  constructor(
    text: string,
    at: number,
    starts: readonly number[] = lineStartsOf(text),
  ) {
    this.#text = text;
    this.#starts = starts;
    this.#at = at;
  }

  /** The next token. */
  peek(): CodeToken {
    return this.#next ??= this.#read();
  }

  /** Takes the next token. */
  take(): CodeToken {
    const token = this.peek();
    this.#at = token.at + token.text.length;
    this.#next = undefined;
    return token;
  }

  /** Takes the next token if it matches. */
  accept(text: string): boolean {
    if (this.peek().text !== text) return false;
    this.take();
    return true;
  }

  /** Takes the next token, which must match. */
  expect(text: string): void {
    if (!this.accept(text)) throw this.unexpected(`"${text}"`);
  }

  /** Position of a token. */
  placeOf(
    { at }: CodeToken,
  ): { readonly line: number; readonly column: number } {
    return diagnosticAt(this.#starts, at);
  }

  /** Reports what was expected instead of the next token. */
  unexpected(wanted: string): AssemblyError {
    const token = this.peek();
    const { kind, text } = token;
    if (text === "...") {
      return new AssemblyError(
        "truncated",
        "Cannot read list: instructions are omitted here; run strace with -v, or give all of them",
        this.placeOf(token),
      );
    }
    const seen = kind === "end" ? "the text ends" : `seen "${text}"`;
    return new AssemblyError(
      "unexpected-token",
      `Cannot read list: ${seen}; expected ${wanted}`,
      this.placeOf(token),
    );
  }

  /** Takes an expression of constants, or the name of a call. */
  takeValue(): number | NamedCall {
    const token = this.peek();
    if (token.kind === "word") {
      const call = callOfName(nameOf(token), this.placeOf(token));
      if (call !== undefined) {
        this.take();
        return call;
      }
    }
    return this.takeNumber(MAX_U32);
  }

  /** Takes an expression of constants: `BPF_RET | BPF_K`. */
  takeNumber(most: number): number {
    const first = this.peek();
    const value = this.#sum();
    if (value <= most) return value;
    throw new AssemblyError(
      "number-range",
      `Cannot read number: ${value} is more than ${most}`,
      this.placeOf(first),
    );
  }

  #sum(): number {
    let value = this.#term();
    for (;;) {
      const first = this.peek();
      if (this.accept("|")) value = (value | this.#term()) >>> 0;
      else if (this.accept("&")) value = (value & this.#term()) >>> 0;
      else if (this.accept("<<")) value = value * 2 ** this.#term();
      else if (this.accept("+")) value += this.#term();
      else return value;
      if (value > MAX_U32) {
        throw new AssemblyError(
          "number-range",
          "Cannot read number: more than 32 bits",
          this.placeOf(first),
        );
      }
    }
  }

  #term(): number {
    if (this.#depth < MAX_DEPTH && this.accept("(")) {
      this.#depth++;
      const value = this.#sum();
      this.#depth--;
      this.expect(")");
      return value;
    }
    const token = this.peek();
    if (token.kind === "number") return this.#number();
    if (token.kind !== "word") throw this.unexpected("a number or a name");
    const name = nameOf(token);
    if (name === "offsetof" || name === "offset_of") return this.#offset();
    const value = numberOfName(name);
    if (value === undefined) {
      throw this.unexpected("a number, or a name of linux/filter.h");
    }
    this.take();
    return value;
  }

  /** `offsetof(struct seccomp_data, args[1])` */
  #offset(): number {
    this.take();
    this.accept("!");
    this.expect("(");
    this.accept("struct");
    if (nameOf(this.peek()) !== "seccomp_data") {
      throw this.unexpected("seccomp_data");
    }
    this.take();
    this.expect(",");
    const offset = offsetOfField(this.peek().text);
    if (offset === undefined) throw this.unexpected("a field of seccomp_data");
    const isArgs = this.take().text === "args";
    let index = 0;
    if (isArgs && this.accept("[")) {
      index = this.takeNumber(5);
      this.expect("]");
    }
    this.expect(")");
    return offset + 8 * index;
  }

  #number(): number {
    const token = this.take();
    const digits = token.text.replaceAll("_", "")
      .replace(/(?<=[0-9a-f])(?:u|ul|ull|l|ll)$/i, "")
      .replace(/(?:u8|u16|u32)$/, "");
    const value = /^(?:0x[0-9a-f]+|0b[01]+|0|[1-9][0-9]*)$/i.test(digits)
      ? Number(digits)
      : /^0[0-7]$/.test(digits)
      ? Number(digits)
      : NaN;
    if (value <= MAX_U32) return value;
    throw new AssemblyError(
      "number-range",
      `Cannot read number "${token.text}": write at most 32 bits, as 10 or 0x0a`,
      this.placeOf(token),
    );
  }

  #read(): CodeToken {
    for (;;) {
      TOKEN.lastIndex = this.#at;
      const match = TOKEN.exec(this.#text);
      if (match === null) {
        const at = this.#at;
        if (at >= this.#text.length) return { kind: "end", text: "", at };
        return { kind: "sign", text: this.#text.charAt(at), at };
      }
      const { number, word, sign } = match.groups ?? {};
      const [text] = match;
      if (number === undefined && word === undefined && sign === undefined) {
        this.#at += text.length;
        continue;
      }
      const kind = number !== undefined
        ? "number"
        : word !== undefined
        ? "word"
        : "sign";
      return { kind, text, at: match.index };
    }
  }
}

/** The last part of a path. */
export function nameOf({ text }: CodeToken): string {
  return /\w*$/.exec(text)?.[0] ?? text;
}
