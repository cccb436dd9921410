import { assert, assertEquals } from "@std/assert";
import type { CutRule, Test } from "../../../profile/semantics/rule_chain.ts";
import { fileRules } from "../../../profile/semantics/rule_tree.ts";

const ALL = 0xffff_ffff_ffff_ffffn;

function cut(
  value: number,
  ...conditions: readonly (readonly [
    number,
    CutRule["conditions"][number]["op"],
    bigint,
  ])[]
): CutRule {
  return {
    value,
    source: `#${value}`,
    conditions: conditions.map(([arg, op, v]) => ({
      arg,
      op,
      value: v,
      mask: ALL,
      masked: false,
    })),
  };
}

/** A level as its tests in order, sides in parentheses. */
function shown(tests: readonly Test[]): string {
  return tests.map(({ condition, yes, no }) => {
    const side = (s: Test["yes"]): string =>
      [s.outcome?.value ?? "", shown(s.tests)].filter((t) => t !== "").join(
        " ",
      );
    return `${condition.arg}${condition.op}${condition.value}(${side(yes)}|${
      side(no)
    })`;
  }).join(" ");
}

function tree(rules: readonly CutRule[], bits: 32 | 64 = 32): string {
  const filed = fileRules(rules, bits);
  return "kind" in filed ? `${filed.source}!${filed.other}` : shown(filed);
}

Deno.test("fileRules() files tests by argument, kind and value", () => {
  const rules = [
    cut(1, [0, "eq", 1n]),
    cut(2, [0, "eq", 9n]),
    cut(3, [0, "lt", 20n]),
    cut(4, [0, "lt", 5n]),
    cut(5, [0, "gt", 3n]),
    cut(6, [2, "ge", 3n]),
  ];
  const expected = "2ge3(6|) 0eq9(2|) 0eq1(1|) 0ge5(|4) 0ge20(|3) 0gt3(5|)";
  assertEquals(tree(rules), expected);
  assertEquals(tree(rules.toReversed()), expected);
});

Deno.test("fileRules() takes NE, LT and LE as other sides of one test", () => {
  assertEquals(
    tree([cut(1, [0, "ne", 3n]), cut(2, [0, "eq", 3n])]),
    "0eq3(2|1)",
  );
  assertEquals(tree([cut(1, [0, "le", 3n])]), "0gt3(|1)");
});

Deno.test("fileRules() refuses a second action for one side", () => {
  const a = cut(1, [0, "eq", 3n], [1, "eq", 4n]);
  assertEquals(tree([a, cut(2, [0, "eq", 3n], [1, "eq", 4n])]), "#2!#1");
  assertEquals(tree([a, cut(2, [0, "eq", 3n])]), "#2!#1");
  assertEquals(tree([cut(2, [0, "eq", 3n]), a]), "0eq3(2|)");
});

Deno.test("fileRules() tests the high word of an equality first", () => {
  const value = (5n << 32n) | 7n;
  assertEquals(
    tree([cut(1, [0, "eq", value]), cut(2, [0, "ne", value + 1n])], 64),
    "0eq21474836480(0eq8(|2) 0eq7(1|)|2)",
  );
});

Deno.test("fileRules() does not change its input", () => {
  const rules = [cut(1, [0, "eq", 3n], [1, "eq", 4n]), cut(2, [0, "eq", 5n])];
  const before = structuredClone(rules);
  const filed = fileRules(rules, 64);
  assert(!("kind" in filed));
  assertEquals(rules, before);
});
