/**
 * Detects the language of assembly text, and prepares it for the readers.
 *
 * @module
 */

import { isHeader, isRule, readFields } from "./listing.ts";
import { MNEMONICS } from "./parse_instruction.ts";

/** The language of a text. */
export type AssemblyLanguage = "bpf_asm" | "seccomp-tools" | "ceccomp";

/** Sequences that color a terminal: ECMA-48, control sequences. */
// deno-lint-ignore no-control-regex -- they begin with a control character
const COLORS = /\x1b\[[0-?]*[ -/]*[@-~]/g;

const BLOCK = /\/\*[^]*?(?:\*\/|(?![^]))/g;
const BPF_ASM_COMMENT = /\/\*[^]*?(?:\*\/|(?![^]))|;[^\n]*|^[ \t]*#[^\n]*/gm;
const COMMENT = /\/\*[^]*?(?:\*\/|(?![^]))|\/\/[^\n]*|#[^\n]*/g;

const STATEMENT =
  /^(?:\$|(?:if|goto|jump)\b|return\b|[ax]\s*(?:[-+*/%|^]?=|[&=!<>])|mem\s*\[)/i;
const WORDS = new Set([...MNEMONICS, ".raw"]);

/**
 * Removes the colors of a terminal, and the mark of byte order.
 *
 * @param text Text, as saved or copied.
 * @returns The text as a reader sees it.
 */
export function stripColors(text: string): string {
  return text.replace(/^\ufeff/, "").replace(COLORS, "");
}

/**
 * Replaces comments by spaces, so positions do not change.
 *
 * @param text Assembly text.
 * @param language Its language.
 * @returns The same number of lines.
 */
export function blankComments(
  text: string,
  language: AssemblyLanguage,
): string {
  return text.replaceAll(
    language === "bpf_asm" ? BPF_ASM_COMMENT : COMMENT,
    blank,
  );
}

/** Blanks a comment; an unterminated one is left for the reader to refuse. */
function blank(comment: string): string {
  const isOpen = comment.startsWith("/*") &&
    (comment.length < 4 || !comment.endsWith("*/"));
  if (isOpen) return comment;
  return comment.replaceAll(/[^\n]/g, " ");
}

/** Reports whether a text is output of `disasm --style pseudo`. */
export function isPseudocode(text: string): boolean {
  return /^\s*# pseudocode of /.test(text);
}

/**
 * Detects the language from the first line that is specific to one.
 *
 * @param text Assembly text without colors.
 * @returns The language; `undefined` if no line is specific to one.
 */
export function detectLanguage(text: string): AssemblyLanguage | undefined {
  for (const line of text.replaceAll(BLOCK, blank).split("\n")) {
    if (isHeader(line) || isRule(line) || /^\s*(?:[#;]|\/\/)/.test(line)) {
      continue;
    }
    const start = readFields(line)?.end ?? 0;
    const rest = line.slice(start).replace(/^(?:\s*[\w.]+:)*\s*/, "");
    if (STATEMENT.test(rest)) {
      return /\$/.test(text.replaceAll(COMMENT, blank))
        ? "ceccomp"
        : "seccomp-tools";
    }
    const [word = ""] = /^[.\w]+/.exec(rest) ?? [];
    if (WORDS.has(word.toLowerCase())) return "bpf_asm";
    if (start > 0 && rest === "") continue;
  }
  return undefined;
}
