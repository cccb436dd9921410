/**
 * Makes one small change at a time in filters that we compiled: the kernel's
 * check refuses the mutant, or the proof refutes it with an input on which the
 * interpreter and the kernel's own engine both see the difference, or it is
 * proved equal and an exhaustive search finds no difference. For refuted
 * mutants the search must find a difference, which shows that it can.
 *
 * @module
 */

import { check } from "../../bpf/check.ts";
import type { Program } from "../../bpf/instruction.ts";
import { effective } from "../../bpf/return_value.ts";
import { prepare, run } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { compile } from "../../compiler/compile.ts";
import { runInKernel } from "../../ffi/socket_filter.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { DOCKER_DEFAULT_CAPABILITIES } from "../../profile/host.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { selectFor } from "../../profile/select.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { generateAny } from "../oracle/generate.ts";
import type { Target } from "../oracle/meaning.ts";
import { produce } from "../oracle/production.ts";
import { type LatticeSearch, searchLattice } from "../verify/lattice.ts";
import { type Mutant, mutantsOf } from "../verify/mutants.ts";

/** A filter to put faults into. */
export interface MutationSubject {
  /** Name of the filter, with its seed. */
  readonly name: string;
  readonly program: Program;
  readonly littleEndian: boolean;
}

/** Results for mutants. */
export interface MutationCounts {
  /** All judged mutants. */
  mutants: number;
  /** The kernel would not take them. */
  refused: number;
  /** Refuted, the witness confirmed by interpreter and kernel. */
  refuted: number;
  /** Proved equal, and the whole lattice searched. */
  equal: number;
  /** Inputs of those searches. */
  searched: number;
  /** Proved equal, but the lattice was too large to search to its end. */
  cut: number;
  /** Neither. */
  unproven: number;
  /** Failures, one text each; must stay empty. */
  readonly wrong: string[];
}

/** Maximum number of inputs of a search. */
const MOST_INPUTS = 2_000_000;

/** Number of witnesses that the kernel runs at once. */
const BATCH = 64;

/**
 * A compiled policy has at least this many instructions; smaller ones show
 * little.
 */
const FEWEST_INSTRUCTIONS = 10;

/** Starts a count. */
export function noCounts(): MutationCounts {
  return {
    mutants: 0,
    refused: 0,
    refuted: 0,
    equal: 0,
    searched: 0,
    cut: 0,
    unproven: 0,
    wrong: [],
  };
}

/** Docker's default profile on x86_64, all three ABIs. */
export function dockerSubject(): MutationSubject {
  const { seccomp } = selectFor(parseProfile(DEFAULT_PROFILE), {
    arch: "x86_64",
    kernel: { major: 6, minor: 1 },
    capabilities: DOCKER_DEFAULT_CAPABILITIES,
  });
  if (seccomp === undefined) throw new Error("Unreachable: no section");
  const subject = subjectOf("Docker's default", seccomp, {
    native: "x86_64",
    semantics: "crun",
  });
  if (subject === undefined) throw new Error("Unreachable: not compiled");
  return subject;
}

/** Random profiles of every shape, from a seed upward. */
export function randomSubjects(
  seed: number,
  count: number,
): readonly MutationSubject[] {
  const subjects: MutationSubject[] = [];
  for (let next = seed >>> 0; subjects.length < count; next++) {
    const { seccomp, target } = generateAny(next);
    const subject = subjectOf(`profile of seed ${next}`, seccomp, target);
    if (subject === undefined) continue;
    if (subject.program.length >= FEWEST_INSTRUCTIONS) subjects.push(subject);
  }
  return subjects;
}

function subjectOf(
  name: string,
  seccomp: LinuxSeccomp,
  target: Target,
): MutationSubject | undefined {
  const produced = produce(seccomp, target, { program: false });
  if (produced.kind === "refused") return undefined;
  const { policy } = produced;
  const { program } = compile(policy);
  return { name, program, littleEndian: policy.littleEndian };
}

/**
 * Judges mutants of a filter.
 *
 * @param subject The filter.
 * @param counts Counters to update.
 * @param every Judges every n-th mutant.
 * @param from Number of mutants to skip at the beginning.
 */
export function judgeMutants(
  { name, program, littleEndian }: MutationSubject,
  counts: MutationCounts,
  every = 1,
  from = 0,
): void {
  const original = prepare(program);
  const refuted: { readonly mutant: Mutant; readonly words: Uint32Array }[] =
    [];
  const say = ({ pc, change }: Mutant, what: string): void => {
    counts.wrong.push(`${name}, ${change} at ${pc}: ${what}`);
  };
  const search = (mutant: Mutant): LatticeSearch =>
    searchLattice(
      program,
      mutant.program,
      (a, b) => effective(a) === effective(b),
      MOST_INPUTS,
    );
  for (const [i, mutant] of [...mutantsOf(program)].entries()) {
    if (i % every !== from % every) continue;
    counts.mutants++;
    if (check(mutant.program) !== undefined) {
      counts.refused++;
      continue;
    }
    const verdict = proveEquivalent(
      program,
      mutant.program,
      { littleEndian },
    );
    switch (verdict.kind) {
      case "unproven":
        counts.unproven++;
        break;
      case "equal": {
        const { inputs, isComplete, difference } = search(mutant);
        counts.searched += inputs;
        if (difference !== undefined) {
          say(mutant, `proved equal, differs on ${difference}`);
        } else if (isComplete) counts.equal++;
        else counts.cut++;
        break;
      }
      case "different": {
        const words = toWords(verdict.data, littleEndian);
        const ours = run(original, words);
        const theirs = run(prepare(mutant.program), words);
        if (effective(ours) === effective(theirs)) {
          say(mutant, `refuted, both return ${ours} on ${words}`);
        } else if (runInKernel(mutant.program, [words])[0] !== theirs) {
          say(mutant, `the kernel does not return ${theirs} on ${words}`);
        } else if (search(mutant).difference === undefined) {
          say(mutant, `the search misses the difference on ${words}`);
        } else refuted.push({ mutant, words });
      }
    }
  }
  for (let i = 0; i < refuted.length; i += BATCH) {
    const batch = refuted.slice(i, i + BATCH);
    const values = runInKernel(program, batch.map(({ words }) => words));
    for (const [j, { mutant, words }] of batch.entries()) {
      if (values[j] === run(original, words)) counts.refuted++;
      else say(mutant, `the kernel answers otherwise on ${words}`);
    }
  }
}

/** Formats the counts in one line. */
export function formatCounts(name: string, counts: MutationCounts): string {
  return `${name}: ${counts.mutants} mutants, ${counts.refused} refused, ` +
    `${counts.refuted} refuted, ${counts.equal} equal after ` +
    `${counts.searched} inputs, ${counts.cut} equal and not searched to the ` +
    `end, ${counts.unproven} unproven, ${counts.wrong.length} wrong`;
}
