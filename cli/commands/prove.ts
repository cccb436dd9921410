/**
 * `prove`: proves that two sources are equal for every input, or finds a
 * witness.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { printable } from "../../tables/printable.ts";
import { digestFor } from "../output/digest.ts";
import { paintVerdicts } from "../output/paint.ts";
import { reportJson } from "../output/json.ts";
import { formatReturnValue } from "../../bpf/return_value.ts";
import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { type Arch, ARCHES } from "../../tables/arch.ts";
import {
  type Counterexample,
  type Proof,
  proveEquivalent,
  type Unproven,
} from "../../verify/equivalence.ts";
import type { Outcome } from "../../verify/describe/confirm.ts";
import type { ProofLimits } from "../../verify/limits.ts";
import {
  byteOrderOf,
  orderOf,
  type Subject,
} from "../../verify/core/subject.ts";
import { describeCall, jsonOfCall, jsonOfValue } from "../input/call.ts";
import { ReportedError, UsageError } from "../error.ts";
import { EXIT, forEachInput } from "../exit.ts";
import {
  requireAccepted,
  resolveSource,
  tellAssumed,
} from "../input/resolve_source.ts";
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
} from "../input/flags.ts";
import type { Io } from "../io.ts";
import { withOwnSemantics } from "../input/semantics.ts";
import { type GivenSource, simulateCommand } from "../output/reproduce.ts";
import { loadSource, refuseTwoStdins } from "../input/source.ts";
import { checkOut } from "../output/write.ts";
import { assumptionWords, machineOf } from "../input/machine.ts";
import { assumedWords, nativeArch } from "../input/target.ts";

/** Flags of `prove`. */
export interface ProveFlags
  extends SourceFlags, OutputFlags, LimitFlags, CertificateFlags {
  readonly bits: boolean;
}

/** A source in the form of the prover. */
export interface NamedSubject extends GivenSource {
  /** Its name, if that is not the source word. */
  readonly title?: string;
  readonly subject: Subject;
  /** The architecture of its machine. */
  readonly native: Arch;
  /**
   * Assumption about the byte order; empty or absent if there is no assumption.
   */
  readonly assumed?: string;
}

/** Two sides of a comparison. */
export type Sides = readonly [NamedSubject, NamedSubject];

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
        brief: "Compare all bits of return values, not their effect",
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
    return exitOf(result);
  }
  io.out(paintVerdicts(io, textOf(result, sides)));
  if (result.kind === "equal") {
    const { digests: [digest] } = await digestsOf(result, [a], flags);
    if (typeof digest === "string") io.out(`  digest   ${digest}\n`);
  }
  return exitOf(result);
}

function refuseBitCertificate({ bits, certificate }: ProveFlags): void {
  checkOut(certificate);
  if (!bits || certificate === undefined) return;
  throw new UsageError(
    "Cannot use --certificate with --bits: certificates compare effects; omit one of both",
  );
}

/** The digests of both sides; none if the diagrams are too large for a proof. */
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

/** Limits as given by the user. */
export function limitsOf({ nodes, steps }: LimitFlags): Partial<ProofLimits> {
  return {
    ...(nodes === undefined ? {} : { nodes }),
    ...(steps === undefined ? {} : { steps }),
  };
}

/**
 * Loads two sources for a comparison.
 *
 * @param io Stream for warnings.
 * @param flags Options of profiles.
 * @param words The source words.
 */
export async function loadSubjects(
  io: Io,
  flags: SourceFlags,
  words: readonly [string, string],
): Promise<Sides> {
  refuseTwoStdins(...words);
  const [first, second] = words;
  const loaded: NamedSubject[] = [];
  const load = async (word: string): Promise<void> => {
    const other = word === first ? second : first;
    loaded.push(await loadSubject(io, flags, word, other));
  };
  const { code } = await forEachInput(io, [...new Set(words)], load);
  const [a, b = a] = loaded;
  if (code !== EXIT.ok || a === undefined || b === undefined) {
    throw new ReportedError("sources", { code });
  }
  return comparable(io, [a, b]);
}

/**
 * Loads the annotation of a bundle and its section. Names are those of the
 * host's libseccomp unless others are requested, as with `rewrite`.
 */
async function loadBundleSubjects(
  io: Io,
  flags: SourceFlags,
  word: string,
): Promise<Sides> {
  if (!word.startsWith("bundle:")) {
    throw new UsageError(
      "Missing argument: B; give a second source, or only bundle:DIR to compare its annotation with its section",
    );
  }
  const made = flags.names === undefined ? await asHook(flags) : flags;
  const a = await loadSubject(io, { ...made, from: "annotation" }, word);
  const b = await loadSubject(io, { ...made, from: "config" }, word);
  return comparable(io, [
    { ...a, title: `${word} (annotation)` },
    { ...b, title: `${word} (linux.seccomp)` },
  ]);
}

/** The options with which `rewrite` reads a section. */
async function asHook(flags: SourceFlags): Promise<SourceFlags> {
  const { openLibseccomp } = await import("../../ffi/libseccomp.ts");
  const names = openLibseccomp() === undefined ? "builtin" : "host";
  const unknown = flags.unknown === "ignore" ? "ignore" : "warn";
  return { ...flags, names, unknown };
}

