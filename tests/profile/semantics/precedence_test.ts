import { assertEquals } from "@std/assert";
import type { LinuxSeccompArg } from "../../../profile/formats/oci.ts";
import {
  orderRules,
  type PendingRule,
} from "../../../profile/semantics/precedence.ts";
import type { SeccompData } from "../../../bpf/seccomp_data.ts";
import { holds } from "../../../verify/decide.ts";
import { arg } from "../shared.ts";

const WORD = 0xffff_ffffn;

type Stated = readonly [value: number, ...args: readonly LinuxSeccompArg[]];

function pending(rules: readonly Stated[]): readonly PendingRule[] {
  return rules.map(([value, ...args], i) => ({ args, value, source: `#${i}` }));
}

/** Answer of rules for arguments; 0 if none matches. */
function answer(
  rules: readonly Stated[],
  args: readonly bigint[],
  bits: 32 | 64 = 64,
): number | string {
  const ordered = orderRules(pending(rules), bits);
  if ("kind" in ordered) return `${ordered.source} against ${ordered.other}`;
  const data: SeccompData = {
    nr: 0,
    arch: 0,
    instructionPointer: 0n,
    args: Array.from({ length: 6 }, (_, i) => args[i] ?? 0n),
  };
  const rule = ordered.find((r) => r.conditions.every((c) => holds(c, data)));
  return rule?.value ?? 0;
}

/** Expectation of a table: rules, then arguments and the answer. */
type Row = readonly [
  name: string,
  rules: readonly Stated[],
  ...answers: readonly (readonly [
    args: readonly bigint[],
    value: number | string,
  ])[],
];

function checkRows(rows: readonly Row[], bits: 32 | 64 = 64): void {
  for (const [name, rules, ...answers] of rows) {
    for (const [args, value] of answers) {
      assertEquals(answer(rules, args, bits), value, `${name}: ${args}`);
    }
  }
}

Deno.test("orderRules() replaces all other rules with an unconditional one", () => {
  checkRows([
    ["after", [[1, arg(0, "eq", 5n)], [2]], [[5n], 2], [[6n], 2]],
    ["in front", [[2], [1, arg(0, "eq", 5n)]], [[5n], 2], [[6n], 2]],
    ["between", [[1, arg(0, "eq", 5n)], [2], [3, arg(0, "eq", 5n)]], [[5n], 2]],
    ["two: the first", [[2], [3]], [[0n], 2]],
    ["by a mask of 0", [[1, arg(0, "eq", 5n)], [
      2,
      arg(1, "masked_eq", 0n, 7n),
    ]], [[5n], 2]],
    ["by a mask of 0 below", [[1, arg(1, "eq", 5n)], [
      2,
      arg(0, "masked_eq", 0n, 7n),
    ]], [[0n, 5n], 2]],
    // The conflict of the first two comes before the third arrives.
    ["too late", [[1, arg(0, "eq", 5n)], [3, arg(0, "eq", 5n)], [2]], [
      [5n],
      "#1 against #0",
    ]],
  ]);
});

Deno.test("orderRules() takes rules of one action as a union, whatever their order", () => {
  checkRows([
    [
      "union",
      [[1, arg(0, "lt", 38n)], [1, arg(0, "eq", 39n)], [1, arg(0, "gt", 40n)]],
      [[37n], 1],
      [[38n], 0],
      [[39n], 1],
      [[40n], 0],
      [[41n], 1],
    ],
    [
      "overlapping",
      [[1, arg(0, "ne", 3n)], [1, arg(1, "eq", 4n)]],
      [[3n, 4n], 1],
      [[3n, 5n], 0],
      [[2n, 5n], 1],
    ],
    ["repeated", [[1, arg(0, "eq", 3n)], [1, arg(0, "eq", 3n)]], [[3n], 1], [[
      4n,
    ], 0]],
  ]);
});

