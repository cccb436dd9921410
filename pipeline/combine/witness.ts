/**
 * A call for which a profile is wrong: the answers, and the reason in words.
 *
 * @module
 */

import type { SeccompData } from "../../bpf/seccomp_data.ts";
import type { ReturnValue } from "../../profile/policy.ts";
import type { Arch } from "../../tables/arch.ts";
import type { Node } from "../../verify/core/diagram.ts";
import type { Symbols } from "../../verify/core/symbols.ts";
import { answerOfLeaf } from "../../verify/pointwise.ts";
import type { UnsaidProfile } from "./result.ts";

/** The value of a function for one input. */
export function answerAt(
  symbols: Symbols,
  f: Node,
  words: Uint32Array,
): ReturnValue {
  const { diagram: d } = symbols;
  const places = new Map<number, readonly [number, number]>();
  for (const [offset, word] of symbols.words) {
    for (const [bit, variable] of word.entries()) {
      places.set(d.level(variable), [offset / 4, bit]);
    }
  }
  for (;;) {
    const place = places.get(d.level(f));
    if (place === undefined) return answerOfLeaf(symbols, f);
    const [index, bit] = place;
    const isSet = ((words[index] ?? 0) >>> bit & 1) === 1;
    const level = d.level(f);
    f = isSet ? d.highOf(f, level) : d.lowOf(f, level);
  }
}

/** Names the part of a profile that is wrong for a call, and the reason. */
export function describeWitness(
  { arch: audit, nr }: SeccompData,
  arches: readonly Arch[],
  reasons: ReadonlyMap<string, string>,
): Pick<UnsaidProfile, "part" | "reason"> {
  const listed = arches.filter(({ auditArch }) => auditArch === audit);
  if (listed.length === 0) {
    return {
      part: `architecture 0x${audit.toString(16)}`,
      reason: "a profile gives architectures that it does not list KILL_THREAD",
    };
  }
  for (const arch of listed) {
    for (const [name, number] of arch.syscalls) {
      if (number !== nr) continue;
      const isServed = arch.multiplexed.some((call) => call.nr === nr);
      return {
        part: `${name} on ${arch.name}`,
        reason: reasons.get(name) ??
          (isServed
            ? `an entry for a call that ${name} serves also decides ${name}`
            : "the precedence of libseccomp makes another rule win"),
      };
    }
  }
  const [first] = listed;
  return {
    part: `number ${nr} on ${first?.name}`,
    reason: "calls without a name get the default action",
  };
}
