/**
 * Writes certificates; docs/certificate.md defines them. The code that builds
 * them is loaded on use.
 *
 * @module
 */

import { quoteText } from "../../tables/printable.ts";
import {
  byteOrderOf,
  policyOf,
  programsOf,
  type Subject,
} from "../../verify/core/subject.ts";
import { UnprovenError } from "../error.ts";
import { writeFileWhole } from "./write.ts";

/**
 * Writes the certificate of a claim that was proved.
 *
 * @param path The file.
 * @param sides The sides, a and b.
 * @param claim `equal`, or `within`: a permits nothing that b denies.
 * @throws {UnprovenError} if certificates do not cover the claim.
 */
export async function writeCertificate(
  path: string,
  sides: readonly [Subject, Subject],
  claim: "equal" | "within",
): Promise<void> {
  const { makeCertificate, Uncertified } = await import(
    "../../verify/certificate/make.ts"
  );
  const littleEndian = byteOrderOf(sides);
  try {
    const [a, b] = [sideOf(sides[0]), sideOf(sides[1])];
    const text = await makeCertificate(a, b, { claim, littleEndian });
    writeFileWhole(path, text);
  } catch (error) {
    if (!(error instanceof Uncertified)) throw error;
    throw new UnprovenError(
      `Cannot write the certificate ${quoteText(path)}: ${error.message}`,
    );
  }

  function sideOf(subject: Subject): Parameters<typeof makeCertificate>[0] {
    const policy = policyOf(subject);
    if (policy !== undefined) return policy;
    const [program, ...more] = programsOf(subject);
    if (program !== undefined && more.length === 0) return program;
    throw new Uncertified(
      `certificates do not cover stacks, and this one has ${
        more.length + 1
      } filters; combine them with optimize first`,
    );
  }
}
