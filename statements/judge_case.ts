/**
 * Judges the cases of a policy's test: over all values of all arguments, by the
 * functions that a proof uses.
 *
 * @module
 */

import { isConstAllow } from "../bpf/const_allow.ts";
import type { Program } from "../bpf/instruction.ts";
import type { Range } from "../bpf/range.ts";
import { parseReturnValue } from "../bpf/return_value.ts";
import type { SeccompData } from "../bpf/seccomp_data.ts";
import type { Rule } from "../profile/policy.ts";
import type { Arch } from "../tables/arch.ts";
import { archByAnyName } from "../tables/arch_names.ts";
import { quoteText } from "../tables/printable.ts";
import {
  ALWAYS,
  type Diagram,
  NEVER,
  type Node,
} from "../verify/core/diagram.ts";
import { meaningOf, whereDifferent } from "../verify/core/meaning.ts";
import type { Subject } from "../verify/core/subject.ts";
import {
  createSymbols,
  type Order,
  type Symbols,
} from "../verify/core/symbols.ts";
import { prevails } from "../verify/core/verdict.ts";
import type { Word } from "../verify/core/word.ts";
import { fromWords } from "../verify/describe/confirm.ts";
import { lowestInput } from "../verify/describe/inputs.ts";
import type { LimitName, ProofLimits } from "../verify/limits.ts";
import { StatementError, UnknownArgumentError } from "./condition.ts";
import { ALWAYS_TRUE, type Formula, type TermTest } from "./formula.ts";
import { numbersOfCall } from "./parse_document.ts";
import { callsNode, formulaNode } from "./prove_statements.ts";
import { resolveCondition } from "./resolve_condition.ts";
import { nameOfCall } from "./rows.ts";
import type { CallAbi } from "./statement.ts";
import type {
  AnswerCase,
  AnswerPattern,
  CaseCalls,
  TestCase,
} from "./test_case.ts";

/** Result of a case. */
export type CaseResult =
  | {
    readonly kind: "pass";
    /** Architectures of the source on which the case says nothing. */
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

/** Some calls of one ABI. */
interface AbiCalls {
  readonly abi: CallAbi;
  readonly arch: Arch;
  /** Name as written. */
  readonly call: string;
  readonly numbers: Range;
  /** True if the call is written with its architecture. */
  readonly isNamed: boolean;
}

/**
 * Judges cases of one source; each of its methods throws `LimitReached` if a
 * function becomes too large.
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
   * Adds the inputs of a case to those of which `covers` knows.
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
   * Reports whether an added case decides on a rule.
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
    return conditions.map((c): Formula => testOf(c)).reduce(
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
    const regions = this.#callsOf(test).flatMap((
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

  /** The inputs that a case is about, of one call. */
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
    for (const { arch, call, numbers } of this.#callsOf(test)) {
      const isCached = arch.syscallBit === 0 && !arch.name.startsWith("mips") &&
        programs.every((program) =>
          isConstAllow(program, arch.auditArch, numbers.first)
        );
      // The kernel has no cache for these at all.
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
      this.#callsOf(test).map(({ arch }) => arch)
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
    const calls = except.length === 0
      ? []
      : this.#callsOf({ calls: except, arches: undefined });
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

  /** The calls of a case on the architectures that have them. */
  #callsOf({ calls, arches }: CaseCalls): readonly AbiCalls[] {
    return calls.flatMap((written) => {
      const colon = written.indexOf(":");
      const call = written.slice(colon + 1);
      const named = colon < 0 ? arches : [written.slice(0, colon)];
      const places = named?.map(archOf) ?? this.#source.arches;
      const having = places.filter((arch) =>
        arch.syscalls.has(call) || /^[0-9]/.test(call)
      );
      // The error names the call and a suggestion.
      const found = having.length === 0 ? places.slice(0, 1) : having;
      return found.map((arch) => ({
        abi: {
          audit: { first: arch.auditArch, last: arch.auditArch },
          arch,
        },
        arch,
        call,
        numbers: numbersOfCall(call, arch),
        isNamed: colon >= 0,
      }));
    });
  }
}

function archOf(name: string): Arch {
  const arch = archByAnyName(name);
  if (arch !== undefined) return arch;
  throw new StatementError(
    `Cannot read case: unknown architecture ${quoteText(name)}`,
    0,
  );
}

/** An errno by its name; its number depends on the architecture. */
function errnoPattern(errno: string, { auditArch }: Arch): AnswerPattern {
  return {
    mask: 0xffff_ffff,
    value: parseReturnValue(`ERRNO(${errno})`, auditArch),
  };
}

/** The inputs on which an answer has one of the patterns. */
function fitsNode(
  d: Diagram,
  word: Word,
  patterns: readonly AnswerPattern[],
): Node {
  return patterns.map(({ mask, value }) =>
    word.reduce((all, bit, i) => {
      if ((mask >>> i & 1) === 0) return all;
      return (value >>> i & 1) === 1 ? d.and(all, bit) : d.except(all, bit);
    }, ALWAYS as Node)
  ).reduce(d.or, NEVER as Node);
}

/** A condition of a policy as a test of the whole argument. */
function testOf(
  { arg, op, mask, value }: Rule["conditions"][number],
): TermTest {
  const full = (1n << 64n) - 1n;
  const spans = {
    eq: [{ first: value, last: value }],
    ne: [{ first: value, last: value }],
    le: [{ first: 0n, last: value }],
    gt: [{ first: 0n, last: value }],
    ge: [{ first: value, last: full }],
    lt: [{ first: value, last: full }],
  }[op];
  const negated = op === "ne" || op === "gt" || op === "lt";
  return { kind: "test", term: { arg, part: "whole" }, mask, spans, negated };
}
