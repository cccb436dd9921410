/**
 * The conditions under which a rule of Docker's format applies.
 *
 * @module
 */

import {
  optional,
  readString,
  readWords,
  type Vocabulary,
  wrongKind,
} from "./fields.ts";
import { addError, type CheckedPart } from "./findings.ts";
import {
  ARCH_SPELLINGS,
  CAPABILITIES,
  type Host,
  isAtLeast,
  type KernelVersion,
  parseKernelVersion,
} from "../host.ts";
import type { JsonObject, JsonValue } from "../json/value.ts";
import { join } from "../json/path.ts";
import { isRemark, warnIgnored } from "./keys.ts";
import { quote } from "../text.ts";

/**
 * Conditions of `includes` or `excludes`; an empty list imposes no condition.
 */
export interface DockerFilter {
  /** Capabilities in the bounding set. */
  readonly caps: readonly string[];
  /** Docker's names of the native architecture. */
  readonly arches: readonly string[];
  /** Minimum kernel; absent if the profile has none. */
  readonly minKernel?: KernelVersion;
}

/** Docker's names of architectures. Source: moby, seccomp_linux.go, `nativeToSeccomp`. */
export const DOCKER_ARCHES: Vocabulary<string> = {
  what: "architecture",
  code: "unknown-docker-architecture",
  prefix: "",
  words: Object.values(ARCH_SPELLINGS).map((spelling) => spelling.docker),
};

/** Capabilities in Docker's spelling. */
export const CAPS: Vocabulary<string> = {
  what: "capability",
  code: "unknown-capability",
  prefix: "CAP_",
  words: CAPABILITIES,
};

/** The names of all conditions. */
export const CONDITION_FIELDS: readonly string[] = [
  "caps",
  "arches",
  "minKernel",
];

/**
 * Reads `includes` or `excludes`.
 *
 * @param rule The rule.
 * @param field The field.
 * @returns The conditions, or `undefined` if they are absent or invalid.
 */
export function readFilter(
  rule: CheckedPart<JsonObject>,
  field: "includes" | "excludes",
): DockerFilter | undefined {
  const member = optional(rule, field);
  if (member === undefined) return undefined;
  const { findings, path, value } = member;
  if (value.kind !== "object") {
    wrongKind(member, "an object with caps, arches or minKernel");
    return undefined;
  }
  const filter: CheckedPart<JsonObject> = { findings, path, value };
  refuseUnknown(filter);
  const capsPart = optional(filter, "caps");
  const archesPart = optional(filter, "arches");
  const kernelPart = optional(filter, "minKernel");
  const minKernel = kernelPart && readMinKernel(kernelPart);
  return {
    caps: capsPart === undefined ? [] : readWords(capsPart, CAPS),
    arches: archesPart === undefined
      ? []
      : readWords(archesPart, DOCKER_ARCHES),
    ...(minKernel === undefined ? {} : { minKernel }),
  };
}

/**
 * Applicability of a rule on a host. `needs-kernel`: it depends on the kernel,
 * which is unknown. `needs-manager`: the kernel is too old, so Docker skips the
 * rule; Podman ignores `minKernel`, so there the rule applies.
 */
export type Applicability =
  | "counts"
  | "skipped"
  | "needs-kernel"
  | "needs-manager";

/**
 * Decides whether a rule applies on a host: all of `includes` and nothing of
 * `excludes` must be true. One capability of `excludes.caps` is enough; all of
 * `includes.caps` are required. Sources: moby, seccomp_linux.go,
 * `setupSeccomp`; Podman 4.3.1, by experiment.
 *
 * @param rule The rule's conditions.
 * @param host The host.
 * @returns The verdict of both managers.
 */
export function decideFilter(
  rule: { readonly includes?: DockerFilter; readonly excludes?: DockerFilter },
  host: Host,
): Applicability {
  const { includes, excludes } = rule;
  const arch = ARCH_SPELLINGS[host.arch].docker;
  const has = (cap: string): boolean => host.capabilities.has(cap);
  if (excludes?.arches.includes(arch) || excludes?.caps.some(has)) {
    return "skipped";
  }
  if (includes !== undefined) {
    const { arches, caps } = includes;
    if (arches.length > 0 && !arches.includes(arch)) return "skipped";
    if (!caps.every(has)) return "skipped";
  }
  const notFrom = excludes?.minKernel;
  const from = includes?.minKernel;
  if (notFrom === undefined && from === undefined) return "counts";
  if (host.kernel === undefined) return "needs-kernel";
  if (notFrom !== undefined && isAtLeast(host.kernel, notFrom)) {
    return "needs-manager";
  }
  return from === undefined || isAtLeast(host.kernel, from)
    ? "counts"
    : "needs-manager";
}

/** Refuses conditions that no manager evaluates; a comment is a warning. */
function refuseUnknown(filter: CheckedPart<JsonObject>): void {
  for (const { key } of filter.value.members) {
    if (CONDITION_FIELDS.includes(key.value)) continue;
    if (isRemark(key.value)) {
      warnIgnored(filter, key);
      continue;
    }
    addError(filter.findings, {
      code: "unknown-condition",
      at: key,
      path: join(filter.path, key.value),
      message: `Unknown condition ${quote(key.value)}`,
      fix: "use caps, arches or minKernel",
    });
  }
}

/** Reads a kernel version; an empty one has no effect, as in Docker. */
function readMinKernel(
  part: CheckedPart<JsonValue>,
): KernelVersion | undefined {
  const text = readString(part, 'a kernel version such as "4.8"');
  if (text === undefined || text === "") return undefined;
  const version = parseKernelVersion(text);
  if (version === undefined) {
    addError(part.findings, {
      code: "bad-kernel-version",
      at: part.value,
      path: part.path,
      message: `Kernel version ${quote(text)} is not of the form KERNEL.MAJOR`,
      fix: 'write exactly two numbers, such as "4.8"',
    });
  }
  return version;
}
