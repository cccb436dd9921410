/**
 * Builds the filter that observes a policy or a filter, and proves it.
 *
 * @module
 */

import { encode } from "../bpf/encode.ts";
import type { Program } from "../bpf/instruction.ts";
import type { Policy } from "../profile/policy.ts";
import {
  type ObservationProof,
  observedValue,
  proveObservation,
} from "../verify/observation.ts";
import { compilePolicy } from "./compile_profile.ts";

/** A filter that observes another one, or the reason why none exists. */
export type Observation =
  | {
    readonly kind: "observation";
    /** `struct sock_filter[]`. */
    readonly bytes: Uint8Array<ArrayBuffer>;
  }
  | { readonly kind: "none"; readonly message: string };

/**
 * Builds the observing filter of a policy: its rules, with USER_NOTIF instead
 * of ERRNO. The filter is proved equal to these rules, and compared with the
 * original policy.
 *
 * @example ERRNO becomes a question
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { observePolicy } from "./observe.ts";
 *
 * const policy = { defaultValue: 0x0005_0001, badArchValue: 0, littleEndian: true, arches: [] };
 * const found = observePolicy(policy);
 * assertEquals(found.kind, "observation");
 * ```
 *
 * @param policy The policy, for a little-endian machine.
 */
export function observePolicy(policy: Policy): Observation {
  const observed: Policy = {
    ...policy,
    defaultValue: observedValue(policy.defaultValue),
    badArchValue: observedValue(policy.badArchValue),
    arches: policy.arches.map((arch) => ({
      ...arch,
      rules: arch.rules.map((rule) => ({
        ...rule,
        value: observedValue(rule.value),
      })),
    })),
  };
  const filter = compilePolicy(observed);
  if (filter.kind === "unproved") return none(filter.message);
  const { program, bytes, littleEndian } = filter;
  return judged(
    proveObservation(policy, { program, littleEndian }),
    bytes,
  );
}

/**
 * Builds the observing filter of a program: its instructions, with USER_NOTIF
 * instead of ERRNO. It is proved against the original.
 *
 * @param program The program, for a little-endian machine.
 */
export function observeProgram(program: Program): Observation {
  if (program.some(({ op }) => op === "ret.a")) {
    return none("the filter computes its answers");
  }
  const observed = program.map((instruction) =>
    instruction.op === "ret.k"
      ? { ...instruction, k: observedValue(instruction.k) }
      : instruction
  );
  return judged(
    proveObservation(
      { program, littleEndian: true },
      { program: observed, littleEndian: true },
    ),
    encode(observed),
  );
}

function judged(
  proof: ObservationProof,
  bytes: Uint8Array<ArrayBuffer>,
): Observation {
  switch (proof.kind) {
    case "observes":
      return { kind: "observation", bytes };
    case "unproven":
      return none(`the limit on ${proof.limit} was reached`);
    case "different":
      return none(
        `call ${proof.data.nr} is observed as ${proof.observed}, and answered ${proof.original}; report this as a bug of seccomp-tree`,
      );
    default:
      return proof satisfies never;
  }
}

function none(message: string): Observation {
  return { kind: "none", message };
}
