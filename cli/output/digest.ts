/**
 * The digest of a filter, as other commands print it in their reports.
 *
 * @module
 */

import type { FilterStack } from "../../bpf/filter.ts";
import type { Subject } from "../../verify/core/subject.ts";
import { digestOf } from "../../verify/digest.ts";
import type { ProofOptions } from "../../verify/equivalence.ts";

/** Number of characters of a digest in a column of a table. */
const SHORT_DIGEST = "st1:".length + 12;
/** Limits of a digest that was not requested: about 0.1 s. */
const LIMITS = { nodes: 1 << 19, steps: 1 << 20 };

/**
 * Computes the digest of a filter for a report, at little cost.
 *
 * @param subject The filter.
 * @param options Equality of answers, and byte order.
 * @returns The digest; `undefined` if computing it would take long.
 */
export async function digestFor(
  subject: Subject,
  options: Pick<ProofOptions, "compare" | "littleEndian"> = {},
): Promise<string | undefined> {
  const digest = await digestOf(subject, { ...options, limits: LIMITS });
  return digest.kind === "digest" ? digest.text : undefined;
}

/** Computes digests of filters, each only once. */
export class DigestCache {
  readonly #known = new Map<string, Promise<string | undefined>>();

  /** Returns the digest of the filters of a thread. */
  of(stack: FilterStack): Promise<string | undefined> {
    const key = JSON.stringify(stack);
    const known = this.#known.get(key) ?? digestFor(stack);
    this.#known.set(key, known);
    return known;
  }
}

/**
 * Shortens a digest for a table.
 *
 * @param digest The digest, if there is one.
 */
export function shortDigest(digest: string | undefined): string {
  return digest?.slice(0, SHORT_DIGEST) ?? "–";
}
