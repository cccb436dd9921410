/**
 * `diff`: lists what became looser and tighter, by architecture, call and
 * condition.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { paintVerdicts } from "../output/paint.ts";
import { reportJson } from "../output/json.ts";
import {
  type Difference,
  type LocatedDifference,
  locateDifferences,
  proveNotLooser,
} from "../../verify/differences.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { DEFAULT_PROOF_LIMITS } from "../../verify/limits.ts";
import { describeArch, jsonOfCall, jsonOfValue } from "../input/call.ts";
import {
  describeRange,
  differencesText,
  kindOfDifference,
  namesOfNumbers,
} from "../output/differences.ts";
import { digestFor } from "../output/digest.ts";
import { byteOrderOf } from "../../verify/core/subject.ts";
import { UsageError } from "../error.ts";
import { EXIT } from "../exit.ts";
import {
  CERTIFICATE_FLAG,
  type CertificateFlags,
  LIMIT_FLAGS,
  type LimitFlags,
  limitsOf,
  OUTPUT_FLAG,
  type OutputFlags,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
  word,
} from "../input/flags.ts";
import type { Io } from "../io.ts";
import { checkOut } from "../output/write.ts";
import {
  exitOfProof,
  jsonOfResult,
  unprovenText,
  witnessText,
} from "../output/verdict.ts";
import { loadSubjects, type Sides, wantedArches } from "../input/sides.ts";

/** Flags of `diff`. */
export interface DiffFlags
  extends SourceFlags, OutputFlags, LimitFlags, CertificateFlags {
  readonly subsetOf?: string;
}

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
  const facts = flags.output === "json"
    ? { ...words, digests: await digestsOf(sides) }
    : words;
  if (result.kind === "not-looser") {
    if (flags.certificate !== undefined) {
      const { writeCertificate } = await import("../output/certificate.ts");
      const both = [subject.subject, base.subject] as const;
      await writeCertificate(flags.certificate, both, "within");
    }
    io.out(
      flags.output === "json"
        ? reportJson({
          ...facts,
          state: "subset",
          complete: true,
          looser: [],
        })
        : "subset: nothing is permitted that the base denies\n",
    );
    return EXIT.ok;
  }
  if (flags.output === "json") {
    const { state, ...rest } = jsonOfResult(result);
    io.out(
      reportJson({
        ...facts,
        state: state === "different" ? "not-a-subset" : state,
        ...rest,
        ...looserThan(sides, flags, result.kind === "different"),
      }),
    );
  } else if (result.kind === "different") {
    io.out(
      paintVerdicts(
        io,
        witnessText("not a subset: looser than the base", result, sides),
      ),
    );
  } else {
    io.out(
      unprovenText(result, sides, "treat as not a subset"),
    );
  }
  return exitOfProof(result);
}

/** The digests of both sides; null if that would take long. */
async function digestsOf(
  [base, subject]: Sides,
): Promise<Readonly<Record<string, string | null>>> {
  const littleEndian = byteOrderOf([base.subject, subject.subject]);
  const digests = [base, subject].map(async (side) =>
    await digestFor(side.subject, { littleEndian }) ?? null
  );
  const [first = null, second = null] = await Promise.all(digests);
  return { base: first, source: second };
}

/** The differences in which the second side is looser. */
function looserThan(
  sides: Sides,
  flags: DiffFlags,
  isLooser: boolean,
): Readonly<Record<string, unknown>> {
  const [base, subject] = sides;
  const list = isLooser
    ? locateDifferences(base.subject, subject.subject, {
      limits: limitsOf(flags),
      arches: wantedArches(sides),
    })
    : undefined;
  const found = list?.kind === "listed" ? list : undefined;
  return {
    complete: found?.complete ?? false,
    looser: (found?.differences ?? [])
      .filter((one) => kindOfDifference(one) === "looser")
      .map(jsonOfDifference),
  };
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
        : unprovenText(result, sides, "treat as different"),
    );
    return exitOfProof(result);
  }
  // A proof that was given up has already taken most of the time.
  const list = locateDifferences(a.subject, b.subject, {
    ...options,
    limits: {
      steps: DEFAULT_PROOF_LIMITS.steps / 2,
      ...limitsOf(flags),
    },
  });
  const complete = list.kind === "listed" && list.complete;
  const found: readonly LocatedDifference[] = list.kind !== "listed"
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
      ? paintVerdicts(io, witnessText("different", result, sides))
      : paintVerdicts(
        io,
        differencesText(found, sides, byteOrderOf([a.subject, b.subject])),
      ),
  );
  if (!complete && !json) {
    io.out("There may be more differences: a limit was reached\n");
  }
  return EXIT.no;
}

function jsonOfDifference(
  difference: Difference,
): Readonly<Record<string, unknown>> {
  const { arch, nr, condition = null, a, b, varies, witness } = difference;
  return {
    kind: kindOfDifference(difference),
    arch: describeRange(arch, describeArch),
    nr,
    syscalls: namesOfNumbers(arch, nr),
    condition,
    a: jsonOfValue(a, witness.data.arch),
    b: jsonOfValue(b, witness.data.arch),
    varies,
    witness: jsonOfCall(witness.data),
  };
}
