/**
 * Conditions whose meaning is not what it seems to be.
 *
 * @module
 */

import { formatReturnValue } from "../../bpf/return_value.ts";
import type { DockerSyscall } from "../../profile/formats/docker.ts";
import { repeatsIndex } from "../../profile/formats/entries.ts";
import type { LinuxSeccompArg } from "../../profile/formats/oci.ts";
import { type PatchValue, pointerOf } from "../../profile/json/patch.ts";
import type { Arch } from "../../tables/arch.ts";
import { ALWAYS, NEVER } from "../../verify/core/diagram.ts";
import { isAllowed } from "../answers.ts";
import type { FindingDraft, LintFix } from "../finding.ts";
import type { Variants } from "../variants.ts";
import {
  conditionsOf,
  entryWords,
  type LintView,
  listWords,
  partsOfEntry,
  pathInSection,
  type ProfileRules,
  valueOfEntry,
} from "../view.ts";

/**
 * Checks the conditions of all entries that apply.
 *
 * @param view The profile and its answers.
 * @param rules The rules.
 * @param variants Compares changed forms.
 */
export function checkConditions(
  view: LintView,
  rules: ProfileRules,
  variants: Variants,
): readonly FindingDraft[] {
  const applied = new Set(
    rules.resolved.seccomp.syscalls.map(({ path }) => path),
  );
  return variants.entries.filter(({ path }) => applied.has(path))
    .flatMap((entry) => [
      ...constants(view, rules, variants, entry),
      ...alternatives(view, rules, entry),
    ]);
}

/** Architectures of the target that have a call of an entry. */
function archesOf(view: LintView, entry: DockerSyscall): readonly Arch[] {
  return view.arches.filter((arch) =>
    entry.names.some((name) => arch.syscalls.has(name))
  );
}

