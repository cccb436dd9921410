/**
 * The tests and answers of a program as a graph.
 *
 * @module
 */

import type { Instruction, Program } from "../instruction.ts";
import { isConditionalJump } from "../opcode.ts";
import {
  constantOf,
  dependsOnRegister,
  type Facts,
  followValues,
} from "./expression.ts";
import { type JoinedTest, joinWithLater } from "./condition.ts";

const SIGNS: ReadonlyMap<string, string> = new Map([
  ["jeq", "=="],
  ["jgt", ">"],
  ["jge", ">="],
  ["jset", "&"],
]);

/** Reports whether an instruction ends the program if X is 0: the answer is 0. */
export function dividesByX({ op }: Instruction): boolean {
  return op === "div.x" || op === "mod.x";
}

/**
 * Nodes are indices of instructions: tests, answers, and assignments if shown.
 */
export class PseudoGraph {
  readonly #program: Program;
  readonly #facts: readonly (Facts | undefined)[];
  /** True if every assignment is shown. */
  readonly #assigns: boolean;
  /** First instruction that returns a value. */
  readonly #returns = new Map<number, number>();
  readonly #choices = new Map<number, JoinedTest>();
  readonly #sizes = new Map<number, number>();
  /** Nodes with several predecessors, other than answers. */
  readonly labelled: ReadonlySet<number>;

  /**
   * Reads a program.
   *
   * @param program A program that the kernel accepts.
   */
  constructor(program: Program) {
    this.#program = program;
    this.#facts = followValues(program);
    this.#assigns = program.some((instruction, pc) =>
      dividesByX(instruction) || this.#usesUnknown(instruction, pc)
    );
    this.#joinAll();
    const counts = this.#references((node) => this.#choices.get(node));
    this.labelled = new Set(
      [...counts].filter(([node, count]) => count > 1 && !this.isReturn(node))
        .map(([node]) => node),
    );
  }

  /** The instruction at an index. */
  instructionAt(pc: number): Instruction {
    return this.#program[pc] ?? END;
  }

  /** The facts before an instruction; `undefined` if nothing reaches it. */
  factsAt(pc: number): Facts | undefined {
    return this.#facts[pc];
  }

  /** The test of a node; `undefined` for answers and assignments. */
  choiceOf(node: number): JoinedTest | undefined {
    return this.#choices.get(node);
  }

  /** True if a test or an answer depends on a register of unknown value. */
  #usesUnknown({ op }: Instruction, pc: number): boolean {
    const facts = this.#facts[pc];
    if (facts === undefined) return false;
    const { a, x } = facts;
    if (op === "ret.a") return dependsOnRegister(a);
    if (!isConditionalJump(op)) return false;
    return dependsOnRegister(a) ||
      String(op).endsWith(".x") && dependsOnRegister(x);
  }

  /** The node that execution reaches from an instruction. */
  nodeAt(pc: number): number {
    for (let at = pc;;) {
      const { op, k } = this.#program[at] ?? END;
      if (op === "ja") at += 1 + k;
      else if (op === "ret.k") {
        const first = this.#returns.get(k) ?? at;
        this.#returns.set(k, first);
        return first;
      } else if (op === "ret.a" || isConditionalJump(op) || this.#assigns) {
        return at;
      } else at++;
    }
  }

  isReturn(node: number): boolean {
    const { op } = this.#program[node] ?? END;
    return op === "ret.k" || op === "ret.a";
  }

  /** The single test of a node. */
  #choiceAt(pc: number): JoinedTest | undefined {
    const { op, jt, jf, k } = this.#program[pc] ?? END;
    const facts = this.#facts[pc];
    if (!isConditionalJump(op) || facts === undefined) return undefined;
    const [name = "", form] = String(op).split(".");
    return {
      tree: {
        kind: "test",
        sign: SIGNS.get(name) ?? "?",
        left: facts.a,
        right: form === "x" ? facts.x : constantOf(k),
        facts,
      },
      yes: this.nodeAt(pc + 1 + jt),
      no: this.nodeAt(pc + 1 + jf),
    };
  }

  #joinAll(): void {
    const counts = this.#references((node) => this.#choiceAt(node));
    const nodes = [...counts.keys()].sort((a, b) => b - a);
    for (const node of nodes) {
      const own = this.#choiceAt(node);
      if (own === undefined) continue;
      const choice = this.#assigns ? own : joinWithLater(
        own,
        (next) => counts.get(next) === 1 ? this.#choices.get(next) : undefined,
      );
      this.#choices.set(node, choice);
    }
  }

  /** Counts the references to each reachable node. */
  #references(
    choiceOf: (node: number) => JoinedTest | undefined,
  ): Map<number, number> {
    const root = this.nodeAt(0);
    const counts = new Map<number, number>([[root, 1]]);
    const waiting = [root];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      for (const next of this.#after(node, choiceOf(node))) {
        const count = counts.get(next) ?? 0;
        counts.set(next, count + 1);
        if (count === 0) waiting.push(next);
      }
    }
    return counts;
  }

  #after(node: number, choice: JoinedTest | undefined): readonly number[] {
    if (choice !== undefined) return [choice.yes, choice.no];
    return this.isReturn(node) ? [] : [this.nodeAt(node + 1)];
  }

  /** Number of nodes written in place at a node, not counting labeled ones. */
  sizeOf(node: number): number {
    const known = this.#sizes.get(node);
    if (known !== undefined) return known;
    let size = 1;
    if (!this.isShort(node)) {
      for (const next of this.#after(node, this.#choices.get(node))) {
        size += this.sizeOf(next);
      }
    }
    this.#sizes.set(node, size);
    return size;
  }

  isShort(node: number): boolean {
    return this.isReturn(node) || this.labelled.has(node);
  }
}

/** Stands for an instruction beyond the end, which no accepted filter reaches. */
const END: Instruction = { op: "ret.k", jt: 0, jf: 0, k: 0 };
