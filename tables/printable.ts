/**
 * Text from outside (a profile, a file name, the name of a process) made safe
 * for a terminal, a log or a reader: one line, displayed in the order in which
 * it is written.
 *
 * Whole categories of Unicode are escaped, so no list has to be maintained:
 * control characters (C0, C1, DEL), format characters (bidirectional controls,
 * the Arabic letter mark, zero-width characters, tags), line and paragraph
 * separators, lone surrogates, noncharacters, and everything else that is
 * invisible by design (`Default_Ignorable_Code_Point`, such as Hangul fillers
 * and variation selectors). Source: Unicode Standard, chapter 23; UAX #44,
 * `General_Category`.
 *
 * @module
 */

/**
 * Escapes characters that could break a line, reorder it, hide in it or control
 * a terminal. Each becomes `\uXXXX`, once per UTF-16 unit, as in JSON and
 * JavaScript. All other characters, including backslashes, are unchanged, so
 * text that is already escaped does not change; {@linkcode quoteText} is the
 * form that can be read back.
 *
 * @example A name that would reverse the rest of its line
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { printable } from "./printable.ts";
 *
 * assertEquals(printable("a\u202eb\n"), "a\\u202eb\\u000a");
 * ```
 *
 * @param text Any text.
 * @returns One line.
 */
export function printable(text: string): string {
  return replaceHostile(text, escapeUnits);
}

/**
 * Quotes text as a string of JSON that is {@linkcode printable}.
 *
 * @example There and back
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { quoteText } from "./printable.ts";
 *
 * assertEquals(quoteText('"\u061c'), '"\\"\\u061c"');
 * assertEquals(JSON.parse(quoteText('"\u061c')), '"\u061c');
 * ```
 *
 * @param text Any text.
 * @returns The text in double quotes; `JSON.parse` returns the original.
 */
export function quoteText(text: string): string {
  return printable(JSON.stringify(text));
}

/**
 * Escapes the same characters as {@linkcode printable}, except line feeds and
 * tabs.
 *
 * @param text Text of several lines, such as a file.
 * @returns The same lines.
 */
export function printableLines(text: string): string {
  return replaceHostile(
    text,
    (character) =>
      /[\n\t]/.test(character) ? character : escapeUnits(character),
  );
}

/**
 * The pattern is inside the function because V8 takes 0.5 ms to read it, and
 * most runs print nothing hostile.
 */
function replaceHostile(
  text: string,
  replace: (character: string) => string,
): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu,
    replace,
  );
}

function escapeUnits(character: string): string {
  let escaped = "";
  for (let i = 0; i < character.length; i++) {
    escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
  }
  return escaped;
}
