/**
 * The kernel's side: loads filters, runs commands under them, reads them back
 * from live processes, and uses the kernel and the host's libseccomp to judge
 * programs.
 *
 * The import opens nothing and needs no permission. The functions do, on first
 * use: `--allow-ffi` for all of them, and more if documented.
 *
 * @example Name of a number in the host's libseccomp
 * ```ts
 * import { openLibseccomp } from "@x/seccomp-tree/ffi";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(openLibseccomp()?.resolveNumber(0xc000003e, 0), "read");
 * ```
 *
 * @module
 */

export type { Instruction, Op, Program } from "../bpf/instruction.ts";
export type { SeccompData } from "../bpf/seccomp_data.ts";
export { dumpAttached, dumpFilters } from "./live/dump.ts";
export type { AttachedFilter } from "./live/tracee.ts";
export { SyscallError, type SyscallFailure } from "./error.ts";
export { type ExecOptions, execWithFilter } from "./exec.ts";
export type { CommandWords } from "./image.ts";
export {
  type ExportResult,
  type FilterArg,
  type FilterCompare,
  type FilterRule,
  type FilterSpec,
  type Libseccomp,
  openLibseccomp,
} from "./libseccomp.ts";
export {
  boundInstructions,
  exportFilterGuarded,
  type GuardOptions,
  type LibseccompGuard,
  openLibseccompGuard,
} from "./libseccomp_guard.ts";
export {
  type FilterFlag,
  filterFlags,
  loadFilter,
  type LoadOptions,
} from "./load.ts";
export {
  selftest,
  type SelftestCount,
  type SelftestEngine,
  type SelftestMismatch,
  type SelftestOptions,
  type SelftestReport,
} from "./selftest.ts";
export { runInKernel } from "./socket_filter.ts";
export {
  openStub,
  type Stub,
  type StubCall,
  type StubJob,
  type StubOutcome,
} from "./stub.ts";
