import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { InstallError } from "../../../install/error.ts";
import { formatToml } from "../../../install/managers/toml.ts";
import {
  findValue,
  hasTable,
  readToml,
} from "../../../install/managers/toml_read.ts";

const SEED = 20261124;

Deno.test("readToml() reads what other programs write", () => {
  const text = `# comment
version = 2
imports = [ # why
  "/a/*.toml", '/b"c', # last
]
"quoted key".x = """
first
 second\\
   joined \\u00e9"""
date = 1979-05-27 07:32:00Z
[a."b.c".d] # header
on = true
inline = { k = 'v', n.m = [1, 2.5] }
[[list]]
empty = ''
`;
  const entries = readToml(text, "x.toml");
  const value = (...path: string[]): unknown => findValue(entries, path);
  const string = (v: string): unknown => ({ kind: "string", value: v });
  const other = (v: string): unknown => ({ kind: "other", text: v });
  assertEquals(value("version"), other("2"));
  assertEquals(value("imports"), {
    kind: "array",
    items: [string("/a/*.toml"), string('/b"c')],
  });
  assertEquals(value("quoted key", "x"), string("first\n second" + "joined é"));
  assertEquals(value("date"), other("1979-05-27 07:32:00Z"));
  assertEquals(value("a", "b.c", "d", "on"), other("true"));
  assertEquals(value("a", "b.c", "d", "inline"), {
    kind: "table",
    members: [
      ["k", string("v")],
      ["n.m", { kind: "array", items: [other("1"), other("2.5")] }],
    ],
  });
  assertEquals(value("list", "empty"), string(""));
  assertEquals(value("list", "none"), undefined);
  assert(hasTable(entries, ["a", "b.c"]) && !hasTable(entries, ["a", "b"]));
});

Deno.test("readToml() refuses unsupported syntax, with the line", () => {
  for (
    const text of [
      "a",
      "a = ",
      "a = 'x",
      'a = "x\n"',
      "[a\n",
      "a = 1 b = 2",
      "a = [1 2]",
      "a = {b 1}",
      '= "x"',
      'a = "\\q"',
    ]
  ) {
    assertThrows(
      () => readToml(`ok = 1\n${text}`, "x.conf"),
      InstallError,
      'Cannot read "x.conf": line ',
      text,
    );
  }
});

Deno.test("readToml() reads back whatever formatToml() writes", () => {
  const word = fc.string({ unit: "grapheme", maxLength: 6 });
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 3 }),
      fc.dictionary(
        word,
        fc.oneof(word, fc.array(word, { maxLength: 3 })),
        { minKeys: 1, noNullPrototype: true },
      ),
      (path, values) => {
        const entries = readToml(formatToml([{ path, values }]), "x");
        for (const [key, value] of Object.entries(values)) {
          const found = findValue(entries, [...path, key]);
          const texts = found?.kind === "array"
            ? found.items.map((item) => item.kind === "string" && item.value)
            : found?.kind === "string" && found.value;
          assertEquals(texts, value);
        }
      },
    ),
    { seed: SEED },
  );
});

Deno.test("formatToml() escapes everything that could end a string", () => {
  assertEquals(
    formatToml([{
      path: ["a b"],
      values: { 'k"': 'v"\n[x]\x7f\\', on: true },
    }]),
    '["a b"]\n"k\\"" = "v\\"\\n[x]\\u007f\\\\"\non = true\n',
  );
  assertThrows(
    () => formatToml([{ path: [], values: { k: "\ud800" } }]),
    InstallError,
  );
});
