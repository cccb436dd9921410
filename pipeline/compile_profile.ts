/**
 * The only way to obtain a filter: it is compiled, then proved equal to its
 * policy by code that shares nothing with the compiler. No other file of the
 * program may import both (tests/imports_test.ts), so no filter is released
 * without a proof.
 *
 * ```text
 * profile ─resolveProfile▶ Policy ─compile▶ Program ─encode▶ bytes ─proveEquivalent▶ proved
 *                                     │                                  │
 *                                     └─ too large                       └─ limit, witness ▶ unproved
 * ```
 *
 * @module
 */

import { decode } from "../bpf/encode.ts";
import { encodeFilter, type Filter } from "../bpf/filter.ts";
import { formatReturnValue } from "../bpf/return_value.ts";
import {
  compile,
  type CompiledArch,
  type PolicyCompilation,
} from "../compiler/compile.ts";
import type { CompileOptions, Weights } from "../compiler/cost.ts";
import { SizeError } from "../compiler/size.ts";
import { type ParsedProfile, parseProfile } from "../profile/formats/parse.ts";
import type { Policy } from "../profile/policy.ts";
import type { Arch } from "../tables/arch.ts";
import { successorsOf } from "../tables/successors.ts";
import { WIDE_CALLS } from "../tables/wide_calls.ts";
import {
  type Counterexample,
  type Proof,
  type ProofOptions,
  proveEquivalent,
  type Unproven,
} from "../verify/equivalence.ts";
import {
  type ProfileTarget,
  type ResolvedProfile,
  type ResolvedSection,
  resolveParsed,
} from "./resolve_profile.ts";

/** Options of compilation and proof. */
export type CompilePolicyOptions =
  & CompileOptions
  & Pick<ProofOptions, "limits" | "interrupted">;

/**
 * Options of compilation and proof for a profile, whose calls have names.
 *
 * @category Compile
 */
export interface CompileProfileOptions
  extends
    Omit<CompileOptions, "weights">,
    Pick<ProofOptions, "limits" | "interrupted"> {
  /**
   * How often each call occurs, by name, as read by `parseWeights`; uniform by
   * default.
   */
  readonly counts?: ReadonlyMap<string, number>;
}

/**
 * A filter that is equal to its policy for every input.
 *
 * @category Compile
 */
export interface Proved extends Filter {
  /** Discriminates it from {@linkcode Unproved}. */
  readonly kind: "proved";
  /** The filter as `struct sock_filter[]`, in the byte order of its machine. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Facts about the tree of each architecture, in the order of the policy. */
  readonly trees: readonly CompiledArch[];
  /** Extent of the proof. */
  readonly proof: Proof;
  /**
   * Parts of the filter that are compiled for size instead of the objective,
   * because the filter would exceed the kernel's limit.
   */
  readonly madeForSize: "nothing" | "arguments" | "everything";
  /**
   * Number of lists of rules that are tested in their order, because better
   * tests would exceed the work limit.
   */
  readonly testedInOrder: number;
}

/**
 * No usable filter exists.
 *
 * @category Compile
 */
export interface Unproved {
  /** Discriminates it from {@linkcode Proved}. */
  readonly kind: "unproved";
  /**
   * The limit that was reached, or the input that shows a bug in the compiler.
   */
  readonly cause:
    | {
      /** The filter is too long for the kernel. */
      readonly kind: "too-large";
      /** Number of instructions that it would have; the kernel accepts 4096. */
      readonly length: number;
    }
    | Unproven
    | Counterexample;
  /** Explanation, without a final period. */
  readonly message: string;
}

/**
 * The meaning of a profile with its filter, or with the reason why it has none.
 *
 * @category Compile
 */
export type CompiledProfile = ResolvedProfile & (Proved | Unproved);

/** The passes from a parsed profile to a proved filter, in order. */
export type Pass = "resolve" | "compile" | "encode" | "prove";

/** Hooks for clocks and progress. */
export interface PassOptions {
  /** Called after each pass. */
  readonly onPass?: (pass: Pass) => void;
}

/** A proved filter with the decision from which it was laid out. */
export interface ProvedTree
  extends Proved, Pick<PolicyCompilation, "decision"> {}

/** The section of a profile with its filter, or with the reason why it has none. */
export type CompiledSection = ResolvedSection & (ProvedTree | Unproved);

/**
 * Compiles a profile and proves the filter equal to it.
 *
 * @example Docker's default
 * ```ts
 * import { compileProfile, DEFAULT_PROFILE } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const target = { arch: "x86_64", kernel: { major: 6, minor: 1 } } as const;
 * const filter = compileProfile(DEFAULT_PROFILE, target);
 * assertEquals(filter.kind, "proved");
 * assertEquals(filter.assumed.arches, ["x86_64", "x86", "x32"]);
 * ```
 *
 * @param source The profile as text or as UTF-8; its format is detected.
 * @param target The machine, container and runtime that will use it.
 * @param options The cost to minimize, and limits.
 * @returns The filter with its proof, or the reason why it has none; in both
 * cases with all warnings.
 * @throws {ProfileError} if the profile cannot be used; it has every problem.
 * @throws {RangeError} if the target names no architecture, an unknown one, or two of different byte order.
 * @category Compile
 */
export function compileProfile(
  source: string | Uint8Array,
  target: ProfileTarget,
  options: CompileProfileOptions = {},
): CompiledProfile {
  return compileParsed(parseProfile(source), target, options);
}

