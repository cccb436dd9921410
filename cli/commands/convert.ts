/**
 * `convert`: a policy in the format of another tool, proved to mean the same,
 * or with every loss.
 *
 * @module
 */

import { type CommandDefinition, defineCommand } from "../command.ts";
import { convert } from "../../pipeline/convert/convert.ts";
import {
  CONVERT_FORMATS,
  type Converted,
  type ConvertFormat,
} from "../../pipeline/convert/result.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import { ReportedError, UnprovenError } from "../error.ts";
import { EXIT, tellDiagnostics } from "../exit.ts";
import {
  LIMIT_FLAGS,
  type LimitFlags,
  limitsOf,
  OUT_FLAG,
  type OutFlags,
  OUTPUT_FLAG,
  type OutputFlags,
  SOURCE_ARGUMENT,
  SOURCE_FLAGS,
  type SourceFlags,
  TELL_ALIASES,
  word,
} from "../input/flags.ts";
import { tellAssumed, tellFindings } from "../input/resolve_source.ts";
import type { Io } from "../io.ts";
import { withOwnSemantics } from "../input/semantics.ts";
import { archesOf, assumedWords, targetFor } from "../input/target.ts";
import { loadConversionInput } from "../input/conversion.ts";
import { namesOf, resultFile } from "../output/conversion/file.ts";
import { conversionJson } from "../output/conversion/json.ts";
import { lossText, podText } from "../output/conversion/text.ts";
import { checkOut, refuseTwoOutputs, writeArtefact } from "../output/write.ts";
import {
  OPERATOR_VERSIONS,
  type OperatorVersion,
} from "../yaml/write_profile.ts";

/** Flags of `convert`. */
export interface ConvertFlags
  extends SourceFlags, LimitFlags, OutFlags, OutputFlags {
  readonly to: ConvertFormat;
  readonly lossy: boolean;
  readonly name?: string;
  readonly apiVersion: OperatorVersion;
}

/** The command. */
export const command: CommandDefinition = defineCommand<
  ConvertFlags,
  [word: string]
>({
  usage: "--to FORMAT [OPTION...] SOURCE",
  examples: [
    "convert --to spo default:docker -O profile.yaml",
    "convert --to systemd --lossy --arch x86_64 default:docker",
  ],
  parameters: {
    flags: {
      to: {
        kind: "enum",
        values: CONVERT_FORMATS,
        placeholder: "FORMAT",
        brief: "Format of the result",
      },
      lossy: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Write the nearest stricter result, and list its losses",
      },
      name: {
        kind: "parsed",
        parse: word,
        optional: true,
        placeholder: "NAME",
        brief: "Name of the object, or of Firecracker's filters",
      },
      apiVersion: {
        kind: "enum",
        values: OPERATOR_VERSIONS,
        default: "v1",
        placeholder: "VERSION",
        brief: "Version of a SeccompProfile",
      },
      ...OUT_FLAG,
      ...OUTPUT_FLAG,
      ...LIMIT_FLAGS,
      ...SOURCE_FLAGS,
    },
    aliases: { ...TELL_ALIASES, O: "out", o: "output" },
    positional: { kind: "tuple", parameters: [SOURCE_ARGUMENT] },
  },
  run: runConvert,
});

/** Converts a source and writes the result. */
export async function runConvert(
  io: Io,
  flags: ConvertFlags,
  source: string,
): Promise<number> {
  refuseTwoOutputs(flags);
  checkOut(flags.out, source);
  const names = namesOf(flags, source);
  const own = { ...flags, ...await withOwnSemantics(io, flags, [source]) };
  try {
    const input = await loadConversionInput(io, source, flags);
    const result = await conversionOf(io, source, own, input, names);
    return await writeConversion(io, source, own, result, names);
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    tellDiagnostics(io, source, error.diagnostics);
    throw new ReportedError("profile", { cause: error });
  }
}

type ConversionInput = Awaited<ReturnType<typeof loadConversionInput>>;
type ResultNames = ReturnType<typeof namesOf>;

async function conversionOf(
  io: Io,
  source: string,
  flags: ConvertFlags,
  { input, native }: ConversionInput,
  { categories }: ResultNames,
): Promise<Converted> {
  const target = await targetFor(flags);
  const { arch, caps, kernel, to: format } = flags;
  const keepConditions = [arch, caps, kernel].every((one) => one === undefined);
  const result = convert(
    input,
    native === undefined ? target : { ...target, arch: [native.name] },
    {
      format,
      keepConditions,
      categories,
      limits: limitsOf(flags),
      ...("filter" in input && arch !== undefined
        ? { arches: archesOf(arch) }
        : {}),
    },
  );
  if (result.kind === "unproved") {
    throw new UnprovenError(
      `Cannot prove the result: the limit of ${result.limit} was reached; raise --${result.limit}`,
    );
  }
  const { resolved } = result;
  if (resolved !== undefined) {
    tellFindings(io, source, resolved.diagnostics, flags);
    const { assumed } = resolved;
    tellAssumed(io, source, flags, [assumedWords(assumed, flags)]);
  }
  if (result.kind === "converted") return result;
  throw new UnprovenError(
    `Cannot convert ${source} to ${format}: ${result.reason}; another format, --arch or compile may say it`,
  );
}

async function writeConversion(
  io: Io,
  source: string,
  flags: ConvertFlags,
  result: Converted,
  names: ResultNames,
): Promise<number> {
  const { to: format, lossy, out, output, quiet, apiVersion } = flags;
  const isWritten = lossy || result.losses.length === 0;
  const target = await targetFor(flags);
  const file = isWritten
    ? await resultFile(result, { format, names, target, apiVersion })
    : undefined;
  if (output === "json") {
    io.out(
      await conversionJson(result, { format, source, file, names }),
    );
  } else if (!quiet || !isWritten) {
    io.err(lossText(io, source, result, { format, lossy }));
  }
  if (file === undefined) return EXIT.unproven;
  if (output === "text" || out !== undefined) writeArtefact(io, out, file);
  if (format === "k8s" && output === "text" && !quiet) {
    io.err(podText(io, names.file));
  }
  return EXIT.ok;
}
