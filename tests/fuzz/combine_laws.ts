/**
 * The laws of combinations, by proof: the order, the grouping and the number of
 * profiles do not matter to an intersection and a union, and a profile minus
 * another one has nothing in common with the latter.
 *
 * @module
 */

import { combine } from "../../pipeline/combine/combine.ts";
import type {
  Combined,
  CombineOperation,
} from "../../pipeline/combine/result.ts";
import { compilePolicy } from "../../pipeline/compile_profile.ts";
import type { ProfileTarget } from "../../pipeline/resolve_profile.ts";
import {
  type ParsedProfile,
  parseProfile,
} from "../../profile/formats/parse.ts";
import type { Policy } from "../../profile/policy.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { effect } from "./combine_proofs.ts";

/** A profile as input. */
interface Input {
  readonly profile: ParsedProfile;
}

/**
 * Proves the laws of an operation.
 *
 * @param result The result for both inputs.
 * @param inputs The inputs.
 * @param target The machine, container and runtime.
 * @param operation The operation.
 * @param tell Reports a violation.
 * @returns The number of proofs.
 */
export function judgeLaws(
  result: Combined,
  [a, b]: readonly [Input, Input],
  target: ProfileTarget,
  operation: CombineOperation,
  tell: (text: string) => void,
): number {
  let proofs = 0;
  const same = (name: string, x: Combined, y: Combined): void => {
    const [left, right] = [policyOf(x), policyOf(y)];
    const isEqual = left !== undefined && right !== undefined &&
      proveEquivalent(left, right).kind === "equal";
    proofs++;
    if (!isEqual) tell(`not ${name}`);
    if (x.kind === "profile" && y.kind === "profile" && x.text !== y.text) {
      tell(`${name}: not one normal form`);
    }
  };
  const join = (
    inputs: readonly Input[],
    operation: CombineOperation,
  ): Combined => combine(inputs, target, { operation });
  const again = (one: Combined): readonly Input[] =>
    one.kind === "profile"
      ? [{ profile: parseProfile(one.text, { kind: "oci" }) }]
      : [];
  if (operation === "minus") {
    // Nothing is permitted by A without A, nor by both B and A without B.
    for (
      const [name, none] of [
        ["empty", join([a, a], "minus")],
        ["disjoint", join([...again(result), b], "intersect")],
      ] as const
    ) {
      const policy = policyOf(none);
      if (name === "disjoint" && result.kind !== "profile") continue;
      proofs++;
      if (policy === undefined || permits(policy)) tell(`not ${name}`);
    }
    return proofs;
  }
  const self = join([a, a], operation);
  same("commutative", result, join([b, a], operation));
  same("idempotent", join([a], operation), self);
  same("absorbing", result, join([a, b, a], operation));
  const whole = join([a, b, b], operation);
  const [grouped] = again(result);
  if (grouped) same("associative", whole, join([grouped, b], operation));
  const [other] = again(join([b, b], operation));
  if (other) same("associative", whole, join([a, other], operation));
  return proofs;
}

/** Reports whether a policy permits anything. */
function permits(policy: Policy): boolean {
  const closed = compilePolicy(policy);
  if (closed.kind !== "proved") return true;
  const { littleEndian } = policy;
  const program = closed.program.map((one) => {
    if (one.op !== "ret.k") return one;
    const isPermission = [0x7fff_0000, 0x7ffc_0000].includes(effect(one.k));
    return { ...one, k: isPermission ? 0x7fff_0000 : 0 };
  });
  const never = [{ op: "ret.k", jt: 0, jf: 0, k: 0 }] as const;
  return proveEquivalent(
    { program, littleEndian },
    { program: never, littleEndian },
  ).kind !== "equal";
}

/**
 * The policy of a result.
 *
 * @param one The result.
 */
export function policyOf(one: Combined): Policy | undefined {
  if (one.kind === "profile") return one.policy;
  return one.kind === "unsaid" ? one.toPolicy() : undefined;
}
