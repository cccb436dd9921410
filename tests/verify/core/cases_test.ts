import { assertEquals } from "@std/assert";
import { toWords } from "../../../bpf/seccomp_data.ts";
import type { Condition, Policy, Rule } from "../../../profile/policy.ts";
import { decideAll } from "../../../verify/core/cases.ts";
import { createSymbols } from "../../../verify/core/symbols.ts";
import { decide } from "../../../verify/decide.ts";
import { createRandom, type Random } from "../programs.ts";
import { valueAt } from "./evaluate.ts";

const LIMITS = { nodes: 400_000, steps: 4_000_000 };
const ARCHES = [0xc000_003e, 0x4000_0003];
/** Numbers that reveal an off-by-one error, including both ends. */
const NUMBERS = [
  0,
  1,
  2,
  5,
  6,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_fffe,
  0xffff_ffff,
];
const EDGES = [
  ...[0n, 1n, 2n, 0xffff_ffffn, 2n ** 32n, 2n ** 32n + 1n, 2n ** 33n],
  ...[2n ** 63n, 2n ** 64n - 2n, 2n ** 64n - 1n],
];
const OPS = ["eq", "ne", "lt", "le", "gt", "ge"] as const;

function randomRule(random: Random): Rule {
  const [first = 0, last = 0] = [random.pick(NUMBERS), random.pick(NUMBERS)]
    .sort((a, b) => a - b);
  const conditions = Array.from({ length: random.below(3) }, (): Condition => {
    const mask = random.pick([2n ** 64n - 1n, 0xffff_ffffn, ...EDGES.slice(1)]);
    return {
      arg: random.pick([0, 5]),
      op: random.pick(OPS),
      mask,
      value: random.pick(EDGES) & mask,
    };
  });
  return { first, last, conditions, value: random.below(4), source: "" };
}

Deno.test("decideAll() answers every edge as decide() does, in both byte orders", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = createRandom(seed);
    const policy: Policy = {
      defaultValue: 10,
      badArchValue: 11,
      littleEndian: seed % 2 === 0,
      arches: ARCHES.slice(0, random.below(3)).map((auditArch) => ({
        auditArch,
        names: [],
        rules: Array.from(
          { length: random.below(6) },
          () => randomRule(random),
        ),
      })),
    };
    const symbols = createSymbols("word", LIMITS);
    const meaning = decideAll(policy, symbols);
    for (const arch of [...ARCHES, 0]) {
      for (const nr of NUMBERS) {
        for (let i = 0; i < 4; i++) {
          const args = [0, 0, 0, 0, 0, 0].map(() => random.pick(EDGES));
          const data = { arch, nr, args, instructionPointer: 0n };
          const words = toWords(data, policy.littleEndian);
          assertEquals(
            valueAt(symbols, meaning, words),
            decide(policy, data).value,
            `seed ${seed}: ${arch}, ${nr}, ${args}`,
          );
        }
      }
    }
  }
});

Deno.test("decideAll() uses the first of two architectures with the same value", () => {
  const rule = { first: 0, last: 9, conditions: [], source: "" };
  const policy: Policy = {
    defaultValue: 10,
    badArchValue: 11,
    littleEndian: true,
    arches: [1, 2].map((value) => ({
      auditArch: 7,
      names: [],
      rules: [{ ...rule, value }],
    })),
  };
  const symbols = createSymbols("word", LIMITS);
  const words = new Uint32Array(16);
  words[1] = 7;
  assertEquals(valueAt(symbols, decideAll(policy, symbols), words), 1);
});

Deno.test("decideAll() makes a node per answer, not per rule", () => {
  const rules = Array.from({ length: 200 }, (_, i): Rule => ({
    first: 2 * i,
    last: 2 * i,
    conditions: [],
    value: 1,
    source: "",
  }));
  const policy: Policy = {
    defaultValue: 1,
    badArchValue: 1,
    littleEndian: true,
    arches: [{ auditArch: 7, names: [], rules }],
  };
  const symbols = createSymbols("word", LIMITS);
  const constant = symbols.diagram.nodes();
  const meaning = decideAll(policy, symbols);
  assertEquals(symbols.diagram.level(meaning), 0xffff);
  // 64 variables and the 31 other nodes of "arch is 7".
  assertEquals(symbols.diagram.nodes() - constant, 64 + 31 + 1);
});
