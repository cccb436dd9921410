import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProfileError } from "../../../profile/diagnostic.ts";
import {
  MAX_JSON_LENGTH,
  parseJson,
  readJson,
} from "../../../profile/json/read.ts";
import { MAX_JSON_DEPTH } from "../../../profile/json/parse.ts";
import { locate, valueAt } from "../../../profile/json/path.ts";

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
