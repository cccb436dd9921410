import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { RefusedError } from "../../hook/error.ts";
import { addAnnotation, firstOf, readConfigText } from "../../hook/rewrite.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import { readProfileDocument } from "../../profile/formats/parse.ts";

const KEY = "run.oci.seccomp_bpf_data";
const SEED = 20260101;

Deno.test("addAnnotation() adds one member and leaves every other byte", () => {
  const member = `"${KEY}":"AAAA"`;
  for (
    const { text, expected } of [
      { text: "{}", expected: `{"annotations":{${member}}}` },
      {
        text: ' { "a" : 1 } ',
        expected: ` {"annotations":{${member}}, "a" : 1 } `,
      },
      { text: '{"annotations":{}}', expected: `{"annotations":{${member}}}` },
      { text: '{"annotations":{ }}', expected: `{"annotations":{${member} }}` },
      {
        text: '{"annotations":null,"a":[]}',
        expected: `{"annotations":{${member}},"a":[]}`,
      },
      {
        text: '{"x":{"annotations":{}},"annotations":{"b":"c"}}\n',
        expected:
          `{"x":{"annotations":{}},"annotations":{${member},"b":"c"}}\n`,
      },
      {
        text: '{"\\u0061nnotations":{"b":"c"}}',
        expected: `{"\\u0061nnotations":{${member},"b":"c"}}`,
      },
      {
        text:
          '{"hard":18446744073709551615,"f":1E400,"z":-0,"o":1.0,"s":"\\u00e9é\\/"}',
        expected:
          `{"annotations":{${member}},"hard":18446744073709551615,"f":1E400,"z":-0,"o":1.0,"s":"\\u00e9é\\/"}`,
      },
    ]
  ) {
    assertEquals(addAnnotation(readConfigText(text), "AAAA"), expected, text);
  }
});

Deno.test("readConfigText() refuses what two readers could understand differently", () => {
  for (
    const { text, seen } of [
      { text: "", seen: "empty" },
      { text: "null", seen: "JSON null" },
      { text: "[]", seen: "JSON array" },
      { text: '{"a":1', seen: 'Expected "," or "}"' },
      { text: '{"a":1,}', seen: "Comma" },
      { text: '{"a":1}{}', seen: "after the end" },
      { text: '{"a":1,"a":1}', seen: "a" },
      { text: '{"x":{"b":1,"\\u0062":1}}', seen: "x.b" },
      { text: '{"annotations":{},"annotations":{}}', seen: "annotations" },
      { text: '{"linux":{"seccomp":null,"seccomp":{}}}', seen: "seccomp" },
      { text: '\ufeff{"a":1}', seen: "byte order mark" },
      { text: '{"a":1} // no', seen: "comments" },
      { text: '{"annotations":[]}', seen: "of kind array" },
      { text: '{"annotations":"x"}', seen: "of kind string" },
      { text: '{"annotations":{"a":1}}', seen: "of kind number" },
      { text: `{"annotations":{"${KEY}":null}}`, seen: "of kind null" },
      { text: '{"linux":[]}', seen: "of kind array" },
      { text: '{"linux":{"seccomp":7}}', seen: "of kind number" },
      { text: '{"Linux":{}}', seen: '"Linux"' },
      // Go folds a long s to s.
      { text: '{"linux":{"\u017feccomp":{}}}', seen: '"ſeccomp"' },
      { text: '{"linux":{"\\u017fECCOMP":{}}}', seen: '"ſECCOMP"' },
      { text: '{"annotation\u017f":{}}', seen: '"annotationſ"' },
      { text: '{"linux":{"SECCOMP":{}}}', seen: '"SECCOMP"' },
      { text: '{"Annotations":{}}', seen: '"Annotations"' },
      { text: '{"a":"\u0000"}', seen: "NUL" },
      { text: '{"a":"\\ud800"}', seen: "surrogate" },
    ]
  ) {
    const error = assertThrows(() => readConfigText(text), RefusedError);
    assertEquals(error.code, "bad-config", text);
    assert(error.message.includes(seen), `${text}: ${error.message}`);
  }
});

Deno.test("readConfigText() returns the section exactly as written, and treats null as absent", () => {
  const section = '{ "defaultAction" :\t"SCMP_ACT_ALLOW", "é": 1e0 }';
  const { section: found } = readConfigText(
    `{"x":{"seccomp":{}},"linux":{"a":[{}],"seccomp":${section} }}`,
  );
  assertEquals(found, section);
  for (const text of ['{"linux":null}', '{"linux":{"seccomp":null}}', "{}"]) {
    assertEquals(readConfigText(text).section, undefined, text);
  }
});

Deno.test("addAnnotation() adds a member whose removal restores the text", () => {
  const space = fc.constantFrom("", " ", "\n", "\t ");
  const config = fc.record({
    value: fc.json(),
    annotations: fc.option(
      fc.dictionary(fc.string({ unit: "grapheme" }), fc.string()),
      { nil: undefined },
    ),
    before: space,
    after: space,
  });
  fc.assert(
    fc.property(config, ({ value, annotations, before, after }) => {
      const notes = annotations === undefined
        ? ""
        : `,"annotations"${before}:${JSON.stringify(annotations)}`;
      const text = `${before}{"other":${value}${notes}}${after}`;
      let read;
      try {
        read = readConfigText(text);
      } catch (error) {
        // A generated string with NUL, or "__proto__" twice.
        if (error instanceof RefusedError) return;
        throw error;
      }
      if (read.annotation !== undefined) return;
      const added = addAnnotation(read, "AAAA");
      const expected = JSON.parse(text);
      expected.annotations = {
        ...expected.annotations,
        [KEY]: "AAAA",
      };
      assertEquals(JSON.parse(added), expected);
      const cut = added.replace(
        annotations === undefined
          ? new RegExp(`"annotations":\\{"${KEY}":"AAAA"\\},?`)
          : new RegExp(`"${KEY}":"AAAA",?`),
        "",
      );
      assertEquals(cut, text);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

Deno.test("firstOf() places a problem of the section in the whole configuration", () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      '{"linux":{"seccomp":{"defaultAction":"NO"}}}',
      "line 1, column 38: linux.seccomp.defaultAction: ",
    ],
    [
      '{"linux":\n  {"seccomp": {\n"defaultAction":"NO"}}}',
      "line 3, column 17: linux.seccomp.defaultAction: ",
    ],
  ];
  for (const [text, message] of cases) {
    const { sectionDocument } = readConfigText(text);
    assert(sectionDocument !== undefined);
    const error = assertThrows(
      () => readProfileDocument(sectionDocument, { kind: "oci" }),
      ProfileError,
    );
    const said = firstOf(error, "linux.seccomp");
    assertStringIncludes(said, message);
    // A person finds it there.
    const [, line, column] = /line (\d+), column (\d+)/.exec(said) ?? [];
    const shown = text.split("\n")[Number(line) - 1] ?? "";
    assertEquals(shown.slice(Number(column) - 1).slice(0, 4), '"NO"');
  }
});
