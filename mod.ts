/**
 * Compiles seccomp profiles into optimal decision trees of classic BPF, and
 * proves that each means exactly what its profile says.
 *
 * ```text
 * text ─compileProfile▶ Policy ▶ Program ▶ proved equal ▶ bytes
 * ```
 *
 * Nothing here touches the machine: no file, no environment, no permission.
 * What does is in `@x/seccomp-tree/ffi`.
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

export {
  type CompiledProfile,
  compilePolicy,
  type CompilePolicyOptions,
  compileProfile,
  type CompileProfileOptions,
  type Pass,
  type Proved,
  type TooLarge,
  type Unproved,
} from "./pipeline/compile_profile.ts";
export {
  type Assumed,
  type ProfileTarget,
  type ResolvedProfile,
  resolveProfile,
} from "./pipeline/resolve_profile.ts";

export {
  type Arch,
  archByName,
  archByScmp,
  ARCHES,
  type ArchName,
  isKnownName,
  type MultiplexedCall,
  OTHER_SCMP_ARCHES,
  SYSCALL_TABLE_VERSION,
} from "./tables/arch.ts";
export type { OtherArch } from "./tables/arch_data.ts";
export { ERRNO_NAMES, errnoName, errnoNumber } from "./tables/errno.ts";

export { type Diagnostic, ProfileError } from "./profile/diagnostic.ts";
export { DEFAULT_PROFILE } from "./profile/default_profile.ts";
export {
  ARCH_SPELLINGS,
  type ArchSpelling,
  CAPABILITIES,
  DOCKER_DEFAULT_CAPABILITIES,
  type Host,
  isAtLeast,
  type KernelVersion,
  parseCapabilities,
  parseKernelRelease,
  parseKernelVersion,
  PODMAN_DEFAULT_CAPABILITIES,
} from "./profile/host.ts";
export {
  type JsonOptions,
  type JsonReading,
  parseJson,
  readJson,
} from "./profile/json/read.ts";
export type {
  JsonArray,
  JsonBoolean,
  JsonDocument,
  JsonMember,
  JsonNull,
  JsonNumber,
  JsonObject,
  JsonSpan,
  JsonString,
  JsonValue,
} from "./profile/json/value.ts";
export { findMember } from "./profile/json/value.ts";
export {
  formatPath,
  locate,
  type PathStep,
  valueAt,
} from "./profile/json/path.ts";
export type { Place } from "./profile/text.ts";
export type {
  LinuxSeccomp,
  LinuxSeccompArg,
  LinuxSyscall,
  ScmpAction,
  ScmpOp,
} from "./profile/formats/oci.ts";
export type {
  DockerArch,
  DockerSeccomp,
  DockerSyscall,
} from "./profile/formats/docker.ts";
export type { DockerFilter } from "./profile/formats/docker_filter.ts";
export type { ProfileKind } from "./profile/formats/classify.ts";
export {
  type ParsedProfile,
  type ParseOptions,
  parseProfile,
} from "./profile/formats/parse.ts";
export { selectFor, type Selection } from "./profile/select.ts";
export {
  type Resolution,
  resolve,
  type Target,
  targetArches,
} from "./profile/semantics/resolve.ts";
export type { KnownCalls, UnknownNames } from "./profile/semantics/names.ts";
export { returnValue } from "./profile/semantics/action.ts";
export { describeSemantics } from "./profile/semantics/quirks.ts";
export {
  parseSemantics,
  type RuntimeName,
  type Semantics,
} from "./profile/semantics/versions.ts";
export { type CallCounts, parseWeights } from "./profile/formats/weights.ts";
export type {
  ArchPolicy,
  Condition,
  ConditionOp,
  Policy,
  ReturnValue,
  Rule,
} from "./profile/policy.ts";
export { checkPolicy } from "./profile/policy.ts";

export {
  type Compilation,
  compile,
  type CompiledArch,
  type CompileOptions,
} from "./compiler/compile.ts";
export type { CostOptions, Objective, Weights } from "./compiler/cost.ts";
export type { Branch, Decision, Leaf, TestOp } from "./compiler/decision.ts";
export { SizeError, type SizeShare } from "./compiler/size.ts";

export { annotate, type AnnotateOptions, fieldName } from "./bpf/annotate.ts";
export { decodeBase64, encodeBase64 } from "./bpf/base64.ts";
export { check } from "./bpf/check.ts";
export { emulate, type Emulation, isConstAllow } from "./bpf/const_allow.ts";
export { decode, encode, type EncodeOptions } from "./bpf/encode.ts";
export {
  decodeFilter,
  encodeFilter,
  type Filter,
  type FilterStack,
  inferByteOrder,
} from "./bpf/filter.ts";
export { comparedArches } from "./bpf/follow.ts";
export { AssemblyError, ProgramError } from "./bpf/error.ts";
export { fromHex, toHex } from "./bpf/hex.ts";
export type { Instruction, Op, Program } from "./bpf/instruction.ts";
export type { PreparedProgram } from "./bpf/machine.ts";
export { toCode, toOp } from "./bpf/opcode.ts";
export {
  effective,
  formatReturnValue,
  parseReturnValue,
} from "./bpf/return_value.ts";
export {
  prepare,
  run,
  type RunSteps,
  runSteps,
  type Trace,
  trace,
} from "./bpf/run.ts";
export { argOffset, type SeccompData, toWords } from "./bpf/seccomp_data.ts";
export {
  format,
  formatFilters,
  type FormatOptions,
  type FormatStackOptions,
  type ParsedFilters,
  parseFilters,
  parseText,
} from "./bpf/text.ts";

export { decide, holds, type Verdict } from "./verify/decide.ts";
export {
  type Counterexample,
  type Coverage,
  type Proof,
  type ProofOptions,
  proveEquivalent,
  type Unproven,
} from "./verify/equivalence.ts";
export type { LimitName } from "./verify/limits.ts";
export type { Outcome } from "./verify/describe/confirm.ts";
export type { Subject } from "./verify/core/subject.ts";
export { DEFAULT_PROOF_LIMITS, type ProofLimits } from "./verify/limits.ts";
export {
  type BoundaryValues,
  boundaryValues,
  witnesses,
  type WitnessOptions,
} from "./verify/describe/witnesses.ts";
export type { Box, WordRange } from "./verify/describe/boxes.ts";
export type { Cube, Cubes, WordMask } from "./verify/describe/cubes.ts";
export type { Range } from "./verify/describe/regions.ts";
export {
  type Difference,
  type DifferenceList,
  type DifferenceOptions,
  listDifferences,
  type NotLooser,
  proveNotLooser,
} from "./verify/differences.ts";

// `deno run -A jsr:@x/seccomp-tree COMMAND`: the program. Not a static import,
// so that the library never loads the command line.
if (import.meta.main) {
  const program: string = new URL("./cli/main.ts", import.meta.url).href;
  import(program).then(({ start }) => start());
}
