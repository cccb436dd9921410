/**
 * Converts the outline of a filter to a decision for each number of each
 * architecture.
 *
 * @module
 */

import { comparedArches } from "../bpf/follow.ts";
import type { Program } from "../bpf/instruction.ts";
import type { DecidedArch, DecidedCalls } from "../compiler/policy_calls.ts";
import type { DecidedInterval } from "../compiler/cost.ts";
import {
  createDecisionGraph,
  type Decision,
  type DecisionGraph,
} from "../compiler/decision.ts";
import { type PieceInputs, pieceOf } from "../compiler/piece.ts";
import { type Arch, ARCHES } from "../tables/arch.ts";
import { SECCOMP_RET_ALLOW } from "../tables/uapi.ts";
import type {
  ArchOutline,
  ArgumentFunction,
  Outline,
} from "../verify/describe/outline.ts";
import { decideFunction } from "./decide_outline.ts";
import { explainArches, explainPieces } from "./refusal.ts";

/**
 * Maximum number of values of `arch` in one interval that are tested
 * individually.
 */
const MOST_SINGLES = 16;

/** Turns outlines into decisions; keeps pieces of the programs if necessary. */
export class OutlineReader {
  readonly #programs: readonly Program[];
  readonly #graph: DecisionGraph = createDecisionGraph();
  readonly #decided = new Map<ArgumentFunction, Decision | undefined>();
  #pieces = 0;

  constructor(programs: readonly Program[]) {
    this.#programs = programs;
  }

  /** Number of pieces in use. */
  get pieces(): number {
    return this.#pieces;
  }

  /** Decides all calls; returns a text if that is impossible. */
  decide(outline: Outline, littleEndian: boolean): DecidedCalls | string {
    const widest = outline.arches.reduce((a, b) =>
      b.last - b.first > a.last - a.first ? b : a
    );
    const unknown = this.#decideNumbers(widest);
    if (typeof unknown === "string") return unknown;
    const arches: DecidedArch[] = [];
    for (const arch of outline.arches) {
      if (arch === widest) continue;
      const intervals = this.#decideNumbers(arch);
      if (typeof intervals === "string") return intervals;
      if (areAlike(intervals, unknown)) continue;
      if (arch.last - arch.first >= MOST_SINGLES) {
        return explainArches(this.#programs, arch);
      }
      for (let value = arch.first; value <= arch.last; value++) {
        arches.push({ auditArch: value, names: namesOf(value), intervals });
      }
    }
    const order = this.#programs.flatMap(comparedArches);
    arches.sort((a, b) =>
      placeIn(order, a.auditArch) - placeIn(order, b.auditArch)
    );
    return { graph: this.#graph, arches, unknown, littleEndian };
  }

  #decideNumbers(arch: ArchOutline): readonly DecidedInterval[] | string {
    const intervals: { first: number; last: number; node: Decision }[] = [];
    for (const { first, last, answer } of arch.numbers) {
      const node = this.#decideAnswer(answer) ??
        this.#pieceFor({ arch, nr: { first, last } });
      if (typeof node === "string") return node;
      const before = intervals.at(-1);
      if (before?.node === node) before.last = last;
      else intervals.push({ first, last, node });
    }
    return intervals;
  }

  #decideAnswer(answer: ArgumentFunction): Decision | undefined {
    if (!this.#decided.has(answer)) {
      this.#decided.set(
        answer,
        decideFunction(this.#graph, answer),
      );
    }
    return this.#decided.get(answer);
  }

  /** The rest of the only program that does more than allow. */
  #pieceFor(inputs: PieceInputs): Decision | string {
    const pieces = this.#programs.map((program) => pieceOf(program, inputs));
    const acting = [...pieces.keys()].filter((i) => !isAllow(pieces[i] ?? []));
    const [only, second] = acting;
    const piece = only === undefined ? undefined : pieces[only];
    if (piece === undefined) return this.#graph.leaf(SECCOMP_RET_ALLOW);
    if (second === undefined) {
      this.#pieces++;
      return this.#graph.piece(piece);
    }
    return explainPieces(this.#programs, acting, inputs);
  }
}

function isAllow(piece: Program): boolean {
  const [first] = piece;
  return first?.op === "ret.k" && first.k === SECCOMP_RET_ALLOW;
}

function areAlike(
  a: readonly DecidedInterval[],
  b: readonly DecidedInterval[],
): boolean {
  return a.length === b.length &&
    a.every(({ first, node }, i) =>
      first === b[i]?.first && node === b[i]?.node
    );
}

function placeIn(order: readonly number[], value: number): number {
  const place = order.indexOf(value);
  return place < 0 ? order.length : place;
}

function namesOf(auditArch: number): readonly string[] {
  return auditedArches(auditArch).map(({ name }) => name);
}

/**
 * Lists the architectures of an audit value.
 *
 * @param auditArch `AUDIT_ARCH_*`.
 */
export function auditedArches(auditArch: number): readonly Arch[] {
  return ARCHES.filter((arch) => arch.auditArch === auditArch);
}
