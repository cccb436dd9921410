import { assertEquals } from "@std/assert";
import { mutationsOf } from "./mutate.ts";

/** Every mutant of a text, whole. */
function mutants(path: string, text: string): readonly string[] {
  return mutationsOf(path, text).map(({ start, end, replacement }) =>
    text.slice(0, start) + replacement + text.slice(end)
  );
}

Deno.test("mutationsOf() changes one operator, constant, condition or statement of TypeScript", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["const a = b && c;", ["const a = b || c;"]],
    ["const a: 1 = x.every(f);", ["const a: 1 = x.some(f);"]],
    ["import { a } from '1';", []],
    ["const a = 5;", ["const a = 6;"]],
    ["const a = 0x0fff_ffff + 2;", [
      "const a = 268435456 + 2;",
      "const a = 0x0fff_ffff - 2;",
      "const a = 0x0fff_ffff + 3;",
    ]],
    ["const a = -b;", ["const a = b;"]],
    ["if (a) b();", ["if (true) b();", "if (false) b();", "if (a) ;"]],
    ['if (a) throw new Error("Unreachable: a");', [
      'if (true) throw new Error("Unreachable: a");',
    ]],
    ["const f = () => { return 1n; };", [
      "const f = () => { return; };",
      "const f = () => { return 2n; };",
    ]],
  ];
  for (const [text, expected] of cases) {
    assertEquals(mutants("a.ts", text), expected, text);
  }
});

Deno.test("mutationsOf() changes tests of shell and awk, comments excepted", () => {
  assertEquals(mutants("a.sh", '# a && b\n[ -O f ] && [ -n "$1" ]\n'), [
    '# a && b\n[ -O f ] || [ -n "$1" ]\n',
    '# a && b\n[ -O f ] && [ -z "$1" ]\n',
  ]);
  assertEquals(mutants("a.awk", "a == 1 { x }\n"), [
    "a != 1 { x }\n",
    "a == 2 { x }\n",
  ]);
});
