import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import {
  printable,
  printableLines,
  quoteText,
} from "../../tables/printable.ts";

/**
 * Characters that must not be printed, by code points: C0, DEL, C1, soft
 * hyphen, Arabic letter mark, Mongolian vowel separator, zero-width characters
 * and marks of direction, separators of lines and paragraphs, embeddings,
 * overrides, isolates, invisible operators, byte order mark, interlinear
 * annotations, tags, noncharacters.
 */
const HOSTILE: readonly (readonly [first: number, last: number])[] = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x034f, 0x034f],
  [0x061c, 0x061c],
  [0x115f, 0x1160],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xd800, 0xdfff],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffb],
  [0xfffe, 0xffff],
  [0xe0001, 0xe0001],
  [0xe0020, 0xe007f],
  [0xe0100, 0xe01ef],
  [0x10fffe, 0x10ffff],
];

function isHostile(point: number): boolean {
  return HOSTILE.some(([first, last]) => first <= point && point <= last);
}

/** Text of hostile, ordinary and escaped parts, lone surrogates included. */
const TEXT = fc.array(
  fc.oneof(
    fc.constantFrom(...HOSTILE.flat().map((p) => String.fromCodePoint(p))),
    fc.constantFrom("\\", '"', "\\u", "\\u202e", "a", "é", "中", "😀", "'"),
    fc.string({ unit: "binary" }),
    fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
  ),
).map((parts) => parts.join(""));

function check(property: (text: string) => void): void {
  fc.assert(fc.property(TEXT, property), {
    seed: 2026,
    numRuns: 2000,
    verbose: 1,
  });
}

Deno.test("printable() escapes every hostile code point and leaves text alone", () => {
  for (const [first, last] of HOSTILE) {
    for (let point = first; point <= last; point++) {
      const text = printable(`a${String.fromCodePoint(point)}b`);
      assertMatch(text, /^a(?:\\u[0-9a-f]{4}){1,2}b$/, point.toString(16));
    }
  }
  const plain = `!"#\\~ é ß Ω Ж 中文 日本 한국 ا ب ש 😀 \u00a0 €`;
  assertEquals(printable(plain), plain);
});

Deno.test("printable() gives one line without hostile characters, and is done after once", () => {
  check((text) => {
    const shown = printable(text);
    for (const character of shown) {
      const point = character.codePointAt(0) ?? 0;
      assertEquals(isHostile(point), false, point.toString(16));
    }
    assertEquals(printable(shown), shown);
  });
});

Deno.test("printable() marks what it escapes: taking the marks off gives the text", () => {
  check((text) => {
    if (text.includes("\\u")) return;
    const read = printable(text).replace(
      /\\u([0-9a-f]{4})/g,
      (_, hex) => String.fromCharCode(parseInt(hex, 16)),
    );
    assertEquals(read, text);
  });
});

Deno.test("quoteText() is printable, and JSON.parse() gives the text back", () => {
  check((text) => {
    const quoted = quoteText(text);
    assertEquals(printable(quoted), quoted);
    assertEquals(JSON.parse(quoted), text);
  });
});

Deno.test("printableLines() keeps lines and tabs, and each line is printable", () => {
  check((text) => {
    const lines = printableLines(text).split(/[\n\t]/);
    assertEquals(lines, text.split(/[\n\t]/).map(printable));
  });
});
