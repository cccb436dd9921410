/**
 * Reads a condition by recursive descent; docs/explain.md has the grammar.
 *
 * @module
 */

import { quoteText } from "../tables/printable.ts";
import {
  type ConditionWord,
  StatementError,
  type ValueAtom,
  type WrittenCondition,
  type WrittenSpan,
  type WrittenTest,
  type WrittenValue,
} from "./condition.ts";

/** A word of the text. */
interface ConditionToken {
  readonly kind: "name" | "number" | "sign" | "end";
  readonly text: string;
  readonly offset: number;
}

const TOKEN =
  /\s*(?:([A-Za-z_]\w*)|(-?(?:0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+|[0-9]+)(?![\w]))|(\.\.|==|!=|<=|>=|[=<>≤≥≠∈∉⊆⊈∋∌&|~(){},]))/uy;

const OPERATORS: Readonly<Record<string, ConditionWord>> = {
  "=": "==",
  "==": "==",
  "!=": "!=",
  "≠": "!=",
  "<": "<",
  "<=": "<=",
  "≤": "<=",
  ">": ">",
  ">=": ">=",
  "≥": ">=",
  "∈": "in",
  in: "in",
  "∉": "not in",
  "⊆": "subset",
  subset: "subset",
  "⊈": "not subset",
  "∋": "has",
  has: "has",
  "∌": "lacks",
  lacks: "lacks",
};

/** Maximum depth of brackets. */
const MOST_DEPTH = 64;

/**
 * Reads a condition.
 *
 * @throws {StatementError} if it is not one.
 *
 * @param text The whole text.
 * @param start Position at which the condition begins; it ends with the text.
 * @returns The condition.
 */
export function parseCondition(text: string, start = 0): WrittenCondition {
  const parser = new ConditionParser(tokensOf(text, start));
  return parser.read();
}

function tokensOf(text: string, start: number): readonly ConditionToken[] {
  const tokens: ConditionToken[] = [];
  let at = start;
  while (text.slice(at).trim() !== "") {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) {
      const offset = text.length - text.slice(at).trimStart().length;
      throw new StatementError(
        `Cannot read the condition: unexpected ${
          quoteText(text.slice(offset, offset + 12))
        }`,
        offset,
      );
    }
    const [all, name, number, sign = ""] = match;
    const word = name ?? number ?? sign;
    tokens.push({
      kind: name !== undefined
        ? "name"
        : number !== undefined
        ? "number"
        : "sign",
      text: word,
      offset: at + all.length - word.length,
    });
    at = TOKEN.lastIndex;
  }
  tokens.push({ kind: "end", text: "", offset: text.length });
  return tokens;
}

