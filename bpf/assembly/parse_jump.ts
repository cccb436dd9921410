/**
 * Reads tests and jumps of statements.
 *
 * @module
 */

import type { Op } from "../instruction.ts";
import type { Draft, JumpTarget } from "./draft.ts";
import { readConstant, type StatementLanguage } from "./parse_operand.ts";
import type { StatementCursor } from "./statement_cursor.ts";

/** The tests; an inverted one jumps to its first target if it fails. */
const TESTS: ReadonlyMap<string, readonly [name: string, inverted: boolean]> =
  new Map([
    ["==", ["jeq", false]],
    ["!=", ["jeq", true]],
    [">", ["jgt", false]],
    ["<=", ["jgt", true]],
    [">=", ["jge", false]],
    ["<", ["jge", true]],
    ["&", ["jset", false]],
  ]);

/** A test: `== 7`, `& X`. */
export interface StatementTest {
  readonly name: string;
  readonly inverted: boolean;
  readonly byX: boolean;
  readonly k: Draft["k"];
}

/** Reads a comparison of A and what it is compared with. */
export function readTest(
  cursor: StatementCursor,
  language: StatementLanguage,
): StatementTest {
  const test = TESTS.get(cursor.name());
  if (test === undefined) {
    throw cursor.unexpected("=, a comparison such as ==, or an operation");
  }
  cursor.take();
  const [name, inverted] = test;
  const byX = cursor.accept("x") !== undefined;
  return { name, inverted, byX, k: byX ? 0 : readConstant(cursor, language) };
}

/** Reads the rest of `if`. */
export function readIf(
  cursor: StatementCursor,
  language: StatementLanguage,
): Draft {
  let inverted = false;
  let open = 0;
  for (;;) {
    if (cursor.accept("!") !== undefined) inverted = !inverted;
    else if (cursor.accept("(") !== undefined) open++;
    else break;
  }
  if (open === 0) throw cursor.unexpected('"("');
  if (cursor.accept("a") === undefined) throw cursor.unexpected("A");
  const test = readTest(cursor, language);
  for (; open > 0; open--) cursor.expect(")");
  const yes = readGoto(cursor, language);
  const comma = cursor.accept(",") !== undefined;
  const other = cursor.accept("else") !== undefined;
  if (comma && !other) throw cursor.unexpected('"else"');
  const no = other ? readGoto(cursor, language) : 0;
  return jump(
    { ...test, inverted: test.inverted !== inverted },
    yes,
    no,
    language,
  );
}

function readGoto(
  cursor: StatementCursor,
  language: StatementLanguage,
): JumpTarget {
  if (cursor.accept("goto", "jmp", "jump") === undefined) {
    throw cursor.unexpected(
      cursor.name() === "return" ? "goto: give the return a label" : '"goto"',
    );
  }
  return readTarget(cursor, language);
}

/** A label, `next`, or a distance in seccomp-tools' language. */
export function readTarget(
  cursor: StatementCursor,
  language: StatementLanguage,
): JumpTarget {
  return cursor.takeLabel(language === "seccomp-tools");
}

/** Makes the instruction of a test and its targets. */
export function jump(
  { name, inverted, byX, k }: StatementTest,
  yes: JumpTarget,
  no: JumpTarget,
  language: StatementLanguage,
): Draft {
  return {
    // The tests are those of the table above.
    op: `${name}.${byX ? "x" : "k"}` as Op,
    jt: inverted ? no : yes,
    jf: inverted ? yes : no,
    k,
    merges: language === "seccomp-tools",
  };
}
