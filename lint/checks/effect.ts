/**
 * Finds rules that change nothing, by removing each and proving the rest equal,
 * and rules that lose to others.
 *
 * @module
 */

import { formatReturnValue } from "../../bpf/return_value.ts";
import type { SeccompData } from "../../bpf/seccomp_data.ts";
import type { DockerSyscall } from "../../profile/formats/docker.ts";
import { pointerOf } from "../../profile/json/patch.ts";
import { NEVER } from "../../verify/core/diagram.ts";
import type { FindingDraft } from "../finding.ts";
import type { Variants } from "../variants.ts";
import {
  entryWords,
  type LintView,
  listWords,
  partsOfEntry,
  pathInSection,
  type ProfileRules,
  valueOfEntry,
} from "../view.ts";

/** A part to remove: an entry, or one of its names. */
interface Part {
  readonly entry: DockerSyscall;
  /** Indexes of the names; all of them for the entry itself. */
  readonly names: readonly number[];
}

/** Findings, and undecided questions. */
export interface EffectFindings {
  readonly drafts: readonly FindingDraft[];
  readonly open: readonly string[];
}

/**
 * Finds entries and names without effect, and rules that contradict.
 *
 * @param view The profile and its answers.
 * @param rules The rules.
 * @param variants Compares changed forms.
 */
export function checkEffects(
  view: LintView,
  rules: ProfileRules,
  variants: Variants,
): EffectFindings {
  const search = new EffectSearch(view, rules, variants);
  return search.run();
}

class EffectSearch {
  readonly #view: LintView;
  readonly #rules: ProfileRules;
  readonly #variants: Variants;
  /** Parts that are removed from the profile so far; all are equal together. */
  readonly #removed = new Map<string, Set<number>>();
  readonly #drafts: FindingDraft[] = [];
  readonly #open: string[] = [];
  readonly #applied: ReadonlySet<string>;

