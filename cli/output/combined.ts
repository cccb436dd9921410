/**
 * Loads the inputs of `combine` and writes the result: a profile, a filter, or
 * the reason why no profile has the meaning.
 *
 * @module
 */

import { formatReturnValue } from "../../bpf/return_value.ts";
import type {
  Combined,
  CombinedProfile,
  CombineInput,
  UnsaidProfile,
} from "../../pipeline/combine/result.ts";
import { compilePolicy, type Proved } from "../../pipeline/compile_profile.ts";
import type { Assumed } from "../../pipeline/resolve_profile.ts";
import { printable } from "../../tables/printable.ts";
import { UnprovenError } from "../error.ts";
import { EXIT, messageLine } from "../exit.ts";
import { describeCall, jsonOfCall, jsonOfValue } from "../input/call.ts";
import {
  requireAccepted,
  tellAssumed,
  tellFindings,
} from "../input/resolve_source.ts";
import { type Format, FORMATS, type SourceFlags } from "../input/flags.ts";
import { machineOf } from "../input/machine.ts";
import { loadSource } from "../input/source.ts";
import { assumedWords } from "../input/target.ts";
import type { Io } from "../io.ts";
import { formatFilter } from "./formats.ts";
import { digestFor } from "./digest.ts";
import { reportJson } from "./json.ts";
import { writeArtefact } from "./write.ts";

/** Forms of a result. */
export const COMBINED_FORMATS: readonly ["profile", ...typeof FORMATS] = [
  "profile",
  ...FORMATS,
];

/** A form of a result. */
export type CombinedFormat = "profile" | Format;

/** Output options of a result. */
export interface CombinedFlags extends SourceFlags {
  readonly output: "text" | "json";
  readonly format: CombinedFormat;
  readonly out?: string;
}

/**
 * Loads a source as an input.
 *
 * @param io Streams for standard input and warnings.
 * @param word The source word.
 * @param flags Options of sources.
 */
export async function loadInput(
  io: Io,
  word: string,
  flags: SourceFlags,
): Promise<CombineInput> {
  const source = await loadSource(io, word, flags);
  if (source.kind === "profile") return { profile: source.profile };
  requireAccepted(source);
  const { programs } = source;
  const { littleEndian } = machineOf(source.name, source, flags.arch);
  return { filter: { programs, littleEndian } };
}

/**
 * Prints the findings about the inputs, and the target for which they were read.
 *
 * @param io Stream for messages.
 * @param words The source words.
 * @param result The result.
 * @param flags Level of messages.
 */
export function tellInputs(
  io: Io,
  words: readonly string[],
  result: Exclude<Combined, { readonly kind: "unproved" }>,
  flags: SourceFlags,
): void {
  let assumed: Assumed | undefined;
  for (const [i, input] of result.inputs.entries()) {
    if (input === undefined) continue;
    tellFindings(io, words[i] ?? "", input.diagnostics, flags);
    // An OCI section has no conditions; the other formats do.
    if (assumed?.capabilities === undefined) assumed = input.assumed;
  }
  if (assumed === undefined) return;
  const arches = result.arches.map(({ name }) => name);
  tellAssumed(io, "", flags, [assumedWords({ ...assumed, arches }, flags)]);
}

/**
 * Writes a result.
 *
 * @throws {UnprovenError} if a filter is not proved.
 *
 * @param io Streams.
 * @param result The result.
 * @param flags Output options.
 * @param facts Fields to put first in a report.
 * @returns The exit code.
 */
export async function writeCombined(
  io: Io,
  result: Exclude<Combined, { readonly kind: "unproved" }>,
  flags: CombinedFlags,
  facts: Readonly<Record<string, unknown>>,
): Promise<number> {
  const { format, out, output } = flags;
  const filter = format === "profile" ? undefined : filterOf(result);
  if (output === "json") {
    io.out(reportJson({ ...facts, ...await jsonOfCombined(result) }));
  }
  if (filter !== undefined && format !== "profile") {
    if (output === "text" || out !== undefined) {
      writeArtefact(io, out, await formatFilter(filter, format));
    }
    return EXIT.ok;
  }
  if (result.kind === "profile") {
    if (output === "text" || out !== undefined) {
      writeArtefact(io, out, result.text);
    }
    return EXIT.ok;
  }
  if (output === "text") io.err(unsaidText(io, result));
  return EXIT.no;
}

function filterOf(result: CombinedProfile | UnsaidProfile): Proved {
  const policy = result.kind === "profile" ? result.policy : result.toPolicy();
  if (policy === undefined) {
    throw new UnprovenError(
      "Cannot make a filter: the answers do not follow from comparisons with constants",
    );
  }
  const filter = compilePolicy(policy);
  if (filter.kind === "proved") return filter;
  throw new UnprovenError(filter.message);
}

/** The part that no profile can express, with the remedy. */
function unsaidText(
  io: Io,
  { part, reason, witness }: UnsaidProfile,
): string {
  const lines = [
    messageLine(
      io,
      "error",
      `No profile has this meaning: ${part}: ${reason}`,
    ).trimEnd(),
    ...(witness === undefined ? [] : [
      `  call    ${describeCall(witness.data)}`,
      `  wanted  ${formatReturnValue(witness.wanted, witness.data.arch)}`,
      `  profile ${formatReturnValue(witness.got, witness.data.arch)}`,
    ]),
    "  instead -f annotation or -f raw writes a filter that has it; --arch limits the architectures",
  ];
  return lines.map((line) => `${printable(line)}\n`).join("");
}

async function jsonOfCombined(
  result: CombinedProfile | UnsaidProfile,
): Promise<Readonly<Record<string, unknown>>> {
  if (result.kind === "profile") {
    const { section, policy, equal, refused, text } = result;
    return {
      state: "combined",
      arches: result.arches.map(({ name }) => name),
      digest: await digestFor(policy) ?? null,
      entries: section.syscalls.length,
      isOriginal: result.isOriginal === true,
      equalUnder: equal,
      refusedBy: refused,
      // Written as text, because the numbers have 64 bits.
      profile: text,
    };
  }
  const { part, reason, witness } = result;
  return {
    state: "unsaid",
    arches: result.arches.map(({ name }) => name),
    part,
    reason,
    witness: witness === undefined ? null : {
      ...jsonOfCall(witness.data),
      wanted: jsonOfValue(witness.wanted, witness.data.arch),
      profile: jsonOfValue(witness.got, witness.data.arch),
    },
  };
}
