/**
 * `diff`: lists what became looser and tighter, by architecture, call and
 * condition.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { reportJson } from "../output/json.ts";
import { formatReturnValue } from "../../bpf/return_value.ts";
import { precedence } from "../../tables/precedence.ts";
import {
  type Difference,
  listDifferences,
  proveNotLooser,
} from "../../verify/differences.ts";
import type { Range } from "../../bpf/range.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { describeArch, jsonOfCall, jsonOfValue } from "../input/call.ts";
import { UsageError } from "../error.ts";
import { EXIT } from "../exit.ts";
import {
  CERTIFICATE_FLAG,
  type CertificateFlags,
  LIMIT_FLAGS,
  type LimitFlags,
  OUTPUT_FLAG,
  type OutputFlags,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
  word,
} from "../input/flags.ts";
import type { Io } from "../io.ts";
import { callName } from "../output/names.ts";
import { simulateCommand } from "../output/reproduce.ts";
import { checkOut } from "../output/write.ts";
import {
  exitOf,
  jsonOfResult,
  limitsOf,
  loadSubjects,
  type Sides,
  wantedArches,
  witnessText,
} from "./prove.ts";

/** Flags of `diff`. */
export interface DiffFlags
  extends SourceFlags, OutputFlags, LimitFlags, CertificateFlags {
  readonly subsetOf?: string;
}

/** Direction of a difference, seen from the first source. */
type Kind = "looser" | "tighter" | "changed";

/** The command. */
export const command: CommandDefinition = defineCommand<
  DiffFlags,
  [a: string, b?: string]
>({
  usage: "[OPTION...] A B | --subset-of BASE A",
  examples: [
    "diff default:docker profile.json",
    "diff --subset-of default:docker profile.json",
  ],
  parameters: {
    flags: {
      ...OUTPUT_FLAG,
      subsetOf: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "BASE",
        brief: "Check only that the source permits nothing that BASE denies",
      },
      ...CERTIFICATE_FLAG,
      ...LIMIT_FLAGS,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, o: "output" },
    positional: {
      kind: "tuple",
      parameters: [
        { ...SOURCE_ARGUMENT, placeholder: "A" },
        { ...SOURCE_ARGUMENT, placeholder: "B", optional: true },
      ],
    },
  },
  run: runDiff,
});

/** Compares two sources, or a source with its upper limit. */
export async function runDiff(
  io: Io,
  flags: DiffFlags,
  first: string,
  second?: string,
): Promise<number> {
  if ((second === undefined) === (flags.subsetOf === undefined)) {
    throw new UsageError(
      second === undefined
        ? "Missing argument: B; give two sources, or --subset-of BASE"
        : "Too many arguments: --subset-of takes only one other source; omit the other",
    );
  }
  if (flags.certificate !== undefined && flags.subsetOf === undefined) {
    throw new UsageError(
      "Cannot use --certificate without --subset-of; give a base, or use prove",
    );
  }
  checkOut(flags.certificate);
  const words = [flags.subsetOf ?? first, second ?? first] as const;
  const sides = await loadSubjects(io, flags, words);
  if (flags.subsetOf !== undefined) return tellSubset(io, flags, sides);
  return tellDifferences(io, flags, sides);
}

async function tellSubset(
  io: Io,
  flags: DiffFlags,
  sides: Sides,
): Promise<number> {
  const [base, subject] = sides;
  const result = proveNotLooser(base.subject, subject.subject, {
    limits: limitsOf(flags),
    arches: wantedArches(sides),
  });
  const words = { base: base.word, source: subject.word };
  if (result.kind === "not-looser") {
    if (flags.certificate !== undefined) {
      const { writeCertificate } = await import("../output/certificate.ts");
      const both = [subject.subject, base.subject] as const;
      await writeCertificate(flags.certificate, both, "within");
    }
    io.out(
      flags.output === "json"
        ? reportJson({ ...words, state: "subset" })
        : "subset: nothing is permitted that the base denies\n",
    );
    return EXIT.ok;
  }
  if (flags.output === "json") {
    const { state, ...rest } = jsonOfResult(result);
    io.out(
      reportJson({
        ...words,
        state: state === "different" ? "not-a-subset" : state,
        ...rest,
      }),
    );
  } else if (result.kind === "different") {
    io.out(witnessText("not a subset: looser than the base", result, sides));
  } else {
    io.out(
      `unproven: the limit of ${result.limit} was reached; treat as not a subset, or raise --${result.limit}\n`,
    );
  }
  return exitOf(result);
}

