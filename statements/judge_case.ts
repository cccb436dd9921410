/**
 * Judges the cases of a policy's test: over all values of all arguments, with
 * the functions that a proof uses.
 *
 * @module
 */

import { isConstAllow } from "../bpf/const_allow.ts";
import type { Program } from "../bpf/instruction.ts";
import type { SeccompData } from "../bpf/seccomp_data.ts";
import type { Rule } from "../profile/policy.ts";
import type { Arch } from "../tables/arch.ts";
import { ALWAYS, NEVER, type Node } from "../verify/core/diagram.ts";
import { meaningOf, whereDifferent } from "../verify/core/meaning.ts";
import type { Subject } from "../verify/core/subject.ts";
import {
  createSymbols,
  type Order,
  type Symbols,
} from "../verify/core/symbols.ts";
import { prevails } from "../verify/core/verdict.ts";
import { fromWords } from "../verify/describe/confirm.ts";
import { lowestInput } from "../verify/describe/inputs.ts";
import type { LimitName, ProofLimits } from "../verify/limits.ts";
import {
  type AbiCalls,
  callsOfCase,
  errnoPattern,
  fitsNode,
  testOf,
} from "./case_calls.ts";
import { UnknownArgumentError } from "./condition.ts";
import { ALWAYS_TRUE } from "./formula.ts";
import { callsNode, formulaNode } from "./prove_statements.ts";
import { resolveCondition } from "./resolve_condition.ts";
import { nameOfCall } from "./rows.ts";
import type { AnswerCase, CaseCalls, TestCase } from "./test_case.ts";

/** Result of a case. */
export type CaseResult =
  | {
    readonly kind: "pass";
    /** Architectures of the source that the case does not cover. */
    readonly skipped: readonly string[];
  }
  | {
    readonly kind: "fail";
    /** The difference, without a final period. */
    readonly reason: string;
    /** A call that gets another answer. */
    readonly witness?: SeccompData;
  }
  | { readonly kind: "unproven"; readonly limit: LimitName };

/** The policy under test. */
export interface TestedSource {
  readonly subject: Subject;
  /** The filters, for the kernel's allow cache. */
  readonly programs: readonly Program[];
  readonly littleEndian: boolean;
  /** The architectures that it filters. */
  readonly arches: readonly Arch[];
}

/**
 * Judges cases of one source; functions that grow too large throw
 * `LimitReached`.
 */
export class CaseJudge {
  readonly #source: TestedSource;
  readonly #symbols: Symbols;
  readonly #meaning: Node;
  #covered: Node = NEVER;

  /**
   * @param source The policy.
   * @param order Order of the variables.
   * @param limits Limits of the diagram.
   */
  constructor(source: TestedSource, order: Order, limits: ProofLimits) {
    this.#source = source;
    this.#symbols = createSymbols(order, limits);
    this.#meaning = meaningOf(source.subject, true, this.#symbols);
  }

  /**
   * Judges a case.
   *
   * @throws {StatementError} if it names a call, an architecture or a value that
   * does not exist.
   *
   * @param test The case.
   * @param other The other source of "subset-of" and "same-as".
   */
  judge(test: TestCase, other?: Subject): CaseResult {
    switch (test.kind) {
      case "answer":
        return this.#answers(test);
      case "cached":
        return this.#caches(test);
      case "subset":
        return this.#isSubset(this.#meaningOf(other));
      case "same":
        return this.#isSame(this.#meaningOf(other), test.except);
    }
  }

  /**
   * Adds the inputs of a case to the inputs that `covers` considers.
   *
   * @throws {StatementError} under the conditions of `judge`.
   *
   * @param test The case; only cases about answers count.
   */
  cover(test: TestCase): void {
    if (test.kind !== "answer") return;
    for (const [, where] of this.#regionsOf(test)) {
      this.#covered = this.#symbols.diagram.or(this.#covered, where);
    }
  }

