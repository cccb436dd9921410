import { assert, assertEquals } from "@std/assert";
import type { SeccompData } from "../../../bpf/seccomp_data.ts";
import type { LinuxSeccompArg } from "../../../profile/formats/oci.ts";
import {
  type OrderedRule,
  orderRules,
} from "../../../profile/semantics/precedence.ts";
import { holds } from "../../../verify/decide.ts";
import { createRandom } from "../../oracle/random.ts";
import {
  addRule,
  createCallTree,
  ExistsError,
  walk,
} from "../../oracle/tree.ts";
import { arg } from "../shared.ts";

/** Values with one, the other and both words set. */
const VALUES = [0n, 1n, 2n, 2n ** 32n, 2n ** 32n + 1n];
const OPS = ["ne", "lt", "le", "eq", "ge", "gt", "masked_eq"] as const;

interface DrawnRule {
  readonly args: readonly LinuxSeccompArg[];
  readonly value: number;
}

/** Draws rules that take from few comparisons, so that they share some. */
function draw(seed: number): readonly DrawnRule[] {
  const random = createRandom(seed);
  const pool = [0, 1, 2].map((index) =>
    Array.from({ length: 1 + random.int(3) }, () => {
      const op = random.chance(0.5) ? "eq" : random.pick(OPS);
      return arg(index, op, random.pick(VALUES), random.pick(VALUES));
    })
  );
  return Array.from({ length: 2 + random.int(4) }, () => ({
    args: pool.filter(() => random.chance(0.6)).map((own) => random.pick(own)),
    value: 1 + random.int(2),
  }));
}

function answerOf(
  ordered: readonly OrderedRule[],
  args: readonly bigint[],
): number | undefined {
  const data: SeccompData = { nr: 0, arch: 0, instructionPointer: 0n, args };
  return ordered.find(({ conditions }) =>
    conditions.every((condition) => holds(condition, data))
  )?.value;
}

/** Answers of the oracle's tree; `undefined` for rules that contradict. */
function treeOf(
  rules: readonly DrawnRule[],
  bits: 32 | 64,
): ReturnType<typeof createCallTree> | undefined {
  const tree = createCallTree();
  try {
    for (const { args, value } of rules) addRule(tree, args, bits, value);
    return tree;
  } catch (error) {
    if (error instanceof ExistsError) return undefined;
    throw error;
  }
}

Deno.test("orderRules() answers random rules as a second tree of libseccomp's does", () => {
  let conflicts = 0;
  let taken = 0;
  for (let seed = 1; seed <= 2500; seed++) {
    const bits = seed % 3 === 0 ? 32 : 64;
    const rules = draw(seed);
    const what = `seed ${seed}: ${
      rules.map(({ args, value }) =>
        `${value} if ${
          args.map((a) => `a${a.index} ${a.op} ${a.value} ${a.valueTwo}`)
        }`
      ).join("; ")
    }`;
    const tree = treeOf(rules, bits);
    const ordered = orderRules(
      rules.map((rule, i) => ({ ...rule, source: `#${i}` })),
      bits,
    );
    if ("kind" in ordered) {
      assert(tree === undefined, what);
      assert(ordered.source !== ordered.other, what);
      conflicts++;
      continue;
    }
    if (tree === undefined) {
      // The oracle follows libseccomp 2.6.1; 2.5.4 takes a few more.
      taken++;
      continue;
    }
    // A condition that is always true is ignored.
    for (const { conditions } of ordered) {
      assert(conditions.every(({ mask }) => mask !== 0n), what);
    }
    for (let i = 0; i < 5 ** 3; i++) {
      const args = [1, 5, 25].map((step) =>
        VALUES[Math.floor(i / step) % 5] ?? 0n
      );
      assertEquals(
        answerOf(ordered, args),
        walk(tree, args),
        `${what}, ${args}`,
      );
    }
  }
  assert(conflicts > 100 && conflicts < 2000, `${conflicts} conflicts`);
  assert(taken < 5, `${taken} that one version refuses`);
});
