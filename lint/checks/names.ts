/**
 * Names, architectures and constructs of a profile: the findings of its reader,
 * each with evidence.
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import type { Diagnostic } from "../../profile/diagnostic.ts";
import type { DockerSyscall } from "../../profile/formats/docker.ts";
import { pointerOf } from "../../profile/json/patch.ts";
import { resolveParsed } from "../../pipeline/resolve_profile.ts";
import { type Arch, isKnownName } from "../../tables/arch.ts";
import { successorsOf } from "../../tables/successors.ts";
import { ALWAYS, NEVER } from "../../verify/core/diagram.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { companionsOf, isAllowed, isStopped } from "../answers.ts";
import type { FindingDraft, LintFix } from "../finding.ts";
import type { Variants } from "../variants.ts";
import {
  callsOn,
  entryWords,
  type LintView,
  listWords,
  pathInSection,
  type ProfileRules,
} from "../view.ts";

/** Checks names and architectures. */
export function checkNamed(
  view: LintView,
  rules: ProfileRules,
  variants: Variants,
): readonly FindingDraft[] {
  return rules.resolved.diagnostics.flatMap((diagnostic) => {
    switch (diagnostic.code) {
      case "unknown-syscall":
        return unknownName(view, rules, variants, diagnostic);
      case "no-call-here":
      case "successor-not-named":
        return lostNames(view, rules, diagnostic);
      case "denies-nothing":
        return deniesNothing(view, rules, diagnostic);
      case "idle-errno":
        return idleErrno(rules, diagnostic);
      case "min-kernel":
        return readersDiffer(rules, diagnostic);
      default:
        return [];
    }
  });
}

/** The entry of a path such as `syscalls[3].names[0]`. */
function entryAt(
  { entries }: Variants,
  path: string,
): DockerSyscall | undefined {
  return entries.find((entry) =>
    path === entry.path || path.startsWith(`${entry.path}.`)
  );
}

function unknownName(
  view: LintView,
  rules: ProfileRules,
  variants: Variants,
  { path, message, fix, severity }: Diagnostic,
): readonly FindingDraft[] {
  const entry = entryAt(variants, path);
  const index = Number(/names\[(\d+)\]$/.exec(path)?.[1]);
  const name = entry?.names[index];
  if (entry === undefined || name === undefined) return [];
  const at = pathInSection(rules, path);
  // A host's library may lack a name that exists.
  const meant = isKnownName(name)
    ? []
    : [...(fix ?? "").matchAll(/"([^"]+)"/g)].map(([, word]) => word ?? "")
      .filter(isKnownName);
  const isAlone = entry.names.length === 1;
  const without = variants.entries.flatMap((one) =>
    one !== entry
      ? [one]
      : isAlone
      ? []
      : [{ ...one, names: one.names.toSpliced(index, 1) }]
  );
  const isEqual = variants.compare(without, new Set([name])) === "equal";
  const change: LintFix | undefined = meant.length === 1 &&
      rules.profile.kind !== "docker-legacy"
    ? {
      effect: "changes",
      text: `write ${meant[0]}`,
      patch: [{ op: "replace", path: pointerOf(at), value: meant[0] ?? "" }],
    }
    : isEqual && meant.length === 0
    ? {
      effect: "equal",
      text: isAlone ? "remove the rule" : "remove the name",
      patch: [{
        op: "remove",
        path: pointerOf(isAlone ? pathInSection(rules, entry.path) : at),
      }],
    }
    : undefined;
  return [{
    id: "unknown-name",
    at,
    about: `${name} in ${entryWords({ ...entry, names: [] })}`,
    message: fix === undefined || meant.length === 0
      ? message
      : `${message}; ${fix}`,
    ...(severity === "error" ? { severity } : {}),
    witnesses: callWitness(view, meant),
    proof: isEqual
      ? "without the name, the profile is proved equal"
      : "no architecture of the tables has a call of this name",
    ...(change === undefined ? {} : { fix: change }),
  }];
}

/** A call of one of some names. */
function callWitness(
  { answers, arches }: LintView,
  names: readonly string[],
): readonly SeccompData[] {
  const [call] = names.flatMap((name) => callsOn(arches, name));
  return call === undefined ? [] : [answers.input(call, ALWAYS)];
}

