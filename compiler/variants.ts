/**
 * Ways to compile a policy, from the requested one to the shortest.
 *
 * @module
 */

import type { Policy } from "../profile/policy.ts";
import type { ArgumentStyle } from "./conditions.ts";
import type { Objective } from "../tables/objectives.ts";

/** Parts to minimize in size, for any objective. */
export type MadeForSize = "nothing" | "arguments" | "everything";

/** One way to compile. */
export interface CompileVariant {
  /** The cost to minimize. */
  readonly objective: Objective;
  /** Parts that are minimized in size, for any objective. */
  readonly madeForSize: MadeForSize;
  /** Method of deciding arguments. */
  readonly style: ArgumentStyle;
}

/**
 * Lists the variants to try in order, until the kernel accepts the program.
 *
 * @param policy The policy.
 * @param objective The requested objective.
 */
export function compileVariants(
  { arches }: Policy,
  objective: Objective,
): readonly CompileVariant[] {
  const asked = { objective, madeForSize: "nothing" } as const;
  const all = { objective: "size", madeForSize: "everything" } as const;
  const first: CompileVariant = {
    ...asked,
    style: objective === "size" ? "short" : "cheap",
  };
  const hasConditions = arches.some(({ rules }) =>
    rules.some(({ conditions }) => conditions.length > 0)
  );
  if (objective === "size") {
    return hasConditions ? [first, { ...asked, style: "in-order" }] : [first];
  }
  const smallest: CompileVariant = { ...all, style: "short" };
  return hasConditions
    ? [
      first,
      { objective, madeForSize: "arguments", style: "short" },
      smallest,
      { ...all, style: "in-order" },
    ]
    : [first, smallest];
}