/** Reads a condition by recursive descent. */
class ConditionParser {
  readonly #tokens: readonly ConditionToken[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly ConditionToken[]) {
    this.#tokens = tokens;
  }

  read(): WrittenCondition {
    const condition = this.#any();
    if (this.#next.kind !== "end") throw this.#unexpected('"and" or "or"');
    return condition;
  }

  get #next(): ConditionToken {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new Error("Unreachable: beyond the end");
    return token;
  }

  #take(text: string): boolean {
    if (this.#next.text !== text || this.#next.kind === "end") return false;
    this.#at++;
    return true;
  }

  #require(text: string): void {
    if (!this.#take(text)) throw this.#unexpected(quoteText(text));
  }

  #unexpected(wanted: string): StatementError {
    const { kind, text, offset } = this.#next;
    const seen = kind === "end" ? "the end" : quoteText(text);
    return new StatementError(
      `Cannot read the condition: ${seen} instead of ${wanted}`,
      offset,
    );
  }

  #any(): WrittenCondition {
    const parts = [this.#all()];
    while (this.#take("or")) parts.push(this.#all());
    const [only] = parts;
    return parts.length === 1 && only !== undefined
      ? only
      : { kind: "or", parts };
  }

  #all(): WrittenCondition {
    const parts = [this.#one()];
    while (this.#take("and")) parts.push(this.#one());
    const [only] = parts;
    return parts.length === 1 && only !== undefined
      ? only
      : { kind: "and", parts };
  }

  #one(): WrittenCondition {
    if (this.#take("not")) return { kind: "not", part: this.#one() };
    if (this.#next.text !== "(" || this.#isMasked()) return this.#test();
    if (++this.#depth > MOST_DEPTH) {
      throw new StatementError(
        `Cannot read the condition: more than ${MOST_DEPTH} brackets within one another`,
        this.#next.offset,
      );
    }
    this.#require("(");
    const inner = this.#any();
    this.#require(")");
    this.#depth--;
    return inner;
  }

  /** `(flags & MASK)`, in contrast to a condition in brackets. */
  #isMasked(): boolean {
    let at = this.#at + 1;
    if (["low32", "high32"].includes(this.#tokens[at]?.text ?? "")) {
      at += this.#tokens[at + 1]?.text === "(" ? 3 : 0;
    }
    return this.#tokens[at + 1]?.text === "&" && this.#maskEndsHere(at);
  }

  /** True if the bracket closes right after the mask. */
  #maskEndsHere(at: number): boolean {
    let depth = 1;
    for (let i = at + 1; i < this.#tokens.length; i++) {
      const { text } = this.#tokens[i] as ConditionToken;
      if (text === "(") depth++;
      else if (text === ")") depth--;
      else if (text in OPERATORS) return false;
      if (depth === 0) return true;
    }
    return false;
  }

  #test(): WrittenTest {
    const { offset } = this.#next;
    const isBracketed = this.#take("(");
    const [name, half] = this.#term();
    const mask = this.#take("&") ? this.#value() : undefined;
    if (isBracketed) this.#require(")");
    const op = this.#operator();
    const spans = op === "in" || op === "not in"
      ? this.#set()
      : [{ first: this.#value(), last: undefined }];
    return { kind: "test", name, half, mask, op, spans, offset };
  }

  #term(): readonly [string, WrittenTest["half"]] {
    const { kind, text } = this.#next;
    if (kind !== "name") throw this.#unexpected("an argument");
    this.#at++;
    if ((text !== "low32" && text !== "high32") || !this.#take("(")) {
      return [text, undefined];
    }
    const { kind: inner, text: name } = this.#next;
    if (inner !== "name") throw this.#unexpected("an argument");
    this.#at++;
    this.#require(")");
    return [name, text === "low32" ? "low" : "high"];
  }

  #operator(): ConditionWord {
    if (this.#take("not")) {
      if (this.#take("in")) return "not in";
      if (this.#take("subset")) return "not subset";
      throw this.#unexpected('"in" or "subset"');
    }
    const op = OPERATORS[this.#next.text];
    if (op === undefined) throw this.#unexpected("a comparison");
    this.#at++;
    return op;
  }

  #set(): readonly WrittenSpan[] {
    if (!this.#take("{")) return [this.#span()];
    const spans = [this.#span()];
    while (this.#take(",")) spans.push(this.#span());
    this.#require("}");
    return spans;
  }

  #span(): WrittenSpan {
    const first = this.#value();
    if (!this.#take("..")) return { first, last: undefined };
    const { kind, text } = this.#next;
    const isOpen = kind === "end" ||
      [",", "}", ")", "and", "or"].includes(text);
    return { first, last: isOpen ? "end" : this.#value() };
  }

  #value(): WrittenValue {
    if (this.#take("~")) {
      const atoms = this.#next.text === "(" ? this.#atoms() : [this.#atom()];
      return { atoms, inverted: true };
    }
    return { atoms: this.#atoms(), inverted: false };
  }

  #atoms(): readonly ValueAtom[] {
    const atoms = this.#take("(") ? this.#bracketed() : [this.#atom()];
    while (this.#take("|")) {
      atoms.push(...this.#take("(") ? this.#bracketed() : [this.#atom()]);
    }
    return atoms;
  }

  #bracketed(): ValueAtom[] {
    const atoms = [this.#atom()];
    while (this.#take("|")) atoms.push(this.#atom());
    this.#require(")");
    return atoms;
  }

  #atom(): ValueAtom {
    const { kind, text, offset } = this.#next;
    if (kind !== "name" && kind !== "number") {
      throw this.#unexpected("a name or a number");
    }
    this.#at++;
    return { value: kind === "name" ? text : numberOf(text, offset), offset };
  }
}

function numberOf(text: string, offset: number): bigint {
  const isNegative = text.startsWith("-");
  const value = BigInt(isNegative ? text.slice(1) : text);
  if (value < 1n << 64n && !(isNegative && value > 1n << 63n)) {
    return isNegative ? -value : value;
  }
  throw new StatementError(
    `Cannot read number ${text}: it has more than 64 bits`,
    offset,
  );
}
