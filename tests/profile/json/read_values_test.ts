/**
 * Values and places that the reader gives, compared with those of momoa and
 * JSON.parse.
 *
 * @module
 */

import { parse as momoaParse } from "@humanwhocodes/momoa";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProfileError } from "../../../profile/diagnostic.ts";
import { parseJson, readJson } from "../../../profile/json/read.ts";
import { formatPath, locate, valueAt } from "../../../profile/json/path.ts";
import type { JsonDocument, JsonValue } from "../../../profile/json/value.ts";

/** A value as `JSON.parse` gives it: rounds numbers, so for comparison only. */
function plain(value: JsonValue): unknown {
  switch (value.kind) {
    case "object":
      return new Map(value.members.map((m) => [m.key.value, plain(m.value)]));
    case "array":
      return [...value.items].map(plain);
    case "number":
      return Number(value.text);
    case "null":
      return null;
    case "string":
    case "boolean":
      return value.value;
  }
}

/** The same shape from `JSON.parse`. */
function mapped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(mapped);
  if (typeof value !== "object" || value === null) return value;
  return new Map(Object.entries(value).map(([k, v]) => [k, mapped(v)]));
}

/** The members of momoa's nodes; its own types have twenty interfaces. */
interface MomoaNode {
  readonly type: string;
  readonly loc: {
    readonly start: Position;
    readonly end: Position;
  };
  readonly members?: readonly { name: MomoaNode; value: MomoaNode }[];
  readonly elements?: readonly { value: MomoaNode }[];
  readonly body?: MomoaNode;
}

interface Position {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

/** Compares every value's place with momoa's, and `locate` with both. */
function comparePlaces(
  document: JsonDocument,
  value: JsonValue,
  node: MomoaNode,
  path: readonly (string | number)[],
): void {
  const { start, end } = node.loc;
  const text = formatPath(path);
  assertEquals([value.start, value.end], [start.offset, end.offset], text);
  assertEquals(
    locate(document, text),
    { line: start.line, column: start.column },
    text,
  );
  assert(valueAt(document, text) === value, text);
  if (value.kind === "object") {
    for (const [i, member] of value.members.entries()) {
      const other = node.members?.[i];
      assert(other !== undefined);
      assertEquals(member.key.start, other.name.loc.start.offset);
      assertEquals(member.key.end, other.name.loc.end.offset);
      comparePlaces(document, member.value, other.value, [
        ...path,
        member.key.value,
      ]);
    }
  } else if (value.kind === "array") {
    for (const [i, item] of [...value.items].entries()) {
      const other = node.elements?.[i];
      assert(other !== undefined);
      comparePlaces(document, item, other.value, [...path, i]);
    }
  }
}

/** Blanks and comments between tokens. */
const blank = fc.array(
  fc.constantFrom(" ", "\n", "\r\n", "\t", "// x\n", "/* \n* / */"),
  { maxLength: 3 },
).map((parts) => parts.join(""));

/** A string literal: plain, or with some characters as escapes. */
const literal = fc.tuple(
  fc.string({ unit: "grapheme", maxLength: 8 }).filter((s) =>
    !s.includes("\0")
  ),
  fc.boolean(),
).map(([s, escape]) => {
  const json = JSON.stringify(s);
  return escape
    ? `"${
      [...json.slice(1, -1)].map((c) =>
        /[a-z]/.test(c) && !json.includes("\\")
          ? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`
          : c
      ).join("")
    }"`
    : json;
});

/** A number literal. */
const number = fc.oneof(
  fc.bigInt(-(2n ** 70n), 2n ** 70n).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) =>
    JSON.stringify(n)
  ),
  fc.constantFrom("0", "-0", "1.0", "1e3", "1E+2", "0.5e-7"),
);

/** A document as text, with blanks and comments anywhere. */
const { value: documentText } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.tuple(
    blank,
    fc.oneof(
      { maxDepth: 4, depthSize: "small" },
      fc.oneof(literal, number, fc.constantFrom("true", "false", "null")),
      fc.array(tie("value"), { maxLength: 4 }).map((items) =>
        `[${items.join(",")}]`
      ),
      fc.uniqueArray(
        fc.tuple(blank, literal, blank, tie("value")),
        { maxLength: 15, selector: (m) => JSON.parse(m[1]) },
      ).map((members) =>
        `{${members.map(([a, k, b, v]) => `${a}${k}${b}:${v}`).join(",")}}`
      ),
    ),
    blank,
  ).map((parts) => parts.join("")),
}));

Deno.test("parseJson() gives the values and places that momoa gives", () => {
  fc.assert(
    fc.property(documentText, (text) => {
      const document = parseJson(text);
      const other = momoaParse(text, { mode: "jsonc" }) as unknown as MomoaNode;
      assert(other.body !== undefined);
      comparePlaces(document, document.root, other.body, []);
    }),
    { numRuns: 300, seed: 2026, verbose: 1 },
  );
});

Deno.test("parseJson() gives the values that JSON.parse gives", () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: "grapheme" }), (text) => {
      if (/\\u0000/.test(text)) return;
      assertEquals(plain(parseJson(text).root), mapped(JSON.parse(text)));
    }),
    { numRuns: 300, seed: 2026, verbose: 1 },
  );
});

Deno.test("parseJson() accepts no text that JSON.parse refuses", () => {
  const alphabet = fc.constantFrom(
    ...'{}[]:,"\\u0a1-+.eEtrufalsn \n\t\0',
    "true",
    '"a"',
    "\\ud800",
    "\\udc00",
  );
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 12 }), (parts) => {
      const text = parts.join("");
      let refused = false;
      try {
        JSON.parse(text);
      } catch {
        refused = true;
      }
      if (refused) assertThrows(() => parseJson(text), ProfileError);
    }),
    { numRuns: 5000, seed: 2026, verbose: 1 },
  );
});

Deno.test("readJson() gives the same elements of a long array as of a short one", () => {
  const element = (i: number): string =>
    i % 500 === 7
      ? '{"a": 1, // x\n "a": 2}'
      : `{"n": [${i}, "é\\n"], /*c*/ "v": 1.0}`;
  const elements = Array.from({ length: 2500 }, (_, i) => element(i));
  const text = `{"long": [ ${elements.join(" ,\n")} ]}`;
  const { document, diagnostics } = readJson(text);
  const long = valueAt(document, "long");
  assert(long?.kind === "array");
  assertEquals(long.items.length, 2500);
  assertEquals(long.items.at(2500), undefined);
  const repeated = diagnostics.filter(({ code }) => code === "duplicate-key");
  assertEquals(repeated.map(({ path }) => path), [
    ...[7, 507, 1007, 1507, 2007].map((i) => `long[${i}].a`),
  ]);
  let at = text.indexOf("{", 1);
  for (const pass of [1, 2]) {
    let i = 0;
    at = text.indexOf("{", 1);
    for (const item of long.items) {
      const expected = elements[i] ?? "";
      const where = `pass ${pass}, element ${i}`;
      assertEquals([item.start, item.end], [at, at + expected.length], where);
      assertEquals(long.items.at(i), item);
      const alone = parseJsonElement(expected);
      assertEquals(plain(item), plain(alone), where);
      at += expected.length + 3;
      i++;
    }
    assertEquals(i, 2500);
  }
  const place = locate(document, "long[1200].n[1]");
  const start = text.indexOf("[1200") + "[1200, ".length;
  const before = text.slice(0, start).split("\n");
  assertEquals(place, {
    line: before.length,
    column: (before.at(-1)?.length ?? 0) + 1,
  });
});

function parseJsonElement(text: string): JsonValue {
  return readJson(text).document.root;
}
