import { parse as momoaParse } from "@humanwhocodes/momoa";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProfileError } from "../../../profile/diagnostic.ts";
import {
  MAX_JSON_LENGTH,
  parseJson,
  readJson,
} from "../../../profile/json/read.ts";
import { MAX_JSON_DEPTH } from "../../../profile/json/parse.ts";
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

Deno.test("parseJson() keeps numbers as written", () => {
  for (
    const text of [
      "18446744073709551615",
      "9007199254740993",
      "-0",
      "1.0",
      "1e3",
      "1E400",
      "123456789012345678901234567890.5e-10",
    ]
  ) {
    const { root } = parseJson(text);
    assertEquals(root, { kind: "number", start: 0, end: text.length, text });
  }
});

Deno.test("parseJson() has offsets with which a single value can be replaced", () => {
  const text = '\ufeff{\r\n\t"a":  [1, {"é😀": 1.0 }] ,/*c*/"b":-0}\n';
  const document = parseJson(text);
  const value = valueAt(document, 'a[1]["é😀"]');
  assert(value !== undefined);
  assertEquals(
    text.slice(0, value.start) + "7" + text.slice(value.end),
    text.replace("1.0", "7"),
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

Deno.test("parseJson() takes keys such as __proto__ as data", () => {
  const text =
    '{"__proto__":{"a":1},"constructor":2,"toString":3,"hasOwnProperty":4}';
  const document = parseJson(text);
  assert(document.root.kind === "object");
  assertEquals(document.root.members.map((m) => m.key.value), [
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
  ]);
  assertEquals(locate(document, "__proto__.a"), { line: 1, column: 19 });
  assertEquals(({} as Record<string, unknown>)["a"], undefined);
});

Deno.test("parseJson() refuses text that is not JSON, with its position", () => {
  // text, line:column, code, path, a part of the message or its fix
  const cases: readonly (readonly [string, string, string, string, string])[] =
    [
      ["", "1:1", "json-empty", "", "empty"],
      [" \n\t", "2:2", "json-empty", "", "empty"],
      ["// only\n", "2:1", "json-empty", "", "empty"],
      ["[1,]", "1:3", "json-trailing-comma", "[0]", "no trailing commas"],
      ['{"a":1,\n}', "1:7", "json-trailing-comma", "a", "no trailing commas"],
      ["[,]", "1:2", "json-syntax", "[0]", 'found ","'],
      ["[1 2]", "1:4", "json-comma", "[0]", 'found "2"'],
      ['{"a" 1}', "1:6", "json-colon", "a", 'put ":"'],
      ["{a:1}", "1:2", "json-key", "", "double quotes"],
      ["{'a':1}", "1:2", "json-key", "", "double quotes"],
      ["'a'", "1:1", "json-syntax", "", "double quotes"],
      ['{"a":[{"b":tru}]}', "1:12", "json-syntax", "a[0].b", '"tru"'],
      ["[NaN]", "1:2", "json-syntax", "[0]", '"NaN"'],
      ["True", "1:1", "json-syntax", "", '"True"'],
      ["nullx", "1:1", "json-syntax", "", '"nullx"'],
      ["01", "1:1", "json-number", "", '"01"'],
      ["[00]", "1:2", "json-number", "[0]", '"00"'],
      ['{"a":007}', "1:6", "json-number", "a", '"007"'],
      ["0x10", "1:1", "json-number", "", '"0x10"'],
      ["+1", "1:1", "json-number", "", '"+1"'],
      [".5", "1:1", "json-number", "", '".5"'],
      ["1.", "1:1", "json-number", "", '"1."'],
      ["1e", "1:1", "json-number", "", '"1e"'],
      ["--1", "1:1", "json-syntax", "", '"--1"'],
      ['{"a":1} x', "1:9", "json-trailing", "", 'found "x"'],
      ["{}\n{}", "2:1", "json-trailing", "", 'found "{"'],
      ["{}\0", "1:3", "json-trailing", "", "found NUL"],
      ["\0", "1:1", "json-syntax", "", "found NUL"],
      ['"a\0b"', "1:3", "json-nul", "", "NUL"],
      ['{"linux\\u0000x":1}', "1:8", "json-nul", "", "NUL"],
      ['"a\nb"', "1:3", "json-control", "", "write \\n"],
      ['"a\tb"', "1:3", "json-control", "", "escape"],
      ['"\\x41"', "1:2", "json-escape", "", "\\uXXXX"],
      ['"\\u12g4"', "1:2", "json-escape", "", "\\uXXXX"],
      ['"\\ud800"', "1:2", "json-surrogate", "", "surrogate"],
      ['"\\udc00"', "1:2", "json-surrogate", "", "surrogate"],
      ['"\\ud800\\ud800"', "1:2", "json-surrogate", "", "surrogate"],
      ['"\\ud800\\udbff"', "1:2", "json-surrogate", "", "surrogate"],
      ['"\\ud800\\ue000"', "1:2", "json-surrogate", "", "surrogate"],
      ['"x\ud800"', "1:3", "json-surrogate", "", "surrogate"],
      ['{"a":\n"\udc00"}', "2:2", "json-surrogate", "", "surrogate"],
      ['{"a":[1,2', "1:10", "json-end", "a[1]", "what began at 1:6"],
      ['{"a":', "1:6", "json-end", "a", "ends here"],
      ['"abc', "1:5", "json-end", "", "what began at 1:1"],
      ["{} /* x", "1:4", "json-comment-end", "", "*/"],
      ["{} # x", "1:4", "json-trailing", "", 'found "#"'],
      ["{} / x", "1:4", "json-syntax", "", "//"],
      // A path of more than 16 steps is no help.
      [`${"[".repeat(16)}?`, "1:17", "json-syntax", "[0]".repeat(16), '"?"'],
      [`${"[".repeat(17)}?`, "1:18", "json-syntax", "", '"?"'],
    ];
  for (const [text, place, code, path, said] of cases) {
    const error = assertThrows(
      () => parseJson(text),
      ProfileError,
      undefined,
      JSON.stringify(text),
    );
    const [d, ...more] = error.diagnostics;
    assert(d !== undefined && more.length === 0, JSON.stringify(text));
    assertEquals(
      [`${d.line}:${d.column}`, d.code, d.path],
      [place, code, path],
      JSON.stringify(text),
    );
    assert(
      `${d.message}: ${d.fix}`.includes(said),
      `${JSON.stringify(text)} says ${d.message}: ${d.fix}`,
    );
  }
});

Deno.test("parseJson() refuses repeated keys, all of them, with both places", () => {
  const text = '{\n "a": 1,\n "b": {"c":1, "\\u0063":2},\n "a": 3 }';
  const error = assertThrows(() => parseJson(text), ProfileError);
  assertEquals(
    error.diagnostics.map((d) => [d.line, d.column, d.path, d.message]),
    [
      [3, 15, "b.c", "Key is repeated, first at 3:8"],
      [4, 2, "a", "Key is repeated, first at 2:2"],
    ],
  );
  const many = Array.from({ length: 40 }, (_, i) => `"k${i}":0`);
  for (const i of [0, 11, 12, 13, 39]) {
    const repeated = `{${[...many, `"k${i}":1`].join(",")}}`;
    const { diagnostics } = readJson(repeated);
    assertEquals(diagnostics.map((d) => d.path), [`k${i}`]);
  }
});

Deno.test("readJson() notes a byte order mark and comments", () => {
  const { diagnostics } = readJson("\ufeff{} // x");
  assertEquals(diagnostics.map((d) => [d.severity, d.code, d.line, d.column]), [
    ["note", "json-bom", 1, 1],
    ["note", "json-comment", 1, 4],
  ]);
  const error = assertThrows(
    () => parseJson("{} // x", { comments: "reject" }),
    ProfileError,
  );
  assertEquals(error.diagnostics[0]?.code, "json-comment");
});

Deno.test("parseJson() limits depth and length", () => {
  const nested = (depth: number): string =>
    "[".repeat(depth) + "]".repeat(depth);
  parseJson(nested(MAX_JSON_DEPTH));
  for (const depth of [MAX_JSON_DEPTH + 1, 100_000]) {
    const error = assertThrows(() => parseJson(nested(depth)), ProfileError);
    assertEquals(error.diagnostics.map((d) => [d.code, d.column]), [
      ["json-depth", MAX_JSON_DEPTH + 1],
    ]);
  }
  parseJson("[1]", { maxLength: 3 });
  const error = assertThrows(
    () => parseJson("[1]", { maxLength: 2 }),
    ProfileError,
  );
  assertEquals(
    error.message,
    [
      "Text of 3 characters or bytes exceeds the limit of 2",
      "split the profile, or raise the limit",
    ].join(": "),
  );
  assertThrows(
    () => parseJson(" ".repeat(MAX_JSON_LENGTH + 1)),
    ProfileError,
  );
});

Deno.test("locate() answers undefined for paths that lead nowhere", () => {
  const document = parseJson('{"a":[1],"b":{"c":null}}');
  for (
    const path of ["x", "a[1]", "a.b", "b[0]", "a[", "a[x]", "..a", 'b["c']
  ) {
    assertEquals(locate(document, path), undefined, path);
  }
  assertEquals(locate(document, ""), { line: 1, column: 1 });
  assertEquals(locate(document, "b.c"), { line: 1, column: 19 });
});
