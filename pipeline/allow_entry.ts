/**
 * Finds the entries that make a profile allow one call, and proves whether they
 * change only that call.
 *
 * @module
 */

import type { Range } from "../bpf/range.ts";
import type { SeccompData } from "../bpf/seccomp_data.ts";
import { ProfileError } from "../profile/diagnostic.ts";
import type { DockerSyscall } from "../profile/formats/docker.ts";
import type { LinuxSeccompArg, LinuxSyscall } from "../profile/formats/oci.ts";
import type { ParsedProfile } from "../profile/formats/parse.ts";
import type { Policy } from "../profile/policy.ts";
import {
  ALWAYS_TRUE,
  type Formula,
  joinFormulas,
} from "../statements/formula.ts";
import { callsNode, formulaNode } from "../statements/prove_statements.ts";
import { SECCOMP_RET_ALLOW } from "../tables/uapi.ts";
import type { Arch } from "../tables/arch.ts";
import { ALWAYS, NEVER, type Node } from "../verify/core/diagram.ts";
import { meaningOf } from "../verify/core/meaning.ts";
import { createSymbols } from "../verify/core/symbols.ts";
import { constant } from "../verify/core/word.ts";
import { decide } from "../verify/decide.ts";
import { fromWords } from "../verify/describe/confirm.ts";
import { lowestInput } from "../verify/describe/inputs.ts";
import { DEFAULT_PROOF_LIMITS, LimitReached } from "../verify/limits.ts";
import {
  type ProfileTarget,
  type ResolvedSection,
  resolveParsed,
} from "./resolve_profile.ts";

/** The call to allow. */
export interface WantedCall {
  /** Its name. */
  readonly name: string;
  /** The arguments that must have their values, by index. */
  readonly args: ReadonlyMap<number, bigint>;
  /** The call, which is denied now. */
  readonly data: SeccompData;
}

/** An entry to add to `syscalls`. */
export type NewEntry = Omit<LinuxSyscall, "path">;

/** Changes to a profile that allow a call. */
export interface AllowEntries {
  readonly kind: "entries";
  /** The entries to add. */
  readonly add: readonly NewEntry[];
  /** True if they must come first; otherwise they come last. */
  readonly first: boolean;
  /** Paths of entries from which the call must be removed. */
  readonly removeFrom: readonly string[];
  /** Names of the architectures on which the call becomes allowed. */
  readonly arches: readonly string[];
  /** Other calls whose answers change; empty if the change is proved exact. */
  readonly also: readonly SeccompData[];
}

/** No change was found that allows the call. */
export interface NoEntries {
  readonly kind: "no-entries";
  /** The reason, without a final period. */
  readonly reason: string;
}

/** A changed profile. */
interface Candidate extends Pick<AllowEntries, "add" | "first" | "removeFrom"> {
  readonly syscalls: readonly DockerSyscall[];
}

/**
 * Finds the entries that allow a call with given arguments and nothing else.
 *
 * @param profile The profile.
 * @param before Its meaning.
 * @param target The machine, container and runtime.
 * @param wanted The call.
 * @returns The least permissive entries found, with those that are proved exact
 * first.
 */
export function findAllowEntries(
  profile: ParsedProfile,
  before: ResolvedSection,
  target: ProfileTarget,
  wanted: WantedCall,
): AllowEntries | NoEntries {
  const { section } = profile;
  if (section === undefined) throw new Error("Unreachable: no section");
  const { data } = wanted;
  if (!before.policy.arches.some(({ auditArch }) => auditArch === data.arch)) {
    return {
      kind: "no-entries",
      reason: "the profile does not list the architecture of the call",
    };
  }
  let usable: AllowEntries | undefined;
  let reason = "no entry for it can prevail over the other rules";
  for (const candidate of candidatesFor(section.syscalls, before, wanted)) {
    const { syscalls, ...change } = candidate;
    try {
      const { policy } = resolveParsed(
        { ...profile, section: { ...section, syscalls } },
        target,
      );
      if (decide(policy, wanted.data).value !== SECCOMP_RET_ALLOW) continue;
      const also = otherChanges(before, policy, wanted);
      const made: AllowEntries = {
        kind: "entries",
        ...change,
        arches: archesWith(before.arches, wanted.name).map(({ name }) => name),
        also,
      };
      if (also.length === 0) return made;
      usable ??= made;
    } catch (error) {
      if (error instanceof LimitReached) {
        reason = `the limit of ${error.limit} was reached`;
      } else if (error instanceof ProfileError) {
        reason = error.message.split("\n")[0] ?? reason;
      } else throw error;
    }
  }
  return usable ?? { kind: "no-entries", reason };
}

