/**
 * Differences between two sources as text: equal statements about several calls
 * or architectures are merged.
 *
 * @module
 */

import { formatReturnValue } from "../../bpf/return_value.ts";
import type { Range } from "../../bpf/range.ts";
import { wordsOfArgument } from "../../statements/argument_words.ts";
import { archByName } from "../../tables/arch.ts";
import { precedence } from "../../tables/precedence.ts";
import { conditionOf } from "../../verify/describe/condition.ts";
import type {
  Difference,
  LocatedDifference,
} from "../../verify/differences.ts";
import { describeArch } from "../input/call.ts";
import { callName } from "./names.ts";
import { type GivenSource, simulateCommand } from "./reproduce.ts";

/** Direction of a difference, seen from the first source. */
export type DifferenceKind = "looser" | "tighter" | "changed";

/** The action decides: the lower one in the kernel's order is the stricter. */
export function kindOfDifference({ a, b }: Difference): DifferenceKind {
  const [before, after] = [precedence(a), precedence(b)];
  return before === after ? "changed" : before < after ? "looser" : "tighter";
}

/** A statement: the same change for calls of architectures. */
interface Change {
  readonly kind: DifferenceKind;
  /** Both verdicts. */
  readonly verdicts: string;
  readonly condition: string;
  readonly varies: boolean;
  readonly abis: string[];
  readonly calls: string[];
  readonly witness: Difference["witness"];
}

const ORDER: readonly DifferenceKind[] = ["looser", "tighter", "changed"];

/**
 * Writes differences: statements by direction, the commands that reproduce
 * them, and how many there are.
 *
 * @param differences The differences; at least one.
 * @param sources Both sources.
 * @param littleEndian Byte order of the machine.
 */
export function differencesText(
  differences: readonly LocatedDifference[],
  sources: readonly GivenSource[],
  littleEndian: boolean,
): string {
  const changes = joinChanges(
    joinChanges(
      differences.flatMap((one) => changesOf(one, littleEndian)),
      ({ abis }) => abis,
      "calls",
    ),
    ({ calls }) => calls,
    "abis",
  ).toSorted((x, y) => ORDER.indexOf(x.kind) - ORDER.indexOf(y.kind));
  const see = changes.flatMap(({ witness: { data, a, b } }) =>
    sources.map((one, i) => {
      const answer = formatReturnValue((i === 0 ? a : b).value, data.arch);
      const mark = one.word === "-" ? ";" : "  #";
      return `  see   ${simulateCommand(one, data)}${mark} ${answer}`;
    })
  );
  const count = (kind: DifferenceKind): string =>
    `${differences.filter((d) => kindOfDifference(d) === kind).length} ${kind}`;
  return [
    ...changes.flatMap(linesOfChange),
    ...see,
    `different: ${ORDER.map(count).join(", ")}`,
  ].map((line) => `${line}\n`).join("");
}

/** The changes of a difference, one for each ABI of its calls. */
function changesOf(
  difference: LocatedDifference,
  littleEndian: boolean,
): readonly Change[] {
  const { arch, nr, a, b, varies, witness } = difference;
  const first = witness.data.arch;
  const base = {
    kind: kindOfDifference(difference),
    verdicts: `${formatReturnValue(a, first)} -> ${
      formatReturnValue(b, first)
    }`,
    varies,
    witness,
  };
  const names = namesOfNumbers(arch, nr);
  if (arch.first !== arch.last || names.length !== nr.last - nr.first + 1) {
    return [{
      ...base,
      condition: difference.condition ?? LONG,
      abis: [describeRange(arch, describeArch)],
      calls: [describeNumbers(arch, nr)],
    }];
  }
  return names.map((name) => {
    const [call = "", prefix] = name.split(":").reverse();
    const abi = prefix ?? describeArch(arch.first).split("+")[0] ?? "";
    return {
      ...base,
      condition: conditionText(difference, abi, call, littleEndian),
      abis: [abi],
      calls: [call],
    };
  });
}

const LONG = "the arguments are such as these";

/** The condition in the words of a call. */
function conditionText(
  { boxes, cubes }: LocatedDifference,
  abi: string,
  name: string,
  littleEndian: boolean,
): string {
  const arch = archByName(abi);
  const words = (arg: number): ReturnType<typeof wordsOfArgument> =>
    wordsOfArgument({ arch, name }, arg);
  const text = conditionOf({ boxes, cubes }, littleEndian, {
    name: (arg) => words(arg).name,
    value: (arg, value) => words(arg).write(value),
    mask: (arg, mask) => words(arg).writeMask(mask),
  });
  // A 32-bit argument has only one half.
  return (arch?.bits === 32 && arch.syscallBit === 0
    ? text?.replaceAll(" low ", " ")
    : text) ?? LONG;
}

/** Merges changes that differ only in one list. */
function joinChanges(
  changes: readonly Change[],
  other: (change: Change) => readonly string[],
  list: "calls" | "abis",
): readonly Change[] {
  const joined = new Map<string, Change>();
  for (const change of changes) {
    const { kind, verdicts, condition, varies } = change;
    const key = JSON.stringify(
      [kind, verdicts, condition, varies, other(change)],
    );
    const before = joined.get(key);
    if (before === undefined) {
      joined.set(key, { ...change, [list]: [...change[list]] });
    } else before[list].push(...change[list]);
  }
  return [...joined.values()];
}

function linesOfChange(
  { kind, verdicts, condition, varies, abis, calls }: Change,
): readonly string[] {
  const last = abis.at(-1) ?? "";
  const where = abis.length > 1
    ? `${abis.slice(0, -1).join(", ")} and ${last}`
    : last;
  return [
    `${kind}: ${verdicts} on ${where}`,
    ...wrapped(calls.flatMap((call) => call.split(", "))),
    ...(condition === "" ? [] : [`  where ${condition}`]),
    ...(varies ? [`  also  other answers, all ${kind}`] : []),
  ];
}

/** Comma-separated words, wrapped at 80 columns. */
function wrapped(items: readonly string[]): readonly string[] {
  const lines: string[] = [];
  let line = "  calls";
  for (const [i, item] of items.entries()) {
    const text = i + 1 < items.length ? `${item},` : item;
    if (line.length + 1 + text.length > 80) {
      lines.push(line);
      line = "       ";
    }
    line += ` ${text}`;
  }
  return [...lines, line];
}

/**
 * Writes a range by its ends, or by its only value.
 *
 * @param range The range.
 * @param describe Writes a value.
 */
export function describeRange(
  { first, last }: Range,
  describe: (value: number) => string,
): string {
  return first === last
    ? describe(first)
    : `${describe(first)}..${describe(last)}`;
}

function describeNumbers(arch: Range, nr: Range): string {
  const names = namesOfNumbers(arch, nr);
  if (names.length === nr.last - nr.first + 1) return names.join(", ");
  const range = nr.first === nr.last
    ? String(nr.first)
    : `${nr.first}..${nr.last}`;
  return names.length === 0 ? range : `${range} (${names.join(" ")})`;
}

/** Maximum number of numbers that are looked up one by one. */
const MOST_NAMED = 1024;

/**
 * Names the calls of a range that have names.
 *
 * @param arch Range of `arch`.
 * @param nr Range of numbers.
 */
export function namesOfNumbers(arch: Range, nr: Range): readonly string[] {
  const names: string[] = [];
  const last = Math.min(nr.last, nr.first + MOST_NAMED - 1);
  for (let i = nr.first; i <= last; i++) {
    const name = callName(arch.first, i);
    if (name !== undefined) names.push(name);
  }
  return names;
}
