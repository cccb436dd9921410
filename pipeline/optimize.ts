/**
 * Finds the best filter equal to a given seccomp filter. The meaning of the
 * filter is read back from the prover's diagram, compiled like a policy, and
 * proved equal to the original instructions.
 *
 * ```text
 * programs ─outlineOf▶ Outline ─decideFunction▶ decisions ─compileAttempt▶ Program
 *     └──────────────────────── proveEquivalent ─────────────────────────────┘
 * ```
 *
 * @module
 */

import { check } from "../bpf/check.ts";
import { encode } from "../bpf/encode.ts";
import { comparedArches } from "../bpf/follow.ts";
import type { Program } from "../bpf/instruction.ts";
import { actionOf } from "../bpf/return_value.ts";
import {
  compileAttempt,
  type CompileOptions,
  type DecidedArch,
  type DecidedCalls,
} from "../compiler/compile.ts";
import {
  type Attempt,
  ATTEMPTS,
  type DecidedInterval,
  type Objective,
} from "../compiler/cost.ts";
import {
  createDecisionGraph,
  type Decision,
  type DecisionGraph,
} from "../compiler/decision.ts";
import { pieceOf } from "../compiler/piece.ts";
import { measure } from "../measure/measure.ts";
import { type Arch, ARCHES } from "../tables/arch.ts";
import {
  BPF_MAXINSNS,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_USER_NOTIF,
} from "../tables/uapi.ts";
import {
  byteOrderOf,
  programsOf,
  type Subject,
} from "../verify/core/subject.ts";
import {
  type ArchOutline,
  type ArgumentFunction,
  type Outline,
  outlineOf,
} from "../verify/describe/outline.ts";
import {
  type Counterexample,
  type Proof,
  type ProofOptions,
  proveEquivalent,
  type Unproven,
} from "../verify/equivalence.ts";
import { decideFunction } from "./decide_outline.ts";

/** A filter, or all filters of a thread; never a policy. */
export type OptimizeSubject = Exclude<
  Subject,
  { readonly defaultValue: number }
>;

/**
 * Cost to minimize, and limits. Under `balanced`, the default, the cost is the
 * product of length and expected instructions.
 */
export interface OptimizeOptions
  extends CompileOptions, Pick<ProofOptions, "limits" | "interrupted"> {
  /**
   * Equality of results: the same bits, or values that the kernel treats alike.
   * Default: `"bits"`.
   */
  readonly compare?: "effect" | "bits";
}

/** A filter that gives the same answer to every input. */
export interface Optimized {
  /** Discriminates it from the other outcomes. */
  readonly kind: "optimized";
  /** The instructions. */
  readonly program: Program;
  /** Byte order of the machine. */
  readonly littleEndian: boolean;
  /** The filter as `struct sock_filter[]`, in that byte order. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Number of pieces of the given program that it contains unchanged. */
  readonly pieces: number;
  /** The proof against the given instructions. */
  readonly proof: Proof;
}

/** No shorter filter of at most the same cost was found. */
export interface AlreadyBest {
  /** Discriminates it from the other outcomes. */
  readonly kind: "already-best";
}

/** No usable result exists. */
export interface NotOptimized {
  /** Discriminates it from the other outcomes. */
  readonly kind: "not-optimized";
  /** The reason, without a final period. */
  readonly message: string;
  /** The limit or difference that ended the proof, if it was reached. */
  readonly cause?: Unproven | Counterexample;
}

/**
 * Finds the best filter that is equal to the given one, or to a stack of them.
 *
 * The result is never longer than the original, and never costs more under the
 * objective.
 *
 * @throws {ProgramError} if the kernel would refuse a program.
 *
 * @example A list of comparisons
 * ```ts
 * import { optimize, parseFilters } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const tests = [0, 1, 2, 3].map((nr) => `jeq #${nr}, yes`).join("\n");
 * const list = parseFilters(`ld [0]\n${tests}\nret #0\nyes: ret #0x7fff0000`);
 * const best = optimize(list);
 * assertEquals(best.kind === "optimized" && best.program.length, 4);
 * ```
 *
 * @param subject The filter, or all filters of a thread, oldest first.
 * @param options Cost to minimize, and limits.
 * @returns The filter with its proof, or the reason why it has none.
 */
export function optimize(
  subject: OptimizeSubject,
  options: OptimizeOptions = {},
): Optimized | AlreadyBest | NotOptimized {
  const programs = programsOf(subject);
  const littleEndian = byteOrderOf([subject]);
  const compare = options.compare ?? "bits";
  const limits = {
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.interrupted === undefined
      ? {}
      : { interrupted: options.interrupted }),
  };
  if (programs.length > 1 && programs.some(mayNotify)) {
    return refusal(
      "a filter of the stack returns USER_NOTIF, whose listener belongs to that filter alone; optimize each filter by itself",
    );
  }
  const outline = outlineOf({ programs, littleEndian }, { compare, ...limits });
  if ("kind" in outline) {
    return refusal(
      `the limit of ${outline.limit} was reached before its meaning was known; raise it`,
    );
  }
  const reader = new OutlineReader(programs);
  const calls = reader.decide(outline, littleEndian);
  if (typeof calls === "string") return refusal(calls);
  const program = bestOf(calls, programs, options);
  if (program === undefined) return { kind: "already-best" };
  const proof = proveEquivalent(
    { programs, littleEndian },
    { program, littleEndian },
    { compare, ...limits },
  );
  if (proof.kind !== "equal") {
    return {
      ...refusal(
        proof.kind === "different"
          ? `number ${proof.data.nr} gets another answer; report this as a bug of seccomp-tree`
          : "the result was not proved within the limits; raise them",
      ),
      cause: proof,
    };
  }
  return {
    kind: "optimized",
    program,
    littleEndian,
    bytes: encode(program, { littleEndian }),
    pieces: reader.pieces,
    proof,
  };
}

