/**
 * Calls that runtimes, C libraries and the kernel itself need.
 *
 * @module
 */

import { formatReturnValue } from "../../bpf/return_value.ts";
import { isConstAllow } from "../../bpf/const_allow.ts";
import type { SeccompData } from "../../bpf/seccomp_data.ts";
import * as uapi from "../../tables/uapi.ts";
import { ALWAYS, NEVER } from "../../verify/core/diagram.ts";
import { isAllowed, isStopped } from "../answers.ts";
import {
  HOT_CALLS,
  probedCalls,
  RESTARTED_CALLS,
  RUNTIME_CALLS,
} from "../equivalents.ts";
import type { FindingDraft } from "../finding.ts";
import { allowFix, enosysFix, enosysOf } from "./added_entries.ts";
import { notifiedCalls } from "./notify.ts";
import {
  type ArchCall,
  archWords,
  callOn,
  callsOn,
  type LintView,
  listWords,
} from "../view.ts";

/** Checks all of these calls. */
export function checkNeeds(view: LintView): readonly FindingDraft[] {
  return [
    ...startCalls(view),
    ...runtimeCalls(view),
    ...fakedCalls(view),
    ...notifiedCalls(view),
    ...restartSyscall(view),
    ...newCalls(view),
    ...hotCalls(view),
    ...errnoZero(view),
  ];
}

/** Reports whether a call never runs. */
function neverRuns({ answers }: LintView, call: ArchCall): boolean {
  return answers.where(answers.of(call), isStopped) === ALWAYS;
}

function firstInput({ answers }: LintView, call: ArchCall): SeccompData {
  return answers.input(call, ALWAYS);
}

function startCalls(view: LintView): readonly FindingDraft[] {
  const rows = [
    ["execve", "no container can start"],
    ["exit_group", "no program can end"],
  ] as const;
  return rows.flatMap(([name, effect]): readonly FindingDraft[] => {
    const call = callOn(view.native, name);
    if (call === undefined || !neverRuns(view, call)) return [];
    return [{
      id: "start-call-denied",
      at: firstInput(view, call),
      about: name,
      message: `${name} never runs on ${view.native.name}: ${effect}`,
      witnesses: [firstInput(view, call)],
      ...allowFix(view, name),
    }];
  });
}

function runtimeCalls(view: LintView): readonly FindingDraft[] {
  const { rules, native } = view;
  if (rules === undefined) return [];
  return rules.runtimes.flatMap((runtime): readonly FindingDraft[] => {
    const { always, withoutNoNewPrivileges } = RUNTIME_CALLS[runtime];
    return ([[always, ""], [
      withoutNoNewPrivileges,
      " without noNewPrivileges",
    ]] as const)
      .flatMap(([names, when]): readonly FindingDraft[] => {
        const denied = names.flatMap((name) => callOn(native, name) ?? [])
          .filter((call) => neverRuns(view, call) && !isFaked(view, call));
        if (denied.length === 0) return [];
        return [{
          id: "runtime-call-denied",
          at: firstInput(view, denied[0] as ArchCall), // it has one
          about: `${runtime}${when}: ${
            denied.map(({ name }) => name).join(",")
          }`,
          message: `${runtime} makes these calls under the filter${
            when === "" ? "" : `,${when}`
          }, and does not start the container without them: ${
            listWords(denied.map(({ name }) => name), 20)
          }`,
          witnesses: denied.map((call) => firstInput(view, call)),
        }];
      });
  });
}

/** Calls by which runtimes drop privileges. */
const ENFORCING_CALLS: readonly string[] = [
  ...["capset", "prctl", "setgroups", "setgid", "setuid"],
  ...["setresuid", "setresgid", "setrlimit", "prlimit64"],
];

/** Reports whether a call returns 0 without effect, for some arguments. */
function isFaked({ answers }: LintView, call: ArchCall): boolean {
  return answers.where(
    answers.of(call),
    (value) => value === uapi.SECCOMP_RET_ERRNO,
  ) !== NEVER;
}

/** Finds privileges that the runtime fails to drop. */
function fakedCalls(view: LintView): readonly FindingDraft[] {
  const { answers, native } = view;
  const found = ENFORCING_CALLS.flatMap((name) => callOn(native, name) ?? [])
    .filter((call) => isFaked(view, call));
  const [first] = found;
  if (first === undefined) return [];
  const witnesses = found.map((call) =>
    answers.input(
      call,
      answers.where(answers.of(call), (v) => v === uapi.SECCOMP_RET_ERRNO),
    )
  );
  return [{
    id: "enforcement-faked",
    at: witnesses[0] ?? "",
    about: found.map(({ name }) => name).join(","),
    message:
      `Runtimes drop privileges with these calls under the filter, which return 0 and do nothing: ${
        listWords(found.map(({ name }) => name))
      }`,
    witnesses,
  }];
}