/**
 * Compiles a profile that is already parsed, and proves the filter equal to it.
 *
 * @param profile The profile.
 * @param target The machine, container and runtime that will use it.
 * @param options The cost to minimize, and limits.
 * @returns The filter with its proof, or the reason why it has none; in both
 * cases with all warnings.
 * @throws {ProfileError} if the profile cannot be used; it has every problem.
 * @throws {RangeError} if the target names no architecture, an unknown one, or two of different byte order.
 */
export function compileParsed(
  profile: ParsedProfile,
  target: ProfileTarget,
  { counts, ...options }: CompileProfileOptions & PassOptions = {},
): CompiledSection {
  const resolved = resolveParsed(profile, target);
  options.onPass?.("resolve");
  const weights = counts && weightsFor(counts, resolved.arches);
  const filter = proveTree(resolved.policy, {
    ...options,
    ...(weights === undefined ? {} : { weights }),
  });
  return { ...resolved, ...filter };
}

/**
 * Compiles a policy and proves the filter equal to it.
 *
 * @example A policy of one rule
 * ```ts
 * import { compilePolicy } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const rule = { first: 39, last: 39, conditions: [], value: 0x7fff_0000, source: "getpid" };
 * const filter = compilePolicy({
 *   defaultValue: 0x0005_0001,
 *   badArchValue: 0,
 *   littleEndian: true,
 *   arches: [{ auditArch: 0xc000_003e, names: ["x86_64"], rules: [rule] }],
 * });
 * assertEquals(filter.kind === "proved" && filter.program.length, 7);
 * ```
 *
 * @param policy The meaning of the filter.
 * @param options The cost to minimize, and limits.
 * @returns The filter with its proof, or the reason why it has none.
 * @throws {RangeError} if the policy has a number that no call can have.
 * @throws {TypeError} if the policy has no byte order.
 * @category Compile
 */
export function compilePolicy(
  policy: Policy,
  options: CompileOptions & Pick<ProofOptions, "limits" | "interrupted"> = {},
): Proved | Unproved {
  return proveTree(policy, options);
}

/**
 * Compiles a policy, and proves that the encoded bytes are equal to it.
 *
 * @param policy The meaning of the filter.
 * @param options The cost to minimize, and limits.
 * @returns The filter with its proof and its decision, or the reason why it
 * has none.
 * @throws {RangeError} if the policy has a number that no call can have.
 * @throws {TypeError} if the policy has no byte order.
 */
export function proveTree(
  policy: Policy,
  options: CompilePolicyOptions & PassOptions = {},
): ProvedTree | Unproved {
  const { limits, interrupted, onPass, ...rest } = options;
  let compilation: PolicyCompilation;
  try {
    compilation = compile(policy, rest);
  } catch (error) {
    if (!(error instanceof SizeError)) throw error;
    const { length, message } = error;
    return { kind: "unproved", cause: { kind: "too-large", length }, message };
  }
  onPass?.("compile");
  const { decision, arches: trees, madeForSize, testedInOrder } = compilation;
  const bytes = encodeFilter(compilation);
  const { littleEndian } = compilation;
  const program = decode(bytes, { littleEndian });
  onPass?.("encode");
  // The proof checks the time limit rarely, and compiling may have used it up.
  const proof: Proof | Counterexample | Unproven = interrupted?.() === true
    ? { kind: "unproven", limit: "interrupted" }
    : proveEquivalent({ program, littleEndian }, policy, {
      ...(limits === undefined ? {} : { limits }),
      ...(interrupted === undefined ? {} : { interrupted }),
    });
  if (proof.kind !== "equal") {
    return { kind: "unproved", cause: proof, message: inWords(proof) };
  }
  onPass?.("prove");
  return {
    kind: "proved",
    program,
    littleEndian,
    bytes,
    decision,
    trees,
    madeForSize,
    testedInOrder,
    proof,
  };
}

function inWords(cause: Unproven | Counterexample): string {
  if (cause.kind === "different") {
    const { data: { arch, nr }, a, b } = cause;
    return `Cannot use the compiled filter: number ${nr} gets ${
      formatReturnValue(a.value, arch)
    }, the profile says ${
      formatReturnValue(b.value, arch)
    }; report this as a bug of seccomp-tree`;
  }
  const seen = cause.limit === "interrupted"
    ? "it was interrupted"
    : `the limit of ${cause.allowed} ${cause.limit} was reached`;
  return `Cannot prove the filter equal to the profile: ${seen}; simplify the conditions on arguments`;
}

/**
 * Maps names of calls to the numbers of each architecture. Counts from a 64-bit
 * machine reach other architectures by the names that calls have there. Numbers
 * of x32, which shares the audit value of x86_64, have no weight.
 *
 * @param counts How often each call occurs.
 * @param arches The architectures.
 * @returns The counts by audit value and number.
 */
export function weightsFor(
  counts: ReadonlyMap<string, number>,
  arches: readonly Arch[],
): Weights {
  const weighed = arches.filter((arch) => arch.syscallBit === 0);
  return new Map(weighed.map((arch) => {
    const weights = new Map<number, number>();
    for (const [call, count] of counts) {
      const nr = numberOf(call, arch, counts);
      if (nr !== undefined) weights.set(nr, (weights.get(nr) ?? 0) + count);
    }
    return [arch.auditArch, weights];
  }));
}

/** Finds the number that programs of an architecture use for a call. */
function numberOf(
  call: string,
  { bits, syscalls }: Arch,
  counts: ReadonlyMap<string, number>,
): number | undefined {
  const wide = bits === 32 ? WIDE_CALLS.get(call) : undefined;
  // If both are counted, the counts come from such an architecture.
  const names = wide === undefined || counts.has(wide) ? [call] : [wide, call];
  return [...names, ...successorsOf(call)].map((name) => syscalls.get(name))
    .find((nr) => nr !== undefined);
}
