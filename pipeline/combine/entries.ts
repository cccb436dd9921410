/**
 * Writes a meaning as the entries of a profile: names, an action, and at most
 * one comparison of each argument. An entry has one meaning for all
 * architectures, so a call gets the entries of the widest one, which must also
 * be right on the others.
 *
 * Entries of different actions overlap only if libseccomp's precedence makes
 * the right one win and fewer entries are needed. No entry has the default
 * action, because runtimes would drop it.
 *
 * @module
 */

import type { ReturnValue } from "../../profile/policy.ts";
import { BeyondArguments } from "../../statements/argument_space.ts";
import {
  orderRules,
  type PendingRule,
} from "../../profile/semantics/precedence.ts";
import type { Arch } from "../../tables/arch.ts";
import { NEVER, type Node } from "../../verify/core/diagram.ts";
import { compareAnswers } from "../../verify/pointwise.ts";
import type { AnswerSets, CallFunctions } from "./call_functions.ts";
import { inLargerSpaces, LongFunction } from "./cover_spaces.ts";
import {
  compareRules,
  joinEntries,
  makeStrict,
  type NormalEntry,
  type NormalRule,
  oppositeOf,
  permutationsOf,
  setsOfRules,
  WHOLE_ARGUMENT,
  widenCondition,
} from "./normal_rules.ts";
import { comparisonOf } from "./comparison.ts";

/** Entries, and the calls for which they are wrong. */
export interface WrittenEntries {
  readonly entries: readonly NormalEntry[];
  /** Reasons by call, without a final period. */
  readonly unsaid: ReadonlyMap<string, string>;
}

/** A call on one architecture. */
interface Place {
  readonly arch: Arch;
  readonly nr: number;
  readonly f: Node;
}

/**
 * Writes entries.
 *
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param functions The meaning.
 * @param arches The architectures that the profile lists.
 * @param fallback The default answer.
 * @param overlap True if entries of a call may overlap.
 * @returns The entries, and the calls that they cannot express.
 */
export function writeEntries(
  functions: CallFunctions,
  arches: readonly Arch[],
  fallback: ReturnValue,
  overlap: boolean,
): WrittenEntries {
  const writer = new EntryWriter(functions, arches, fallback, overlap);
  return writer.write();
}

class EntryWriter {
  readonly #functions: CallFunctions;
  readonly #arches: readonly Arch[];
  readonly #fallback: ReturnValue;
  readonly #overlap: boolean;
  /** Architectures and numbers of multiplexers. */
  readonly #served: ReadonlySet<string>;
  readonly #rules = new Map<string, readonly NormalRule[]>();
  readonly #unsaid = new Map<string, string>();
  /** Rules of calls with the same functions. */
  readonly #known = new Map<string, readonly NormalRule[]>();

