/**
 * Stand-in for `jsr:@std/cli/unicode-width` if JSR cannot be reached, with the
 * signature of the real module. A package installed from JSR gets the real one.
 *
 * The real module looks up widths in tables of Unicode 15. This one uses the
 * engine's general categories and emoji properties, and lists the other wide
 * blocks. They agree on every character of Unicode 15 except U+1171E, which
 * this one treats as narrow.
 *
 * @module
 */

/** Characters that take no column; the soft hyphen takes one. */
const ZERO = /^[\p{Cc}\p{Cf}\p{Mn}\p{Me}\u{1160}-\u{11ff}]$/u;
const SOFT_HYPHEN = "\u{ad}";

/** Emoji of two columns; two regional indicators make one flag. */
const EMOJI = /^(?!\p{Regional_Indicator})\p{Emoji_Presentation}$/u;

/** First and last character of wide blocks: EastAsianWidth.txt, W and F. */
const WIDE: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x3247],
  [0x3250, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x1_6fe0, 0x1_6fff],
  [0x1_7000, 0x1_8dff],
  [0x1_aff0, 0x1_b2ff],
  [0x1_f200, 0x1_f265],
  [0x2_0000, 0x2_fffd],
  [0x3_0000, 0x3_fffd],
];

/**
 * Returns the number of terminal columns of a text.
 *
 * @param str The text; control characters, including line feeds, take no
 * column.
 */
export function unicodeWidth(str: string): number {
  let width = 0;
  for (const char of str) width += widthOf(char);
  return width;
}

function widthOf(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  if (code >= 0x20 && code < 0x7f || char === SOFT_HYPHEN) return 1;
  if (ZERO.test(char)) return 0;
  const isWide = WIDE.some(([first, last]) => first <= code && code <= last);
  return isWide || EMOJI.test(char) ? 2 : 1;
}
