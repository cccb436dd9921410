/**
 * Shorthands for the tests of `proveEquivalent`.
 *
 * @module
 */

import type { Program } from "../../bpf/instruction.ts";
import type { Policy, Rule } from "../../profile/policy.ts";
import type { Subject } from "../../verify/core/subject.ts";
import { plain } from "./programs.ts";

export const ALLOW = 0x7fff_0000;
export const ERRNO = 0x0005_0001;
export const X86_64 = 0xc000_003e;

/** A program as a subject. */
export function program(...instructions: Program): Subject {
  return instructions;
}

/** A program that gives the same answer to every input. */
export function returning(value: number): Program {
  return [plain("ret.k", value)];
}

/** A policy for one architecture that denies calls without a rule. */
export function policyOf(rules: readonly Rule[], littleEndian = true): Policy {
  return {
    defaultValue: ERRNO,
    badArchValue: 0,
    littleEndian,
    arches: [{ auditArch: X86_64, names: ["x86_64"], rules }],
  };
}
