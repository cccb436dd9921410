/**
 * The properties of the machine and the container that Docker's conditions
 * test: the architecture, the kernel, the capabilities.
 *
 * @module
 */

import type { ArchName } from "../tables/arch.ts";
import { didYouMean } from "../tables/suggest.ts";
import { quote } from "./text.ts";

/** Names of an architecture in profiles. */
export interface ArchSpelling {
  /** Name in `architectures` and `archMap`. */
  readonly scmp: string;
  /** Name in Docker's `includes.arches` and `excludes.arches`. */
  readonly docker: string;
}

/**
 * Names of each architecture in profiles. Source: moby, seccomp_linux.go,
 * `nativeToSeccomp`.
 */
export const ARCH_SPELLINGS: Readonly<Record<ArchName, ArchSpelling>> = {
  "x86_64": { scmp: "SCMP_ARCH_X86_64", docker: "amd64" },
  "x86": { scmp: "SCMP_ARCH_X86", docker: "x86" },
  "x32": { scmp: "SCMP_ARCH_X32", docker: "x32" },
  "aarch64": { scmp: "SCMP_ARCH_AARCH64", docker: "arm64" },
  "arm": { scmp: "SCMP_ARCH_ARM", docker: "arm" },
  "riscv64": { scmp: "SCMP_ARCH_RISCV64", docker: "riscv64" },
  "s390x": { scmp: "SCMP_ARCH_S390X", docker: "s390x" },
  "s390": { scmp: "SCMP_ARCH_S390", docker: "s390" },
  "ppc64le": { scmp: "SCMP_ARCH_PPC64LE", docker: "ppc64le" },
  "loongarch64": { scmp: "SCMP_ARCH_LOONGARCH64", docker: "loong64" },
  "mips64el": { scmp: "SCMP_ARCH_MIPSEL64", docker: "mipsel64" },
  "mipsel": { scmp: "SCMP_ARCH_MIPSEL", docker: "mipsel" },
  "mipsel64n32": { scmp: "SCMP_ARCH_MIPSEL64N32", docker: "mips3l64n32" },
  "ppc64": { scmp: "SCMP_ARCH_PPC64", docker: "ppc64" },
  "ppc": { scmp: "SCMP_ARCH_PPC", docker: "ppc" },
  "mips64": { scmp: "SCMP_ARCH_MIPS64", docker: "mips64" },
  "mips": { scmp: "SCMP_ARCH_MIPS", docker: "mips" },
  "mips64n32": { scmp: "SCMP_ARCH_MIPS64N32", docker: "mips64n32" },
};

/**
 * The two numbers of a kernel release that profiles use.
 *
 * @category Targets
 */
export interface KernelVersion {
  /** The 6 of 6.1. */
  readonly major: number;
  /** The 1 of 6.1. */
  readonly minor: number;
}

/** The first kernel that caches calls that are always allowed. */
export const ALLOW_CACHE_SINCE: KernelVersion = { major: 5, minor: 11 };

/** The host for which a profile is read. */
export interface Host {
  /** Native architecture. */
  readonly arch: ArchName;
  /**
   * Running kernel; `undefined` if unknown, in which case `minKernel` cannot be
   * decided.
   */
  readonly kernel: KernelVersion | undefined;
  /** Bounding set of the container, such as `CAP_CHOWN`. */
  readonly capabilities: ReadonlySet<string>;
}

/** Capabilities of Linux, by number. Source: linux/capability.h, 6.1. */
export const CAPABILITIES: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
];

/** Default capabilities of a container. Source: moby, oci/caps/defaults.go. */
export const DOCKER_DEFAULT_CAPABILITIES: ReadonlySet<string> = new Set([
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
]);

/**
 * Default capabilities of a Podman container. Source: containers.conf 0.50,
 * `default_capabilities`, and Podman 4.3.1.
 */
export const PODMAN_DEFAULT_CAPABILITIES: ReadonlySet<string> = new Set([
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_NET_BIND_SERVICE",
  "CAP_SETFCAP",
  "CAP_SETGID",
  "CAP_SETPCAP",
  "CAP_SETUID",
  "CAP_SYS_CHROOT",
]);

