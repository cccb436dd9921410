import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  decodeUtf8,
  diagnosticAt,
  lineStartsOf,
  quote,
} from "../../profile/text.ts";

Deno.test("quote() shows a string on one line, in order and truncated", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["a", '"a"'],
    ['a"\n\x1b[0m', '"a\\"\\n\\u001b[0m"'],
    ["a\u202eb\u2028c\u009b\u200b", '"a\\u202eb\\u2028c\\u009b\\u200b"'],
    ["é😀", '"é😀"'],
    ["x".repeat(60), `"${"x".repeat(60)}"`],
    ["x".repeat(61), `"${"x".repeat(60)}…"`],
    [`${"x".repeat(59)}😀y`, `"${"x".repeat(59)}…"`],
  ];
  for (const [text, quoted] of cases) assertEquals(quote(text), quoted);
});

Deno.test("diagnosticAt() counts lines as editors do", () => {
  const text = "a\nbc\r\nd\re\n\nf";
  const starts = lineStartsOf(text);
  assertEquals(starts, [0, 2, 6, 8, 10, 11]);
  assertEquals(diagnosticAt(starts, 3), { line: 2, column: 2 });
  assertEquals(diagnosticAt(starts, 11), { line: 6, column: 1 });
  assertEquals(diagnosticAt(starts, 12), { line: 6, column: 2 });
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "\n", "\r") }),
      fc.nat(30),
      (text, at) => {
        const offset = Math.min(at, text.length);
        // A CR LF that the offset splits ends its line after the LF.
        if (text.slice(offset - 1, offset + 1) === "\r\n") return;
        const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
        assertEquals(diagnosticAt(lineStartsOf(text), offset), {
          line: lines.length,
          column: (lines.at(-1)?.length ?? 0) + 1,
        });
      },
    ),
    { seed: 2026, verbose: 1 },
  );
});

Deno.test("decodeUtf8() keeps every byte of valid text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      if (/^\0|^[^\0]\0/.test(text)) return;
      const bytes = new TextEncoder().encode(`\ufeff${text}`);
      assertEquals(new TextEncoder().encode(decodeUtf8(bytes)), bytes);
    }),
    { seed: 2026, verbose: 1 },
  );
});