function tellDifferences(
  io: Io,
  flags: DiffFlags,
  sides: Sides,
): number {
  const [a, b] = sides;
  const words = { a: a.word, b: b.word };
  const options = { limits: limitsOf(flags), arches: wantedArches(sides) };
  const result = proveEquivalent(a.subject, b.subject, options);
  if (result.kind !== "different") {
    io.out(
      flags.output === "json"
        ? reportJson({ ...words, ...jsonOfResult(result), differences: [] })
        : result.kind === "equal"
        ? "equal: no differences\n"
        : `unproven: the limit of ${result.limit} was reached; treat as different, or raise --${result.limit}\n`,
    );
    return exitOf(result);
  }
  const list = listDifferences(a.subject, b.subject, options);
  const complete = list.kind === "listed" && list.complete;
  const found: readonly Difference[] = list.kind !== "listed"
    ? []
    : list.differences;
  const json = flags.output === "json";
  io.out(
    json
      ? reportJson({
        ...words,
        ...jsonOfResult(result),
        complete,
        differences: found.map(jsonOfDifference),
      })
      : found.length === 0
      ? witnessText("different", result, sides)
      : differencesText(found, sides),
  );
  if (!complete && !json) {
    io.out("There may be more differences: a limit was reached\n");
  }
  return EXIT.no;
}

/** The action decides: the lower one in the kernel's order is the stricter. */
function kindOf({ a, b }: Difference): Kind {
  const [before, after] = [precedence(a), precedence(b)];
  return before === after ? "changed" : before < after ? "looser" : "tighter";
}

function jsonOfDifference(
  difference: Difference,
): Readonly<Record<string, unknown>> {
  const { arch, nr, condition = null, a, b, varies, witness } = difference;
  return {
    kind: kindOf(difference),
    arch: describeRange(arch, describeArch),
    nr,
    syscalls: namesIn(arch, nr),
    condition,
    a: jsonOfValue(a, witness.data.arch),
    b: jsonOfValue(b, witness.data.arch),
    varies,
    witness: jsonOfCall(witness.data),
  };
}

/** Entries with the same description, for several calls. */
interface Group {
  readonly first: Difference;
  readonly numbers: Difference[];
}

function differencesText(
  differences: readonly Difference[],
  sides: Sides,
): string {
  const groups = new Map<string, Group>();
  for (const difference of differences) {
    const { arch, condition = null, a, b, varies } = difference;
    const key = JSON.stringify([arch, condition, a, b, varies]);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, { first: difference, numbers: [difference] });
    } else group.numbers.push(difference);
  }
  const order: readonly Kind[] = ["looser", "tighter", "changed"];
  const texts = [...groups.values()]
    .toSorted((x, y) =>
      order.indexOf(kindOf(x.first)) - order.indexOf(kindOf(y.first))
    )
    .map((group) => groupText(group, sides));
  const count = (kind: Kind): string =>
    `${differences.filter((d) => kindOf(d) === kind).length} ${kind}`;
  return `${texts.join("")}different: ${order.map(count).join(", ")}\n`;
}

function groupText(
  { first, numbers }: Group,
  sides: Sides,
): string {
  const { arch, a, b, varies, witness } = first;
  const { condition = "the arguments are such as these" } = first;
  return [
    `${kindOf(first)}: ${formatReturnValue(a, witness.data.arch)} -> ${
      formatReturnValue(b, witness.data.arch)
    } on ${describeRange(arch, describeArch)}`,
    ...wrapped(
      numbers.flatMap(({ nr }) => describeNumbers(arch, nr).split(", ")),
    ),
    ...(condition === "" ? [] : [`  where ${condition}`]),
    ...(varies ? [`  also  other answers, all ${kindOf(first)}`] : []),
    ...sides.map((side) => `  see   ${simulateCommand(side, witness.data)}`),
  ].map((line) => `${line}\n`).join("");
}

/** Comma-separated words, over lines of up to 80 columns. */
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

function describeRange(
  { first, last }: Range,
  describe: (value: number) => string,
): string {
  return first === last
    ? describe(first)
    : `${describe(first)}..${describe(last)}`;
}

function describeNumbers(arch: Range, nr: Range): string {
  const names = namesIn(arch, nr);
  if (names.length === nr.last - nr.first + 1) return names.join(", ");
  const range = nr.first === nr.last
    ? String(nr.first)
    : `${nr.first}..${nr.last}`;
  return names.length === 0 ? range : `${range} (${names.join(" ")})`;
}

/** Maximum number of numbers that are looked up one by one. */
const MOST_NAMED = 1024;

function namesIn(arch: Range, nr: Range): readonly string[] {
  const names: string[] = [];
  const last = Math.min(nr.last, nr.first + MOST_NAMED - 1);
  for (let i = nr.first; i <= last; i++) {
    const name = callName(arch.first, i);
    if (name !== undefined) names.push(name);
  }
  return names;
}
