/**
 * Ways in which a program under a filter can still do harm, such as in the
 * challenges for which `seccomp-tools audit` was written.
 *
 * @module
 */

import { effective, formatReturnValue } from "../../bpf/return_value.ts";
import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { ARCHES } from "../../tables/arch.ts";
import { NEVER } from "../../verify/core/diagram.ts";
import { isAllowed } from "../answers.ts";
import { DANGEROUS_CALLS, FILE_CHAIN } from "../equivalents.ts";
import type { FindingDraft } from "../finding.ts";
import { callOn, type LintView } from "../view.ts";
import { isDenyList } from "./calls.ts";

/** Checks the policy as an attacker does. */
export function checkAttacks(view: LintView): readonly FindingDraft[] {
  return [...defaultAllows(view), ...dangerous(view), ...fileChain(view)];
}

function defaultAllows(view: LintView): readonly FindingDraft[] {
  const { answers, arches } = view;
  const open = arches.filter((arch) => isDenyList(view, arch));
  const [arch] = open;
  if (arch === undefined) return [];
  const nr = (0x0fff_ffff | arch.syscallBit) >>> 0;
  const place = { arch, nr };
  const data = answers.input(
    place,
    answers.where(answers.of(place), isAllowed),
  );
  return [{
    id: "default-allows",
    at: data,
    about: open.map(({ name }) => name).join(","),
    message: `Calls without a rule may run on ${
      open.map(({ name }) => name).join(", ")
    }, also those of newer kernels`,
    witnesses: [data],
  }];
}

function dangerous(view: LintView): readonly FindingDraft[] {
  const { answers, arches } = view;
  return DANGEROUS_CALLS.flatMap(([name, power]): readonly FindingDraft[] => {
    for (const arch of arches) {
      const call = callOn(arch, name);
      if (call === undefined) continue;
      const where = answers.where(answers.of(call), isAllowed);
      if (where === NEVER) continue;
      const data = answers.input(call, where);
      return [{
        id: "dangerous-call",
        at: data,
        about: name,
        message: `${name} may run on ${arch.name}: it ${power}`,
        witnesses: [data],
      }];
    }
    return [];
  });
}

function fileChain(view: LintView): readonly FindingDraft[] {
  const { answers, arches } = view;
  for (const arch of arches) {
    const chain = FILE_CHAIN.map((names) =>
      names.flatMap((name): readonly SeccompData[] => {
        const call = callOn(arch, name);
        if (call === undefined) return [];
        const where = answers.where(answers.of(call), isAllowed);
        return where === NEVER ? [] : [answers.input(call, where)];
      })[0]
    );
    const calls = chain.flatMap((data) => data ?? []);
    const [first] = calls;
    if (first === undefined || calls.length < FILE_CHAIN.length) continue;
    const names = FILE_CHAIN.map((names, i) =>
      names.find((name) => callOn(arch, name)?.nr === calls[i]?.nr)
    );
    return [{
      id: "file-read-chain",
      at: first,
      about: arch.name,
      message: `${
        names.join(", ")
      } may run on ${arch.name}: a file can be opened, read and written out`,
      witnesses: calls,
    }];
  }
  return [];
}

/** Maximum number of intervals of `arch` to examine. */
const MOST_ARCHES = 64;

/** Checks whether calls of an architecture without a test may run. */
export function checkUntested(view: LintView): readonly FindingDraft[] {
  const { answers } = view;
  const intervals = answers.architectures(MOST_ARCHES);
  const rest = intervals.reduce((a, b) =>
    b.last - b.first > a.last - a.first ? b : a
  );
  const where = answers.where(rest.rest, isAllowed);
  if (where === NEVER) return [];
  const isUntested = (arch: number): boolean =>
    intervals.some(({ first, last, rest: f }) =>
      f === rest.rest && first <= arch && arch <= last
    );
  // An architecture of the same byte order, which the same machine could
  // support.
  const other = ARCHES.find(({ auditArch, littleEndian }) =>
    littleEndian === answers.littleEndian && isUntested(auditArch)
  )?.auditArch;
  if (other === undefined) return [];
  const data = answers.inputOn(other, where);
  const value = effective(answers.answer(data).value);
  return [{
    id: "architecture-unchecked",
    at: data,
    about: intervals.length === 1 ? "arch" : "other architectures",
    message: intervals.length === 1
      ? "The filter never tests the architecture: numbers of another ABI reach other calls"
      : `Calls of architectures that the filter does not test get ${
        formatReturnValue(value, data.arch)
      }`,
    witnesses: [data],
  }];
}
