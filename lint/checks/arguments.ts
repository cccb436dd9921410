/**
 * Finds answers that depend on the wrong bits of an argument: an address, the
 * upper half of a 32-bit argument, or an argument other than the intended one.
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { repeatsIndex } from "../../profile/formats/entries.ts";
import { type PatchStep, pointerOf } from "../../profile/json/patch.ts";
import { argumentsOf } from "../../tables/arguments.ts";
import { isNarrow } from "../../tables/narrow_arguments.ts";
import { NEVER, type Node } from "../../verify/core/diagram.ts";
import { isAllowed, isStopped } from "../answers.ts";
import type { FindingDraft, LintFix } from "../finding.ts";
import {
  type ArchCall,
  callOn,
  conditionsOf,
  entryWords,
  type LintView,
  pathInSection,
  valueOfEntry,
} from "../view.ts";
import { argValue } from "./conditions.ts";

/** Checks the arguments on which answers depend. */
export function checkArguments(view: LintView): readonly FindingDraft[] {
  const drafts = new Map<string, FindingDraft>();
  const add = (draft: FindingDraft | undefined): void => {
    if (draft === undefined) return;
    const key = `${draft.id} ${draft.about}`;
    if (!drafts.has(key)) drafts.set(key, draft);
  };
  for (const arch of view.arches) {
    for (const [name, nr] of arch.syscalls) {
      const call = { arch, name, nr };
      const f = view.answers.of(call);
      for (let arg = 0; arg < 6; arg++) {
        if (!view.answers.dependsOn(f, arg)) continue;
        add(pointer(view, call, f, arg));
        for (const draft of highHalf(view, call, f, arg)) add(draft);
      }
    }
  }
  return [...drafts.values(), ...cloneFlags(view)];
}

/** An answer that depends on an address. */
function pointer(
  { answers }: LintView,
  call: ArchCall,
  f: Node,
  arg: number,
): FindingDraft | undefined {
  const { arch, name } = call;
  const parameter = argumentsOf(arch, name)?.[arg];
  if (parameter?.kind !== "pointer") return undefined;
  // A NULL address is a kind of request.
  const isAddress = answers.matching([{
    arg,
    op: "ne",
    mask: 0xffff_ffff_ffff_ffffn,
    value: 0n,
  }]);
  for (const value of answers.valuesOf(f)) {
    const own = answers.both(isAddress, answers.where(f, (v) => v === value));
    const others = answers.both(
      isAddress,
      answers.where(f, (v) => v !== value),
    );
    const where = answers.both(own, answers.forSome(others, arg));
    if (where === NEVER) continue;
    const data = answers.input(call, where);
    const other = answers.input(
      call,
      answers.both(others, answers.likeExcept(data, arg)),
    );
    return {
      id: "pointer-compared",
      at: data,
      about: `${name} ${parameter.name}`,
      message:
        `The answer to ${name} depends on the address ${parameter.name}, argument ${arg}, which the program chooses: the memory that it points to is not compared`,
      witnesses: [data, other],
    };
  }
  return undefined;
}

/** Finds answers that depend on the upper half of a 32-bit argument. */
function highHalf(
  view: LintView,
  call: ArchCall,
  f: Node,
  arg: number,
): readonly FindingDraft[] {
  const { answers } = view;
  const { arch, name } = call;
  if (arch.bits !== 64 || !isNarrow(arch, name, arg)) return [];
  const narrow = answers.withoutHighHalf(f, arg);
  if (narrow === f) return [];
  const what = argumentsOf(arch, name)?.[arg]?.name ?? `argument ${arg}`;
  const drafts: FindingDraft[] = [];
  for (
    const [id, before, after] of [
      ["high-half-bypass", isStopped, isAllowed],
      ["high-half-denied", isAllowed, isStopped],
    ] as const
  ) {
    const where = answers.both(
      answers.where(narrow, before),
      answers.where(f, after),
    );
    if (where === NEVER) continue;
    const alias = answers.input(call, where);
    const plain = withLowHalf(alias, arg);
    drafts.push({
      id,
      // A rule is more specific than the default.
      at: id === "high-half-bypass" && isRule(view, plain) ? plain : alias,
      about: `${name} ${what}`,
      message:
        `The kernel reads 32 bits of ${what} of ${name}, and the rules compare 64 on ${arch.name}: ${
          id === "high-half-bypass"
            ? "with a bit in the upper half, a denied call may run"
            : "with a bit in the upper half, an allowed call is denied"
        }`,
      witnesses: [plain, alias],
      ...id === "high-half-bypass" ? maskFix(view, call, arg) : {},
    });
  }
  return drafts;
}

