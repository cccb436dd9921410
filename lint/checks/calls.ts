/**
 * Denied calls whose work can be done another way: through a multiplexer,
 * io_uring, another call or another ABI.
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import type { Condition } from "../../profile/policy.ts";
import type { Arch } from "../../tables/arch.ts";
import { argumentsOf } from "../../tables/arguments.ts";
import { ALWAYS, NEVER, type Node } from "../../verify/core/diagram.ts";
import { companionsOf, isAllowed, isStopped } from "../answers.ts";
import {
  callsWithEquivalents,
  equivalentsOf,
  IO_URING_CALLS,
} from "../equivalents.ts";
import type { FindingDraft } from "../finding.ts";
import { type ArchCall, callOn, type LintView, listWords } from "../view.ts";

/** Checks all ways around a denial. */
export function checkReach(view: LintView): readonly FindingDraft[] {
  return [
    ...throughMultiplexer(view),
    ...throughIoUring(view),
    ...throughOtherCalls(view),
    ...throughOtherAbi(view),
  ];
}

/** The inputs of a call that cannot run. */
function stopped({ answers }: LintView, call: ArchCall): Node {
  return answers.where(answers.of(call), isStopped);
}

/** The inputs of a call that run immediately. */
function allowed({ answers }: LintView, call: ArchCall): Node {
  return answers.where(answers.of(call), isAllowed);
}

function throughMultiplexer(view: LintView): readonly FindingDraft[] {
  const { answers, arches } = view;
  return arches.flatMap((arch) => {
    const found = new Map<string, [names: string[], data: SeccompData[]]>();
    for (const { name, nr, call } of arch.multiplexed) {
      const direct = callOn(arch, name);
      if (direct === undefined) continue;
      const denied = stopped(view, direct);
      const selector: Condition = {
        arg: 0,
        op: "eq",
        mask: 0xffff_ffffn,
        value: BigInt(call),
      };
      const multiplexer = callName(arch, nr);
      const open = answers.both(
        allowed(view, multiplexer),
        answers.matching([selector]),
      );
      if (denied === NEVER || open === NEVER) continue;
      const [names, data] = found.get(multiplexer.name) ?? [[], []];
      names.push(name);
      if (data.length === 0) {
        data.push(answers.input(direct, denied));
        data.push(answers.input(multiplexer, open));
      }
      found.set(multiplexer.name, [names, data]);
    }
    return [...found].map(([multiplexer, [names, data]]): FindingDraft => ({
      id: "reachable-by-multiplexer",
      at: data[1] ?? "",
      about: `${multiplexer} on ${arch.name}`,
      message:
        `${multiplexer} of ${arch.name} makes denied calls, and a filter cannot see their arguments: ${
          listWords(names)
        }`,
      witnesses: data,
    }));
  });
}

function callName(arch: Arch, nr: number): ArchCall {
  const [name = ""] = [...arch.syscalls].find(([, n]) => n === nr) ?? [];
  return { arch, name, nr };
}

function throughIoUring(view: LintView): readonly FindingDraft[] {
  const { answers, arches } = view;
  for (const arch of arches) {
    const setup = callOn(arch, "io_uring_setup");
    const enter = callOn(arch, "io_uring_enter");
    if (setup === undefined || enter === undefined) continue;
    const open = allowed(view, setup);
    // Without io_uring_enter, a polling kernel thread submits the operations.
    if (open === NEVER) continue;
    const denied = IO_URING_CALLS.flatMap((name) => {
      const call = callOn(arch, name);
      if (call === undefined) return [];
      const where = stopped(view, call);
      return where === NEVER ? [] : [[name, call, where] as const];
    });
    const [first] = denied;
    if (first === undefined) continue;
    return [{
      id: "reachable-by-io-uring",
      at: answers.input(setup, open),
      about: "io_uring",
      message:
        `io_uring on ${arch.name} performs the work of denied calls without the filter: ${
          listWords(denied.map(([name]) => name))
        }`,
      witnesses: [
        answers.input(first[1], first[2]),
        answers.input(setup, open),
      ],
    }];
  }
  return [];
}

/**
 * The inputs of a call that are denied on purpose: the default is to allow, or
 * the call is allowed with other arguments.
 */
function deniedOnPurpose(view: LintView, call: ArchCall): Node {
  const denied = stopped(view, call);
  if (denied === NEVER) return NEVER;
  return allowed(view, call) !== NEVER || isDenyList(view, call.arch)
    ? denied
    : NEVER;
}

/** A number that no architecture uses, far from those in use. */
const NO_CALL = 0x0fff_ffff;

