/**
 * Profiles of any size, for the benchmarks of our own code and for the tests
 * that count its work.
 *
 * @module
 */

import type { Program } from "../../bpf/instruction.ts";
import {
  compilePolicy,
  type CompilePolicyOptions,
  type Proved,
} from "../../pipeline/compile_profile.ts";
import { resolveParsed } from "../../pipeline/resolve_profile.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import type { Policy } from "../../profile/policy.ts";
import { type Arch, archByName, ARCHES } from "../../tables/arch.ts";

/** Listed calls of the benchmarks. */
export const LISTED: readonly number[] = [10, 100, 450];
/** Argument rules of the benchmarks. */
export const RULES: readonly number[] = [1, 10, 100, 1000];

/** A profile of some size in all its representations. */
export interface Input {
  /** A name such as `450 calls`. */
  readonly name: string;
  readonly text: string;
  readonly seccomp: LinuxSeccomp;
  readonly arches: readonly Arch[];
  readonly policy: Policy;
}

/**
 * Makes a profile that allows n calls on x86_64 and x86.
 *
 * @param n Number of calls, at most 450.
 */
export function listInput(n: number): Input {
  const names = [...new Set(arches().flatMap(namesOf))].sort();
  for (const arch of ARCHES) {
    if (names.length >= n) break;
    names.push(...namesOf(arch).filter((name) => !names.includes(name)));
  }
  // 211 is prime, so every name occurs once.
  const listed = Array.from(
    { length: n },
    (_, i) => names[(i * 211) % names.length] ?? "",
  );
  return inputOf(`${n} calls`, [{ names: listed, action: "SCMP_ACT_ALLOW" }]);
}

/**
 * Makes a profile with n rules on the first argument of one call.
 *
 * @param n Number of rules.
 */
export function rulesInput(n: number): Input {
  return inputOf(
    `${n} rules`,
    Array.from({ length: n }, (_, i) => ({
      names: ["socket"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 0, value: i * 3, op: "SCMP_CMP_EQ" }],
    })),
  );
}

/** All inputs of the benchmarks. */
export function benchInputs(): readonly Input[] {
  return [...LISTED.map(listInput), ...RULES.map(rulesInput)];
}

/**
 * Compiles a policy whose filter must be proved.
 *
 * @param policy The policy.
 * @param options The cost to minimize.
 * @returns The filter.
 */
export function provedFilter(
  policy: Policy,
  options: CompilePolicyOptions = {},
): Proved {
  const filter = compilePolicy(policy, options);
  if (filter.kind === "proved") return filter;
  throw new Error(`Cannot measure: ${filter.message}`);
}

/** The filter of an input. */
export function programOf({ policy }: Input): Program {
  return provedFilter(policy).program;
}

function inputOf(name: string, syscalls: readonly unknown[]): Input {
  const text = JSON.stringify({
    defaultAction: "SCMP_ACT_ERRNO",
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
    syscalls,
  });
  const resolved = resolveParsed(parseProfile(text), {
    arch: ["x86_64", "x86"],
    capabilities: new Set(),
    unknown: "ignore",
  });
  const { seccomp, arches, policy } = resolved;
  return { name, text, seccomp, arches, policy };
}

function arches(): readonly Arch[] {
  return ["x86_64", "x86"].flatMap((name) => archByName(name) ?? []);
}

function namesOf({ syscalls }: Arch): readonly string[] {
  return [...syscalls.keys()];
}