/** Largest part of a version in a profile: moby reads eight bits. */
const MAX_VERSION_PART = 255;

/**
 * Reads a kernel version in the form of profiles: exactly two numbers, as in
 * moby (profiles, seccomp.go: `KernelVersion.UnmarshalJSON`).
 *
 * @example Two numbers
 * ```ts
 * import { parseKernelVersion } from "./host.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseKernelVersion("6.1"), { major: 6, minor: 1 });
 * assertEquals(parseKernelVersion("6.1.0-rc1"), undefined);
 * ```
 *
 * @param text A version such as `6.1`.
 * @returns The version, or `undefined` if the text is not a version.
 */
export function parseKernelVersion(text: string): KernelVersion | undefined {
  const parts = /^([0-9]{1,3})\.([0-9]{1,3})$/.exec(text);
  if (parts === null) return undefined;
  const version = { major: Number(parts[1]), minor: Number(parts[2]) };
  const { major, minor } = version;
  const isVersion = major <= MAX_VERSION_PART && minor <= MAX_VERSION_PART &&
    major + minor > 0;
  return isVersion ? version : undefined;
}

/**
 * Reads a kernel release as `uname -r` prints it: two numbers, and anything
 * after them.
 *
 * @example A distribution's kernel
 * ```ts
 * import { parseKernelRelease } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseKernelRelease("6.1.0-13-amd64"), { major: 6, minor: 1 });
 * ```
 *
 * @param text A release such as `6.1.0-13-amd64` or `6.1`.
 * @returns The version, or `undefined` if the text does not begin with one.
 * @category Targets
 */
export function parseKernelRelease(text: string): KernelVersion | undefined {
  const start = /^[0-9]{1,3}\.[0-9]{1,3}(?![0-9])/.exec(text)?.[0];
  return start === undefined ? undefined : parseKernelVersion(start);
}

/**
 * Reports whether a kernel has at least a given version.
 *
 * @param kernel The kernel.
 * @param least The minimum version.
 * @returns True if it has.
 */
export function isAtLeast(
  kernel: KernelVersion,
  least: KernelVersion,
): boolean {
  return kernel.major > least.major ||
    (kernel.major === least.major && kernel.minor >= least.minor);
}

/**
 * Reads a set of capabilities.
 *
 * @example Docker's and one more
 * ```ts
 * import { parseCapabilities } from "./host.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseCapabilities("default,CAP_SYS_ADMIN").size, 15);
 * assertEquals(parseCapabilities("none").size, 0);
 * ```
 *
 * @param text `default`, `none`, `all`, names such as `CAP_CHOWN`, or several
 * of them separated by commas.
 * @param defaults Meaning of `default`; Docker's set by default.
 * @returns The union of the sets.
 * @throws {SyntaxError} if a name is unknown; the message lists all unknown
 * ones.
 */
export function parseCapabilities(
  text: string,
  defaults: ReadonlySet<string> = DOCKER_DEFAULT_CAPABILITIES,
): ReadonlySet<string> {
  const set = new Set<string>();
  const problems: string[] = [];
  for (const word of text.split(",").map((part) => part.trim())) {
    if (word === "none") continue;
    else if (word === "all") CAPABILITIES.forEach((name) => set.add(name));
    else if (word === "default") {
      defaults.forEach((name) => set.add(name));
    } else if (CAPABILITIES.includes(word)) set.add(word);
    else problems.push(`${quote(word)} is unknown; ${capabilityHint(word)}`);
  }
  if (problems.length > 0) {
    throw new SyntaxError(`Cannot read capabilities: ${problems.join(", ")}`);
  }
  return set;
}

/** Suggests a replacement for an unknown word. */
function capabilityHint(word: string): string {
  const meant = didYouMean(word, CAPABILITIES, "CAP_");
  return meant === undefined
    ? "use default, none, all, or names such as CAP_SYS_ADMIN"
    : `did you mean ${quote(meant)}`;
}
