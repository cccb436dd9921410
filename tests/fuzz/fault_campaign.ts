/**
 * One fault at a time between the meaning that `optimize` reads and the filter
 * that it makes: a lost interval, a moved border, swapped actions, a flipped
 * test. The proof against the original must refute the result with an input
 * that the second interpreter confirms, or the fault has no effect.
 *
 * @module
 */

import { toWords } from "../../bpf/seccomp_data.ts";
import { optimize, optimizeOutline } from "../../pipeline/optimize.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import {
  type NumberOutline,
  type Outline,
  outlineOf,
} from "../../verify/describe/outline.ts";
import type { Reading } from "../../verify/describe/reading.ts";
import { filterAnswer, inputOf } from "../oracle/bpf.ts";
import { mutantsOf } from "../verify/mutants.ts";
import { check } from "../../bpf/check.ts";
import type { Random } from "../verify/programs.ts";
import {
  answerOf,
  boundaryInputs,
  type NamedStack,
} from "./optimize_campaign.ts";

/** Outcome of a campaign. */
export interface FaultCounts {
  /** Refuted by the proof, and the input shows it. */
  caught: number;
  /** The result is still equal, or does not exist. */
  harmless: number;
  /** Wrong results that were accepted, and refutations that do not show. */
  readonly wrong: string[];
  /** Caught faults by kind. */
  readonly kinds: Map<string, number>;
}

/** Starts a count. */
export function noFaults(): FaultCounts {
  return { caught: 0, harmless: 0, wrong: [], kinds: new Map() };
}

/** A fault in an outline. */
interface Fault {
  readonly kind: string;
  readonly outline: Outline;
}

/** Inputs on which an accepted result is checked. */
const INPUTS = 3000;

/**
 * Puts faults into the outline of filters.
 *
 * @param stack The filters.
 * @param count Number of faults.
 * @param random Source of faults.
 * @param counts Counters to update.
 */
export function judgeOutlineFaults(
  { name, programs }: NamedStack,
  count: number,
  random: Random,
  counts: FaultCounts,
): void {
  const subject = { programs, littleEndian: true };
  const outline = outlineOf(subject, { compare: "bits" });
  if ("kind" in outline) throw new Error(`${name}: ${outline.limit}`);
  const theirs = answerOf(programs);
  for (let i = 0; i < count; i++) {
    const { kind, outline: faulty } = faultIn(outline, random);
    const best = optimizeOutline(faulty, subject, { workLimit: 0 });
    const say = (what: string): void => {
      counts.wrong.push(`${name}, fault ${i} (${kind}): ${what}`);
    };
    if (best.kind === "not-optimized" && best.cause?.kind === "different") {
      const { data, a, b } = best.cause;
      if (a.value === b.value) say("both sides of the witness are equal");
      if (theirs(toWords(data, true)) !== a.value) {
        say(`the original does not answer ${a.value} to the witness`);
      }
      counts.caught++;
      counts.kinds.set(kind, (counts.kinds.get(kind) ?? 0) + 1);
      continue;
    }
    counts.harmless++;
    if (best.kind !== "optimized") continue;
    const ours = filterAnswer(best.bytes, true);
    for (
      const words of boundaryInputs([...programs, best.program], INPUTS, random)
    ) {
      if (ours(inputOf(words, true)) === theirs(words)) continue;
      say(`accepted, but differs on ${words}`);
      break;
    }
  }
}

function faultIn({ arches }: Outline, random: Random): Fault {
  const cut = arches.filter(({ numbers }) => numbers.length > 1);
  const arch = random.pick(cut.length > 0 ? cut : arches);
  const { kind, numbers } = faultInNumbers(arch.numbers, random);
  return {
    kind,
    outline: {
      arches: arches.map((each) => each === arch ? { ...arch, numbers } : each),
    },
  };
}