/** Conditions that are always or never true, and bits that are dropped. */
function constants(
  view: LintView,
  rules: ProfileRules,
  variants: Variants,
  entry: DockerSyscall,
): readonly FindingDraft[] {
  const arches = archesOf(view, entry);
  if (arches.length === 0) return [];
  const drafts: FindingDraft[] = [];
  const change = (syscalls: readonly DockerSyscall[]): boolean =>
    variants.compare(syscalls, new Set(entry.names)) === "equal";
  for (const [i, arg] of entry.args.entries()) {
    const at = `${pathInSection(rules, entry.path)}.args[${i}]`;
    const about = `${i} of ${entryWords(entry)}`;
    const nodes = arches.map((arch) =>
      view.answers.matching(conditionsOf([arg], arch))
    );
    const text = `${arg.op} ${arg.value}${
      arg.op === "SCMP_CMP_MASKED_EQ" ? ` ${arg.valueTwo}` : ""
    }`;
    const where = listWords(arches.map(({ name }) => name));
    if (nodes.every((node) => node === NEVER)) {
      // A condition that is never true may be one of several alternatives.
      const isWhole = !repeatsIndex(entry);
      const changed = isWhole
        ? variants.entries.filter(({ path }) => path !== entry.path)
        : withArgs(variants, entry, entry.args.toSpliced(i, 1));
      const pointer = pointerOf(
        isWhole ? pathInSection(rules, entry.path) : at,
      );
      drafts.push({
        id: "condition-never-true",
        at,
        about,
        message: `${text} on argument ${arg.index} is never true on ${where}`,
        proof: "no value of the argument satisfies it",
        ...change(changed) &&
          {
            fix: {
              effect: "equal",
              text: isWhole ? "remove the rule" : "remove the condition",
              patch: [{ op: "remove", path: pointer }],
            } as const,
          },
      });
    } else if (nodes.every((node) => node === ALWAYS)) {
      const changed = repeatsIndex(entry)
        ? withArgs(variants, entry, [])
        : withArgs(variants, entry, entry.args.toSpliced(i, 1));
      drafts.push({
        id: "condition-always-true",
        at,
        about,
        message: `${text} on argument ${arg.index} is always true on ${where}`,
        proof: "every value of the argument satisfies it",
        ...change(changed) && {
          fix: {
            effect: "equal",
            text: "remove the condition",
            patch: repeatsIndex(entry)
              ? [{
                op: "replace",
                path: pointerOf(`${pathInSection(rules, entry.path)}.args`),
                value: [],
              }]
              : [{ op: "remove", path: pointerOf(at) }],
          } as LintFix,
        },
      });
    } else if (
      arg.op === "SCMP_CMP_MASKED_EQ" && (arg.valueTwo & ~arg.value) !== 0n
    ) {
      const valueTwo = arg.valueTwo & arg.value;
      const changed = withArgs(
        variants,
        entry,
        entry.args.with(i, { ...arg, valueTwo }),
      );
      if (!change(changed)) continue;
      drafts.push({
        id: "bits-outside-mask",
        at: `${at}.valueTwo`,
        about,
        message: `No value under the mask ${hex(arg.value)} is ${
          hex(arg.valueTwo)
        }: the runtimes compare with ${hex(valueTwo)}`,
        proof: `with ${hex(valueTwo)}, the profile is proved equal`,
        fix: {
          effect: "equal",
          text: `write ${valueTwo}`,
          patch: [{
            op: "replace",
            path: pointerOf(`${at}.valueTwo`),
            value: valueTwo,
          }],
        },
      });
    }
  }
  return drafts;
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** The entries with other comparisons in one of them. */
function withArgs(
  { entries }: Variants,
  { path }: DockerSyscall,
  args: readonly LinuxSeccompArg[],
): readonly DockerSyscall[] {
  return entries.map((entry) =>
    entry.path === path ? { ...entry, args } : entry
  );
}

/** Several conditions on one argument, which are alternatives. */
function alternatives(
  view: LintView,
  rules: ProfileRules,
  entry: DockerSyscall,
): readonly FindingDraft[] {
  if (!repeatsIndex(entry)) return [];
  const { answers } = view;
  const value = valueOfEntry(entry);
  for (const name of entry.names) {
    for (const arch of view.arches) {
      const parts = partsOfEntry(entry, name, [arch]);
      const [first] = parts;
      if (first === undefined) continue;
      const all = answers.matching(parts.flatMap((p) => p.conditions));
      const some = parts.map((p) => answers.matching(p.conditions))
        .reduce((a, b) => answers.either(a, b), NEVER);
      const where = answers.both(
        answers.except(some, all),
        answers.where(answers.of(first), (v) => v === value),
      );
      if (where === NEVER) continue;
      const data = answers.input(first, where);
      if (answers.answer(data).source !== entry.path) continue;
      const joined = joinedArgs(entry.args);
      const at = pathInSection(rules, entry.path);
      return [{
        id: "alternatives-on-one-argument",
        at: `${at}.args`,
        about: entryWords(entry),
        message:
          `Several conditions on one argument are alternatives: this call satisfies only some of them and gets ${
            formatReturnValue(value, data.arch)
          }`,
        witnesses: [data],
        ...isAllowed(value) ? { severity: "error" } : {},
        ...joined === undefined ? {} : {
          fix: {
            effect: "changes",
            text: "require all of them with one SCMP_CMP_MASKED_EQ",
            patch: [{
              op: "replace",
              path: pointerOf(`${at}.args`),
              value: joined.map(argValue),
            }],
          },
        },
      }];
    }
  }
  return [];
}

/** A comparison as JSON. */
export function argValue(
  { index, value, valueTwo, op }: LinuxSeccompArg,
): PatchValue {
  return {
    index,
    value,
    ...(valueTwo === 0n && op !== "SCMP_CMP_MASKED_EQ" ? {} : { valueTwo }),
    op,
  };
}

/**
 * Merges the comparisons on one argument into one that requires all of them;
 * `undefined` if no such comparison exists.
 */
function joinedArgs(
  args: readonly LinuxSeccompArg[],
): readonly LinuxSeccompArg[] | undefined {
  const joined: LinuxSeccompArg[] = [];
  for (const index of new Set(args.map((arg) => arg.index))) {
    const own = args.filter((arg) => arg.index === index);
    const one = own.length === 1 ? own[0] : joinBits(own) ?? joinRange(own);
    if (one === undefined) return undefined;
    joined.push(one);
  }
  return joined;
}

const ALL = 0xffff_ffff_ffff_ffffn;

/** Merges equalities under masks into one. */
function joinBits(
  args: readonly LinuxSeccompArg[],
): LinuxSeccompArg | undefined {
  let mask = 0n;
  let bits = 0n;
  for (const { op, value, valueTwo } of args) {
    const isMasked = op === "SCMP_CMP_MASKED_EQ";
    if (!isMasked && op !== "SCMP_CMP_EQ") return undefined;
    const [own, wanted] = isMasked ? [value, valueTwo & value] : [ALL, value];
    if (((bits ^ wanted) & mask & own) !== 0n) return undefined;
    mask |= own;
    bits |= wanted;
  }
  return {
    index: args[0]?.index ?? 0,
    value: mask,
    valueTwo: bits,
    op: "SCMP_CMP_MASKED_EQ",
  };
}

/** Merges a lower and an upper bound into one comparison of the high bits. */
function joinRange(
  args: readonly LinuxSeccompArg[],
): LinuxSeccompArg | undefined {
  let first = 0n;
  let last = ALL;
  for (const { op, value } of args) {
    if (op === "SCMP_CMP_GE" || op === "SCMP_CMP_GT") {
      const least = op === "SCMP_CMP_GE" ? value : value + 1n;
      if (least > first) first = least;
    } else if (op === "SCMP_CMP_LE" || op === "SCMP_CMP_LT") {
      const most = op === "SCMP_CMP_LE" ? value : value - 1n;
      if (most < last) last = most;
    } else return undefined;
  }
  const size = last - first + 1n;
  // An aligned block whose size is a power of two is one pattern of high bits.
  if (size < 1n || (size & (size - 1n)) !== 0n || first % size !== 0n) {
    return undefined;
  }
  return {
    index: args[0]?.index ?? 0,
    value: ALL & ~(size - 1n),
    valueTwo: first,
    op: "SCMP_CMP_MASKED_EQ",
  };
}