  /**
   * Reports whether an added case covers a rule.
   *
   * @param arch `AUDIT_ARCH_*` of the rule.
   * @param rule The rule.
   * @param before The rules that come first.
   */
  covers(arch: number, rule: Rule, before: readonly Rule[]): boolean {
    const { diagram: d } = this.#symbols;
    const numbers = [{ first: rule.first, last: rule.last }];
    const audit = { first: arch, last: arch };
    let where = d.and(
      d.and(callsNode(this.#symbols, { audit }, numbers), this.#covered),
      this.#ruleNode(rule),
    );
    for (const other of before) {
      if (where === NEVER) return false;
      if (other.last < rule.first || other.first > rule.last) continue;
      const range = [{ first: other.first, last: other.last }];
      const taken = d.and(
        callsNode(this.#symbols, { audit }, range),
        this.#ruleNode(other),
      );
      where = d.except(where, taken);
    }
    return where !== NEVER;
  }

  #ruleNode({ conditions }: Rule): Node {
    const { diagram } = this.#symbols;
    return conditions.map(testOf).reduce(
      (all, formula) =>
        diagram.and(
          all,
          formulaNode(this.#symbols, formula, this.#source.littleEndian),
        ),
      ALWAYS as Node,
    );
  }

  #meaningOf(other: Subject | undefined): Node {
    if (other === undefined) throw new Error("Unreachable: no other source");
    return meaningOf(other, true, this.#symbols);
  }

  #answers(test: AnswerCase): CaseResult {
    const { diagram: d, wordOf } = this.#symbols;
    let isEmpty = true;
    const judged = this.#regionsOf(test);
    for (const [{ arch }, where] of judged) {
      if (where === NEVER) continue;
      isEmpty = false;
      const patterns = test.errno === undefined
        ? test.patterns
        : [errnoPattern(test.errno, arch)];
      const fits = d.apply(
        this.#meaning,
        this.#meaning,
        (f) => fitsNode(d, wordOf(f), patterns),
      );
      const wrong = d.except(where, fits);
      if (wrong !== NEVER) {
        return this.#failure("it gets another answer", wrong);
      }
    }
    return isEmpty
      ? { kind: "fail", reason: "the condition is never true" }
      : this.#pass(judged.map(([{ arch }]) => arch), test);
  }

  #pass(judged: readonly Arch[], { arches }: CaseCalls): CaseResult {
    const names = arches === undefined
      ? this.#source.arches.filter((arch) => !judged.includes(arch))
      : [];
    return { kind: "pass", skipped: names.map(({ name }) => name) };
  }

  /**
   * The calls of a case and the inputs that it is about. Architectures that the
   * case does not name count if their call has the arguments.
   */
  #regionsOf(test: AnswerCase): readonly (readonly [AbiCalls, Node])[] {
    let unknown: UnknownArgumentError | undefined;
    const regions = callsOfCase(test, this.#source.arches).flatMap((
      one,
    ): readonly (readonly [AbiCalls, Node])[] => {
      try {
        return [[one, this.#where(test, one)]];
      } catch (error) {
        const isSkipped = error instanceof UnknownArgumentError &&
          test.arches === undefined && !one.isNamed;
        if (!isSkipped) throw error;
        unknown ??= error;
        return [];
      }
    });
    if (regions.length === 0 && unknown !== undefined) throw unknown;
    return regions;
  }

  /** The inputs of one call that a case is about. */
  #where({ condition }: AnswerCase, { abi, arch, numbers }: AbiCalls): Node {
    const name = nameOfCall(arch, numbers.first);
    const formula = condition === undefined
      ? ALWAYS_TRUE
      : resolveCondition(condition, { arch, name });
    return this.#symbols.diagram.and(
      callsNode(this.#symbols, abi, [numbers]),
      formulaNode(this.#symbols, formula, this.#source.littleEndian),
    );
  }

  #failure(
    reason: string,
    where: Node,
    arches?: readonly number[],
  ): CaseResult {
    const words = lowestInput(this.#symbols, where, arches);
    const witness = fromWords(words, this.#source.littleEndian);
    return { kind: "fail", reason, witness };
  }

  #caches(test: CaseCalls & { readonly cached: boolean }): CaseResult {
    const { programs } = this.#source;
    for (
      const { arch, call, numbers } of callsOfCase(test, this.#source.arches)
    ) {
      const isCached = arch.syscallBit === 0 && !arch.name.startsWith("mips") &&
        programs.every((program) =>
          isConstAllow(program, arch.auditArch, numbers.first)
        );
      // The kernel has no cache for these.
      if (arch.syscallBit !== 0 && test.arches === undefined) continue;
      if (isCached === test.cached) continue;
      return {
        kind: "fail",
        reason: `the kernel ${
          isCached ? "caches" : "does not cache"
        } ${call} on ${arch.name}`,
      };
    }
    return this.#pass(
      callsOfCase(test, this.#source.arches).map(({ arch }) => arch)
        .filter(({ syscallBit }) => syscallBit === 0),
      test,
    );
  }

  #isSubset(base: Node): CaseResult {
    const { diagram, wordOf } = this.#symbols;
    const looser = diagram.apply(
      base,
      this.#meaning,
      (f, g) => prevails(diagram, wordOf(f), wordOf(g)),
    );
    return looser === NEVER
      ? { kind: "pass", skipped: [] }
      : this.#failure("it is looser than the base", looser, this.#audits());
  }

  #isSame(other: Node, except: readonly string[]): CaseResult {
    const { diagram } = this.#symbols;
    let differ = whereDifferent(this.#meaning, other, this.#symbols);
    const calls = except.length === 0 ? [] : callsOfCase(
      { calls: except, arches: undefined },
      this.#source.arches,
    );
    for (const { abi, numbers } of calls) {
      differ = diagram.except(
        differ,
        callsNode(this.#symbols, abi, [numbers]),
      );
    }
    return differ === NEVER
      ? { kind: "pass", skipped: [] }
      : this.#failure("they differ", differ, this.#audits());
  }

  #audits(): readonly number[] {
    return this.#source.arches.map(({ auditArch }) => auditArch);
  }
}
