/**
 * Tests and return values of filters that have no effect, or not the apparent
 * one.
 *
 * @module
 */

import type { Instruction, Program } from "../../bpf/instruction.ts";
import { isConditionalJump } from "../../bpf/opcode.ts";
import { prepare, trace } from "../../bpf/run.ts";
import { ARCH_OFFSET } from "../../bpf/seccomp_data.ts";
import { MAX_ERRNO, SECCOMP_RET_ERRNO } from "../../tables/uapi.ts";
import { ALWAYS, NEVER, type Node } from "../../verify/core/diagram.ts";
import { meaningOf } from "../../verify/core/meaning.ts";
import { createSymbols, type Symbols } from "../../verify/core/symbols.ts";
import { boundaryValues } from "../../verify/describe/witnesses.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import {
  DEFAULT_PROOF_LIMITS,
  LimitReached,
  type ProofLimits,
} from "../../verify/limits.ts";
import { type AnswerMap, returnedAction } from "../answers.ts";
import type { FindingDraft } from "../finding.ts";
import type { LintView } from "../view.ts";

/** Number of inputs to try for each call whose arguments are read. */
const ROUNDS = 64;

/** Maximum number of proofs about one filter. */
const MOST_PROOFS = 400;

/**
 * Finds tests of which one side is never taken: without them, the filter is
 * proved equal.
 *
 * @param view The filters.
 * @param limits Limits of each proof.
 */
export function checkTests(
  { programs = [], answers }: LintView,
  limits: Partial<ProofLimits>,
): {
  readonly drafts: readonly FindingDraft[];
  readonly open: readonly string[];
} {
  const drafts: FindingDraft[] = [];
  const open: string[] = [];
  const { littleEndian } = answers;
  for (const [filter, program] of programs.entries()) {
    const taken = takenSides(program, littleEndian);
    const suspects = new Suspects(program);
    let proofs = 0;
    for (const [pc, instruction] of program.entries()) {
      const sides = taken.get(pc);
      if (!isConditionalJump(instruction.op) || sides === undefined) continue;
      const { jt, jf } = instruction;
      if (jt === jf || sides.size === 2) continue;
      if (proofs++ >= MOST_PROOFS) {
        open.push(`the tests of filter ${filter} from instruction ${pc} on`);
        break;
      }
      const distance = sides.has("jt") ? jt : jf;
      const changed = program.with(pc, jump(instruction, distance));
      if (!suspects.isSame(changed)) continue;
      const result = proveEquivalent(program, changed, {
        limits,
        littleEndian,
      });
      if (result.kind === "unproven") {
        open.push(`the test at instruction ${pc}`);
        continue;
      }
      if (result.kind !== "equal") continue;
      drafts.push({
        id: "dead-test",
        at: { filter, instruction: pc },
        about: `instruction ${pc} of ${program.length}`,
        message: `The test is always ${
          sides.has("jt") ? "true" : "false"
        }, or decides nothing: the other side needs no code`,
        proof:
          `with a jump over ${distance} instructions in its place, the filter is proved equal`,
      });
    }
  }
  return { drafts, open };
}

/** Nodes of a diagram that several programs share. */
const SHARED_NODES = 1 << 20;

/**
 * Compares changed programs with the original in one diagram. This is much
 * cheaper than separate proofs, and decides only which proofs to attempt.
 */
class Suspects {
  readonly #program: Program;
  #symbols: Symbols | undefined;
  #meaning: Node = NEVER;

  constructor(program: Program) {
    this.#program = program;
  }

  /** Reports whether a program may be equal. */
  isSame(changed: Program): boolean {
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        this.#symbols ??= this.#begin();
        return meaningOf(changed, true, this.#symbols) === this.#meaning;
      } catch (error) {
        if (!(error instanceof LimitReached)) throw error;
        this.#symbols = undefined;
      }
    }
    return true;
  }

  #begin(): Symbols {
    const limits = { ...DEFAULT_PROOF_LIMITS, nodes: SHARED_NODES };
    const symbols = createSymbols("word", limits);
    this.#meaning = meaningOf(this.#program, true, symbols);
    return symbols;
  }
}

/** A jump in place of a test, with the same effect on everything else. */
function jump(instruction: Instruction, distance: number): Instruction {
  return { ...instruction, jt: distance, jf: distance };
}

/** The sides of each test that some inputs take. */
function takenSides(
  program: Program,
  littleEndian: boolean,
): ReadonlyMap<number, ReadonlySet<"jt" | "jf">> {
  const prepared = prepare(program);
  const taken = new Map<number, Set<"jt" | "jf">>();
  const values = boundaryValues([program], littleEndian);
  /** Runs the program; returns true if it reads more than arch and nr. */
  const run = (words: Uint32Array): boolean => {
    const { path } = trace(prepared, words);
    let reads = false;
    for (const [i, pc] of path.entries()) {
      const instruction = program[pc];
      if (instruction === undefined) continue;
      const { op, k, jt } = instruction;
      reads ||= op === "ld.abs" && k > ARCH_OFFSET;
      if (!isConditionalJump(op)) continue;
      const sides = taken.get(pc) ?? new Set();
      taken.set(pc, sides);
      sides.add(path[i + 1] === pc + 1 + jt ? "jt" : "jf");
    }
    return reads;
  };
  const random = createDraws();
  const draw = (list: readonly number[] = []): number =>
    list[random() % Math.max(1, list.length)] ?? 0;
  for (const arch of values[ARCH_OFFSET / 4] ?? []) {
    for (const nr of values[0] ?? []) {
      const words = new Uint32Array(16);
      words[0] = nr;
      words[1] = arch;
      if (!run(words)) continue;
      for (let round = 0; round < ROUNDS; round++) {
        for (let word = 2; word < 16; word++) words[word] = draw(values[word]);
        run(words);
      }
    }
  }
  return taken;
}

/** Generates the same pseudorandom numbers every time: xorshift32. */
function createDraws(): () => number {
  let state = 0x9e37_79b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/**
 * Finds errnos that the kernel caps.
 *
 * @param raw The raw answers of the filters.
 * @param view The filters.
 */
export function checkCappedErrnos(
  raw: AnswerMap,
  view: LintView,
): readonly FindingDraft[] {
  const tooLarge = (value: number): boolean =>
    returnedAction(value) === SECCOMP_RET_ERRNO && (value & 0xffff) > MAX_ERRNO;
  for (const arch of view.arches) {
    for (const [name, nr] of arch.syscalls) {
      const where = raw.where(raw.of({ arch, nr }), tooLarge);
      if (where === NEVER) continue;
      const data = raw.input({ arch, nr }, where);
      const { value } = raw.answer(data);
      const isAlways = where === ALWAYS;
      return [{
        id: "errno-out-of-range",
        at: data,
        about: `${value & 0xffff}`,
        message: `${name} gets errno ${value & 0xffff}${
          isAlways ? "" : " for some arguments"
        }: the kernel returns ${MAX_ERRNO} instead`,
        witnesses: [data],
      }];
    }
  }
  return [];
}
