/**
 * The parts of a profile that instructions cannot express: flags of
 * seccomp(2), and the listener of notifications.
 *
 * @module
 */

import type { Format } from "../input/flags.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import { quoteText } from "../../tables/printable.ts";

/** Requirements of a profile for the program that loads its filter. */
export type Beyond = Partial<
  Pick<LinuxSeccomp, "flags" | "listenerPath" | "listenerMetadata">
>;

/** Formats that cannot contain a comment. */
const WITHOUT_REMARKS: readonly Format[] = [
  "raw",
  "base64",
  "hex",
  "annotation",
];

/**
 * Reports whether a format can contain what the instructions cannot express.
 *
 * @param form The format.
 * @returns True if the format has a place for it.
 */
export function holdsRemarks(form: Format): boolean {
  return !WITHOUT_REMARKS.includes(form);
}

/**
 * Extracts what the instructions of a filter cannot express.
 *
 * @param seccomp The profile.
 * @returns Its fields; empty if the filter expresses the whole profile.
 */
export function beyondFilter(
  { flags = [], listenerPath, listenerMetadata }: Beyond,
): Beyond {
  return {
    ...(flags.length === 0 ? {} : { flags }),
    ...(listenerPath === undefined ? {} : { listenerPath }),
    ...(listenerMetadata === undefined ? {} : { listenerMetadata }),
  };
}

/**
 * Describes in one line what the instructions of a filter do not express, and
 * what to do.
 *
 * @param beyond The fields that they do not express.
 * @param form The format of the filter.
 * @returns The line, or `undefined` if they express everything.
 */
export function describeBeyond(
  { flags, listenerPath, listenerMetadata }: Beyond,
  form: Format,
): string | undefined {
  const parts = [
    ...(flags === undefined ? [] : [`flags ${flags.join(", ")}`]),
    ...(listenerPath === undefined
      ? []
      : [`listenerPath ${quoteText(listenerPath)}`]),
    ...(listenerMetadata === undefined ? [] : ["listenerMetadata"]),
  ];
  if (parts.length === 0) return undefined;
  const toDo = form === "annotation"
    ? ["keep them in linux.seccomp, which crun reads for them"]
    : [
      ...(flags === undefined ? [] : ["pass the flags to seccomp(2)"]),
      ...(listenerPath === undefined ? [] : [
        "load it with SECCOMP_FILTER_FLAG_NEW_LISTENER and send the listener to that path",
      ]),
    ];
  return `The filter does not contain ${parts.join(" and ")}: ${
    toDo.join(", ")
  }`;
}
