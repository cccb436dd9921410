/**
 * Names for numbers.
 *
 * @module
 */

import { type Arch, ARCHES } from "../../tables/arch.ts";
import { usualArchNames } from "../../tables/arch_names.ts";
import { didYouMean } from "../../tables/suggest.ts";

/** The remedy for an unknown architecture. */
export function archRemedy(text: string): string {
  const near = didYouMean(text, usualArchNames());
  return near === undefined
    ? `use one of ${ARCHES.map(({ name }) => name).join(", ")}`
    : `did you mean ${near}`;
}

/** Names of the architectures of an audit value, as `x86_64+x32`. */
export function archNames(auditArch: number): string | undefined {
  const names = ARCHES.filter((arch) => arch.auditArch === auditArch)
    .map((arch) => arch.name);
  return names.length === 0 ? undefined : names.join("+");
}

/** Name of a number on an architecture. */
export function syscallName(auditArch: number, nr: number): string | undefined {
  for (const arch of ARCHES) {
    if (arch.auditArch !== auditArch) continue;
    const name = namesOf(arch.name).get(nr);
    if (name !== undefined) return name;
  }
  return undefined;
}

/**
 * The architecture to which a number belongs: among those that share an audit
 * value, the first that has the number, otherwise the first.
 */
export function archOfNumber(auditArch: number, nr: number): Arch | undefined {
  const arches = ARCHES.filter((arch) => arch.auditArch === auditArch);
  return arches.find(({ name }) => namesOf(name).has(nr)) ?? arches[0];
}

/**
 * Name of a number, with the architecture before it unless the number belongs
 * to the first architecture of the audit value: `read`, `x32:read`.
 */
export function callName(auditArch: number, nr: number): string | undefined {
  const name = syscallName(auditArch, nr);
  const owner = archOfNumber(auditArch, nr);
  const first = ARCHES.find((arch) => arch.auditArch === auditArch);
  return name === undefined || owner === undefined || owner === first
    ? name
    : `${owner.name}:${name}`;
}

const tables = new Map<string, ReadonlyMap<number, string>>();

function namesOf(archName: string): ReadonlyMap<number, string> {
  let names = tables.get(archName);
  if (names === undefined) {
    const arch = ARCHES.find((a) => a.name === archName);
    names = new Map(
      [...arch?.syscalls ?? []].map(([name, nr]) => [nr, name] as const),
    );
    tables.set(archName, names);
  }
  return names;
}
