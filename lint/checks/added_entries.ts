/**
 * Fixes that add a call which no entry names.
 *
 * @module
 */

import { ARCH_SPELLINGS } from "../../profile/host.ts";
import { type PatchStep, pointerOf } from "../../profile/json/patch.ts";
import { type Arch, archByScmp } from "../../tables/arch.ts";
import { errnoNumber } from "../../tables/errno.ts";
import type { LintFix } from "../finding.ts";
import { callsOn, type LintView, listWords, pathInSection } from "../view.ts";

/** The generic number, which all architectures but MIPS have. */
const GENERIC_ENOSYS = 38;

/** The number of ENOSYS on an architecture. */
export function enosysOf({ auditArch }: Arch): number {
  return errnoNumber("ENOSYS", auditArch) ?? GENERIC_ENOSYS;
}

/** An entry that allows a call that no entry names. */
export function allowFix(
  view: LintView,
  name: string,
): { readonly fix?: LintFix } {
  const { rules } = view;
  const entries = rules?.profile.section?.syscalls;
  if (rules === undefined || entries === undefined) return {};
  if (entries.some(({ names }) => names.includes(name))) return {};
  const list = entries.find(({ action, args, names, includes, excludes }) =>
    action === "SCMP_ACT_ALLOW" && args.length === 0 && names.length > 1 &&
    includes === undefined && excludes === undefined
  );
  const patch: PatchStep = list === undefined
    ? {
      op: "add",
      path: "/syscalls/-",
      value: { names: [name], action: "SCMP_ACT_ALLOW" },
    }
    : {
      op: "add",
      path: `${pointerOf(pathInSection(rules, list.path))}/names/-`,
      value: name,
    };
  if (rules.profile.kind === "docker-legacy") return {};
  return {
    fix: { effect: "changes", text: `allow ${name}`, patch: [patch] },
  };
}

/** A fix, or the reason why it is missing. */
interface EnosysFix {
  readonly fix?: LintFix;
  /** Without a final period; absent if there is nothing to explain. */
  readonly unfixed?: string;
}

/**
 * Entries that answer ENOSYS to a call that no entry names. An entry has one
 * errno, but ENOSYS has two numbers. In Docker's format, an entry can be limited
 * to some machines; otherwise, a filter whose architectures differ in the number
 * has no fix.
 *
 * @param view The source.
 * @param name Name of the call.
 */
export function enosysFix(view: LintView, name: string): EnosysFix {
  const { rules } = view;
  const section = rules?.profile.section;
  if (rules === undefined || section === undefined) return {};
  if (rules.profile.kind === "docker-legacy") return {};
  if (section.syscalls.some(({ names }) => names.includes(name))) return {};
  const machines = (section.archMap ?? []).flatMap(
    ({ architecture, subArchitectures }): readonly (readonly Arch[])[] => {
      const arches = [architecture, ...subArchitectures]
        .flatMap((scmp) => archByScmp(scmp) ?? []);
      return arches.length === 0 ? [] : [arches];
    },
  );
  // Docker's names of the machines, by the number.
  const numbers = new Map<number, string[]>();
  for (const arches of [view.arches, ...machines]) {
    const having = callsOn(arches, name).map(({ arch }) => arch);
    const [number, other] = new Set(having.map(enosysOf));
    if (number === undefined) continue;
    if (other !== undefined) return { unfixed: differing(having) };
    const { docker } = ARCH_SPELLINGS[(arches[0] as Arch).name]; // it has one
    numbers.set(number, [...numbers.get(number) ?? [], docker]);
  }
  const fix = (entries: readonly Record<string, unknown>[]): EnosysFix => ({
    fix: {
      effect: "changes",
      text: `answer ENOSYS to ${name}`,
      patch: entries.map((entry) => ({
        op: "add",
        path: "/syscalls/-",
        value: { names: [name], action: "SCMP_ACT_ERRNO", ...entry },
      })),
    },
  });
  const [only] = numbers.keys();
  if (numbers.size === 1) return fix([{ errnoRet: only }]);
  const others = [...numbers].filter(([number]) => number !== GENERIC_ENOSYS)
    .map(([errnoRet, arches]) => ({ errnoRet, arches: [...new Set(arches)] }));
  return fix([
    {
      errnoRet: GENERIC_ENOSYS,
      excludes: { arches: others.flatMap(({ arches }) => arches) },
    },
    ...others.map(({ errnoRet, arches }) => ({
      errnoRet,
      includes: { arches },
    })),
  ]);
}

/** Says that architectures have different numbers. */
function differing(arches: readonly Arch[]): string {
  const names = Map.groupBy(arches, enosysOf);
  return `an entry has one errno, but ENOSYS is ${
    listWords(
      [...names].map(([number, those]) =>
        `${number} on ${listWords([...new Set(those.map(({ name }) => name))])}`
      ),
    )
  }`;
}
