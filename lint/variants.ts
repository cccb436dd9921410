/**
 * Changed forms of a profile, compared with the profile itself: in every
 * environment for which the profile has a condition, for each runtime that may
 * read it.
 *
 * @module
 */

import { ProfileError } from "../profile/diagnostic.ts";
import type {
  DockerSeccomp,
  DockerSyscall,
} from "../profile/formats/docker.ts";
import type { KernelVersion } from "../profile/host.ts";
import type { Policy, Rule } from "../profile/policy.ts";
import {
  type ProfileTarget,
  resolveParsed,
} from "../pipeline/resolve_profile.ts";
import { archByScmp } from "../tables/arch.ts";
import { proveEquivalent } from "../verify/equivalence.ts";
import type { ProofLimits } from "../verify/limits.ts";
import type { ProfileRules } from "./view.ts";

/** Maximum number of environments in which a change is proved. */
const MOST_ENVIRONMENTS = 128;

/** Result of comparing a changed profile with the given one. */
export type VariantResult = "equal" | "different" | "unproven";

/** Compares changed forms of one profile with it. */
export class Variants {
  readonly #rules: ProfileRules;
  readonly #section: DockerSeccomp;
  readonly #limits: Partial<ProofLimits>;
  readonly #given = new Map<string, Policy | undefined>();

  /**
   * @param rules The profile.
   * @param section Its section.
   * @param limits Limits of each proof.
   */
  constructor(
    rules: ProfileRules,
    section: DockerSeccomp,
    limits: Partial<ProofLimits>,
  ) {
    this.#rules = rules;
    this.#section = section;
    this.#limits = limits;
  }

  /** The entries as written. */
  get entries(): readonly DockerSyscall[] {
    return this.#section.syscalls;
  }

  /**
   * Compares the profile with one that has other entries.
   *
   * @param syscalls The entries.
   * @param names The calls whose answers the change can affect.
   */
  compare(
    syscalls: readonly DockerSyscall[],
    names: ReadonlySet<string>,
  ): VariantResult {
    const base = this.#compareFor(this.#rules.target, syscalls);
    if (base !== "equal") return base;
    const targets = this.#environments(names);
    if (targets === undefined) return "unproven";
    for (const target of targets) {
      const result = this.#compareFor(target, syscalls);
      if (result !== "equal") return result;
    }
    return "equal";
  }

