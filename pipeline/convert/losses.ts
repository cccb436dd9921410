/**
 * Lists everything in which a result differs from its source: by call, by
 * numbers without a call, and elsewhere. The parts together are the whole
 * input, so a difference that is not listed does not exist. What no call of the
 * machine can show is no loss: a kernel for x86_64 has calls of x86_64, x86 and
 * x32 only, and none has numbers from 2^31 up.
 *
 * @module
 */

import type { ReturnValue } from "../../profile/policy.ts";
import { localArches } from "../../profile/foreign/foreign_policy.ts";
import type { Arch } from "../../tables/arch.ts";
import { ALWAYS, NEVER, type Node } from "../../verify/core/diagram.ts";
import { fromWords } from "../../verify/describe/confirm.ts";
import { lowestInput } from "../../verify/describe/inputs.ts";
import { answerOfLeaf } from "../../verify/pointwise.ts";
import { answerAt } from "../combine/witness.ts";
import type { Loss, LossEffect } from "./result.ts";
import { permissionOf, type SourceView } from "./source_view.ts";

/** Why a format cannot say something. */
export interface LossReasons {
  /** Reasons by call. */
  readonly calls: ReadonlyMap<string, string>;
  /** The reason for numbers without a call, and for calls without their own. */
  readonly fallback: string;
  /** The reason for architectures that the format does not have. */
  readonly arch: string;
}

/** Differences on the architectures of the source, and elsewhere. */
export interface FoundLosses {
  readonly losses: readonly Loss[];
  readonly elsewhere: readonly Loss[];
}

/** Effects, the worst first. */
const EFFECTS: readonly LossEffect[] = ["looser", "stricter", "other"];

/** One call that differs. */
interface Difference {
  readonly arch: Arch;
  readonly name: string;
  readonly effect: LossEffect;
  readonly witness: NonNullable<Loss["witness"]>;
  readonly reason: string;
}

/**
 * Finds the losses.
 *
 * @throws {LimitReached} if a function becomes too large.
 *
 * @param view The source.
 * @param got The meaning of the result, in the same diagram.
 * @param reasons Reasons of the writer.
 * @param written Architectures that the result has.
 */
export function findLosses(
  view: SourceView,
  got: Node,
  reasons: LossReasons,
  written: readonly Arch[],
): FoundLosses {
  return new LossFinder(view, got, reasons, written).find();
}

class LossFinder {
  readonly #view: SourceView;
  readonly #got: Node;
  readonly #reasons: LossReasons;
  readonly #written: readonly Arch[];
  /** Inputs on which the result differs, by effect, the worst first. */
  readonly #effects: readonly (readonly [LossEffect, Node])[];