  constructor(
    functions: CallFunctions,
    arches: readonly Arch[],
    fallback: ReturnValue,
    overlap: boolean,
  ) {
    this.#functions = functions;
    this.#arches = arches;
    this.#fallback = fallback;
    this.#overlap = overlap;
    this.#served = new Set(
      arches.flatMap(({ name, multiplexed }) =>
        multiplexed.map(({ nr }) => `${name} ${nr}`)
      ),
    );
  }

  write(): WrittenEntries {
    const names = new Set(
      this.#arches.flatMap(({ syscalls }) => [...syscalls.keys()]),
    );
    const served: string[] = [];
    for (const name of [...names].sort()) {
      if (this.#serves(name)) {
        served.push(name);
        continue;
      }
      this.#writeCall(name);
    }
    // Other entries may also create rules for multiplexers, and are known only
    // now.
    for (const name of served) this.#writeCall(name);
    return { entries: joinEntries(this.#rules), unsaid: this.#unsaid };
  }

  /** Reports whether a call is a multiplexer such as `socketcall`. */
  #serves(name: string): boolean {
    return this.#arches.some((arch) => {
      const nr = arch.syscalls.get(name);
      return nr !== undefined && this.#served.has(`${arch.name} ${nr}`);
    });
  }

  #writeCall(name: string): void {
    const places = this.#placesOf(name);
    const served = this.#serves(name);
    const key = places.map(({ arch, f }) => `${arch.bits} ${f}`).join();
    const known = served ? undefined : this.#known.get(key);
    const written = known ?? this.#rulesOf(name, places);
    if (!served && !this.#unsaid.has(name)) this.#known.set(key, written);
    if (written.length > 0) this.#rules.set(name, written);
  }

  /** The architectures that have a call, those that compare 64 bits first. */
  #placesOf(name: string): readonly Place[] {
    return this.#arches.flatMap((arch) => {
      const nr = arch.syscalls.get(name);
      return nr === undefined
        ? []
        : [{ arch, nr, f: this.#functions.at(arch, nr) }];
    }).toSorted((a, b) => b.arch.bits - a.arch.bits);
  }

  #rulesOf(name: string, places: readonly Place[]): readonly NormalRule[] {
    const [lead] = places;
    if (lead === undefined) return [];
    const constants = new Set(
      places.map(({ f }) => this.#functions.constantOf(f)),
    );
    const [only] = constants;
    if (constants.size === 1 && only !== undefined) {
      return only === this.#fallback ? [] : [{ value: only, conditions: [] }];
    }
    try {
      const { rules, reason } = inLargerSpaces(() =>
        this.#found(name, lead, places)
      );
      if (reason !== undefined) this.#unsaid.set(name, reason);
      return rules;
    } catch (error) {
      if (error instanceof BeyondArguments) this.#unsaid.set(name, BEYOND);
      else if (error instanceof LongFunction) this.#unsaid.set(name, LONG);
      else throw error;
      return [];
    }
  }

  /** The rules that are right everywhere, or the nearest with the reason. */
  #found(name: string, lead: Place, places: readonly Place[]): {
    readonly rules: readonly NormalRule[];
    readonly reason?: string;
  } {
    const exact = this.#covered(name, lead, []);
    const right = this.#candidates(name, lead, exact).find((rules) =>
      places.every((place) => this.#isSaid(name, place, rules))
    );
    if (right !== undefined) return { rules: right };
    return {
      rules: exact ?? [],
      reason: exact === undefined ? LONG : DIFFERENT,
    };
  }

  /**
   * Lists sets of rules to try, smallest first: rules that do not overlap, and
   * rules whose later actions include values of earlier ones.
   */
  #candidates(
    name: string,
    lead: Place,
    exact: readonly NormalRule[] | undefined,
  ): readonly (readonly NormalRule[])[] {
    const { arch, f } = lead;
    const values = [...this.#functions.setsOf(f, arch.bits).keys()]
      .filter((value) => value !== this.#fallback).sort(compareAnswers);
    const isShort = exact !== undefined && exact.length <= values.length;
    const orders = isShort || !this.#overlap || values.length < 2
      ? []
      : values.length > MOST_PERMUTED
      ? [values, values.toReversed()]
      : permutationsOf(values);
    const overlapping = orders.flatMap((order) => {
      const rules = this.#covered(name, lead, order);
      return rules === undefined
        ? []
        : [rules, this.#split(rules, arch, order)];
    });
    return [...exact === undefined ? [] : [exact], ...overlapping]
      .toSorted((a, b) => a.length - b.length)
      .flatMap((rules) => [rules, rules.map(makeStrict)]);
  }

  /**
   * Divides rules that overlap an earlier one by an argument that only that one
   * compares: libseccomp tests higher arguments first.
   */
  #split(
    rules: readonly NormalRule[],
    arch: Arch,
    order: readonly ReturnValue[],
  ): readonly NormalRule[] {
    return this.#functions.within(arch.bits, ({ space }) => {
      const divide = (rule: NormalRule): readonly NormalRule[] => {
        const at = order.indexOf(rule.value);
        const where = space.where(rule.conditions);
        for (const other of rules) {
          if (order.indexOf(other.value) >= at) continue;
          const common = space.diagram.and(
            where,
            space.where(other.conditions),
          );
          if (common === NEVER) continue;
          const extra = other.conditions.find(({ arg }) =>
            !rule.conditions.some((one) => one.arg === arg)
          );
          const opposite = extra && oppositeOf(extra);
          if (extra === undefined || opposite === undefined) continue;
          return [extra, opposite].flatMap((condition) =>
            divide({
              ...rule,
              conditions: [...rule.conditions, condition]
                .toSorted((a, b) => a.arg - b.arg),
            })
          );
        }
        return [rule];
      };
      return rules.flatMap(divide).toSorted(compareRules);
    });
  }

  /** Rules of one architecture; in `order`, each value wins over later ones. */
  #covered(
    name: string,
    { arch, f }: Place,
    order: readonly ReturnValue[],
  ): readonly NormalRule[] | undefined {
    const { bits } = arch;
    const sets = this.#functions.setsOf(f, bits);
    const implied = this.#saidBy(this.#implied(name, arch), bits);
    const rules: NormalRule[] = [];
    for (const [value, own] of sets) {
      if (value === this.#fallback) continue;
      const winners = order.slice(0, Math.max(0, order.indexOf(value)));
      const cover = this.#functions.within(bits, ({ space, cover }) => {
        const { diagram: d } = space;
        const upper = winners.reduce(
          (all, other) => d.or(all, sets.get(other) ?? NEVER),
          own,
        );
        return cover.cover(d.except(own, implied.get(value) ?? NEVER), upper);
      });
      if (cover === undefined) return undefined;
      for (const conditions of cover) {
        rules.push({
          value,
          conditions: arch.bits === 32
            ? conditions.map(widenCondition)
            : conditions,
        });
      }
    }
    return rules.toSorted(compareRules);
  }

  #saidBy(rules: readonly NormalRule[], bits: 32 | 64): AnswerSets {
    return this.#functions.within(
      bits,
      ({ space }) => setsOfRules(rules, space),
    );
  }

  /** Reports whether rules are right on an architecture, as libseccomp reads them. */
  #isSaid(
    name: string,
    { arch, f }: Place,
    rules: readonly NormalRule[],
  ): boolean {
    const all = [...this.#implied(name, arch), ...rules].toSorted(compareRules);
    const ordered = orderRules(all.map(pendingRule), arch.bits);
    if ("kind" in ordered) return false;
    const sets = this.#functions.setsOf(f, arch.bits);
    const said = this.#saidBy(ordered, arch.bits);
    const values = new Set([...sets.keys(), ...said.keys()]);
    values.delete(this.#fallback);
    return [...values].every((value) =>
      (sets.get(value) ?? NEVER) === (said.get(value) ?? NEVER)
    );
  }

  /**
   * The rules of a multiplexer that follow from entries for the calls that it
   * serves.
   */
  #implied(name: string, arch: Arch): readonly NormalRule[] {
    const nr = arch.syscalls.get(name);
    if (nr === undefined || !this.#served.has(`${arch.name} ${nr}`)) return [];
    return arch.multiplexed.flatMap((call) =>
      call.nr !== nr
        ? []
        : (this.#rules.get(call.name) ?? []).map(({ value, conditions }) => ({
          value,
          conditions: [
            {
              arg: 0,
              op: "eq",
              mask: WHOLE_ARGUMENT,
              value: BigInt(call.call),
            } as const,
            ...conditions.filter(({ arg }) => arg !== 0),
          ],
        }))
    );
  }
}

/** Maximum number of answers of a call for which all orders are tried. */
const MOST_PERMUTED = 3;

/** A rule as libseccomp receives it. */
function pendingRule({ value, conditions }: NormalRule): PendingRule {
  return { args: conditions.map(comparisonOf), value, source: "" };
}

const LONG = "it would take too many entries";
const DIFFERENT =
  "an entry has one meaning for all architectures, and these differ";
const BEYOND =
  "the answer depends on more than a profile can compare, such as the instruction pointer or half an argument";