  #compareFor(
    target: ProfileTarget,
    syscalls: readonly DockerSyscall[],
  ): VariantResult {
    const key = JSON.stringify([
      target.arch,
      target.semantics,
      target.kernel,
      [...target.capabilities ?? []],
    ]);
    if (!this.#given.has(key)) {
      this.#given.set(key, this.#resolve(target, this.#section.syscalls));
    }
    const given = this.#given.get(key);
    const changed = this.#resolve(target, syscalls);
    // A refused profile has no meaning that could stay the same.
    if (given === undefined || changed === undefined) {
      return given === changed ? "equal" : "different";
    }
    const reduced = differingRules(given, changed);
    if (reduced === undefined) return "equal";
    const first = proveEquivalent(...reduced, { limits: this.#limits });
    if (first.kind !== "equal") return first.kind;
    return proveEquivalent(given, changed, { limits: this.#limits }).kind;
  }

  #resolve(
    target: ProfileTarget,
    syscalls: readonly DockerSyscall[],
  ): Policy | undefined {
    const { profile } = this.#rules;
    try {
      const section = { ...this.#section, syscalls };
      return resolveParsed({ ...profile, section }, target).policy;
    } catch (error) {
      if (error instanceof ProfileError) return undefined;
      throw error;
    }
  }

  /**
   * The targets on which the entries about some calls can differ, besides the
   * given one; `undefined` if there are too many.
   */
  #environments(
    names: ReadonlySet<string>,
  ): readonly ProfileTarget[] | undefined {
    const { target, runtimes, profile, resolved } = this.#rules;
    const about = this.#section.syscalls.filter((entry) =>
      entry.names.some((name) => names.has(name))
    );
    const caps = [
      ...new Set(about.flatMap(({ includes, excludes }) => [
        ...includes?.caps ?? [],
        ...excludes?.caps ?? [],
      ])),
    ];
    const kernels = about.flatMap(({ includes, excludes }) => [
      ...includes?.minKernel === undefined ? [] : [includes.minKernel],
      ...excludes?.minKernel === undefined ? [] : [excludes.minKernel],
    ]).flatMap(({ major, minor }): KernelVersion[] => [
      { major, minor },
      minor > 0 ? { major, minor: minor - 1 } : { major: major - 1, minor: 99 },
    ]);
    const natives = [
      target.arch,
      ...typeof target.arch === "string"
        ? (this.#section.archMap ?? []).flatMap(({ architecture }) => {
          const arch = archByScmp(architecture);
          return arch === undefined ? [] : [arch.name];
        })
        : [],
    ];
    const given = resolved.assumed;
    const semantics = [...new Set([given.semantics, ...runtimes])];
    const count = 2 ** caps.length * (kernels.length + 1) *
      new Set(natives).size * semantics.length;
    if (count > MOST_ENVIRONMENTS) return undefined;
    const sets = profile.kind === "oci" || profile.kind === "config"
      ? [undefined]
      : subsets(caps).map((set) => {
        const all = new Set(given.capabilities ?? []);
        for (const cap of caps) all.delete(cap);
        for (const cap of set) all.add(cap);
        return all;
      });
    return sets.flatMap((capabilities) =>
      [target.kernel, ...kernels].flatMap((kernel) =>
        natives.flatMap((arch) =>
          semantics.map((semantics) => ({
            ...target,
            arch,
            kernel,
            semantics,
            ...(capabilities === undefined ? {} : { capabilities }),
          }))
        )
      )
    );
  }
}

function subsets(items: readonly string[]): readonly (readonly string[])[] {
  return items.reduce<readonly (readonly string[])[]>(
    (sets, item) => sets.flatMap((set) => [set, [...set, item]]),
    [[]],
  );
}

/**
 * Both policies with only the rules of numbers on which they are written
 * differently; `undefined` if they are written alike.
 */
function differingRules(
  a: Policy,
  b: Policy,
): readonly [Policy, Policy] | undefined {
  if (
    a.defaultValue !== b.defaultValue || a.arches.length !== b.arches.length ||
    a.arches.some(({ auditArch }, i) => auditArch !== b.arches[i]?.auditArch)
  ) return [a, b];
  let isSame = true;
  const reduce = (policy: Policy, other: Policy): Policy => ({
    ...policy,
    arches: policy.arches.map((arch, i) => {
      const theirs = byNumber(other.arches[i]?.rules ?? []);
      const ours = byNumber(arch.rules);
      const rules = [...ours].flatMap(([key, list]) => {
        if (textOf(list) === textOf(theirs.get(key) ?? [])) return [];
        isSame = false;
        return list;
      });
      if (ours.size !== theirs.size) isSame = false;
      return { ...arch, rules };
    }),
  });
  const reduced = [reduce(a, b), reduce(b, a)] as const;
  return isSame ? undefined : reduced;
}

function byNumber(
  rules: readonly Rule[],
): ReadonlyMap<string, readonly Rule[]> {
  const lists = new Map<string, Rule[]>();
  for (const rule of rules) {
    const key = `${rule.first} ${rule.last}`;
    const list = lists.get(key) ?? [];
    lists.set(key, list);
    list.push(rule);
  }
  return lists;
}

function textOf(rules: readonly Rule[]): string {
  return rules.map(({ conditions, value }) =>
    `${value}:${
      conditions.map(({ arg, op, mask, value }) =>
        `${arg} ${op} ${mask} ${value}`
      ).join("&")
    }`
  ).join(";");
}