  constructor(view: LintView, rules: ProfileRules, variants: Variants) {
    this.#view = view;
    this.#rules = rules;
    this.#variants = variants;
    this.#applied = new Set(
      rules.resolved.seccomp.syscalls.map(({ path }) => path),
    );
  }

  run(): EffectFindings {
    const entries = this.#variants.entries.filter(({ path }) =>
      this.#applied.has(path)
    );
    // Goes from the end, so that the later one of two equal rules is reported.
    for (const entry of entries.toReversed()) this.#judge(entry, entries);
    for (const entry of entries) {
      if (!this.#removed.has(entry.path)) this.#findLoss(entry, entries);
    }
    return { drafts: this.#drafts, open: this.#open };
  }

  #judge(entry: DockerSyscall, entries: readonly DockerSyscall[]): void {
    const all = entry.names.map((_, i) => i);
    const doubtful = all.filter((i) =>
      this.#isDoubtful(entry, entry.names[i] ?? "", entries)
    );
    if (doubtful.length === all.length) {
      if (this.#remove({ entry, names: all })) {
        this.#reportEntry(entry);
        return;
      }
    }
    if (all.length === 1) return;
    const gone = doubtful.toReversed().filter((i) =>
      this.#remove({ entry, names: [i] })
    ).reverse();
    for (const i of gone) this.#reportName(entry, i);
  }

  /** Reports whether a name of an entry can be without effect at all. */
  #isDoubtful(
    entry: DockerSyscall,
    name: string,
    entries: readonly DockerSyscall[],
  ): boolean {
    if (this.#rules.resolved.unknownNames.includes(name)) return false;
    const { arches } = this.#view;
    // A name without a call on the target is reported separately.
    const isHere = arches.some((arch) =>
      arch.syscalls.has(name) || arch.multiplexed.some((m) => m.name === name)
    );
    if (!isHere) return false;
    if (valueOfEntry(entry) === this.#rules.resolved.policy.defaultValue) {
      return true;
    }
    if (neverTrue(this.#view, entry, name)) return true;
    const count = entries.reduce(
      (sum, other) => sum + other.names.filter((n) => n === name).length,
      0,
    );
    if (count > 1) return true;
    const multiplexers = new Set(
      arches.flatMap(({ multiplexed, syscalls }) =>
        multiplexed.some((m) => m.name === name) && !syscalls.has(name)
          ? ["socketcall", "ipc"]
          : []
      ),
    );
    return multiplexers.size > 0 &&
      entries.some(({ names }) => names.some((n) => multiplexers.has(n)));
  }

  /** Removes a part if the profile stays equal, alone and with all others. */
  #remove({ entry, names }: Part): boolean {
    const affected = new Set(names.map((i) => entry.names[i] ?? ""));
    const alone = new Map([[entry.path, new Set(names)]]);
    const together = new Map(this.#removed);
    together.set(
      entry.path,
      new Set([...names, ...together.get(entry.path) ?? []]),
    );
    for (
      const parts of this.#removed.size === 0 ? [alone] : [alone, together]
    ) {
      const result = this.#variants.compare(
        without(this.#variants.entries, parts),
        affected,
      );
      if (result === "unproven") {
        this.#open.push(
          `whether ${entry.path} has an effect on ${
            listWords([...affected], 3)
          }`,
        );
      }
      if (result !== "equal") return false;
    }
    this.#removed.set(entry.path, together.get(entry.path) ?? new Set());
    return true;
  }

  #reportEntry(entry: DockerSyscall): void {
    const [kind, reason, witnesses] = this.#reasonFor(entry, entry.names);
    const at = pathInSection(this.#rules, entry.path);
    this.#drafts.push({
      id: kind,
      at,
      about: entryWords(entry),
      message: reason,
      witnesses,
      proof: "without the rule, the profile is proved equal",
      fix: {
        effect: "equal",
        text: "remove the rule",
        patch: [{ op: "remove", path: pointerOf(at) }],
      },
    });
  }

  #reportName(entry: DockerSyscall, index: number): void {
    const name = entry.names[index] ?? "";
    const [kind, reason, witnesses] = this.#reasonFor(entry, [name]);
    const at = `${pathInSection(this.#rules, entry.path)}.names[${index}]`;
    this.#drafts.push({
      id: kind === "duplicate-rule" ? "duplicate-name" : kind,
      at,
      about: `${name} in ${entryWords({ ...entry, names: [] })}`,
      message: reason,
      witnesses,
      proof: `without ${name} here, the profile is proved equal`,
      fix: {
        effect: "equal",
        text: `remove ${name} from this rule`,
        patch: [{ op: "remove", path: pointerOf(at) }],
      },
    });
  }

  /** Explains why names of an entry change nothing. */
  #reasonFor(
    entry: DockerSyscall,
    names: readonly string[],
  ): readonly [
    "no-effect" | "shadowed-rule" | "duplicate-rule" | "contradictory-rules",
    string,
    readonly SeccompData[],
  ] {
    if (names.length === 0) {
      return ["no-effect", "Rule names no system call", []];
    }
    const what = listWords([...new Set(names)], 3);
    const value = valueOfEntry(entry);
    const isDefault = value === this.#rules.resolved.policy.defaultValue;
    const lost = this.#lost(entry, names);
    const action = formatReturnValue(value);
    if (isDefault) {
      return lost === undefined
        ? [
          "no-effect",
          `Rule has no effect: ${action} is the default action, so the runtimes skip it`,
          [],
        ]
        : [
          "contradictory-rules",
          `Rule does not protect ${what}: ${action} is the default action, so the runtimes skip it, and ${lost.by} gives ${lost.answer}`,
          [lost.data],
        ];
    }
    if (names.every((name) => neverTrue(this.#view, entry, name))) {
      return [
        "no-effect",
        `Rule has no effect on ${what}: its conditions are never true`,
        [],
      ];
    }
    if (lost !== undefined) {
      return [
        "shadowed-rule",
        `Rule has no effect on ${what}: ${lost.by} comes before it and gives ${lost.answer}`,
        [lost.data],
      ];
    }
    const by = this.#winner(entry, names);
    return [
      "duplicate-rule",
      `Rule changes nothing for ${what}: ${by} already gives ${action}`,
      [],
    ];
  }

  /** A call that an entry names, and that gets another answer. */
  #lost(
    entry: DockerSyscall,
    names: readonly string[],
  ):
    | {
      readonly data: SeccompData;
      readonly answer: string;
      readonly by: string;
    }
    | undefined {
    const { answers, arches } = this.#view;
    const value = valueOfEntry(entry);
    for (const name of names) {
      for (const part of partsOfEntry(entry, name, arches)) {
        const where = answers.both(
          answers.matching(part.conditions),
          answers.where(answers.of(part), (v) => v !== value),
        );
        if (where === NEVER) continue;
        const data = answers.input(part, where);
        const { value: got, source } = answers.answer(data);
        return {
          data,
          answer: formatReturnValue(got, data.arch),
          by: source ?? "the default action",
        };
      }
    }
    return undefined;
  }

  /** The rule that gives the answer in place of an entry. */
  #winner(entry: DockerSyscall, names: readonly string[]): string {
    const { answers, arches } = this.#view;
    const found = new Set<string>();
    for (const name of names) {
      for (const part of partsOfEntry(entry, name, arches)) {
        const where = answers.matching(part.conditions);
        if (where === NEVER) continue;
        const { source } = answers.answer(answers.input(part, where));
        if (source !== undefined && source !== entry.path) found.add(source);
      }
    }
    const other = this.#variants.entries.filter(({ path, names: theirs }) =>
      path !== entry.path && this.#applied.has(path) &&
      theirs.some((name) => names.includes(name))
    ).map(({ path }) => path);
    const [first] = [...found, ...other];
    return first ?? `the rest of ${entry.path}`;
  }

  /** Reports a rule that loses to a rule with another action. */
  #findLoss(entry: DockerSyscall, entries: readonly DockerSyscall[]): void {
    const others = entries.filter((other) =>
      other.path !== entry.path &&
      valueOfEntry(other) !== valueOfEntry(entry) &&
      !this.#removed.has(other.path)
    );
    const names = entry.names.filter((name) =>
      others.some((other) => other.names.includes(name))
    );
    const lost = this.#lost(entry, names);
    if (lost === undefined) return;
    const by = others.find(({ path }) => path === lost.by);
    if (by === undefined) return;
    this.#drafts.push({
      id: "contradictory-rules",
      at: pathInSection(this.#rules, entry.path),
      about: `${entryWords(entry)} against ${entryWords(by)}`,
      message:
        `Rule contradicts ${by.path}: both match one call, which gets ${lost.answer} from ${by.path}, not ${
          formatReturnValue(valueOfEntry(entry))
        }`,
      witnesses: [lost.data],
    });
  }
}

/** Reports whether the conditions of an entry are never true for a name. */
function neverTrue(
  { answers, arches }: LintView,
  entry: DockerSyscall,
  name: string,
): boolean {
  const parts = partsOfEntry(entry, name, arches);
  return parts.length > 0 &&
    parts.every(({ conditions }) => answers.matching(conditions) === NEVER);
}

/**
 * The entries without some of their names; an entry without names is dropped.
 */
function without(
  entries: readonly DockerSyscall[],
  removed: ReadonlyMap<string, ReadonlySet<number>>,
): readonly DockerSyscall[] {
  return entries.flatMap((entry) => {
    const gone = removed.get(entry.path);
    if (gone === undefined) return [entry];
    const names = entry.names.filter((_, i) => !gone.has(i));
    return names.length === 0 ? [] : [{ ...entry, names }];
  });
}
