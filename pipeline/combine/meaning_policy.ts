/**
 * Writes a meaning as a policy, from which a filter is compiled. This works
 * even if no profile expresses the meaning, because a rule of a policy applies
 * to one architecture and any numbers.
 *
 * @module
 */

import type {
  ArchPolicy,
  Policy,
  ReturnValue,
  Rule,
} from "../../profile/policy.ts";
import { BeyondArguments } from "../../statements/argument_space.ts";
import { divideCall } from "../../statements/divide_call.ts";
import { type Arch, ARCHES } from "../../tables/arch.ts";
import { NEVER, type Node } from "../../verify/core/diagram.ts";
import { meaningOf } from "../../verify/core/meaning.ts";
import { ARCH_LEVEL, NR_LEVEL } from "../../verify/core/symbols.ts";
import { intervalsOf } from "../../verify/describe/intervals.ts";
import { compareAnswers } from "../../verify/pointwise.ts";
import type { CallFunctions } from "./call_functions.ts";
import { inLargerSpaces, LongFunction } from "./cover_spaces.ts";

const FULL = 0xffff_ffff;
/** Bit of the numbers of x32. */
const X32_BIT = 0x4000_0000;
/** Maximum number of intervals of a word. */
const MOST_INTERVALS = 0x2000;

/**
 * Writes a policy, and proves that it has the meaning.
 *
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param functions The meaning.
 * @param arches Architectures whose tests come first.
 * @returns The policy; `undefined` if rules cannot express the meaning.
 */
export function policyOfMeaning(
  functions: CallFunctions,
  arches: readonly Arch[],
): Policy | undefined {
  const { symbols, meaning, littleEndian } = functions;
  const audits = intervalsOf(
    symbols.diagram,
    meaning,
    ARCH_LEVEL,
    MOST_INTERVALS,
  );
  const unknown = audits.find(({ first, last }) => last - first > 0x1000_0000);
  const badArchValue = unknown && functions.constantOf(unknown.rest);
  if (badArchValue === undefined) return undefined;
  const order = arches.map(({ auditArch }) => auditArch);
  const list: ArchPolicy[] = [];
  for (const { first, last, rest } of audits) {
    if (functions.constantOf(rest) === badArchValue) continue;
    if (last - first > 16) return undefined;
    for (let auditArch = first; auditArch <= last; auditArch++) {
      const rules = rulesOf(functions, auditArch, rest);
      if (rules === undefined) return undefined;
      const names = ARCHES.filter((arch) => arch.auditArch === auditArch)
        .map(({ name }) => name);
      list.push({ auditArch, names, rules });
    }
  }
  const rank = ({ auditArch }: ArchPolicy): number =>
    (order.indexOf(auditArch) + 1 || Infinity) - 1;
  const policy: Policy = {
    defaultValue: badArchValue,
    badArchValue,
    littleEndian,
    arches: list.toSorted((a, b) =>
      rank(a) === rank(b) ? 0 : rank(a) - rank(b)
    ),
  };
  // Equal functions are one node.
  return meaningOf(policy, true, symbols) === meaning ? policy : undefined;
}

function rulesOf(
  functions: CallFunctions,
  auditArch: number,
  onArch: Node,
): readonly Rule[] | undefined {
  const { symbols } = functions;
  const bitsOf = (nr: number): 32 | 64 =>
    ARCHES.find((arch) =>
      arch.auditArch === auditArch && arch.syscallBit === (nr & X32_BIT)
    )?.bits ?? 64;
  const numbers = intervalsOf(
    symbols.diagram,
    onArch,
    NR_LEVEL,
    MOST_INTERVALS,
  );
  if (numbers.at(-1)?.last !== FULL) return undefined;
  const rules: Rule[] = [];
  for (const { first, last, rest } of numbers) {
    const given = answersOf(functions, rest, bitsOf(first));
    if (given === undefined) return undefined;
    for (const { value, conditions } of given) {
      rules.push({ first, last, conditions, value, source: "combined" });
    }
  }
  return rules;
}

type Given = Pick<Rule, "conditions" | "value">;

function answersOf(
  functions: CallFunctions,
  f: Node,
  bits: 32 | 64,
): readonly Given[] | undefined {
  const only = functions.constantOf(f);
  if (only !== undefined) return [{ value: only, conditions: [] }];
  try {
    return inLargerSpaces(() => divided(functions, f, bits));
  } catch (error) {
    if (error instanceof BeyondArguments || error instanceof LongFunction) {
      return undefined;
    }
    throw error;
  }
}

function divided(
  functions: CallFunctions,
  f: Node,
  bits: 32 | 64,
): readonly Given[] | undefined {
  const sets = functions.setsOf(f, bits);
  const values = [...sets.keys()].sort(compareAnswers);
  // The last answer applies to everything else.
  const covers = functions.within(
    bits,
    ({ space }) =>
      values.map((value): readonly Given[] | undefined =>
        divideCall(space, sets.get(value) ?? NEVER)?.map((conditions) => ({
          value,
          conditions,
        }))
      ),
  );
  const longest = covers.reduce(
    (most, cover, i) =>
      (cover?.length ?? Infinity) > (covers[most]?.length ?? Infinity)
        ? i
        : most,
    0,
  );
  const rest: ReturnValue | undefined = values[longest];
  if (rest === undefined) return undefined;
  const others = covers.filter((_, i) => i !== longest);
  if (others.some((cover) => cover === undefined)) return undefined;
  return [
    ...others.flatMap((cover) => cover ?? []),
    { value: rest, conditions: [] },
  ];
}
