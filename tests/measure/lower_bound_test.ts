import { assert, assertEquals } from "@std/assert";
import { COUNTED_NUMBERS } from "../../compiler/cost.ts";
import type { Decision } from "../../compiler/decision.ts";
import { huffmanCost, lowerBoundSteps } from "../../measure/lower_bound.ts";
import { firstNumber } from "../../measure/measure.ts";
import { type Arch, archByName, type ArchName } from "../../tables/arch.ts";

function archOf(name: ArchName): Arch {
  const arch = archByName(name);
  if (arch === undefined) throw new Error(`Unreachable: no ${name}`);
  return arch;
}

const ALLOW: Decision = { kind: "leaf", value: 0x7fff_0000, id: 1 };
const DENY: Decision = { kind: "leaf", value: 0x0005_0001, id: 2 };
const KILL: Decision = { kind: "leaf", value: 0, id: 3 };

function assertClose(seen: number, expected: number, what = ""): void {
  assert(Math.abs(seen - expected) < 1e-9, `${what}: ${seen}, not ${expected}`);
}

function branch(
  offset: number,
  op: "eq" | "ge" | "set",
  k: number,
  [yes, no]: readonly [Decision, Decision],
): Decision {
  return { kind: "branch", offset, mask: 0xffff_ffff, op, k, yes, no, id: 9 };
}

Deno.test("huffmanCost() is the weight of Huffman's code", () => {
  assertEquals(huffmanCost([]), 0);
  assertEquals(huffmanCost([7]), 0);
  assertEquals(huffmanCost([1, 2]), 3);
  assertEquals(huffmanCost([2, 1, 1]), 6);
  // Lengths 1, 3, 3, 3, 4, 4 (Cormen et al., Introduction to Algorithms).
  assertEquals(huffmanCost([45, 13, 12, 16, 9, 5]), 224);
  assertEquals(huffmanCost([0, 1, 0, 2]), 3);
});

Deno.test("lowerBoundSteps() adds the shortest code and the tests of arguments", () => {
  const n = COUNTED_NUMBERS;
  let withBits = 0;
  for (let nr = 0; nr < n; nr++) if (nr % 512 >= 128) withBits++;
  const x86 = archOf("x86_64");
  const both = [ALLOW, DENY] as const;
  const cases: readonly (readonly [string, Decision, number])[] = [
    ["one answer", ALLOW, 4],
    ["two answers", branch(0, "eq", 5, both), 5],
    ["from a number on", branch(0, "ge", 5, both), 5],
    ["from none on", branch(0, "ge", n, both), 4],
    ["by a bit", branch(0, "set", 1, both), 5],
    ["by no bit", branch(0, "set", 0x8000_0000, both), 4],
    ["by the architecture", branch(4, "eq", x86.auditArch, both), 4],
    [
      "by an argument of one number",
      branch(0, "eq", 5, [branch(16, "eq", 1, both), DENY]),
      5 + 2 / n,
    ],
    [
      "by an argument of the numbers with one of two bits",
      branch(0, "set", 0x180, [branch(16, "eq", 1, both), DENY]),
      5 + 2 * withBits / n,
    ],
    ["by an argument of all numbers", branch(16, "eq", 1, both), 6],
    [
      "three answers, two of them on one number each",
      branch(0, "eq", 5, [
        ALLOW,
        branch(0, "eq", 6, [
          KILL,
          DENY,
        ]),
      ]),
      5 + 2 / n,
    ],
  ];
  for (const [name, decision, expected] of cases) {
    assertClose(lowerBoundSteps(decision, x86, {}), expected, name);
  }
});

Deno.test("lowerBoundSteps() weighs by counts and a background", () => {
  const x86 = archOf("x86_64");
  const decision = branch(0, "eq", 5, [
    branch(16, "eq", 1, [ALLOW, DENY]),
    DENY,
  ]);
  const weights = new Map([[x86.auditArch, new Map([[5, 3], [6, 1]])]]);
  // Number 5 has three quarters of what the background leaves.
  const share = 0.5 / COUNTED_NUMBERS + 0.5 * 0.75;
  assertClose(
    lowerBoundSteps(decision, x86, { weights, background: 0.5 }),
    5 + 2 * share,
  );
});

Deno.test("firstNumber() returns the first number of an architecture", () => {
  const seen = (["x86_64", "x86", "aarch64", "x32", "mips", "mips64"] as const)
    .map((name) => firstNumber(archOf(name)));
  assertEquals(seen, [0, 0, 0, 0x4000_0000, 4000, 5000]);
});
