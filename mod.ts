/**
 * Compiles seccomp profiles into optimal decision trees of classic BPF, and
 * proves that each means exactly what its profile says.
 *
 * ```text
 * text ─compileProfile▶ Policy ▶ Program ▶ proved equal ▶ bytes
 * ```
 *
 * Nothing here touches the machine: no file, no environment, no permission.
 * `@x/seccomp-tree/ffi` has the functions that do.
 *
 * @example From a profile to bytes
 * ```ts
 * import { compileProfile, DEFAULT_PROFILE } from "@x/seccomp-tree";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const target = { arch: "x86_64", kernel: { major: 6, minor: 1 } } as const;
 * const filter = compileProfile(DEFAULT_PROFILE, target);
 * assert(filter.kind === "proved");
 * assertEquals(filter.bytes.length, 8 * filter.program.length);
 * ```
 *
 * @module
 */

// From a profile to a proved filter.
export {
  type CompiledProfile,
  compilePolicy,
  compileProfile,
  type CompileProfileOptions,
  type Proved,
  type Unproved,
} from "./pipeline/compile_profile.ts";
export {
  type ProfileTarget,
  type ResolvedProfile,
  resolveProfile,
} from "./pipeline/resolve_profile.ts";
export type { CompiledArch } from "./compiler/compile.ts";
export type { CompileOptions } from "./compiler/cost.ts";
export type { Objective } from "./tables/objectives.ts";

// Descriptions of targets and profiles.
export { DEFAULT_PROFILE } from "./profile/default_profile.ts";
export { type Diagnostic, ProfileError } from "./profile/diagnostic.ts";
export { parseWeights } from "./profile/formats/weights.ts";
export { type KernelVersion, parseKernelRelease } from "./profile/host.ts";
export { type Arch, archByName, type ArchName } from "./tables/arch.ts";

// The meaning of a profile.
export type { ArchPolicy, Condition, Policy, Rule } from "./profile/policy.ts";

// Filters as data, bytes and text.
export { AssemblyError, ProgramError } from "./bpf/error.ts";
export {
  decodeFilter,
  encodeFilter,
  type Filter,
  type FilterStack,
} from "./bpf/filter.ts";
export type { Instruction, Op, Program } from "./bpf/instruction.ts";
export { formatReturnValue, parseReturnValue } from "./bpf/return_value.ts";
export type { SeccompData } from "./bpf/seccomp_data.ts";
export { formatFilters, type FormatStackOptions } from "./bpf/format.ts";
export type {
  ParsedFilters,
  ParseFiltersOptions,
} from "./bpf/assembly/link_filters.ts";
export { parseFilters } from "./bpf/text.ts";

// Finds the best filter equal to a given one.
export {
  type NotOptimized,
  optimize,
  type Optimized,
  type OptimizeOptions,
} from "./pipeline/optimize.ts";

// Answers of filters, and how they differ.
export { type Digest, digestOf } from "./verify/digest.ts";
export {
  simulate,
  type SimulatedCall,
  type Simulation,
} from "./pipeline/simulate.ts";
export type { Subject } from "./verify/core/subject.ts";
export type { Outcome } from "./verify/describe/confirm.ts";
export {
  type Difference,
  type DifferenceList,
  listDifferences,
  proveNotLooser,
} from "./verify/differences.ts";
export {
  type Counterexample,
  type Proof,
  type ProofOptions,
  proveEquivalent,
  type Unproven,
} from "./verify/equivalence.ts";

// `deno run -A jsr:@x/seccomp-tree COMMAND`: the program. Running the library
// loads nothing of it, because the import is computed. `deno cache` follows
// types, too, and so keeps the program for use without a network.
import type {} from "./cli/whole.ts";

if (import.meta.main) {
  const program: string = new URL("./cli/main.ts", import.meta.url).href;
  import(program).then(({ start }) => start());
}
