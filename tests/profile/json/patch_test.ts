/** Patches of texts, compared with patches of data by another program. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import jsonPatch from "fast-json-patch";
import {
  applyPatch,
  type PatchStep,
  type PatchValue,
} from "../../../profile/json/patch.ts";

/** Keys, some of which a pointer has to escape. */
const KEYS = ["a", "names", "a/b", "~", "~1", "", "0", "-", 'q"', "\u00e9\n"];

const VALUE = fc.letrec<{ readonly value: PatchValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.integer(),
    fc.constantFrom("", "SCMP_ACT_ALLOW", '"\\\n', "[1,\n{}]"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie("value"), { maxKeys: 4 }),
  ),
})).value;

/** Blanks between the tokens, in the order in which they are used. */
const BLANKS = fc.array(
  fc.constantFrom("", "", " ", "\n", "\n  ", "\t", " \n\n    ", "\r\n"),
  { minLength: 1, maxLength: 12 },
);

/** Writes a value with blanks that no formatter would choose. */
function write(value: PatchValue, blanks: readonly string[]): string {
  let used = 0;
  const blank = (): string => blanks[used++ % blanks.length] ?? "";
  const list = (parts: readonly (() => string)[]): string =>
    parts.map((part) => `${blank()}${part()}${blank()}`).join(",") || blank();
  const text = (item: PatchValue): string => {
    if (typeof item !== "object") return JSON.stringify(item);
    return Array.isArray(item)
      ? `[${list(item.map((one) => () => text(one)))}]`
      : `{${
        list(
          Object.entries(item).map(([key, one]) => () =>
            `${JSON.stringify(key)}${blank()}:${blank()}${text(one)}`
          ),
        )
      }}`;
  };
  return blank() + text(value) + blank();
}

/** Numbers that choose a place, an operation and a new value. */
const CHOICE = fc.record({
  walk: fc.array(fc.nat(6), { minLength: 1, maxLength: 4 }),
  op: fc.constantFrom("add", "remove", "replace"),
  key: fc.constantFrom(...KEYS),
  isNew: fc.boolean(),
  value: VALUE,
});

type Choice = typeof CHOICE extends fc.Arbitrary<infer T> ? T : never;

const escape = (step: string): string =>
  step.replaceAll("~", "~0").replaceAll("/", "~1");

/** An operation that is possible in a document; none in an empty one. */
function stepIn(
  root: unknown,
  { walk, op, key, isNew, value }: Choice,
): PatchStep | undefined {
  let at = root;
  const steps: string[] = [];
  for (const [i, n] of walk.entries()) {
    if (typeof at !== "object" || at === null) break;
    const isArray = Array.isArray(at);
    const keys = Object.keys(at);
    if (op === "add" && (isNew || keys.length === 0)) {
      if (i === walk.length - 1 || keys.length === 0) {
        const index = n > keys.length ? "-" : String(n);
        steps.push(isArray ? index : key);
        break;
      }
    }
    const next = keys[n % keys.length];
    if (next === undefined) break;
    steps.push(next);
    at = (at as Record<string, unknown>)[next];
  }
  if (steps.length === 0) return undefined;
  const path = steps.map((step) => `/${escape(step)}`).join("");
  return op === "remove" ? { op, path } : { op, path, value };
}

/** The other implementation; it throws what RFC 6902 calls an error. */
function patchData(data: unknown, patch: readonly PatchStep[]): unknown {
  return jsonPatch.applyPatch(
    data,
    structuredClone(patch) as jsonPatch.Operation[], // without bigints
    true,
  ).newDocument;
}

Deno.test("a patched text is parsed as the patched data", () => {
  let patches = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(VALUE, { maxLength: 5 }),
        fc.dictionary(fc.constantFrom(...KEYS), VALUE, { maxKeys: 5 }),
      ),
      BLANKS,
      fc.array(CHOICE, { minLength: 1, maxLength: 4 }),
      (value, blanks, choices) => {
        const text = write(value, blanks);
        let data: unknown = JSON.parse(text);
        const patch: PatchStep[] = [];
        for (const choice of choices) {
          const step = stepIn(data, choice);
          if (step === undefined) continue;
          patch.push(step);
          data = patchData(data, [step]);
        }
        patches += patch.length;
        const changed = applyPatch(text, patch);
        assertEquals(JSON.parse(changed), data, changed);
      },
    ),
    { seed: 2026, numRuns: 2000 },
  );
  assert(patches > 2000, `${patches}`);
});

Deno.test("a patch leaves everything else as it is written", () => {
  const text =
    '{\n\t"a": [ 1.0, 2e0,\n 3 ],\n\t"b" : 18446744073709551615\n}\n';
  const rows: readonly (readonly [PatchStep, string])[] = [
    [{ op: "remove", path: "/a/0" }, text.replace("1.0, ", "")],
    [{ op: "remove", path: "/a" }, '{\n\t"b" : 18446744073709551615\n}\n'],
    [
      { op: "replace", path: "/a/1", value: 18446744073709551614n },
      text.replace("2e0", "18446744073709551614"),
    ],
    [{ op: "add", path: "/a/1", value: 9 }, text.replace("1.0,", "1.0,\n 9,")],
    [
      { op: "add", path: "/c", value: [] },
      text.replace("615\n", '615,\n\t"c": []\n'),
    ],
  ];
  for (const [step, expected] of rows) {
    assertEquals(applyPatch(text, [step]), expected);
  }
});

Deno.test("a patch of a place that does not exist is an error", () => {
  const data = { a: [1, 2], b: { c: 3 } };
  const rows: readonly PatchStep[] = [
    { op: "remove", path: "/a/2" },
    { op: "remove", path: "/a/-" },
    { op: "remove", path: "/a/01" },
    { op: "remove", path: "/x" },
    { op: "replace", path: "/b/x", value: 1 },
    { op: "replace", path: "/a/-", value: 1 },
    { op: "add", path: "/a/3", value: 1 },
    { op: "add", path: "/a/01", value: 1 },
    { op: "add", path: "/a/1e0", value: 1 },
    { op: "add", path: "/a/", value: 1 },
    { op: "add", path: "/a/x", value: 1 },
    { op: "add", path: "/a/-1", value: 1 },
    { op: "add", path: "/x/y", value: 1 },
    { op: "add", path: "/b/c/d", value: 1 },
  ];
  for (const step of rows) {
    assertThrows(
      () => applyPatch(JSON.stringify(data), [step]),
      RangeError,
      step.path,
      JSON.stringify(step),
    );
  }
});
