import { assert } from "@std/assert";
import { startCounting } from "./count_work.ts";

/**
 * Growth that is stated in bench/micro/*_bench.ts, as a bound on a ratio of
 * counts.
 */
const LAWS: Readonly<Record<string, (n: number) => number>> = {
  "n": (n) => n,
  "n log n": (n) => n * Math.log2(n),
  "n²": (n) => n * n,
};

/** Tolerance of a count above its law: constants matter at small sizes. */
const SLACK = 1.5;

function assertGrowth(
  name: string,
  law: keyof typeof LAWS,
  small: { readonly n: number; readonly work: number },
  large: { readonly n: number; readonly work: number },
): void {
  const grown = LAWS[law] ?? ((): number => NaN);
  const bound = SLACK * small.work * grown(large.n) / grown(small.n);
  assert(small.work > 0, `${name}: ${small.n} is counted`);
  assert(
    large.work <= bound,
    `${name}: ${small.work} blocks for ${small.n} and ${large.work} for ${large.n} grow faster than ${law}, which allows ${
      Math.round(bound)
    }`,
  );
}

Deno.test("the work of our own code grows as its benchmarks state", async (t) => {
  using counter = await startCounting();
  // Only code that is loaded from here on is counted.
  const { listInput, programOf, rulesInput } = await import(
    "../../bench/engine/inputs.ts"
  );
  const { parseProfile } = await import("../../profile/formats/parse.ts");
  const { resolve } = await import("../../profile/semantics/resolve.ts");
  const { compile } = await import("../../compiler/compile.ts");
  const { proveEquivalent } = await import("../../verify/equivalence.ts");
  const { check } = await import("../../bpf/check.ts");
  const { decode, encode } = await import("../../bpf/encode.ts");
  const { prepare, run } = await import("../../bpf/run.ts");
  const { toWords } = await import("../../bpf/seccomp_data.ts");

  type Input = ReturnType<typeof listInput>;
  type Program = ReturnType<typeof programOf>;
  const programs = new Map<Input, Program>();
  const compiled = (input: Input): Program => {
    const program = programs.get(input) ?? programOf(input);
    programs.set(input, program);
    return program;
  };
  const lists = { few: listInput(30), many: listInput(300) };
  const rules = { few: rulesInput(30), many: rulesInput(300) };
  const cases: readonly {
    readonly name: string;
    readonly law: keyof typeof LAWS;
    readonly work: (input: Input) => () => unknown;
  }[] = [
    {
      name: "parse",
      law: "n",
      work: ({ text }) => () => parseProfile(text),
    },
    {
      name: "resolve",
      law: "n log n",
      work: ({ seccomp, arches }) => () =>
        resolve(seccomp, { arches, semantics: "crun", unknown: "ignore" }),
    },
    {
      name: "compile",
      law: "n²",
      // The search for the optimum ends at a budget, which would hide the growth.
      work: ({ policy }) => () => compile(policy, { workLimit: 2_000_000 }),
    },
    {
      name: "prove",
      law: "n log n",
      work: (input) => {
        const program = compiled(input);
        const { policy } = input;
        return () => proveEquivalent(program, policy);
      },
    },
    {
      name: "decode and check",
      law: "n",
      work: (input) => {
        const bytes = encode(compiled(input));
        return () => check(decode(bytes));
      },
    },
  ];
  for (const { name, law, work } of cases) {
    for (
      const { what, few, many } of [
        { what: "calls", ...lists },
        { what: "rules", ...rules },
      ]
    ) {
      await t.step(`${name}: ${law} in the ${what}`, async () => {
        assertGrowth(
          name,
          law,
          { n: 30, work: await counter.count(work(few)) },
          { n: 300, work: await counter.count(work(many)) },
        );
      });
    }
  }
  await t.step("simulate: at most the logarithm of the list", async () => {
    const simulate = (input: Input): () => void => {
      const prepared = prepare(compiled(input));
      const calls = Array.from({ length: 470 }, (_, nr) =>
        toWords({
          nr,
          arch: 0xc000_003e,
          instructionPointer: 0n,
          args: [],
        }, true));
      return () => {
        for (const words of calls) run(prepared, words);
      };
    };
    const few = await counter.count(simulate(lists.few));
    const many = await counter.count(simulate(lists.many));
    assert(
      many <= few * Math.log2(300) / Math.log2(30) * SLACK,
      `${few} blocks for 30 calls, ${many} for 300`,
    );
  });
});