Deno.test("orderRules() tests higher arguments first", () => {
  for (
    const rules of [
      [[1, arg(0, "eq", 1n)], [2, arg(1, "eq", 5n)]],
      [[2, arg(1, "eq", 5n)], [1, arg(0, "eq", 1n)]],
    ] as const
  ) {
    checkRows([["a1 beats a0", rules, [[1n, 5n], 2], [[1n, 4n], 1], [
      [0n, 5n],
      2,
    ]]]);
  }
  checkRows([
    [
      "even bounds beat equalities below",
      [[1, arg(0, "eq", 1n)], [2, arg(3, "ge", 9n)]],
      [[1n, 0n, 0n, 9n], 2],
      [[1n, 0n, 0n, 8n], 1],
    ],
    [
      "a path goes on where it yields nothing",
      [[1, arg(0, "eq", 7n), arg(1, "eq", 2n)], [
        2,
        arg(0, "eq", 7n),
        arg(2, "eq", 3n),
      ], [3, arg(0, "ge", 5n)]],
      [[7n, 2n, 3n], 2],
      [[7n, 2n, 0n], 1],
      [[7n, 0n, 0n], 3],
    ],
  ]);
});

Deno.test("orderRules() tests equalities, then upper bounds, then lower bounds", () => {
  const eq: Stated = [1, arg(0, "eq", 5n)];
  const lt: Stated = [2, arg(0, "lt", 9n)];
  const gt: Stated = [3, arg(0, "gt", 2n)];
  for (const rules of [[eq, lt, gt], [gt, lt, eq], [lt, gt, eq]]) {
    checkRows([["kinds", rules, [[5n], 1], [[4n], 2], [[1n], 2], [[9n], 3]]]);
  }
});

Deno.test("orderRules() takes the tightest bound", () => {
  const upper: readonly Stated[] = [[1, arg(0, "lt", 10n)], [
    2,
    arg(0, "le", 20n),
  ], [3, arg(0, "lt", 5n)]];
  const lower: readonly Stated[] = [[1, arg(0, "gt", 10n)], [
    2,
    arg(0, "ge", 20n),
  ], [3, arg(0, "gt", 5n)]];
  for (const bits of [32, 64] as const) {
    for (
      const turn of [
        (r: readonly Stated[]) => r,
        (r: readonly Stated[]) => r.toReversed(),
      ]
    ) {
      checkRows([
        ["upper", turn(upper), [[4n], 3], [[5n], 1], [[9n], 1], [[10n], 2], [[
          20n,
        ], 2], [[21n], 0]],
        ["lower", turn(lower), [[20n], 2], [[19n], 1], [[11n], 1], [[10n], 3], [
          [6n],
          3,
        ], [[5n], 0]],
      ], bits);
    }
  }
});

Deno.test("orderRules() has NE 3 shadow EQ 1, not EQ 5", () => {
  const ne: Stated = [2, arg(0, "ne", 3n)];
  checkRows([
    ["EQ 1", [[1, arg(0, "eq", 1n)], ne], [[1n], 2], [[3n], 0]],
    ["EQ 5", [[1, arg(0, "eq", 5n)], ne], [[5n], 1], [[4n], 2], [[3n], 0]],
    ["EQ 5 last", [ne, [1, arg(0, "eq", 5n)]], [[5n], 1]],
    // NE is the negation of EQ: no contradiction.
    ["EQ 3", [ne, [1, arg(0, "eq", 3n)]], [[3n], 1], [[4n], 2]],
  ]);
});

Deno.test("orderRules() refuses what the runtimes refuse and names both rules", () => {
  checkRows([
    ["equal", [[1, arg(0, "eq", 3n)], [2, arg(0, "eq", 3n)]], [
      [3n],
      "#1 against #0",
    ]],
    ["equal bounds", [[1, arg(0, "lt", 3n)], [2, arg(0, "lt", 3n)]], [
      [3n],
      "#1 against #0",
    ]],
    ["equal masks", [[1, arg(0, "masked_eq", 6n, 2n)], [
      2,
      arg(0, "masked_eq", 6n, 3n),
    ]], [[2n], "#1 against #0"]],
    ["in any order of args", [[1, arg(0, "eq", 3n), arg(1, "eq", 4n)], [
      2,
      arg(1, "eq", 4n),
      arg(0, "eq", 3n),
    ]], [[3n], "#1 against #0"]],
    ["the third", [[1, arg(0, "eq", 3n)], [1, arg(0, "eq", 4n)], [
      2,
      arg(0, "eq", 4n),
    ]], [[3n], "#2 against #1"]],
    ["narrower first", [[1, arg(0, "eq", 3n), arg(1, "eq", 4n)], [
      2,
      arg(0, "eq", 3n),
    ]], [[3n], "#1 against #0"]],
  ]);
  checkRows([
    ["equal once cut", [[1, arg(0, "eq", 3n)], [
      2,
      arg(0, "eq", 0x1_0000_0003n),
    ]], [[3n], "#1 against #0"]],
  ], 32);
  checkRows([
    [
      "not on 64 bits",
      [[1, arg(0, "eq", 3n)], [2, arg(0, "eq", 0x1_0000_0003n)]],
      [[3n], 1],
      [[0x1_0000_0003n], 2],
    ],
    ["EQ and MASKED_EQ are two tests: the first goes first", [[
      1,
      arg(0, "eq", 3n),
    ], [2, arg(0, "masked_eq", 0xffff_ffff_ffff_ffffn, 3n)]], [[3n], 1]],
  ]);
});

