import { assert, assertEquals } from "@std/assert";
import type { SeccompData } from "../../../bpf/seccomp_data.ts";
import { openLibseccomp } from "../../../ffi/libseccomp.ts";
import type {
  LinuxSeccomp,
  LinuxSeccompArg,
} from "../../../profile/formats/oci.ts";
import {
  type OrderedRule,
  orderRules,
} from "../../../profile/semantics/precedence.ts";
import { holds } from "../../../verify/decide.ts";
import { needs } from "../../machine.ts";
import { toFilterSpec } from "../../oracle/libseccomp_adapter.ts";
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
    assert(tree !== undefined, what);
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
});

needs("libseccomp", "x86_64")(
  "orderRules() and the oracle take a rule that agrees below one side only, as libseccomp does",
  () => {
    const lower = arg(1, "lt", 0n);
    const rules: readonly DrawnRule[] = [
      { value: 2, args: [arg(0, "eq", 0n), lower, arg(2, "le", 0n)] },
      { value: 1, args: [lower, arg(2, "le", 0n)] },
      {
        value: 1,
        args: [arg(0, "eq", 0n), arg(1, "le", 0n), arg(2, "le", 1n)],
      },
      { value: 2, args: [arg(2, "le", 0n)] },
      { value: 2, args: [lower, arg(2, "le", 1n)] },
    ];
    const seccomp: LinuxSeccomp = {
      defaultAction: "SCMP_ACT_ALLOW",
      architectures: [],
      syscalls: rules.map(({ args, value }, i) => ({
        names: ["ioctl"],
        action: "SCMP_ACT_ERRNO",
        errnoRet: value,
        args,
        path: `syscalls[${i}]`,
      })),
    };
    const built = openLibseccomp()?.exportFilter(
      toFilterSpec(seccomp, { runtime: "crun" }),
    );
    assertEquals(built?.kind, "filter");
    assert(treeOf(rules, 64) !== undefined);
    const ordered = orderRules(
      rules.map((rule, i) => ({ ...rule, source: `#${i}` })),
      64,
    );
    assert(!("kind" in ordered));
  },
);

Deno.test("orderRules() answers alike with a rule about another argument", () => {
  const high = 2n ** 32n;
  const rest = arg(2, "ne", high);
  const rules: readonly DrawnRule[] = [
    { value: 1, args: [arg(1, "ge", high + 1n), rest] },
    { value: 1, args: [arg(0, "eq", 1n), arg(1, "ge", high), rest] },
  ];
  const other: DrawnRule = { value: 2, args: [arg(3, "eq", 5n)] };
  for (const all of [rules, [...rules, other], [other, ...rules]]) {
    const ordered = orderRules(
      all.map((rule, i) => ({ ...rule, source: `#${i}` })),
      64,
    );
    assert(!("kind" in ordered));
    assertEquals(answerOf(ordered, [1n, high, 0n, 0n]), 1);
    assertEquals(
      answerOf(ordered, [2n, high, 0n, 5n]),
      all.length === 2 ? undefined : 2,
    );
  }
});

Deno.test("orderRules() puts dozens of masks of several arguments in order", () => {
  // One rule for each bit of the upper half: each has a test of both halves. A
  // search that starts again at each of them takes a hundred times as long.
  const low = 2n ** 32n - 1n;
  const rules: DrawnRule[] = [];
  for (let bit = 32n; bit < 64n; bit++) {
    const value = 1n << bit;
    rules.push({ value: 1, args: [arg(1, "masked_eq", value + 1n, value)] });
  }
  rules.push(
    { value: 1, args: [arg(5, "ge", low + 1n)] },
    { value: 1, args: [arg(0, "le", low), arg(1, "masked_eq", 1n)] },
    { value: 2, args: [arg(1, "masked_eq", 1n, 1n), arg(5, "le", low)] },
  );
  const ordered = orderRules(
    rules.map((rule, i) => ({ ...rule, source: `#${i}` })),
    64,
  );
  assert(!("kind" in ordered));
  const answer = (a1: bigint, a5: bigint): number | undefined =>
    answerOf(ordered, [0n, a1, 0n, 0n, 0n, a5]);
  assertEquals(answer(2n ** 63n, 0n), 1);
  assertEquals(answer(2n ** 63n + 1n, low), 2);
  assertEquals(answer(2n ** 63n + 1n, low + 1n), 1);
  assertEquals(answer(2n, 0n), 1);
});
