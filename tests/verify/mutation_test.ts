/**
 * One small fault at a time: the kernel's check refuses the program, or the
 * comparison refutes it with an input on which the interpreter agrees that it
 * differs, or it is proved equal and no boundary value says otherwise.
 */

import { assert } from "@std/assert";
import { check } from "../../bpf/check.ts";
import type { Program } from "../../bpf/instruction.ts";
import { effective } from "../../bpf/return_value.ts";
import { prepare, run } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { witnesses } from "../../verify/describe/witnesses.ts";
import { mutantsOf } from "./mutants.ts";
import { createRandom, randomArithmetic } from "./programs.ts";
import { randomTree } from "./trees.ts";

interface Counts {
  refused: number;
  refuted: number;
  /** Without a mask, arithmetic uses all 32 bits. */
  unproven: number;
  equal: number;
  /** Inputs on which equal ones were run. */
  searched: number;
}

const NONE: Readonly<Counts> = {
  refused: 0,
  refuted: 0,
  unproven: 0,
  equal: 0,
  searched: 0,
};

function mutate(program: Program, counts: Counts): void {
  const original = prepare(program);
  for (const mutant of mutantsOf(program)) {
    if (check(mutant.program) !== undefined) {
      counts.refused++;
      continue;
    }
    const changed = prepare(mutant.program);
    const where = `${mutant.change} at ${mutant.pc}: ${
      JSON.stringify(program)
    }`;
    const verdict = proveEquivalent(
      program,
      mutant.program,
      { limits: { nodes: 60_000, steps: 200_000 } },
    );
    const differs = (words: Uint32Array): boolean =>
      effective(run(original, words)) !== effective(run(changed, words));
    if (verdict.kind === "different") {
      counts.refuted++;
      assert(differs(toWords(verdict.data, true)), `no difference: ${where}`);
      continue;
    }
    if (verdict.kind === "unproven") {
      counts.unproven++;
      continue;
    }
    counts.equal++;
    const lattice = witnesses([
      program,
      mutant.program,
    ], { most: 2_000 });
    for (const data of lattice) {
      counts.searched++;
      assert(!differs(toWords(data, true)), `difference missed: ${where}`);
    }
  }
}

/**
 * Reports whether a program has three answers or more, so that most of it
 * matters.
 */
function varies(program: Program): boolean {
  const prepared = prepare(program);
  const values = new Set<number>();
  const lattice = witnesses([program], { most: 500 });
  for (const data of lattice) values.add(run(prepared, toWords(data, true)));
  return values.size >= 3;
}

function report(name: string, counts: Counts): string {
  return `${name}: ${counts.refused} refused, ${counts.refuted} refuted, ` +
    `${counts.unproven} unproven, ${counts.equal} equal after ${counts.searched} inputs`;
}

Deno.test("proveEquivalent() decides every small fault in search trees", () => {
  const counts: Counts = { ...NONE };
  for (let seed = 1; seed <= 4; seed++) {
    mutate(randomTree(createRandom(seed), 6 * seed), counts);
  }
  // deno-lint-ignore no-console -- the counts are what the test is for
  console.log(report("trees", counts));
  assert(
    counts.refuted > 500 && counts.refused > 0 && counts.equal > 50 &&
      counts.unproven === 0,
  );
});

Deno.test("proveEquivalent() decides every small fault in programs with arithmetic", () => {
  const counts: Counts = { ...NONE };
  const inputs = [{ offset: 0, mask: 0x8000_0013 }, { offset: 20, mask: 0x70 }];
  let programs = 0;
  for (let seed = 1; programs < 20; seed++) {
    const program = randomArithmetic(createRandom(seed), inputs);
    if (!varies(program)) continue;
    programs++;
    mutate(program, counts);
  }
  // deno-lint-ignore no-console -- the counts are what the test is for
  console.log(report("arithmetic", counts));
  assert(counts.refuted > 500 && counts.equal > 50 && counts.unproven < 20);
});
