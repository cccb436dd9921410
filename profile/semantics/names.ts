/**
 * Finds names that are not system calls, and suggests replacements.
 *
 * @module
 */

import { type Arch, isKnownName } from "../../tables/arch.ts";
import { precedence } from "../../tables/precedence.ts";
import { returnValue } from "./action.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { LinuxSeccomp, LinuxSyscall } from "../formats/oci.ts";
import type { ReturnValue } from "../policy.ts";
import { hintFor } from "./hints.ts";
import { quote } from "../text.ts";

/**
 * Maximum number of unknown names for which to search the nearest call, because
 * each search compares all names.
 */
const MAX_SUGGESTIONS = 20;

/**
 * Treatment of a name that is not a system call of any architecture: `ignore`
 * is silent, as the runtimes are; `warn` warns; `deny-error` is an error if the
 * lost rule would be stricter than the default, and a warning otherwise;
 * `error` is always an error.
 */
export type UnknownNames = "ignore" | "warn" | "deny-error" | "error";

/**
 * Reports whether a call exists on the given architecture, or on any. A library
 * may know a name without having a number for it on one architecture.
 */
export type KnownCalls = (name: string, arch?: Arch) => boolean;

/**
 * Removes the calls that do not exist from an architecture's table.
 *
 * @param arch The architecture.
 * @param knows Test for calls that exist.
 * @returns The architecture with the remaining calls.
 */
export function restrictTable(arch: Arch, knows: KnownCalls): Arch {
  const syscalls = [...arch.syscalls].filter(([name]) => knows(name, arch));
  return { ...arch, syscalls: new Map(syscalls) };
}

/** Names that get no rule, and their findings. */
export interface NameFindings {
  /** Names that are skipped everywhere. */
  readonly skip: ReadonlySet<string>;
  /** Findings, in the order of the profile. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Looks up every name.
 *
 * @param seccomp The profile. Names of all entries are looked up, because those
 * of skipped entries still affect runc's stub.
 * @param entries The entries that make rules.
 * @param defaultValue Return value for calls without a rule.
 * @param target Architectures, and the test for names that exist.
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
  // Most names are in the given tables.
  const knows = (name: string): boolean =>
    (target.arches.some((arch) => arch.syscalls.has(name)) ||
      isKnownName(name)) && (target.knows?.(name) ?? true);
  for (const entry of seccomp.syscalls) {
    for (const name of entry.names) if (!knows(name)) skip.add(name);
  }
  const diagnostics: Diagnostic[] = [];
  const policy = target.unknown ?? "deny-error";
  if (policy === "ignore") return { skip, diagnostics };
  for (const entry of entries) {
    const denies = isStricter(entry, defaultValue);
    const isError = policy === "error" || (policy === "deny-error" && denies);
    for (const [i, name] of entry.names.entries()) {
      if (!skip.has(name)) continue;
      const seen = isKnownName(name)
        ? {
          message: `System call ${
            quote(name)
          } is not known to the host's libseccomp`,
          fix: "use --names builtin, or update libseccomp",
        }
        : {
          message: `System call ${quote(name)} is unknown`,
          fix: fixOf(name, target.arches, {
            near: diagnostics.length < MAX_SUGGESTIONS,
          }),
        };
      const lost = denies
        ? "this rule would deny nothing"
        : "this rule has no effect";
      diagnostics.push({
        severity: isError ? "error" : "warning",
        code: "unknown-syscall",
        path: `${entry.path}.names[${i}]`,
        message: `${seen.message}: ${lost}`,
        fix: seen.fix,
      });
    }
  }
  return { skip, diagnostics };
}

/**
 * Compares an entry with the default for calls without a rule.
 *
 * @param entry The entry.
 * @param defaultValue Return value for calls without a rule.
 * @returns True if the entry is stricter.
 */
export function isStricter(
  entry: LinuxSyscall,
  defaultValue: ReturnValue,
): boolean {
  const value = returnValue(entry.action, entry.errnoRet);
  return precedence(value) < precedence(defaultValue);
}

function fixOf(
  name: string,
  arches: readonly Arch[],
  { near }: { readonly near: boolean },
): string {
  const hint = hintFor(name, { arches, near });
  if (hint !== undefined) return hint;
  const what = /^\s*[0-9]/.test(name)
    ? "write names, not numbers"
    : "correct the name";
  return `${what}, or pass --unknown ignore to behave like the runtimes`;
}
