/**
 * Checks the certificate of an annotation that already exists, if the settings
 * require one: then a foreign filter needs a certificate that
 * verify/certificate/check.ts accepts, in addition to the proof.
 *
 * @module
 */

import { findMember } from "../profile/json/value.ts";
import type { Policy } from "../profile/policy.ts";
import { printable } from "../tables/printable.ts";
import {
  CertificateError,
  checkCertificate,
} from "../verify/certificate/check.ts";
import { listRules } from "../verify/certificate/rules.ts";
import { encode } from "../bpf/encode.ts";
import type { Program } from "../bpf/instruction.ts";
import { RefusedError } from "./error.ts";
import type { ConfigText } from "./rewrite.ts";

/** Annotation with the text of a certificate. */
export const CERTIFICATE_ANNOTATION = "io.seccomp-tree.certificate";

/**
 * Accepts a foreign filter with a certificate that it is equal to the policy.
 *
 * @param config The configuration.
 * @param program The filter of its annotation.
 * @param policy The meaning of its section.
 * @throws {RefusedError} `foreign-annotation` if the certificate is missing,
 * makes another claim, or is rejected.
 */
export async function requireCertificateOf(
  { root }: ConfigText,
  program: Program,
  policy: Policy,
): Promise<void> {
  const annotations = findMember(root, "annotations");
  const node = annotations?.kind === "object"
    ? findMember(annotations, CERTIFICATE_ANNOTATION)
    : undefined;
  if (node?.kind !== "string") {
    throw refuse(`it has no certificate (${CERTIFICATE_ANNOTATION})`);
  }
  const { littleEndian } = policy;
  const sides = [encode(program, { littleEndian }), listRules(policy)] as const;
  try {
    await checkCertificate(node.value, sides, { littleEndian });
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw refuse(
      `its certificate is rejected: line ${error.line}: ${
        printable(error.message)
      }`,
    );
  }
}

function refuse(reason: string): RefusedError {
  return new RefusedError(
    "foreign-annotation",
    `Cannot accept the annotation: ${reason}; remove it, or add the certificate that compile --certificate writes`,
  );
}
