/**
 * Differences between the runtimes in the meaning of a profile, by version, in
 * one table. No other code in this program knows a version.
 *
 * A refusal is listed only if no distribution lifts it: Debian's runc accepts
 * SCMP_ARCH_LOONGARCH64 long before the upstream release that does. A missing
 * refusal does no harm, because the runtime itself refuses.
 *
 * Versions come from the runtimes' own repositories: the first release that has
 * the change. The table was tested with live containers: crun 0.17, 1.8.1, 1.21
 * and 1.28, runc 1.0.0-rc93, 1.1.5, 1.1.15 and 1.3.6 (the releases of Debian 11
 * to 13 and of its development branch).
 *
 * @module
 */

import {
  compareVersions,
  RUNTIME_NAMES,
  type RuntimeName,
  type Semantics,
  splitSemantics,
} from "./versions.ts";

/** Kinds of quirks. */
export type QuirkName =
  /** Reads the first six comparisons of an entry and ignores the rest. */
  | "first-six-comparisons"
  /** Returns EPERM by default, even if `defaultErrnoRet` is set. */
  | "default-errno-ignored"
  /** Answers ENOSYS to numbers above those that the profile names. */
  | "enosys-stub"
  /**
   * Makes that stub only for listed architectures; the native one is not
   * implied.
   */
  | "stub-of-listed-only"
  /** Answers ENOSYS to number 0 of s390 and s390x. */
  | "stub-answers-setup"
  | Refusal;

/** Constructs with which a runtime does not start a container. */
export type Refusal =
  /** An empty name of a system call. */
  | "refuses-empty-name"
  /** `errnoRet` for an action without data. */
  | "refuses-idle-errno"
  /** A rule whose action is the default one. */
  | "refuses-redundant-rule"
  /** SCMP_ACT_NOTIFY. */
  | "refuses-notify"
  /** SCMP_ACT_NOTIFY by default, or on `write`. */
  | "refuses-notify-on-write"
  /** SCMP_ACT_KILL_PROCESS and SCMP_ACT_KILL_THREAD. */
  | "refuses-kill-process"
  /** Any entry of `flags`. */
  | "refuses-flags"
  /** SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV. */
  | "refuses-wait-killable";

/** One difference. */
export interface Quirk {
  /** The quirk. */
  readonly name: QuirkName;
  /** The runtime. */
  readonly runtime: RuntimeName;
  /** First version that has it; absent if the oldest known one has it. */
  readonly since?: string;
  /**
   * First version that no longer has it; absent if the newest known one has it.
   */
  readonly until?: string;
  /** Source of the fact. */
  readonly source: string;
}

/**
 * The oldest versions that are known. Debian 11 has runc 1.0.0-rc93 with
 * changes of 1.0.0, so its version is read as that.
 */
export const OLDEST: Readonly<Record<RuntimeName, string>> = {
  crun: "0.17",
  runc: "1.0.0",
};

/** The newest versions that are known. */
export const NEWEST: Readonly<Record<RuntimeName, string>> = {
  crun: "1.30",
  runc: "1.5.1",
};

const CRUN = "crun, src/libcrun/seccomp.c: libcrun_generate_seccomp()";
const RUNC = "runc, libcontainer/seccomp/seccomp_linux.go";
const PATCH = "runc, libcontainer/seccomp/patchbpf/enosys_linux.go";
const WORDS = "runc, libcontainer/seccomp/config.go";
const SPEC = "runc, libcontainer/specconv/spec_linux.go: SetupSeccomp()";