  constructor(
    view: SourceView,
    got: Node,
    reasons: LossReasons,
    written: readonly Arch[],
  ) {
    this.#view = view;
    this.#got = got;
    this.#reasons = reasons;
    this.#written = written;
    const where = (test: (a: ReturnValue, b: ReturnValue) => boolean): Node =>
      view.symbols.diagram.apply(view.meaning, got, (f, g) => {
        const a = answerOfLeaf(view.symbols, f);
        const b = answerOfLeaf(view.symbols, g);
        return a !== b && test(a, b) ? ALWAYS : NEVER;
      });
    this.#effects = [
      ["looser", where((a, b) => permissionOf(b) > permissionOf(a))],
      ["stricter", where((a, b) => permissionOf(b) < permissionOf(a))],
      ["other", where((a, b) => permissionOf(b) === permissionOf(a))],
    ];
  }

  find(): FoundLosses {
    const { arches, native, regions, symbols: { diagram: d } } = this.#view;
    const losses = [
      ...this.#byCall(),
      ...arches.flatMap((arch) =>
        this.#part(
          `numbers without a call on ${arch.name}`,
          d.except(regions.whole(arch), regions.named(arch)),
          this.#isWritten(arch) ? this.#reasons.fallback : this.#reasons.arch,
          [arch],
        )
      ),
    ];
    const possible = regions.all([...localArches(native), ...arches]);
    const unlisted = this.#part(
      "architectures that are not listed",
      d.except(possible, regions.all(arches)),
      this.#reasons.arch,
      [],
    );
    const impossible = this.#part(
      "inputs that no call of this machine has",
      d.not(possible),
      this.#reasons.arch,
      [],
    );
    const isLoss = ({ effect }: Loss): boolean => effect !== "other";
    return {
      losses: [...losses, ...unlisted.filter(isLoss)].toSorted((a, b) =>
        EFFECTS.indexOf(a.effect) - EFFECTS.indexOf(b.effect)
      ),
      elsewhere: [
        ...unlisted.filter((loss) => !isLoss(loss)),
        ...impossible,
      ],
    };
  }

  #isWritten(arch: Arch): boolean {
    return this.#written.includes(arch);
  }

  /** The effects that occur in a part, each with a call. */
  #part(
    part: string,
    region: Node,
    reason: string,
    arches: readonly Arch[],
  ): readonly Loss[] {
    const { symbols } = this.#view;
    return this.#effects.flatMap(([effect, where]) => {
      const here = symbols.diagram.and(region, where);
      return here === NEVER ? [] : [{
        part,
        calls: [],
        arches: arches.map(({ name }) => name),
        reason,
        effect,
        witness: this.#witness(here),
      }];
    });
  }

  #witness(where: Node): NonNullable<Loss["witness"]> {
    const { symbols, arches, meaning, native } = this.#view;
    const words = lowestInput(
      symbols,
      where,
      arches.map(({ auditArch }) => auditArch),
    );
    return {
      data: fromWords(words, native.littleEndian),
      wanted: answerAt(symbols, meaning, words),
      got: answerAt(symbols, this.#got, words),
    };
  }

  /** Calls that lose the same in the same way are one loss. */
  #byCall(): readonly Loss[] {
    const groups = new Map<string, Difference[]>();
    for (const one of this.#differences()) {
      const { arch, effect, reason, witness: { wanted, got } } = one;
      // Of an architecture that the format does not have, all calls are lost.
      const key = this.#isWritten(arch)
        ? `${effect} ${wanted} ${got} ${reason}`
        : `${effect} ${arch.name}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [one]);
      else group.push(one);
    }
    return [...groups.values()].flatMap((group) => this.#joined(group));
  }

  #differences(): readonly Difference[] {
    const { arches, regions, symbols: { diagram: d } } = this.#view;
    const { calls, fallback, arch: ofArch } = this.#reasons;
    return arches.flatMap((arch) => {
      const isWritten = this.#isWritten(arch);
      return [...arch.syscalls].flatMap(([name, nr]): Difference[] => {
        const region = regions.call(arch, nr);
        for (const [effect, where] of this.#effects) {
          const here = d.and(region, where);
          if (here === NEVER) continue;
          const reason = isWritten ? calls.get(name) ?? fallback : ofArch;
          return [{ arch, name, effect, reason, witness: this.#witness(here) }];
        }
        return [];
      });
    });
  }

  /** One loss for all architectures that have the same calls. */
  #joined(group: readonly Difference[]): readonly Loss[] {
    const byArch = new Map<Arch, Difference[]>();
    for (const one of group) {
      const list = byArch.get(one.arch);
      if (list === undefined) byArch.set(one.arch, [one]);
      else list.push(one);
    }
    const byCalls = new Map<string, Difference[]>();
    for (const list of byArch.values()) {
      const key = list.map(({ name }) => name).sort().join(", ");
      byCalls.set(key, [...byCalls.get(key) ?? [], ...list]);
    }
    return [...byCalls].flatMap(([names, list]) => {
      const [first] = list;
      if (first === undefined) return [];
      const arches = [...new Set(list.map(({ arch }) => arch.name))];
      const { effect, reason, witness } = first;
      return [{
        part: `${names} on ${arches.join(", ")}`,
        calls: names.split(", "),
        arches,
        reason,
        effect,
        witness,
      }];
    });
  }
}