function restartSyscall(view: LintView): readonly FindingDraft[] {
  const { answers, arches } = view;
  const denied = callsOn(arches, "restart_syscall").filter((call) =>
    neverRuns(view, call) &&
    callsOn([call.arch], "restart_syscall").length > 0
  ).flatMap((call) => {
    const sleeping = RESTARTED_CALLS.flatMap((name) =>
      callOn(call.arch, name) ?? []
    ).find((other) => answers.where(answers.of(other), isAllowed) !== NEVER);
    return sleeping === undefined ? [] : [[call, sleeping] as const];
  });
  const [first] = denied;
  if (first === undefined) return [];
  const [call, sleeping] = first;
  const where = answers.where(answers.of(sleeping), isAllowed);
  const value = answers.answer(firstInput(view, call)).value;
  return [{
    id: "restart-syscall-denied",
    at: firstInput(view, call),
    about: "restart_syscall",
    message:
      `${sleeping.name} may run, but restart_syscall, which continues it after a signal or a stop, may not: it then gets ${
        formatReturnValue(value, call.arch.auditArch)
      } on ${archWords(denied.map(([{ arch }]) => arch))}`,
    witnesses: [
      answers.input(sleeping, where),
      ...denied.map(([one]) => firstInput(view, one)),
    ],
    ...allowFix(view, "restart_syscall"),
  }];
}

/** Denied calls that C libraries try first. */
function newCalls(view: LintView): readonly FindingDraft[] {
  const { answers } = view;
  return [...probedCalls()].flatMap(([name, olds]): readonly FindingDraft[] => {
    const denied = callsOn(view.arches, name).filter((call) =>
      answers.where(
          answers.of(call),
          (value) => isStopped(value) && value !== enosys(call),
        ) === ALWAYS &&
      olds.some((old) => {
        const older = callOn(call.arch, old);
        return older !== undefined &&
          answers.where(answers.of(older), isAllowed) !== NEVER;
      })
    );
    const [first] = denied;
    if (first === undefined) return [];
    const older = olds.flatMap((old) => callOn(first.arch, old) ?? [])
      .find((call) => answers.where(answers.of(call), isAllowed) !== NEVER);
    const value = answers.answer(firstInput(view, first)).value;
    const { fix, unfixed } = enosysFix(view, name);
    return [{
      id: "eperm-for-new-call",
      at: firstInput(view, first),
      about: name,
      message: `${name} gets ${
        formatReturnValue(value, first.arch.auditArch)
      } on ${
        archWords(denied.map(({ arch }) => arch))
      }: libraries and programs use ${older?.name} instead only after ENOSYS${
        unfixed === undefined ? "" : `; no fix: ${unfixed}`
      }`,
      witnesses: denied.map((call) => firstInput(view, call)),
      ...fix === undefined ? {} : { fix },
    }];
  });
}

function enosys({ arch }: ArchCall): number {
  return uapi.SECCOMP_RET_ERRNO | enosysOf(arch);
}

/** Frequent calls that the kernel cannot allow without the filter. */
function hotCalls(view: LintView): readonly FindingDraft[] {
  const { answers, programs } = view;
  // Bits of x32, and MIPS, have no cache.
  const arches = view.arches.filter(({ syscallBit, name }) =>
    syscallBit === 0 && !name.startsWith("mips")
  );
  const found = HOT_CALLS.flatMap((name) =>
    callsOn(arches, name).filter((call) => {
      const f = answers.of(call);
      const runs = answers.where(f, isAllowed);
      if (runs === NEVER) return false;
      return programs === undefined
        ? answers.where(f, (v) => v === uapi.SECCOMP_RET_ALLOW) !== ALWAYS
        : !programs.every((program) =>
          isConstAllow(program, call.arch.auditArch, call.nr)
        );
    }).slice(0, 1)
  );
  const [first] = found;
  if (first === undefined) return [];
  const f = answers.of(first);
  const runs = answers.where(f, isAllowed);
  const other = answers.where(f, (v) => v !== uapi.SECCOMP_RET_ALLOW);
  return [{
    id: "hot-call-uncached",
    at: answers.input(first, other === NEVER ? runs : other),
    about: found.map(({ name }) => name).join(","),
    message:
      `The kernel cannot allow these frequent calls without the filter: ${
        listWords(found.map(({ name }) => name))
      }`,
    witnesses: [
      answers.input(first, runs),
      ...other === NEVER ? [] : [answers.input(first, other)],
    ],
    ...other === NEVER
      ? {
        proof:
          `every ${first.name} is allowed, and the filter reads more than arch and nr before it returns`,
      }
      : {},
  }];
}

/** Denied calls that seem to succeed. */
function errnoZero(view: LintView): readonly FindingDraft[] {
  const { answers, arches } = view;
  const isZero = (value: number): boolean => value === uapi.SECCOMP_RET_ERRNO;
  const found = new Map<string, SeccompData>();
  for (const arch of arches) {
    for (const [name, nr] of arch.syscalls) {
      if (found.has(name)) continue;
      const where = answers.where(answers.of({ arch, nr }), isZero);
      if (where !== NEVER) found.set(name, answers.input({ arch, nr }, where));
    }
  }
  const [first] = found.values();
  if (first === undefined) return [];
  return [{
    id: "errno-zero",
    at: first,
    about: [...found.keys()].sort().slice(0, 40).join(","),
    message:
      `ERRNO(0): these calls do nothing but return 0, as if they had succeeded: ${
        listWords([...found.keys()])
      }`,
    witnesses: [first],
  }];
}