function faultInNumbers(
  numbers: readonly NumberOutline[],
  random: Random,
): { readonly kind: string; readonly numbers: readonly NumberOutline[] } {
  const at = 1 + random.below(Math.max(1, numbers.length - 1));
  const before = numbers[at - 1];
  const here = numbers[at] ?? before;
  if (before === undefined || here === undefined) {
    throw new Error("no interval");
  }
  const put = (...changed: readonly NumberOutline[]) =>
    here === before ? changed : numbers.toSpliced(at - 1, 2, ...changed);
  const asking = numbers.filter(({ answer }) => answer.offsets.length > 0);
  switch (random.below(asking.length > 0 ? 6 : 3)) {
    case 0:
      return {
        kind: "lost interval",
        numbers: put({ ...before, last: here.last }),
      };
    case 1: {
      const isWide = before.last > before.first;
      const border = isWide ? before.last - 1 : before.last + 1;
      const moved = put(
        { ...before, last: border },
        { ...here, first: border + 1 },
      );
      return {
        kind: "moved border",
        numbers: moved.filter(({ first, last }) => first <= last),
      };
    }
    case 2:
      return {
        kind: "swapped actions",
        numbers: put(
          { ...before, answer: here.answer },
          { ...here, answer: before.answer },
        ),
      };
    default: {
      const { answer } = random.pick(asking);
      const change = random.pick([flip, swapAnswers, moveCell, loseMask]);
      const faulty = {
        offsets: answer.offsets,
        read: (...given: Parameters<typeof answer.read>) =>
          answer.read(...given).map(change),
      };
      return {
        kind: change.name,
        numbers: numbers.map((each) =>
          each.answer === answer ? { ...each, answer: faulty } : each
        ),
      };
    }
  }
}

/** A flipped test: the rests of the first two cells change places. */
function flip(reading: Reading): Reading {
  if (reading.kind === "answer") return reading;
  const [first, second, ...more] = reading.cells;
  if (first === undefined || second === undefined) return reading;
  const cells = [
    { ...first, rest: second.rest },
    { ...second, rest: first.rest },
    ...more,
  ];
  return { ...reading, cells };
}

/** Another action at every end that allows. */
function swapAnswers(reading: Reading): Reading {
  if (reading.kind === "answer") {
    const value = reading.value === 0x7fff_0000 ? 0x0005_0001 : 0x7fff_0000;
    return { kind: "answer", value };
  }
  const cells = reading.cells.map((cell) => ({
    ...cell,
    rest: swapAnswers(cell.rest),
  }));
  return { ...reading, cells };
}

/** A border between two cells, moved by one. */
function moveCell(reading: Reading): Reading {
  if (reading.kind === "answer") return reading;
  const [first, second, ...more] = reading.cells;
  if (first === undefined || second === undefined) return reading;
  if (second.last === second.first) return reading;
  const cells = [
    { ...first, last: first.last + 1 },
    { ...second, first: second.first + 1 },
    ...more,
  ];
  return { ...reading, cells };
}

/** A word whose lowest bit is ignored. */
function loseMask(reading: Reading): Reading {
  if (reading.kind === "answer") return reading;
  return { ...reading, mask: (reading.mask & (reading.mask - 1)) >>> 0 };
}

/**
 * Puts faults into the program that `optimize` makes, and lets the proof judge
 * them.
 *
 * @param stack The filters.
 * @param every Judges every n-th mutant.
 * @param random Source of inputs.
 * @param counts Counters to update.
 */
export function judgeProgramFaults(
  { name, programs }: NamedStack,
  every: number,
  random: Random,
  counts: FaultCounts,
): void {
  const subject = { programs, littleEndian: true };
  const best = optimize(subject, { workLimit: 0 });
  if (best.kind !== "optimized") throw new Error(`${name}: ${best.kind}`);
  const theirs = answerOf(programs);
  for (
    const [i, { pc, change, program }] of [...mutantsOf(best.program)].entries()
  ) {
    if (i % every !== 0 || check(program) !== undefined) continue;
    const say = (what: string): void => {
      counts.wrong.push(`${name}, ${change} at ${pc}: ${what}`);
    };
    const proof = proveEquivalent(
      subject,
      { program, littleEndian: true },
      { compare: "bits" },
    );
    const ours = answerOf([program]);
    if (proof.kind === "different") {
      const words = toWords(proof.data, true);
      if (ours(words) === theirs(words)) say(`no difference on ${words}`);
      counts.caught++;
      counts.kinds.set("program", (counts.kinds.get("program") ?? 0) + 1);
    } else if (proof.kind === "equal") {
      counts.harmless++;
      const inputs = boundaryInputs([...programs, program], INPUTS, random);
      for (const words of inputs) {
        if (ours(words) === theirs(words)) continue;
        say(`accepted, but differs on ${words}`);
        break;
      }
    } else say("unproven");
  }
}