/** Rules whose calls do not exist on the target, but whose successors do. */
function lostNames(
  view: LintView,
  rules: ProfileRules,
  { code, path, message, fix }: Diagnostic,
): readonly FindingDraft[] {
  const entry = rules.resolved.seccomp.syscalls.find((one) =>
    path.startsWith(`${one.path}.`)
  );
  if (entry === undefined) return [];
  const { answers, arches } = view;
  // The successors get a different answer from the rule's.
  const successors = entry.names.filter((name) =>
    arches.some((arch) => !arch.syscalls.has(name))
  ).flatMap((name) => successorsOf(name).flatMap((s) => callsOn(arches, s)));
  const isDenial = entry.action !== "SCMP_ACT_ALLOW" &&
    entry.action !== "SCMP_ACT_LOG";
  const [witness] = successors.flatMap((call) => {
    const where = answers.where(
      answers.of(call),
      isDenial ? isAllowed : isStopped,
    );
    return where === NEVER ? [] : [answers.input(call, where)];
  });
  const isLost = code === "no-call-here";
  if (witness === undefined && !isLost) return [];
  return [{
    id: isLost ? "name-not-on-target" : "successor-not-named",
    at: pathInSection(rules, path),
    about: entryWords(entry),
    message: fix === undefined ? message : `${message}; ${fix}`,
    ...(isDenial || isLost ? {} : { severity: "note" }),
    witnesses: witness === undefined ? [] : [witness],
    ...(isLost
      ? {
        proof: `none of ${
          listWords(entry.names)
        } has a number on the target's architectures`,
      }
      : {}),
  }];
}

/** Reports that every call may run although rules deny. */
function deniesNothing(
  { answers, arches }: LintView,
  rules: ProfileRules,
  { path, message }: Diagnostic,
): readonly FindingDraft[] {
  const isDenied = arches.some((arch) =>
    [...arch.syscalls.values()].some((nr) =>
      answers.where(answers.of({ arch, nr }), isStopped) !== NEVER
    )
  );
  if (isDenied) return [];
  return [{
    id: "denies-nothing",
    at: pathInSection(rules, path),
    about: "all calls",
    message,
    proof: `no call of ${listWords(arches.map(({ name }) => name))} is stopped`,
  }];
}

function idleErrno(
  rules: ProfileRules,
  { path, message }: Diagnostic,
): readonly FindingDraft[] {
  const at = pathInSection(rules, path);
  return [{
    id: "idle-errno",
    at,
    about: at.replace(/\[\d+\]/g, ""),
    message,
    proof: "the runtime ignores it, so the profile without it is the same",
    fix: {
      effect: "equal",
      text: "remove it",
      patch: [{ op: "remove", path: pointerOf(at) }],
    },
  }];
}

/** Finds a `minKernel`, which Docker evaluates and Podman ignores. */
function readersDiffer(
  rules: ProfileRules,
  { path, message }: Diagnostic,
): readonly FindingDraft[] {
  const { profile, target } = rules;
  const [docker, podman] = (["docker", "podman"] as const).map((kind) =>
    resolveParsed({ ...profile, kind, guessed: false }, target).policy
  );
  if (docker === undefined || podman === undefined) return [];
  const result = proveEquivalent(docker, podman);
  if (result.kind !== "different") return [];
  return [{
    id: "readers-differ",
    at: pathInSection(rules, path),
    about: path.replace(/\[\d+\]/g, ""),
    message,
    witnesses: [result.data],
  }];
}

/** Finds other ABIs of the machine whose programs are killed. */
export function checkArchitectures(
  view: LintView,
  rules: ProfileRules,
): readonly FindingDraft[] {
  const { answers, native, arches } = view;
  // A user who names the architectures has chosen them.
  if (typeof rules.target.arch !== "string") return [];
  // Hardly any program is built for x32, and most kernels cannot run one.
  const missing = companionsOf(native).filter((arch) =>
    !arches.includes(arch) && arch.name !== "x32"
  );
  const calls = missing.flatMap((arch) => callsOn([arch], "execve"));
  const killed = calls.filter((call) =>
    answers.where(answers.of(call), isStopped) === ALWAYS
  );
  const [first] = killed;
  if (first === undefined) return [];
  const names = killed.map(({ arch }) => arch);
  return [{
    id: "missing-architecture",
    at: "architectures",
    about: names.map(({ name }) => name).join(","),
    message: `Programs of ${
      listWords(names.map(({ name }) => name))
    } are killed at their first call, because the profile does not list ${
      names.length === 1 ? "it" : "them"
    }`,
    witnesses: killed.map((call) => answers.input(call, ALWAYS)),
    ...architectureFix(rules, native, names),
  }];
}

/** Builds the fix that lists the architectures as well. */
function architectureFix(
  { profile }: ProfileRules,
  native: Arch,
  missing: readonly Arch[],
): { readonly fix?: LintFix } {
  const { section, kind } = profile;
  if (section === undefined || section.archMap !== undefined) return {};
  if (kind === "docker-legacy") return {};
  const text = `list ${listWords(missing.map(({ scmp }) => scmp))}`;
  return {
    fix: {
      effect: "changes",
      text,
      patch: section.architectures.length === 0
        ? [{
          op: "add",
          path: "/architectures",
          value: [native, ...missing].map(({ scmp }) => scmp),
        }]
        : missing.map(({ scmp }) => ({
          op: "add",
          path: "/architectures/-",
          value: scmp,
        })),
    },
  };
}