/** Reports whether a rule, and not a default, decides a call. */
function isRule({ answers, rules }: LintView, data: SeccompData): boolean {
  return rules === undefined ||
    answers.answer(data).source?.includes("syscalls[") === true;
}

function withLowHalf(data: SeccompData, arg: number): SeccompData {
  const low = (data.args[arg] ?? 0n) & LOW_HALF;
  return { ...data, args: data.args.with(arg, low) };
}

/**
 * Compares 32 bits in all rules that deny a value; empty if a rule compares the
 * argument in another way, or also names other calls.
 */
function maskFix(
  { rules }: LintView,
  { name }: ArchCall,
  arg: number,
): { readonly fix?: LintFix } {
  if (rules === undefined) return {};
  const patch: PatchStep[] = [];
  for (const entry of rules.resolved.seccomp.syscalls) {
    const { names, args } = entry;
    const tests = [...args.entries()].filter(([, { index }]) => index === arg);
    if (!names.includes(name) || tests.length === 0) continue;
    if (new Set(names).size > 1 || repeatsIndex(entry)) return {};
    for (const [i, { op, value }] of tests) {
      if (op === "SCMP_CMP_MASKED_EQ" && value <= LOW_HALF) continue;
      // A mask would also deny a value that is allowed for its upper half.
      if (op !== "SCMP_CMP_EQ" || !isStopped(valueOfEntry(entry))) return {};
      if (value > LOW_HALF) continue;
      patch.push({
        op: "replace",
        path: pointerOf(`${pathInSection(rules, entry.path)}.args[${i}]`),
        value: argValue({
          index: arg,
          value: LOW_HALF,
          valueTwo: value,
          op: "SCMP_CMP_MASKED_EQ",
        }),
      });
    }
  }
  if (patch.length === 0) return {};
  return {
    fix: {
      effect: "changes",
      text: `compare the 32 bits of ${name} that the kernel reads`,
      patch,
    },
  };
}

const LOW_HALF = 0xffff_ffffn;

/** Finds conditions on the flags of clone that compare the stack argument. */
function cloneFlags(view: LintView): readonly FindingDraft[] {
  const { answers, rules, arches } = view;
  if (rules === undefined) return [];
  return arches.filter(({ name }) => name === "s390" || name === "s390x")
    .flatMap((arch): readonly FindingDraft[] => {
      const call = callOn(arch, "clone");
      if (call === undefined) return [];
      return rules.resolved.seccomp.syscalls.flatMap((entry) => {
        const indexes = new Set(entry.args.map(({ index }) => index));
        if (!entry.names.includes("clone") || !indexes.has(0)) return [];
        if (indexes.has(1)) return [];
        const written = answers.matching(conditionsOf(entry.args, arch));
        const meant = answers.matching(
          conditionsOf(
            entry.args.map((arg) =>
              arg.index === 0 ? { ...arg, index: 1 } : arg
            ),
            arch,
          ),
        );
        // The stack argument is 0, as in fork().
        const noStack = answers.matching([{
          arg: 0,
          op: "eq",
          mask: 0xffff_ffff_ffff_ffffn,
          value: 0n,
        }]);
        const where = answers.both(
          noStack,
          answers.either(
            answers.except(written, meant),
            answers.except(meant, written),
          ),
        );
        if (where === NEVER) return [];
        const data = answers.input(call, where);
        const at = pathInSection(rules, entry.path);
        const isAlone = entry.names.length === 1 &&
          arches.every(({ name }) => name === "s390" || name === "s390x");
        return [{
          id: "clone-flags-on-s390",
          at: `${at}.args`,
          about: `${arch.name} ${entryWords(entry)}`,
          message:
            `On ${arch.name}, argument 0 of clone is the stack and argument 1 has the flags: this rule compares the wrong one`,
          witnesses: [data],
          ...isAlone
            ? {
              fix: {
                effect: "changes",
                text: "compare argument 1",
                patch: entry.args.flatMap((arg, i): readonly PatchStep[] =>
                  arg.index === 0
                    ? [{
                      op: "replace",
                      path: pointerOf(`${at}.args[${i}].index`),
                      value: 1,
                    }]
                    : []
                ),
              } as LintFix,
            }
            : {},
        }];
      });
    });
}
