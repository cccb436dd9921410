import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { InstallError } from "../../../install/error.ts";
import {
  memberText,
  setMember,
  unsetMember,
} from "../../../install/changes/json_edit.ts";

const NAME = "daemon.json";
const SEED = 20261124;

Deno.test("setMember() appends a member, formatted like the others", () => {
  for (
    const { text, after } of [
      { text: "", after: '{\n  "a": {\n    "b": 1\n  }\n}\n' },
      { text: "{}", after: '{\n  "a": {\n    "b": 1\n  }\n}' },
      { text: '{"x":1}', after: '{"x":1, "a": {"b":1}}' },
      {
        text: '{\n\t"x": 1\n}',
        after: '{\n\t"x": 1,\n\t"a": {\n\t\t"b": 1\n\t}\n}',
      },
      { text: '{"a":{"c":2}}', after: '{"a":{"c":2, "b": 1}}' },
      {
        text: '{\n    "a": {\n        "c": 2\n    }\n}\n',
        after: '{\n    "a": {\n        "c": 2,\n        "b": 1\n    }\n}\n',
      },
      { text: '{"a":{"b": 2 }}', after: '{"a":{"b": 1 }}' },
      // Comments are not members.
      { text: '{"x": 1 // why\n}', after: '{"x": 1, "a": {"b":1} // why\n}' },
    ]
  ) {
    const set = setMember(text, ["a", "b"], "1", NAME);
    assertEquals(set.text, after, text);
    const back = unsetMember(set.text, set.edit, NAME);
    assertEquals(
      back,
      text.trim() === "" ? "{}\n" : text,
      `back from ${after}`,
    );
  }
});

Deno.test("setMember() and unsetMember() are each other's inverse on any document", () => {
  const key = fc.string({ maxLength: 3 });
  fc.assert(
    fc.property(
      fc.dictionary(key, fc.jsonValue({ maxDepth: 2 }), { minKeys: 1 }),
      fc.constantFrom("", " ", "  ", "\t"),
      fc.array(key, { minLength: 1, maxLength: 2 }),
      fc.jsonValue({ maxDepth: 1 }),
      (object, indent, path, value) => {
        const text = JSON.stringify(object, null, indent);
        const word = JSON.stringify(value);
        let set;
        try {
          set = setMember(text, path, word, NAME);
        } catch (error) {
          if (error instanceof InstallError) return; // no object on the way
          throw error;
        }
        assertEquals(
          memberText(set.text, path, NAME) !== undefined,
          true,
        );
        const read: unknown = JSON.parse(set.text);
        const found = path.reduce<unknown>(
          (inner, k) =>
            Object.entries(inner as object).find(([n]) => n === k)?.[1],
          read,
        );
        assertEquals(JSON.stringify(found), word);
        const back = unsetMember(set.text, set.edit, NAME);
        assertEquals(JSON.parse(back), JSON.parse(text));
        const inEmpty = path.length > 1 && text.includes("{}");
        if (!inEmpty) assertEquals(back, text);
      },
    ),
    { seed: SEED },
  );
});

Deno.test("unsetMember() removes our members from an object that others have extended", () => {
  const { text, edit } = setMember(
    '{"x":1}',
    ["runtimes", "ours"],
    '{"p":1}',
    NAME,
  );
  const more = setMember(text, ["runtimes", "theirs"], "{}", NAME).text;
  assertEquals(
    unsetMember(more, edit, NAME),
    '{"x":1, "runtimes": {"theirs": {}}}',
  );
  assertThrows(
    () => unsetMember(text.replace('"p":1', '"p":2'), edit, NAME),
    InstallError,
    "was changed since",
  );
});

Deno.test("unsetMember() restores the previous text", () => {
  const before = '{ "default-runtime":  "runc" }';
  const { text, edit } = setMember(before, ["default-runtime"], '"x"', NAME);
  assertEquals(text, '{ "default-runtime":  "x" }');
  assertEquals(unsetMember(text, edit, NAME), before);
});
