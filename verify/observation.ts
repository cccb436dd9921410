/**
 * Proves that an observing filter is as strict as the filter that it observes.
 *
 * If the original answers ERRNO, an observing filter asks a supervisor;
 * otherwise it gives the same answer. The proof works like that of
 * `proveEquivalent`: both filters become functions of the input in one decision
 * diagram, ERRNO in the original is replaced by USER_NOTIF, and the functions
 * must be the same.
 *
 * @module
 */

import { attemptOrders } from "./attempts.ts";
import { actionOf, effective } from "../bpf/return_value.ts";
import type { SeccompData } from "../bpf/seccomp_data.ts";
import type { ReturnValue } from "../profile/policy.ts";
import {
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_USER_NOTIF,
} from "../tables/uapi.ts";
import { type Diagram, NEVER, type Node } from "./core/diagram.ts";
import { meaningOf } from "./core/meaning.ts";
import { byteOrderOf, type Subject } from "./core/subject.ts";
import {
  compare,
  compute,
  constant,
  selectWord,
  type Word,
} from "./core/word.ts";
import { createAnswer, fromWords } from "./describe/confirm.ts";
import { lowestInput } from "./describe/inputs.ts";
import {
  DEFAULT_PROOF_LIMITS,
  type LimitName,
  type ProofLimits,
} from "./limits.ts";

/** Result of {@linkcode proveObservation}. */
export type ObservationProof =
  /** The observing filter differs only by notifying instead of ERRNO. */
  | { readonly kind: "observes" }
  /** An input on which it differs otherwise, confirmed by running both. */
  | {
    readonly kind: "different";
    readonly data: SeccompData;
    /** Answer of the original. */
    readonly original: ReturnValue;
    /** Answer of the observing filter. */
    readonly observed: ReturnValue;
  }
  | { readonly kind: "unproven"; readonly limit: LimitName };

/**
 * Returns the answer that an observing filter gives in place of an original
 * one.
 *
 * @param value The original answer, a u32.
 * @returns USER_NOTIF for ERRNO, else the same value.
 */
export function observedValue(value: ReturnValue): ReturnValue {
  return actionOf(value) === SECCOMP_RET_ERRNO ? SECCOMP_RET_USER_NOTIF : value;
}

/**
 * Decides whether a filter observes another one and changes nothing else.
 *
 * @example Filters that observe, and one that does not
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { proveObservation } from "./observation.ts";
 *
 * const ret = (k: number) => [{ op: "ret.k", jt: 0, jf: 0, k }] as const;
 * const [allow, errno, notify] = [ret(0x7fff_0000), ret(0x0005_0001), ret(0x7fc0_0000)];
 * assertEquals(proveObservation(errno, notify).kind, "observes");
 * assertEquals(proveObservation(allow, allow).kind, "observes");
 * assertEquals(proveObservation(errno, allow).kind, "different");
 * ```
 *
 * @param original A policy, a program or a stack.
 * @param observed The observing filter.
 * @param limits Limits of each attempt.
 * @throws {ProgramError} if the kernel would refuse a program.
 * @throws {TypeError} if they are for machines of different byte order.
 */
export function proveObservation(
  original: Subject,
  observed: Subject,
  limits: Partial<ProofLimits> = {},
): ObservationProof {
  const littleEndian = byteOrderOf([original, observed]);
  const answers = [original, observed].map((subject) =>
    createAnswer(subject, littleEndian)
  );
  const allowed = { ...DEFAULT_PROOF_LIMITS, ...limits };
  const proof = attemptOrders<ObservationProof>(allowed, (symbols) => {
    const { diagram, wordOf } = symbols;
    const differ = (f: Node, g: Node): Node =>
      diagram.not(
        compare(diagram, "jeq", observedWord(diagram, wordOf(f)), wordOf(g)),
      );
    const different = diagram.apply(
      meaningOf(original, true, symbols),
      meaningOf(observed, true, symbols),
      differ,
    );
    if (different === NEVER) return { kind: "observes" };
    const data = fromWords(lowestInput(symbols, different), littleEndian);
    const [a = 0, b = 0] = answers.map((answer) => answer(data).value);
    if (effective(observedValue(a)) !== effective(b)) {
      return { kind: "different", data, original: a, observed: b };
    }
    throw new Error(`Unreachable: ${a} is observed as ${b}`);
  });
  return typeof proof === "string" ? { kind: "unproven", limit: proof } : proof;
}

/** The same as {@linkcode observedValue}, on all inputs at once. */
function observedWord(diagram: Diagram, value: Word): Word {
  const mask = constant(SECCOMP_RET_ACTION_FULL);
  const action = compute(diagram, "and", value, mask);
  const isErrno = compare(diagram, "jeq", action, constant(SECCOMP_RET_ERRNO));
  const notify = constant(SECCOMP_RET_USER_NOTIF);
  return selectWord(diagram, isErrno, notify, value);
}
