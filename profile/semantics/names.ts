/**
 * Which names of a profile stand for a system call on a target, and what is
 * said of those that do not.
 *
 * @module
 */

import { type Arch, isKnownName } from "../../tables/arch.ts";
import { returnValue, strictness } from "./action.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { LinuxSeccomp, LinuxSyscall } from "../formats/oci.ts";
import type { ReturnValue } from "../policy.ts";
import { didYouMean, quote } from "../text.ts";

/** Names that get a suggestion; to seek one takes a walk over all names. */
const MAX_SUGGESTIONS = 20;

/**
 * What a name that exists nowhere is: `ignore` says nothing, as the runtimes
 * do; `warn` warns; `deny-error` is an error where the lost rule would have
 * been stricter than the default, and a warning elsewhere.
 */
export type UnknownNames = "ignore" | "warn" | "deny-error";

/**
 * Whether a call exists: on an architecture, or on any where none is given. A
 * library may know a name and have no number for it on one architecture.
 */
export type KnownCalls = (name: string, arch?: Arch) => boolean;

/**
 * Takes the calls out of an architecture's table that do not exist there.
 *
 * @param arch The architecture.
 * @param knows Which calls exist.
 * @returns The architecture with the calls that are left.
 */
export function restrictTable(arch: Arch, knows: KnownCalls): Arch {
  const syscalls = [...arch.syscalls].filter(([name]) => knows(name, arch));
  return { ...arch, syscalls: new Map(syscalls) };
}

/** Names that get no rule, and what is said about them. */
export interface NameFindings {
  /** Names that are skipped everywhere. */
  readonly skip: ReadonlySet<string>;
  /** Findings, in the order of the profile. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Looks every name up.
 *
 * @param seccomp The profile: names of all entries are looked up, since those of
 * skipped entries still count for runc's stub.
 * @param entries The entries that make rules.
 * @param defaultValue What calls without a rule get.
 * @param target Architectures, and which names exist.
 * @returns Names to skip and findings about entries that make rules.
 */
export function checkNames(
  seccomp: LinuxSeccomp,
  entries: readonly LinuxSyscall[],
  defaultValue: ReturnValue,
  target: {
    readonly arches: readonly Arch[];
    readonly knows?: KnownCalls;
    readonly unknown?: UnknownNames;
  },
): NameFindings {
  const skip = new Set<string>();
  // Most names are on the tables at hand.
  const knows = (name: string): boolean =>
    (target.arches.some((arch) => arch.syscalls.has(name)) ||
      isKnownName(name)) && (target.knows?.(name) ?? true);
  for (const entry of seccomp.syscalls) {
    for (const name of entry.names) if (!knows(name)) skip.add(name);
  }
  const diagnostics: Diagnostic[] = [];
  const policy = target.unknown ?? "deny-error";
  for (const entry of entries) {
    const value = returnValue(entry.action, entry.errnoRet);
    const denies = strictness(value) < strictness(defaultValue);
    const elsewhere: string[] = [];
    for (const [i, name] of entry.names.entries()) {
      if (skip.has(name)) {
        if (policy !== "ignore") {
          const host = isKnownName(name);
          const seek = !host && diagnostics.length < MAX_SUGGESTIONS;
          diagnostics.push(
            unknownName(name, `${entry.path}.names[${i}]`, {
              error: denies && policy === "deny-error",
              host,
              near: seek ? nearName(name, target.arches) : undefined,
            }),
          );
        }
      } else if (!target.arches.some((arch) => hasName(arch, name))) {
        elsewhere.push(name);
      }
    }
    if (elsewhere.length > 0 && policy !== "ignore") {
      diagnostics.push({
        severity: "note",
        code: "no-such-call-here",
        path: `${entry.path}.names`,
        message: `No rule on ${
          target.arches.map((arch) => arch.name).join(", ")
        } for ${elsewhere.join(", ")}: calls of other architectures`,
      });
    }
  }
  return { skip, diagnostics };
}

function hasName(arch: Arch, name: string): boolean {
  return arch.syscalls.has(name) ||
    arch.multiplexed.some((call) => call.name === name);
}

function unknownName(
  name: string,
  path: string,
  options: {
    readonly error: boolean;
    readonly host: boolean;
    readonly near: string | undefined;
  },
): Diagnostic {
  const shown = quote(name);
  const message = options.host
    ? `System call ${shown} is not known to the host's libseccomp`
    : `System call ${shown} is unknown`;
  const lost = options.error
    ? "this rule would deny nothing"
    : "this rule has no effect";
  return {
    severity: options.error ? "error" : "warning",
    code: "unknown-syscall",
    path,
    message: `${message}: ${lost}`,
    fix: options.host
      ? "use --names builtin, or update libseccomp"
      : suggestion(name, options.near),
  };
}

function suggestion(name: string, near: string | undefined): string {
  const simple = name.trim().toLowerCase();
  if (simple !== name && isKnownName(simple)) return `write "${simple}"`;
  if (near !== undefined) return `did you mean "${near}"`;
  const what = /^\s*[0-9]/.test(name)
    ? "write names, not numbers"
    : "correct the name";
  return `${what}, or pass --unknown ignore to do as the runtimes do`;
}

function nearName(name: string, arches: readonly Arch[]): string | undefined {
  if (!/[a-z]/i.test(name)) return undefined;
  return didYouMean(name, arches.flatMap((arch) => [...arch.syscalls.keys()]));
}
