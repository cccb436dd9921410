/**
 * The parts of a profile that instructions cannot express: flags of
 * seccomp(2), and the listener of notifications.
 *
 * @module
 */

import type { Format } from "../input/flags.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import { quoteText } from "../../tables/printable.ts";

/** What a profile asks of whoever loads its filter. */
export type Beyond = Partial<
  Pick<LinuxSeccomp, "flags" | "listenerPath" | "listenerMetadata">
>;

/** Forms that have no place for a remark. */
const WITHOUT_REMARKS: readonly Format[] = [
  "raw",
  "base64",
  "hex",
  "annotation",
];

/**
 * Reports whether a form has a place for what the instructions cannot hold.
 *
 * @param form The form.
 * @returns Whether it is written there.
 */
export function holdsRemarks(form: Format): boolean {
  return !WITHOUT_REMARKS.includes(form);
}

/**
 * Picks what the instructions of a filter cannot hold.
 *
 * @param seccomp The profile.
 * @returns Its fields; none when the filter holds all of the profile.
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
 * Says in one line what the instructions of a filter do not hold, and what to do.
 *
 * @param beyond What they do not hold.
 * @param form The form in which the filter is written.
 * @returns The line, or `undefined` when they hold everything.
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
  return `The filter does not hold ${parts.join(" and ")}: ${toDo.join(", ")}`;
}
