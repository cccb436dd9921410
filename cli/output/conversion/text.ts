/**
 * Messages of `convert` about its result.
 *
 * @module
 */

import { formatReturnValue } from "../../../bpf/return_value.ts";
import type {
  Converted,
  ConvertFormat,
  Loss,
} from "../../../pipeline/convert/result.ts";
import { describeSemantics } from "../../../profile/semantics/quirks.ts";
import { printable } from "../../../tables/printable.ts";
import { messageLine } from "../../exit.ts";
import { describeCall } from "../../input/call.ts";
import type { Io } from "../../io.ts";

/** Names of calls that are printed of one loss; the report has all. */
const MOST_NAMES = 12;

/**
 * Says that a result is equal, or lists what it loses.
 *
 * @param io Stream for the messages, whose colors it decides.
 * @param source The source word.
 * @param result The result.
 * @param options The format, and whether losses are accepted.
 */
export function lossText(
  io: Io,
  source: string,
  { losses, elsewhere, arches, refusedBy, differentUnder }: Converted,
  { format, lossy }: {
    readonly format: ConvertFormat;
    readonly lossy: boolean;
  },
): string {
  const on = arches.map(({ name }) => name).join(", ");
  const lines = losses.flatMap((loss) => lossLines(loss));
  const readings = [
    ["refuse", refusedBy],
    ["read", differentUnder],
  ] as const;
  const notes = [
    ...elsewhere.map((loss) => noteText(io, loss)),
    ...readings.map(([verb, versions = []]) =>
      versions.length === 0 ? "" : messageLine(
        io,
        "note",
        `Older runtimes ${verb} the result${
          verb === "read" ? " differently" : ""
        }: ${versions.map(describeSemantics).join(", ")}`,
      )
    ),
  ].join("");
  if (losses.length === 0) {
    const said = `The result is proved equal on ${on}`;
    return messageLine(io, "note", said, source) + notes;
  }
  const count = losses.length === 1 ? "one loss" : `${losses.length} losses`;
  const looser = losses.some(({ effect }) => effect === "looser")
    ? ", and permits more than the source"
    : "";
  const message = lossy
    ? `The result has ${count}${looser}; all else is proved equal on ${on}`
    : `Cannot say all of it in the format ${format}: ${count}${looser}; --lossy writes the nearest result`;
  return messageLine(io, lossy ? "warning" : "error", message, source) +
    lines.map((line) => `${printable(line)}\n`).join("") + notes;
}

function lossLines({ part, reason, effect, witness }: Loss): readonly string[] {
  const word = { stricter: "stricter", looser: "LOOSER", other: "changed" };
  return [
    `  ${word[effect].padEnd(9)} ${shortened(part)}`,
    `    because ${reason}`,
    ...(witness === undefined ? [] : [
      `    call    ${describeCall(witness.data)}`,
      `    was     ${formatReturnValue(witness.wanted, witness.data.arch)}`,
      `    becomes ${formatReturnValue(witness.got, witness.data.arch)}`,
    ]),
  ];
}

function noteText(io: Io, { part, witness }: Loss): string {
  if (witness === undefined) return "";
  const { wanted, got, data } = witness;
  return messageLine(
    io,
    "note",
    `Elsewhere (${part}) ${formatReturnValue(wanted, data.arch)} becomes ${
      formatReturnValue(got, data.arch)
    }`,
  );
}

/** A long list of names, cut. */
function shortened(part: string): string {
  const names = part.split(", ");
  const at = names.findIndex((name) => name.includes(" on "));
  if (at <= MOST_NAMES) return part;
  const rest = names.slice(at);
  rest[0] = rest[0]?.replace(/^\S+ /, "") ?? "";
  return `${names.slice(0, MOST_NAMES).join(", ")} and ${
    at + 1 - MOST_NAMES
  } more ${rest.join(", ")}`;
}

/**
 * Writes the part of a pod that uses a profile.
 *
 * @param io Stream whose colors it decides.
 * @param file The file below the kubelet's folder of profiles.
 */
export function podText(io: Io, file: string): string {
  const what =
    "Put the file into /var/lib/kubelet/seccomp/ of each node, and this into the pod:";
  return messageLine(io, "note", what) + `securityContext:
  seccompProfile:
    type: Localhost
    localhostProfile: ${file}
`;
}
