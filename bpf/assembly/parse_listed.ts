/**
 * Reads the statement after the fields of a listing.
 *
 * @module
 */

import type { Instruction } from "../instruction.ts";
import type { Written } from "./draft.ts";
import type { StatementLanguage } from "./parse_operand.ts";
import { readStatement } from "./parse_statement.ts";
import type { AssemblyProblems } from "./problems.ts";
import { StatementCursor } from "./statement_cursor.ts";
import type { StatementToken } from "./statement_tokens.ts";

/** A load of a word that has a name in the language, other than arguments. */
const NAMED = /^A = (?:arch|sys_number|instruction_pointer|len|X)\b/;

/**
 * Reads the statement, up to the end of the line.
 *
 * @param cursor Position after the fields.
 * @param fields The instruction that the fields give.
 * @param language The language of the statement.
 * @param problems Receives the errors.
 * @returns The fields, and the statement unless it only names an argument.
 */
export function readListed(
  cursor: StatementCursor,
  fields: Instruction,
  language: StatementLanguage,
  problems: AssemblyProblems,
): Pick<Written, "draft" | "fields"> {
  const rest: StatementToken[] = [];
  while (cursor.peek().kind !== "break") rest.push(cursor.take());
  const end = cursor.take();
  if (rest.length === 0) return { fields };
  const words = rest.map(({ text }) => text).join(" ");
  // Only the tool that wrote a name of an argument knows it.
  if (
    fields.op === "ld.abs" && /^A = [A-Za-z_]\w*(?: >> 32)?$/.test(words) &&
    !NAMED.test(words)
  ) return { fields };
  const inner = new StatementCursor(rest, end);
  const draft = problems.attempt(() => {
    const read = readStatement(inner, language);
    if (inner.peek().kind !== "end") {
      throw inner.unexpected("the end of the line");
    }
    return read;
  });
  return { fields, ...(draft && { draft }) };
}
