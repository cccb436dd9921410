/**
 * Precompiled seccomp filters in real containers: rewrites a configuration or a
 * bundle, keeps filters in a store, and generates the dispatcher that managers
 * call.
 *
 * The dispatcher calls `hook/main.ts` for everything else. These exports need
 * permissions: to read and write the store (`--allow-read`, `--allow-write`,
 * `--allow-sys=uid`), and to call the host's libseccomp (`-A`).
 *
 * @module
 */

export { rewriteBundle } from "./bundle.ts";
export type { BundleOptions } from "./bundle.ts";
export { gatherContext } from "./context.ts";
export { startDeadline } from "./deadline.ts";
export type { Deadline } from "./deadline.ts";
export {
  renderHookDispatcher,
  renderRuntimeWrapper,
} from "./dispatcher/dispatcher.ts";
export type {
  DispatcherOptions,
  WrapperOptions,
} from "./dispatcher/dispatcher.ts";
export { findTools, keepsNul } from "./dispatcher/tools.ts";
export type { DispatcherTools } from "./dispatcher/tools.ts";
export type { Entry } from "./store/entry.ts";
export {
  builtinNames,
  COMPILER_VERSION,
  describeEnvironment,
  hostNames,
} from "./environment.ts";
export type {
  Environment,
  EnvironmentOptions,
  NameSource,
  SemanticsSetting,
} from "./environment.ts";
export { RefusedError } from "./error.ts";
export type { RefusalCode } from "./error.ts";
export type { FileIdentity } from "./file_identity.ts";
export type { FilterContext } from "./filter.ts";
export { openLog } from "./log.ts";
export type { Log, LogTarget } from "./log.ts";
export type { LogLevel } from "./syslog.ts";
export { ownSemantics } from "./own_semantics.ts";
export type { OwnSemantics } from "./own_semantics.ts";
export { rewriteConfig } from "./precreate.ts";
export type { Rewrite, RewriteContext } from "./precreate.ts";
export { ANNOTATION } from "../tables/annotation.ts";
export { parseRuntimeArgs } from "./runtime_args.ts";
export type { RuntimeCall } from "./runtime_args.ts";
export { DEFAULTS, loadSettings, parseSettings } from "./settings.ts";
export type { Settings } from "./settings.ts";
export type { StartCount } from "./store/counts.ts";
export { DEFAULT_STORE, openStore } from "./store/store.ts";
export type { StoreItem } from "./store/list.ts";
export type { PutResult, Store, StoreOptions } from "./store/store.ts";
export type { RuntimeName, Semantics } from "../profile/semantics/versions.ts";
export type { Arch, ArchName, MultiplexedCall } from "../tables/arch.ts";