/**
 * Changes to try: an entry at the end, an entry at the start, and entries that
 * replace others.
 */
function* candidatesFor(
  syscalls: readonly DockerSyscall[],
  { seccomp }: ResolvedSection,
  { name, args }: WantedCall,
): Generator<Candidate> {
  const entry: NewEntry = {
    names: [name],
    action: "SCMP_ACT_ALLOW",
    args: [...args].map(([index, value]) =>
      condition(index, value, "SCMP_CMP_EQ")
    ),
  };
  const placed = (entry: NewEntry): DockerSyscall => ({ ...entry, path: "" });
  yield {
    add: [entry],
    first: false,
    removeFrom: [],
    syscalls: [...syscalls, placed(entry)],
  };
  yield {
    add: [entry],
    first: true,
    removeFrom: [],
    syscalls: [placed(entry), ...syscalls],
  };
  const applied = new Set(seccomp.syscalls.map(({ path }) => path));
  const replaced = syscalls.filter((one) =>
    applied.has(one.path) && one.names.includes(name) &&
    one.action !== "SCMP_ACT_ALLOW" && one.args.length === 0
  );
  const [denying] = replaced;
  if (denying === undefined) return;
  const others: readonly NewEntry[] = [...args].map(([index, value]) => ({
    ...denied(denying),
    names: [name],
    args: [condition(index, value, "SCMP_CMP_NE")],
  }));
  const add = [...others, entry];
  yield {
    add,
    first: false,
    removeFrom: replaced.map(({ path }) => path),
    syscalls: [
      ...syscalls.flatMap((one) => {
        if (!replaced.includes(one)) return [one];
        const names = one.names.filter((other) => other !== name);
        return names.length === 0 ? [] : [{ ...one, names }];
      }),
      ...add.map(placed),
    ],
  };
}

/** Action and data of an entry. */
function denied(
  { action, errnoRet }: DockerSyscall,
): Pick<NewEntry, "action" | "errnoRet"> {
  return { action, ...(errnoRet === undefined ? {} : { errnoRet }) };
}

function condition(
  index: number,
  value: bigint,
  op: LinuxSeccompArg["op"],
): LinuxSeccompArg {
  return { index, value, valueTwo: 0n, op };
}

function archesWith(arches: readonly Arch[], name: string): readonly Arch[] {
  return arches.filter(({ syscalls }) => syscalls.has(name));
}

/** Maximum number of other calls to list. */
const MOST_OTHERS = 8;

/** Calls besides the requested one on which two policies differ. */
function otherChanges(
  before: ResolvedSection,
  after: Policy,
  { name, args }: WantedCall,
): readonly SeccompData[] {
  const { littleEndian } = after;
  const symbols = createSymbols("word", DEFAULT_PROOF_LIMITS);
  const { diagram: d, leaf } = symbols;
  let wanted: Node = meaningOf(before.policy, true, symbols);
  const allow = leaf(constant(SECCOMP_RET_ALLOW));
  for (const arch of archesWith(before.arches, name)) {
    const nr = arch.syscalls.get(name) ?? 0;
    const audit: Range = { first: arch.auditArch, last: arch.auditArch };
    const where = d.and(
      callsNode(symbols, { audit, arch }, [{ first: nr, last: nr }]),
      formulaNode(symbols, argumentsFormula(args, arch), littleEndian),
    );
    wanted = d.choose(where, allow, wanted);
  }
  const got = meaningOf(after, true, symbols);
  let differ: Node = d.apply(wanted, got, (f, g) => f === g ? NEVER : ALWAYS);
  const found: SeccompData[] = [];
  while (differ !== NEVER && found.length < MOST_OTHERS) {
    const words = lowestInput(symbols, differ);
    const data = fromWords(words, littleEndian);
    found.push(data);
    const audit = { first: data.arch, last: data.arch };
    const same = callsNode(symbols, { audit }, [
      { first: data.nr, last: data.nr },
    ]);
    differ = d.except(differ, same);
  }
  return found;
}

/** The calls with given arguments, as wide as the architecture compares them. */
function argumentsFormula(
  args: ReadonlyMap<number, bigint>,
  { bits }: Arch,
): Formula {
  return joinFormulas("and", [
    ALWAYS_TRUE,
    ...[...args].map(([arg, value]): Formula => {
      const seen = BigInt.asUintN(bits, value);
      return {
        kind: "test",
        term: { arg, part: bits === 32 ? "low" : "whole" },
        mask: (1n << BigInt(bits)) - 1n,
        spans: [{ first: seen, last: seen }],
        negated: false,
      };
    }),
  ]);
}
