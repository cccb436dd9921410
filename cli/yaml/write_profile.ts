/**
 * Writes a profile as a SeccompProfile of the Security Profiles Operator, and
 * reads it back.
 *
 * Source: the operator's api/seccompprofile, v1 and v1beta1 of August 2026,
 * which have the same fields.
 *
 * @module
 */

import type { ParsedProfile } from "../../profile/formats/parse.ts";
import type { CommentedSection } from "../../profile/formats/write_section.ts";
import { chooseYamlProfile, loadYaml, readYamlProfiles } from "./read_yaml.ts";

/** Versions of the object. */
export const OPERATOR_VERSIONS = ["v1", "v1beta1"] as const;

/** A version of the object. */
export type OperatorVersion = typeof OPERATOR_VERSIONS[number];

/** A SeccompProfile, and the profile that is read from it. */
export interface WrittenYaml {
  readonly text: string;
  readonly profile: ParsedProfile;
}

/**
 * Writes an object.
 *
 * @throws {MachineError} if the library is not available.
 *
 * @param section The profile; comments are left out.
 * @param options The version, and the name of the object.
 */
export async function writeOperatorProfile(
  section: CommentedSection,
  { version, name }: {
    readonly version: OperatorVersion;
    readonly name: string;
  },
): Promise<WrittenYaml> {
  const { writeYaml } = await loadYaml("write");
  const { flags, listenerPath, listenerMetadata } = section;
  const text = writeYaml({
    apiVersion: `security-profiles-operator.x-k8s.io/${version}`,
    kind: "SeccompProfile",
    metadata: { name },
    spec: {
      defaultAction: section.defaultAction,
      architectures: section.architectures,
      ...(flags === undefined ? {} : { flags }),
      ...(listenerPath === undefined ? {} : { listenerPath }),
      ...(listenerMetadata === undefined ? {} : { listenerMetadata }),
      syscalls: section.syscalls.map(({ names, action, errnoRet, args }) => ({
        action,
        ...(errnoRet === undefined ? {} : { errnoRet }),
        ...(args.length === 0 ? {} : {
          args: args.map(({ index, op, value, valueTwo }) => ({
            index,
            value,
            ...(valueTwo === 0n ? {} : { valueTwo }),
            op,
          })),
        }),
        names,
      })),
    },
  });
  const profiles = await readYamlProfiles(new TextEncoder().encode(text));
  return { text, profile: chooseYamlProfile(profiles, name) };
}
