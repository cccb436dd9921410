/**
 * The report of `convert` for programs.
 *
 * @module
 */

import { encodeBase64 } from "../../../bpf/base64.ts";
import type {
  Converted,
  ConvertFormat,
  Loss,
} from "../../../pipeline/convert/result.ts";
import { jsonOfCall, jsonOfValue } from "../../input/call.ts";
import { digestFor } from "../digest.ts";
import { reportJson } from "../json.ts";
import type { ResultNames } from "./file.ts";

/**
 * Writes the report.
 *
 * @param result The result.
 * @param options The format, the source and the file; absent if losses were not
 * accepted.
 */
export async function conversionJson(
  { losses, elsewhere, arches, policy, ...readings }: Converted,
  { format, source, file, names }: {
    readonly format: ConvertFormat;
    readonly source: string;
    readonly file: string | Uint8Array | undefined;
    readonly names: ResultNames;
  },
): Promise<string> {
  return reportJson({
    source,
    format,
    state: losses.length === 0 ? "equal" : "lossy",
    arches: arches.map(({ name }) => name),
    digest: await digestFor(policy) ?? null,
    losses: losses.map(jsonOfLoss),
    elsewhere: elsewhere.map(jsonOfLoss),
    equalUnder: readings.equalUnder ?? null,
    refusedBy: readings.refusedBy ?? null,
    differentUnder: readings.differentUnder ?? null,
    // As text, because numbers have 64 bits; a filter as base64.
    result: file === undefined
      ? null
      : typeof file === "string"
      ? file
      : encodeBase64(file),
    ...(format === "k8s" && file !== undefined
      ? {
        securityContext: {
          seccompProfile: { type: "Localhost", localhostProfile: names.file },
        },
      }
      : {}),
  });
}

function jsonOfLoss(
  { part, calls, arches, reason, effect, witness }: Loss,
): Readonly<Record<string, unknown>> {
  return {
    part,
    calls,
    arches,
    reason,
    effect,
    witness: witness === undefined ? null : {
      ...jsonOfCall(witness.data),
      wanted: jsonOfValue(witness.wanted, witness.data.arch),
      result: jsonOfValue(witness.got, witness.data.arch),
    },
  };
}
