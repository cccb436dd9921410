/**
 * Certificates of random filters, and faults in them: every filter that is
 * compiled has a certificate, which all checkers accept; the checkers agree on
 * every fault; and according to another judge, the claims that they accept are
 * true.
 *
 * @module
 */

import { encode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { effective } from "../../bpf/return_value.ts";
import { compile } from "../../compiler/compile.ts";
import type { Policy } from "../../profile/policy.ts";
import { makeCertificate } from "../../verify/certificate/make.ts";
import type { RunChecker } from "../checkers/checkers.ts";
import {
  type CertificateCase,
  isLittleEndian,
  programOf,
  readSides,
} from "../checkers/sides.ts";
import { generateAny } from "../oracle/generate.ts";
import { produce } from "../oracle/production.ts";
import { searchLattice } from "../verify/lattice.ts";
import { createRandom } from "../verify/programs.ts";
import { breakCertificate } from "./certificate_faults.ts";

/** A certificate that is true, and who made it. */
interface Original extends CertificateCase {
  readonly name: string;
}

/** Counts of a campaign. */
export interface CertificateCounts {
  /** Certificates that all checkers accept. */
  certificates: number;
  /** Faults in them. */
  faults: number;
  /** Faults that all checkers reject. */
  rejected: number;
  /** Accepted faults that do not change the sides or the claim. */
  unchanged: number;
  /** Accepted faults that change the claim to another true one. */
  stillTrue: number;
  /** Accepted faults that no other judge decided. */
  undecided: number;
  /** Faults by kind: a program, a line's place, truncation, a policy, a proof. */
  readonly kinds: Record<string, number>;
  /** Descriptions of anything wrong. */
  wrong: string[];
}

/** Maximum number of inputs on which a judge runs both sides. */
const MOST_INPUTS = 400_000;
/** Maximum size of a certificate that gets faults. */
const MOST_BYTES = 4000;
/** Number of cases that a checker reads at once. */
const BATCH = 500;

/**
 * Runs the campaign.
 *
 * @param options Seed, number of filters, and of faults.
 * @param checkers By name.
 * @returns The counts.
 */
export async function runCertificates(
  options: {
    readonly seed: number;
    readonly filters: number;
    readonly faults: number;
  },
  checkers: ReadonlyMap<string, RunChecker>,
): Promise<CertificateCounts> {
  const random = createRandom(options.seed);
  const counts: CertificateCounts = {
    certificates: 0,
    faults: 0,
    rejected: 0,
    unchanged: 0,
    stillTrue: 0,
    undecided: 0,
    kinds: {},
    wrong: [],
  };
  const originals = await makeOriginals(options.seed, options.filters);
  for (let from = 0; from < originals.length; from += BATCH) {
    const cases = originals.slice(from, from + BATCH);
    for (const [name, run] of checkers) {
      for (const [i, accepted] of (await run(cases)).entries()) {
        if (accepted) continue;
        counts.wrong.push(`${name} rejects ${cases[i]?.name}`);
      }
    }
    counts.certificates += cases.length;
  }
  // Faults in small certificates are of the same kinds, and cost less.
  const small = originals.filter((one) =>
    one.text.length < MOST_BYTES && isTrue(one, MOST_INPUTS / 20)
  );
  while (counts.faults < options.faults) {
    const originalsOf: Original[] = [];
    const cases: CertificateCase[] = [];
    while (cases.length < Math.min(BATCH, options.faults - counts.faults)) {
      const original = small[random.below(small.length)] as Original;
      const fault = await breakCertificate(original, random);
      if (fault === undefined) continue;
      originalsOf.push(original);
      cases.push(fault);
      counts.kinds[fault.kind] = (counts.kinds[fault.kind] ?? 0) + 1;
    }
    const verdicts: (readonly [string, readonly boolean[]])[] = [];
    for (const [name, run] of checkers) verdicts.push([name, await run(cases)]);
    for (const [i, fault] of cases.entries()) {
      judge(originalsOf[i] as Original, fault, verdicts, i, counts);
    }
  }
  return counts;
}

/** Judges one fault, given what each checker says. */
function judge(
  original: Original,
  fault: CertificateCase,
  verdicts: readonly (readonly [string, readonly boolean[]])[],
  i: number,
  counts: CertificateCounts,
): void {
  counts.faults++;
  const accepting = verdicts.filter(([, accepted]) => accepted[i]);
  if (accepting.length === 0) {
    counts.rejected++;
    return;
  }
  const describe = (): string =>
    `fault in ${original.name}:\n${fault.text}\n${
      fault.programs.map((bytes) => bytes.toHex()).join("\n")
    }`;
  if (accepting.length < verdicts.length) {
    const names = accepting.map(([name]) => name).join(", ");
    counts.wrong.push(`only ${names} accept a ${describe()}`);
  }
  if (claimOf(fault.text) === claimOf(original.text)) counts.unchanged++;
  else {
    const truth = isTrue(fault);
    if (truth === undefined) counts.undecided++;
    else if (truth) counts.stillTrue++;
    else counts.wrong.push(`accepted, but false: ${describe()}`);
  }
}

/** Makes certificates of random filters, of three kinds. */
async function makeOriginals(
  seed: number,
  count: number,
): Promise<readonly Original[]> {
  const originals: Original[] = [];
  for (let next = seed >>> 0; originals.length < count; next++) {
    const { seccomp, target } = generateAny(next);
    const produced = produce(seccomp, target, { program: false });
    if (produced.kind === "refused") continue;
    const { policy } = produced;
    const { littleEndian } = policy;
    const { program } = compile(policy);
    const add = async (
      kind: string,
      a: Policy | Program,
      b: Policy | Program,
      claim: "equal" | "within",
    ): Promise<void> => {
      const text = await makeCertificate(a, b, { claim, littleEndian });
      const programs = [a, b].flatMap((side) =>
        "arches" in side ? [] : [encode(side, { littleEndian })]
      );
      originals.push({ name: `${kind} of seed ${next}`, text, programs });
    };
    await add("program and policy", program, policy, "equal");
    if (next % 5 === 0) {
      const small = compile(policy, { objective: "size" }).program;
      await add("two programs", program, small, "equal");
    }
    if (next % 5 === 1) {
      const strict = { ...policy, defaultValue: 0x8000_0000 };
      await add("a stricter policy", strict, policy, "within");
    }
  }
  return originals.slice(0, count);
}

/** Everything in front of the proof. */
function claimOf(text: string): string {
  return text.slice(0, text.search(/\n(?:w|returns |rule [0-9a-f]+,|other, )/));
}

/** Decides a claim by brute force; `undefined` if that takes too long. */
function isTrue(
  one: CertificateCase,
  most: number = MOST_INPUTS,
): boolean | undefined {
  const sides = readSides(one);
  if (sides === undefined) return false;
  const littleEndian = isLittleEndian(one);
  const [a, b] = [
    programOf(sides[0], littleEndian),
    programOf(sides[1], littleEndian),
  ];
  const agree = /^.* within\n/.test(one.text)
    ? (x: number, y: number) => rankOf(x) <= rankOf(y)
    : (x: number, y: number) => effective(x) === effective(y);
  const found = searchLattice(a, b, agree, most);
  if (found.difference !== undefined) return false;
  return found.isComplete ? true : undefined;
}

/** Strictest first, as in seccomp(2). */
const ACTIONS = [
  ...[0x8000_0000, 0, 0x3_0000, 0x5_0000],
  ...[0x7fc0_0000, 0x7ff0_0000, 0x7ffc_0000, 0x7fff_0000],
];

function rankOf(value: number): number {
  // An action that the kernel does not know kills the process.
  return Math.max(0, ACTIONS.indexOf((value & 0xffff_0000) >>> 0));
}
