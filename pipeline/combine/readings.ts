/**
 * Proves that a profile has a given meaning under every known version of crun
 * and runc.
 *
 * runc returns ENOSYS for numbers above those that a profile names. That answer
 * belongs to the runtime and not to a profile, so both sides omit it.
 *
 * @module
 */

import { ProfileError } from "../../profile/diagnostic.ts";
import type { ParsedProfile } from "../../profile/formats/parse.ts";
import type { Policy, Rule } from "../../profile/policy.ts";
import { distinctSemantics } from "../../profile/semantics/quirks.ts";
import { STUB_SOURCE } from "../../profile/semantics/stub.ts";
import type { Semantics } from "../../profile/semantics/versions.ts";
import type { Node } from "../../verify/core/diagram.ts";
import { meaningOf } from "../../verify/core/meaning.ts";
import type { Symbols } from "../../verify/core/symbols.ts";
import {
  type ProfileTarget,
  type ResolvedSection,
  resolveParsed,
} from "../resolve_profile.ts";

/** A reading under which a profile has a different meaning. */
export interface WrongReading {
  readonly semantics: Semantics;
  /** The meaning of the profile; absent if the runtime refuses it. */
  readonly meaning?: Node;
  /** The meaning of the inputs under this reading, if it is not the newest. */
  readonly wanted?: Node;
  /** The construct that the runtime refuses. */
  readonly refusal?: string;
}

/** The result of reading a profile as every version does. */
export interface ReadingsProof {
  /** The policy under the newest crun; absent if that refuses the profile. */
  readonly policy?: Policy;
  /**
   * Readings with this meaning; each stands for the versions up to the next.
   */
  readonly equal: readonly Semantics[];
  /** Readings that refuse an input and the result. */
  readonly refused: readonly Semantics[];
  /** Readings with a different meaning, if only that of the target counts. */
  readonly different: readonly Semantics[];
  /** The first reading with a different meaning. */
  readonly wrong?: WrongReading;
}

/**
 * Resolves a profile, without runc's ENOSYS stub.
 *
 * @throws {ProfileError} if the runtime would refuse it.
 *
 * @param profile The profile.
 * @param target The machine, container and runtime.
 */
export function resolveBare(
  profile: ParsedProfile,
  target: ProfileTarget,
): ResolvedSection {
  const resolved = resolveParsed(profile, target);
  return { ...resolved, policy: withoutStub(resolved.policy) };
}

function withoutStub(policy: Policy): Policy {
  return {
    ...policy,
    arches: policy.arches.map((arch) => ({
      ...arch,
      rules: arch.rules.filter(({ source }) => source !== STUB_SOURCE),
    })),
  };
}

/** Meanings that a profile must have. */
export interface WantedReadings {
  /** The meaning under the reading of the target. */
  readonly wanted: Node;
  /**
   * Computes the meaning of the inputs under a reading; `undefined` if that
   * version refuses one of them.
   */
  readonly meaningAs: (semantics: Semantics) => Node | undefined;
  /** True if only the reading of the target has to be right. */
  readonly onlyTarget: boolean;
}

/**
 * Reads a profile as every known version does, and compares the meanings.
 *
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param symbols The inputs.
 * @param profile The profile.
 * @param target The machine and the container.
 * @param wanted Meanings that the profile must have.
 */
export function proveReadings(
  symbols: Symbols,
  profile: ParsedProfile,
  target: ProfileTarget,
  { wanted, meaningAs, onlyTarget }: WantedReadings,
): ReadingsProof {
  const known: (readonly [Policy, Node])[] = [];
  const equal: Semantics[] = [];
  const refused: Semantics[] = [];
  const different: Semantics[] = [];
  const { semantics: asked } = target;
  // That of the target comes first.
  const first = onlyTarget && asked !== undefined ? [asked] : [];
  const others = distinctSemantics().filter((one) => !first.includes(one));
  for (const semantics of [...first, ...others]) {
    const [newest] = known;
    const facts = {
      ...newest && { policy: newest[0] },
      ...{ equal, refused, different },
    };
    const read = readAs(profile, { ...target, semantics });
    if ("refusal" in read) {
      // A version that refuses an input need not accept the result.
      if (
        newest !== undefined &&
        (onlyTarget || meaningAs(semantics) === undefined)
      ) {
        refused.push(semantics);
        continue;
      }
      return { ...facts, wrong: { semantics, ...read } };
    }
    const { policy } = read;
    const before = known.find(([other]) => isSamePolicy(other, policy));
    const meaning = before?.[1] ?? meaningOf(policy, true, symbols);
    if (before === undefined) known.push([policy, meaning]);
    // A version that reads the inputs differently is compared with its own
    // reading.
    if (meaning !== wanted) {
      const own = meaningAs(semantics);
      if (meaning !== own && onlyTarget && newest !== undefined) {
        different.push(semantics);
        continue;
      }
      if (meaning !== own) {
        const isOld = own !== undefined && own !== wanted;
        const wrong = { semantics, meaning, ...isOld ? { wanted: own } : {} };
        return { ...facts, wrong };
      }
    }
    equal.push(semantics);
  }
  const [newest] = known;
  return {
    ...newest && { policy: newest[0] },
    ...{ equal, refused, different },
  };
}

function readAs(
  profile: ParsedProfile,
  target: ProfileTarget,
): { readonly policy: Policy } | { readonly refusal: string } {
  try {
    return { policy: resolveBare(profile, target).policy };
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    const [{ message = "" } = {}] = error.diagnostics;
    return { refusal: message };
  }
}

/** Compares all but the sources of rules. */
function isSamePolicy(a: Policy, b: Policy): boolean {
  return a.defaultValue === b.defaultValue &&
    a.badArchValue === b.badArchValue &&
    a.arches.length === b.arches.length &&
    a.arches.every(({ auditArch, rules }, i) => {
      const other = b.arches[i];
      return other?.auditArch === auditArch &&
        other.rules.length === rules.length &&
        rules.every((rule, j) => isSameRule(rule, other.rules[j]));
    });
}

function isSameRule(a: Rule, b: Rule | undefined): boolean {
  return b !== undefined && a.first === b.first && a.last === b.last &&
    a.value === b.value && a.conditions.length === b.conditions.length &&
    a.conditions.every((one, i) => {
      const other = b.conditions[i];
      return other !== undefined && one.arg === other.arg &&
        one.op === other.op && one.mask === other.mask &&
        one.value === other.value;
    });
}