/** Reports whether calls that are not named are allowed. */
export function isDenyList({ answers }: LintView, arch: Arch): boolean {
  const f = answers.of({ arch, nr: (NO_CALL | arch.syscallBit) >>> 0 });
  return answers.where(f, isAllowed) === ALWAYS;
}

function throughOtherCalls(view: LintView): readonly FindingDraft[] {
  const { answers, arches } = view;
  const drafts = new Map<string, FindingDraft>();
  for (const arch of arches) {
    for (const name of callsWithEquivalents(arch.syscalls.keys())) {
      const call = callOn(arch, name);
      if (call === undefined) continue;
      const denied = deniedOnPurpose(view, call);
      if (denied === NEVER) continue;
      const isWhole = allowed(view, call) === NEVER;
      const open = equivalentsOf(name).flatMap((other) => {
        const found = callOn(arch, other);
        if (found === undefined) return [];
        const where = allowed(view, found);
        if (where === ALWAYS) return [[found, where] as const];
        // If a filter tests its arguments, the call must be able to run with
        // arguments that do the same.
        const same = emulation(view, name, found);
        const both = same === undefined ? NEVER : answers.both(where, same);
        return isWhole && both !== NEVER ? [[found, both] as const] : [];
      });
      const [first] = open;
      if (first === undefined || drafts.has(name)) continue;
      const names = listWords(open.map(([{ name }]) => name));
      drafts.set(name, {
        id: "reachable-by-other-call",
        at: answers.input(call, denied),
        about: `${name} by ${names}`,
        message: `${name} is denied${
          isWhole ? "" : " for some arguments"
        } on ${arch.name}, but ${names} can do the same and may run`,
        witnesses: [
          answers.input(call, denied),
          answers.input(first[0], first[1]),
        ],
      });
    }
  }
  return [...drafts.values()];
}

/** The inputs of clone that do the same as fork and unshare. */
function emulation(
  { answers }: LintView,
  name: string,
  { arch, name: other }: ArchCall,
): Node | undefined {
  const flags = CLONE_FLAGS[name];
  if (other !== "clone" || flags === undefined) return undefined;
  const index =
    argumentsOf(arch, other)?.findIndex(({ name }) => name === "flags") ?? 0;
  const all = 0xffff_ffff_ffff_ffffn;
  return answers.matching(
    [0, 1, 2, 3, 4].map((arg): Condition => ({
      arg,
      op: "eq",
      mask: all,
      value: arg === index ? flags : 0n,
    })),
  );
}

const SIGCHLD = 17n;
const CLONE_NEWUSER = 0x1000_0000n;

/** Flags with which clone does the same as other calls; clone(2). */
const CLONE_FLAGS: Readonly<Record<string, bigint>> = {
  fork: SIGCHLD,
  vfork: SIGCHLD,
  unshare: CLONE_NEWUSER | SIGCHLD,
};

/**
 * Finds calls that are denied natively but can run through another ABI of the
 * machine.
 */
function throughOtherAbi(view: LintView): readonly FindingDraft[] {
  const { answers, native } = view;
  return companionsOf(native).flatMap((other): readonly FindingDraft[] => {
    const found: (readonly [ArchCall, Node, ArchCall, Node])[] = [];
    for (const name of other.syscalls.keys()) {
      const [ours, theirs] = [callOn(native, name), callOn(other, name)];
      if (ours === undefined || theirs === undefined) continue;
      const denied = stopped(view, ours);
      const open = allowed(view, theirs);
      if (denied === NEVER || open === NEVER) continue;
      // Rules on arguments may be the same: only calls that are denied always
      // here, or allowed always there, show a gap.
      if (
        denied !== ALWAYS && (open !== ALWAYS || !sameArguments(ours, theirs))
      ) continue;
      found.push([ours, denied, theirs, open]);
    }
    const [first] = found;
    if (first === undefined) return [];
    const [ours, denied, theirs, open] = first;
    return [{
      id: "reachable-by-other-abi",
      at: answers.input(theirs, open),
      about: `${other.name}: ${
        found.map(([{ name }]) => name).sort().join(",")
      }`,
      message:
        `Calls that are denied on ${native.name} may run as calls of ${other.name}: ${
          listWords(found.map(([{ name }]) => name))
        }`,
      witnesses: [answers.input(ours, denied), answers.input(theirs, open)],
    }];
  });
}

function sameArguments(a: ArchCall, b: ArchCall): boolean {
  const words = ({ arch, name }: ArchCall): string =>
    (argumentsOf(arch, name) ?? []).map((arg) => arg.name).join();
  return words(a) === words(b);
}