/**
 * Refuses sides of different byte order, and prints the assumptions about both.
 */
function comparable(io: Io, sides: Sides): Sides {
  const [a, b] = sides;
  const [first, second] = [orderOf(a.subject), orderOf(b.subject)];
  if (first !== undefined && second !== undefined && first !== second) {
    throw new UsageError(
      `Cannot compare ${titleOf(a)} with ${
        titleOf(b)
      }: they are for machines of different byte order`,
    );
  }
  if (first === undefined && second === undefined) {
    for (const { word, flags, assumed = "" } of sides) {
      tellAssumed(io, word, flags, [assumed]);
    }
  }
  return sides;
}

/** Name of a side in text. */
export function titleOf(
  { word, title }: Pick<NamedSubject, "word" | "title">,
): string {
  return title ?? (word === "-" ? "standard input" : word);
}

/**
 * The architectures for a witness: first those of the machines, then any other.
 *
 * @param sides The sides.
 */
export function wantedArches(
  sides: readonly Pick<NamedSubject, "native">[],
): readonly number[] {
  const natives = sides.map(({ native }) => native);
  return [...natives, ...ARCHES].map(({ auditArch }) => auditArch);
}

/**
 * Loads one source: a profile is represented by its meaning, it is not
 * compiled.
 *
 * @param io Stream for warnings.
 * @param flags Options of profiles.
 * @param word The source word.
 * @param other The source to which it is compared.
 */
export async function loadSubject(
  io: Io,
  flags: SourceFlags,
  word: string,
  other?: string,
): Promise<NamedSubject> {
  const source = await loadSource(io, word, flags);
  if (source.kind === "profile") {
    const own = await withOwnSemantics(io, flags, [word, other]);
    const resolved = await resolveSource(io, source, own);
    const { policy, arches: [native = nativeArch()], assumed } = resolved;
    tellAssumed(io, source.name, own, [assumedWords(assumed, own)]);
    return { word, flags: own, native, subject: policy };
  }
  requireAccepted(source);
  const { programs, order } = source;
  const machine = machineOf(source.name, source, flags.arch);
  const { native, littleEndian } = machine;
  const isAssumed = order === "assumed" && flags.arch === undefined;
  return {
    word,
    flags,
    native,
    subject: { programs, ...(isAssumed ? {} : { littleEndian }) },
    assumed: assumptionWords(machine, { native: false }),
  };
}

/** Exit code of an answer. */
export function exitOf(result: Proof | Counterexample | Unproven): number {
  switch (result.kind) {
    case "equal":
      return EXIT.ok;
    case "different":
      return EXIT.no;
    case "unproven":
      return EXIT.unproven;
  }
}

/** An answer for machines. */
export function jsonOfResult(
  result: Proof | Counterexample | Unproven,
): Readonly<Record<string, unknown>> {
  switch (result.kind) {
    case "equal":
      return { state: "equal", coverage: result.coverage };
    case "different":
      return {
        state: "different",
        witness: {
          ...jsonOfCall(result.data),
          a: jsonOfOutcome(result.a, result.data.arch),
          b: jsonOfOutcome(result.b, result.data.arch),
        },
      };
    case "unproven":
      return {
        state: "unproven",
        limit: result.limit,
        ...(result.allowed === undefined ? {} : { allowed: result.allowed }),
      };
  }
}

function jsonOfOutcome(
  { value, paths, source }: Outcome,
  auditArch: number,
): Readonly<Record<string, unknown>> {
  return {
    ...jsonOfValue(value, auditArch),
    paths,
    ...(source === undefined ? {} : { rule: source }),
  };
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
      return `unproven: the limit of ${result.limit} was reached; treat as different, or raise --${result.limit}\n`;
  }
}

/** A side as shown with a witness. */
export interface Shown extends GivenSource {
  /** Its name, if that is not the source word. */
  readonly title?: string;
  /**
   * The command that shows it, if `simulate` does not accept the source word.
   */
  readonly see?: string;
}

/** The command that reproduces an answer. */
function seeCommand(side: Shown, data: SeccompData): string {
  return side.see ?? simulateCommand(side, data);
}

/**
 * Prints a difference: the call, both answers, how to reproduce it.
 *
 * @param title Its title.
 * @param witness The call and the answers.
 * @param sides The sides that gave the answers.
 */
export function witnessText(
  title: string,
  { data, a, b }: Pick<Counterexample, "data" | "a" | "b">,
  sides: readonly Shown[],
): string {
  const lines = [
    title,
    `  call  ${describeCall(data)}`,
    ...[a, b].flatMap((outcome, i) => [
      `  ${"AB".charAt(i)}     ${formatReturnValue(outcome.value, data.arch)}${
        reasonOf(outcome)
      }  ${titleOf(sides[i] ?? { word: "" })}`,
    ]),
    ...sides.map((side) => `  see   ${seeCommand(side, data)}`),
  ];
  return lines.map((line) => `${printable(line)}\n`).join("");
}

function reasonOf({ source, paths }: Outcome): string {
  if (source !== undefined) return `, by ${source}`;
  const steps = paths.reduce((sum, path) => sum + path.length, 0);
  if (steps === 0) return ", by no rule";
  return `, after ${steps} instruction${steps === 1 ? "" : "s"}`;
}