Deno.test("orderRules() ignores a narrower rule after a broad one", () => {
  checkRows([
    [
      "prefix",
      [[1, arg(0, "eq", 3n)], [2, arg(0, "eq", 3n), arg(1, "eq", 4n)]],
      [[3n, 4n], 1],
      [[3n, 5n], 1],
      [[2n, 4n], 0],
    ],
    ["same action, both ways", [[1, arg(0, "eq", 3n), arg(1, "eq", 4n)], [
      1,
      arg(0, "eq", 3n),
    ]], [[3n, 9n], 1]],
    [
      "same action among others",
      [[9, arg(0, "eq", 8n)], [1, arg(0, "eq", 3n), arg(1, "eq", 4n)], [
        1,
        arg(0, "eq", 3n),
      ]],
      [[3n, 9n], 1],
      [[8n], 9],
    ],
  ]);
});

Deno.test("orderRules() compares low words only on 32 bits", () => {
  checkRows([
    ["EQ", [[1, arg(0, "eq", 0x5_0000_0001n)]], [[1n], 1], [
      [0x9_0000_0001n],
      1,
    ], [[2n], 0]],
    ["GT of the largest", [[1, arg(0, "gt", WORD)]], [[WORD], 0], [[
      0x5_0000_0000n,
    ], 0]],
    ["LT 2^32 is LT 0", [[1, arg(0, "lt", 1n << 32n)]], [[0n], 0], [[WORD], 0]],
    ["GE 2^32 is GE 0", [[1, arg(0, "ge", 1n << 32n)]], [[0n], 1], [[WORD], 1]],
    [
      "a mask without low bits",
      [[1, arg(0, "masked_eq", WORD << 32n, 7n << 32n)]],
      [[0n], 1],
      [[WORD], 1],
    ],
  ], 32);
});

Deno.test("orderRules() compares 64 bits exactly and unsigned", () => {
  checkRows([
    ["EQ", [[1, arg(0, "eq", 0x5_0000_0001n)]], [[0x5_0000_0001n], 1], [
      [1n],
      0,
    ]],
    ["−1 is the largest", [[1, arg(0, "gt", 5n)]], [
      [0xffff_ffff_ffff_ffffn],
      1,
    ]],
    ["LT at 2^32", [[1, arg(0, "lt", 1n << 32n)]], [[WORD], 1], [
      [1n << 32n],
      0,
    ]],
    [
      "the value is masked, too",
      [[1, arg(0, "masked_eq", 1n, 3n)]],
      [[1n], 1],
      [[5n], 1],
      [[2n], 0],
    ],
    ["NE ignores valueTwo", [[1, arg(0, "ne", 1n, 9n)]], [[1n], 0], [[9n], 1]],
  ]);
});

Deno.test("orderRules() may pick another winner on 32 bits than on 64", () => {
  // EQ and MASKED_EQ with one high value: ties by arrival, then the whole list.
  const rules: readonly Stated[] = [
    [1, arg(0, "masked_eq", 0xffff_ffff_0000_00ffn, 0x12n)],
    [2, arg(0, "eq", 0x112n)],
  ];
  assertEquals(answer(rules, [0x112n], 32), 2);
  assertEquals(answer(rules, [0x112n], 64), 1);
});
