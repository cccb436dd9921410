/**
 * `prove`: proves that two sources are equal for every input, or finds a
 * witness.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import {
  type Counterexample,
  type Proof,
  proveEquivalent,
  type Unproven,
} from "../../verify/equivalence.ts";
import { byteOrderOf } from "../../verify/core/subject.ts";
import { UsageError } from "../error.ts";
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
} from "../input/flags.ts";
import {
  loadBundleSubjects,
  loadSubjects,
  type NamedSubject,
  type Sides,
  wantedArches,
} from "../input/sides.ts";
import type { Io } from "../io.ts";
import { digestFor } from "../output/digest.ts";
import { reportJson } from "../output/json.ts";
import { paintVerdicts } from "../output/paint.ts";
import {
  exitOfProof,
  jsonOfResult,
  unprovenText,
  witnessText,
} from "../output/verdict.ts";
import { checkOut } from "../output/write.ts";

/** Flags of `prove`. */
export interface ProveFlags
  extends SourceFlags, OutputFlags, LimitFlags, CertificateFlags {
  readonly bits: boolean;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  ProveFlags,
  [a: string, b?: string]
>({
  usage: "[OPTION...] A B | bundle:DIR",
  examples: [
    "prove profile.json filter.bpf",
    "prove --semantics runc default:docker pid:1234",
  ],
  parameters: {
    flags: {
      ...OUTPUT_FLAG,
      bits: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Compare all bits of return values, not just their effect",
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
        {
          ...SOURCE_ARGUMENT,
          brief:
            "Second source; without it, the annotation of bundle:DIR is compared with its profile",
          placeholder: "B",
          optional: true,
        },
      ],
    },
  },
  run: runProve,
});

/** Proves two sources equal, or finds a witness. */
export async function runProve(
  io: Io,
  flags: ProveFlags,
  first: string,
  second?: string,
): Promise<number> {
  refuseBitCertificate(flags);
  const sides = second === undefined
    ? await loadBundleSubjects(io, flags, first)
    : await loadSubjects(io, flags, [first, second]);
  const [a, b] = sides;
  const result = proveEquivalent(a.subject, b.subject, {
    compare: flags.bits ? "bits" : "effect",
    limits: limitsOf(flags),
    arches: wantedArches(sides),
  });
  if (flags.certificate !== undefined && result.kind === "equal") {
    const { writeCertificate } = await import("../output/certificate.ts");
    await writeCertificate(
      flags.certificate,
      [a.subject, b.subject],
      "equal",
    );
  }
  if (flags.output === "json") {
    io.out(reportJson({
      a: a.title ?? a.word,
      b: b.title ?? b.word,
      ...jsonOfResult(result),
      ...await digestsOf(result, sides, flags),
    }));
    return exitOfProof(result);
  }
  io.out(paintVerdicts(io, textOf(result, sides)));
  if (result.kind === "equal") {
    const { digests: [digest] } = await digestsOf(result, [a], flags);
    if (typeof digest === "string") io.out(`  digest   ${digest}\n`);
  }
  return exitOfProof(result);
}

function refuseBitCertificate({ bits, certificate }: ProveFlags): void {
  checkOut(certificate);
  if (!bits || certificate === undefined) return;
  throw new UsageError(
    "Cannot use --certificate with --bits: certificates compare effects; omit one",
  );
}

/**
 * The digests of both sides; absent if the diagrams are too large for a proof.
 */
async function digestsOf(
  { kind }: Proof | Counterexample | Unproven,
  sides: readonly NamedSubject[],
  { bits }: Pick<ProveFlags, "bits">,
): Promise<{ readonly digests: readonly (string | null)[] }> {
  if (kind === "unproven") return { digests: sides.map(() => null) };
  const littleEndian = byteOrderOf(sides.map(({ subject }) => subject));
  const digests = sides.map(async ({ subject }) =>
    await digestFor(subject, {
      compare: bits ? "bits" : "effect",
      littleEndian,
    }) ?? null
  );
  return { digests: await Promise.all(digests) };
}

function textOf(
  result: Proof | Counterexample | Unproven,
  sides: Sides,
): string {
  switch (result.kind) {
    case "equal": {
      const { archIntervals, nrIntervals, offsets, nodes } = result.coverage;
      const what = nodes === 0
        ? "the same instructions"
        : `${archIntervals} intervals of arch, ${nrIntervals} of nr`;
      return `equal: for every architecture, number, argument and instruction pointer\n  covered  ${what}, input words at ${
        offsets.join(" ")
      }\n`;
    }
    case "different":
      return witnessText("different", result, sides);
    case "unproven":
      return unprovenText(result, sides, "treat as different");
  }
}