function refusal(reason: string): NotOptimized {
  return {
    kind: "not-optimized",
    message: `Cannot optimize the filter: ${reason}`,
  };
}

/**
 * Reports whether a program may send a call to a listener; a computed answer
 * may be anything.
 */
function mayNotify(program: Program): boolean {
  return program.some(({ op, k }) =>
    op === "ret.a" ||
    op === "ret.k" && actionOf(k) === SECCOMP_RET_USER_NOTIF
  );
}

/**
 * Up to this number of values of `arch` in one interval, they are tested one by
 * one.
 */
const MOST_SINGLES = 16;

/** Turns outlines into decisions; keeps pieces of the programs if necessary. */
class OutlineReader {
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
        return `architectures ${arch.first} to ${arch.last} have answers of their own; only single architectures can be told apart`;
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
  #pieceFor(inputs: Parameters<typeof pieceOf>[1]): Decision | string {
    const pieces = this.#programs.map((program) => pieceOf(program, inputs))
      .filter((piece) => !isAllow(piece));
    const [piece] = pieces;
    if (piece === undefined) return this.#graph.leaf(SECCOMP_RET_ALLOW);
    if (pieces.length > 1) {
      return `filters ${pieces.length} deep ${
        reasonFor(piece)
      }, for number ${inputs.nr.first}; optimize each filter by itself`;
    }
    this.#pieces++;
    return this.#graph.piece(piece);
  }
}

function isAllow(piece: Program): boolean {
  const [first] = piece;
  return first?.op === "ret.k" && first.k === SECCOMP_RET_ALLOW;
}

/** Says why a piece is no tree of tests: its first instruction that computes, or its size. */
function reasonFor(piece: Program): string {
  const found = piece.find(({ op }) =>
    /^(?:add|sub|mul|div|mod|or|xor|lsh|rsh|neg|ret\.a)/.test(String(op))
  );
  return found === undefined
    ? "tell too many values of an argument apart"
    : `compute their answers (${found.op})`;
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
  return archesOf(auditArch).map(({ name }) => name);
}

function archesOf(auditArch: number): readonly Arch[] {
  return ARCHES.filter((arch) => arch.auditArch === auditArch);
}

/** Attempts for an objective before those for `size`. */
function attemptsFor(objective: Objective): readonly Attempt[] {
  return objective === "balanced"
    ? [0, 20, 73].map((price) => ({ objective, price }))
    : ATTEMPTS[objective];
}

/**
 * Compiles by the objective, then for size; accepts only what is neither longer
 * nor costlier. Under `balanced` the least product of length and cost wins: a
 * tenth fewer instructions outweigh a twentieth more executed ones.
 */
function bestOf(
  calls: DecidedCalls,
  programs: readonly Program[],
  options: OptimizeOptions,
): Program | undefined {
  const objective = options.objective ?? "balanced";
  // Numbers of x32 have no weight, as in the search.
  const arches = calls.arches.flatMap(({ auditArch }) => archesOf(auditArch))
    .filter(({ syscallBit }) => syscallBit === 0);
  const given = costOf(programs, arches, objective, options);
  const rank = objective === "balanced"
    ? (cost: Cost) => cost.length * cost.objective
    : (cost: Cost) => cost.objective;
  let best: { readonly program: Program; readonly rank: number } | undefined;
  for (const attempts of [attemptsFor(objective), ATTEMPTS.size]) {
    for (const attempt of attempts) {
      const program = compileAttempt(calls, options, attempt);
      if (program.length > BPF_MAXINSNS || check(program) !== undefined) {
        continue;
      }
      const cost = costOf([program], arches, objective, options);
      if (cost.length > given.length || cost.objective > given.objective) {
        continue;
      }
      if (
        cost.length === given.length && cost.objective === given.objective
      ) continue;
      const ranked = rank(cost);
      if (best === undefined || ranked < best.rank) {
        best = { program, rank: ranked };
      }
    }
    if (best !== undefined) return best.program;
  }
  return undefined;
}

/** Number of instructions, and cost under the objective. */
interface Cost {
  readonly length: number;
  readonly objective: number;
}

function costOf(
  programs: readonly Program[],
  arches: readonly Arch[],
  objective: Objective,
  { weights, background }: OptimizeOptions,
): Cost {
  const length = programs.reduce((sum, program) => sum + program.length, 0);
  if (objective === "size") return { length, objective: length };
  const weighing = {
    ...(weights === undefined ? {} : { weights }),
    ...(background === undefined ? {} : { background }),
  };
  const measures = programs.map((p) => measure(p, arches, weighing));
  const cost = measures.reduce(
    (sum, { attach, arches }) =>
      sum +
      (objective === "cached"
        ? attach
        : arches.reduce((mean, { expected }) => mean + expected, 0)),
    0,
  );
  return { length, objective: cost };
}
