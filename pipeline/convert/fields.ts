/**
 * Fields of a profile that no filter shows, and that a format does not have.
 *
 * @module
 */

import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import { type ConvertFormat, type Loss, SECTION_FORMATS } from "./result.ts";

/** Sockets that the operator accepts. */
const OPERATOR_SOCKET =
  /^\/var\/run\/security-profiles-operator\/[a-zA-Z0-9_\-.]+$/;

/**
 * Lists the fields that are lost.
 *
 * @param format The format.
 * @param seccomp The source, if it is a profile.
 */
export function fieldLosses(
  format: ConvertFormat,
  seccomp: LinuxSeccomp | undefined,
): readonly Loss[] {
  if (seccomp === undefined) return [];
  const { flags = [], listenerPath, listenerMetadata } = seccomp;
  const field = (part: string, reason: string): Loss => ({
    ...{ part, calls: [], arches: [], reason },
    effect: "other",
  });
  if (format === "spo") {
    return listenerPath === undefined || OPERATOR_SOCKET.test(listenerPath)
      ? []
      : [field(
        "listenerPath",
        "the operator accepts sockets in /var/run/security-profiles-operator only",
      )];
  }
  if (SECTION_FORMATS.has(format)) return [];
  const what = format === "bwrap" ? "a raw filter" : `the format ${format}`;
  return [
    ...(flags.length === 0 ? [] : [
      field(
        `flags ${flags.join(", ")}`,
        `${what} has no flags; the program that loads it chooses them`,
      ),
    ]),
    ...(listenerPath === undefined
      ? []
      : [field("listenerPath", `${what} has no listener`)]),
    ...(listenerMetadata === undefined
      ? []
      : [field("listenerMetadata", `${what} has no listener`)]),
  ];
}
