/**
 * The section as one version of a runtime sees it, without the parts that it
 * ignores.
 *
 * @module
 */

import type { Diagnostic } from "../diagnostic.ts";
import type { LinuxSeccomp, LinuxSyscall } from "../formats/oci.ts";
import type { QuirkName, RuntimeReading } from "./quirks.ts";

/** Data of the default action if the profile has none. */
const EPERM = 1;
/** Number of comparisons of an entry that some versions of crun read. */
const FIRST_COMPARISONS = 6;

/**
 * Removes the parts that a runtime ignores.
 *
 * @param seccomp The section as written.
 * @param quirks Quirks of the runtime.
 * @returns The section as the runtime reads it.
 */
export function asRead(
  seccomp: LinuxSeccomp,
  quirks: ReadonlySet<QuirkName>,
): LinuxSeccomp {
  const { defaultErrnoRet, syscalls, ...rest } = seccomp;
  const errno = quirks.has("default-errno-ignored")
    ? undefined
    : defaultErrnoRet;
  return {
    ...rest,
    ...(errno === undefined ? {} : { defaultErrnoRet: errno }),
    syscalls: quirks.has("first-six-comparisons")
      ? syscalls.map(withFirstComparisons)
      : syscalls,
  };
}

function withFirstComparisons(entry: LinuxSyscall): LinuxSyscall {
  const { args } = entry;
  return args.length <= FIRST_COMPARISONS
    ? entry
    : { ...entry, args: args.slice(0, FIRST_COMPARISONS) };
}

/**
 * Warns about constructs that runtimes, or their versions, read differently.
 *
 * @param seccomp The section as written.
 * @param entries The entries that make rules.
 * @param reading The runtime and its version.
 * @param options `strict` makes such constructs errors.
 * @returns Findings.
 */
export function checkReading(
  seccomp: LinuxSeccomp,
  entries: readonly LinuxSyscall[],
  { runtime, version, quirks }: RuntimeReading,
  options: { readonly strict?: boolean },
): readonly Diagnostic[] {
  const severity = options.strict === true ? "error" : "warning";
  const diagnostics: Diagnostic[] = [];
  const { defaultErrnoRet = EPERM } = seccomp;
  if (defaultErrnoRet !== EPERM && quirks.has("default-errno-ignored")) {
    diagnostics.push({
      severity,
      code: "default-errno-ignored",
      path: "defaultErrnoRet",
      message: `${runtime} ${version} ignores it and returns EPERM`,
      fix: "use a newer version, or remove it",
    });
  }
  const paths = new Set(entries.map(({ path }) => path));
  const taken = quirks.has("first-six-comparisons") ? "the first 6" : "all";
  for (const { args, path } of seccomp.syscalls) {
    if (args.length <= FIRST_COMPARISONS || !paths.has(path)) continue;
    diagnostics.push({
      severity,
      code: "too-many-args",
      path: `${path}.args`,
      message:
        `Entry has ${args.length} comparisons: crun before 1.30 takes the first ${FIRST_COMPARISONS}, later versions and runc take all; this reading takes ${taken}`,
      fix: `split it into entries of at most ${FIRST_COMPARISONS} comparisons`,
    });
  }
  return diagnostics;
}