/** All differences. */
export const QUIRKS: readonly Quirk[] = [
  {
    name: "first-six-comparisons",
    runtime: "crun",
    until: "1.30.0",
    source:
      `${CRUN}, 0.17 to 1.29.1, run on all four; lifted by pull request 2220 of September 2026`,
  },
  {
    name: "default-errno-ignored",
    runtime: "crun",
    until: "0.19.0",
    source: `${CRUN}, run on 0.17`,
  },
  {
    name: "enosys-stub",
    runtime: "runc",
    source: `${PATCH}, since 1.0.0-rc93, run on all four`,
  },
  {
    name: "stub-of-listed-only",
    runtime: "runc",
    until: "1.1.15",
    source:
      `${PATCH}: findLastSyscalls(), run on 1.0.0-rc93, 1.1.5, 1.1.15, 1.3.6`,
  },
  {
    name: "stub-answers-setup",
    runtime: "runc",
    since: "1.1.3",
    source: `${PATCH}: generateEnosysStub()`,
  },
  {
    name: "refuses-empty-name",
    runtime: "runc",
    source: `${RUNC}: matchCall(), run on all four`,
  },
  {
    name: "refuses-idle-errno",
    runtime: "crun",
    since: "0.19.0",
    source: `${CRUN}: seccomp_action_supports_errno(), run on all four`,
  },
  {
    name: "refuses-redundant-rule",
    runtime: "runc",
    until: "1.0.2",
    source: `${RUNC}: matchCall(), run on 1.0.0-rc93`,
  },
  {
    name: "refuses-notify",
    runtime: "runc",
    until: "1.1.0-rc1",
    source: `${WORDS}, run on 1.0.0-rc93`,
  },
  {
    name: "refuses-notify-on-write",
    runtime: "runc",
    source: `${RUNC}: InitSeccomp(), run on 1.1.5`,
  },
  {
    name: "refuses-kill-process",
    runtime: "runc",
    until: "1.1.3",
    source: `${WORDS}, run on 1.0.0-rc93`,
  },
  {
    name: "refuses-flags",
    runtime: "runc",
    until: "1.2.0-rc1",
    source: `${SPEC}, run on 1.0.0-rc93, 1.1.5, 1.1.15`,
  },
  {
    name: "refuses-wait-killable",
    runtime: "runc",
    until: "1.5.0-rc2",
    source: `${RUNC}: setFlag(), run on 1.3.6`,
  },
  {
    name: "refuses-wait-killable",
    runtime: "crun",
    until: "1.6.0",
    source: "crun, src/libcrun/seccomp.c: libcrun_apply_seccomp()",
  },
];

/** The reading of one version of a runtime. */
export interface RuntimeReading {
  /** The runtime. */
  readonly runtime: RuntimeName;
  /** The requested version. */
  readonly version: string;
  /** The known version that it is read as. */
  readonly readAs: string;
  /** Its quirks. */
  readonly quirks: ReadonlySet<QuirkName>;
}

/**
 * Finds a reading. A version newer than all known ones reads as the newest of
 * them, an older one as the oldest.
 *
 * @param semantics Name of the reading.
 * @returns The reading.
 * @throws {RangeError} if the version is malformed.
 */
export function readingOf(semantics: Semantics): RuntimeReading {
  const { runtime, version = NEWEST[runtime] } = splitSemantics(semantics);
  const readAs = compareVersions(version, OLDEST[runtime]) < 0
    ? OLDEST[runtime]
    : compareVersions(version, NEWEST[runtime]) > 0
    ? NEWEST[runtime]
    : version;
  const quirks = QUIRKS.filter((quirk) =>
    quirk.runtime === runtime &&
    (quirk.since === undefined || compareVersions(readAs, quirk.since) >= 0) &&
    (quirk.until === undefined || compareVersions(readAs, quirk.until) < 0)
  );
  return {
    runtime,
    version,
    readAs,
    quirks: new Set(quirks.map(({ name }) => name)),
  };
}

/**
 * Names a reading in words.
 *
 * @param semantics Name of the reading.
 * @returns A text such as `runc 1.1.5`, or `crun 1.40, read as 1.30, the newest
 * known`.
 */
export function describeSemantics(semantics: Semantics): string {
  const { runtime, version, readAs } = readingOf(semantics);
  const name = `${runtime} ${version}`;
  if (readAs === version) return name;
  const which = readAs === NEWEST[runtime] ? "newest" : "oldest";
  return `${name}, read as ${readAs}, the ${which} known`;
}

/**
 * Lists one version for each different reading of profiles: the first version
 * that has it, or the runtime alone for the newest.
 *
 * @returns Names of readings, the newest version of each runtime first.
 */
export function distinctSemantics(): readonly Semantics[] {
  return RUNTIME_NAMES.flatMap((runtime) => {
    const changes = QUIRKS
      .filter((quirk) => quirk.runtime === runtime)
      .flatMap(({ since, until }) => [since, until])
      .filter((version) => version !== undefined);
    const found = new Map<string, Semantics>();
    for (
      const version of [OLDEST[runtime], ...changes].sort(compareVersions)
    ) {
      const semantics: Semantics = `${runtime}@${version}`;
      const key = meaningKey(semantics);
      if (!found.has(key)) found.set(key, semantics);
    }
    found.delete(meaningKey(runtime));
    return [runtime, ...[...found.values()].reverse()];
  });
}

/**
 * Computes a key for the meaning of profiles under a reading.
 *
 * @param semantics Name of the reading.
 * @returns A text that is equal for readings under which every profile has the
 * same meaning.
 */
export function meaningKey(semantics: Semantics): string {
  return [...readingOf(semantics).quirks]
    .filter((name) => !isRefusal(name)).sort().join();
}

function isRefusal(name: QuirkName): name is Refusal {
  return name.startsWith("refuses-");
}
