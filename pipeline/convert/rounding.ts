/**
 * The nearest meaning on the safe side that a profile can say: one answer for
 * numbers without a call, KILL_THREAD on architectures that it does not list,
 * and answers that libseccomp has.
 *
 * @module
 */

import type { ReturnValue } from "../../profile/policy.ts";
import { MAX_ERRNO_RET } from "../../profile/semantics/action.ts";
import type { Arch } from "../../tables/arch.ts";
import {
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_DATA,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_TRACE,
} from "../../tables/uapi.ts";
import { NEVER, type Node } from "../../verify/core/diagram.ts";
import { constant } from "../../verify/core/word.ts";
import { answerOfLeaf, strictest } from "../../verify/pointwise.ts";
import type { SourceView } from "./source_view.ts";

/** Limits of a format for runtimes, beyond those of all profiles. */
export interface SectionLimits {
  /** True if the default action has no error of its own. */
  readonly plainDefault: boolean;
  /** True if an entry cannot give the error 0. */
  readonly noErrorZero: boolean;
}

/** Calls that get the strictest of their answers, each with the reason. */
export type RoundedCalls = ReadonlyMap<string, string>;

/**
 * Rounds a meaning.
 *
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param view The source.
 * @param calls Calls that get one answer.
 * @param limits Limits of the format.
 * @returns The meaning, in the diagram of the source.
 */
export function roundMeaning(
  view: SourceView,
  calls: RoundedCalls,
  limits: SectionLimits,
): Node {
  const { symbols, regions, arches, functions } = view;
  const { diagram: d, leaf } = symbols;
  const returning = (value: ReturnValue): Node => leaf(constant(value));
  const fallback = sayableDefault(
    arches.map((arch) => view.fallbackOf(arch)).reduce(strictest),
    limits,
  );
  let meaning = d.apply(
    view.meaning,
    view.meaning,
    (f) => returning(sayable(answerOfLeaf(symbols, f), limits)),
  );
  for (const name of calls.keys()) {
    const places = arches.flatMap((arch) => {
      const nr = arch.syscalls.get(name);
      return nr === undefined ? [] : [{ arch, nr }];
    });
    if (places.length === 0) continue;
    // An entry has one meaning for all architectures.
    const safe = places.map(({ arch, nr }) =>
      view.safeOf(functions.at(arch, nr))
    ).reduce(strictest);
    const value = returning(sayable(safe, limits));
    for (const { arch, nr } of places) {
      meaning = d.choose(regions.call(arch, nr), value, meaning);
    }
  }
  const named = arches.reduce(
    (all, arch) => d.or(all, regions.named(arch)),
    NEVER as Node,
  );
  const listed = listedNode(view, arches);
  return d.choose(
    d.and(named, listed),
    meaning,
    d.choose(listed, returning(fallback), returning(SECCOMP_RET_KILL_THREAD)),
  );
}

/**
 * The inputs that do not get the action of unknown architectures. Only x86_64
 * and x32 refuse numbers of each other; -1 goes through the rules.
 */
function listedNode(
  { symbols: { diagram: d }, regions }: SourceView,
  arches: readonly Arch[],
): Node {
  const names = new Set(arches.map(({ name }) => name));
  const numbersOf = ({ name }: Arch) => {
    if (name === "x86_64" && !names.has("x32")) {
      return [
        { first: 0, last: 0x3fff_ffff },
        { first: 0xffff_ffff, last: 0xffff_ffff },
      ];
    }
    if (name === "x32" && !names.has("x86_64")) {
      return [{ first: 0x4000_0000, last: 0xffff_ffff }];
    }
    return [{ first: 0, last: 0xffff_ffff }];
  };
  return arches.reduce(
    (all, arch) => d.or(all, regions.numbers(arch, numbersOf(arch))),
    NEVER as Node,
  );
}

/** The nearest answer that an entry can give, with the same action. */
function sayable(
  value: ReturnValue,
  { noErrorZero }: SectionLimits,
): ReturnValue {
  const action = (value & SECCOMP_RET_ACTION_FULL) >>> 0;
  const data = value & SECCOMP_RET_DATA;
  switch (action) {
    case SECCOMP_RET_ERRNO: {
      const errno = Math.min(data, MAX_ERRNO_RET);
      return action + (errno === 0 && noErrorZero ? 1 : errno);
    }
    case SECCOMP_RET_TRACE:
      return data === 0 && noErrorZero ? action + 1 : value;
    default:
      return action;
  }
}

function sayableDefault(
  value: ReturnValue,
  limits: SectionLimits,
): ReturnValue {
  const said = sayable(value, limits);
  const action = (said & SECCOMP_RET_ACTION_FULL) >>> 0;
  const takesData = action === SECCOMP_RET_ERRNO ||
    action === SECCOMP_RET_TRACE;
  return limits.plainDefault && takesData ? action + 1 : said;
}
