/**
 * Ways to compile a policy, from the one that was asked for to the shortest.
 *
 * @module
 */

import type { Policy } from "../profile/policy.ts";
import type { ArgumentStyle } from "./conditions.ts";
import type { Objective } from "./cost.ts";

/** What is as short as possible whatever the objective is. */
export type MadeForSize = "nothing" | "arguments" | "everything";

/** One way to compile. */
export interface CompileVariant {
  /** What is minimized. */
  readonly objective: Objective;
  /** What is made for size whatever was asked for. */
  readonly madeForSize: MadeForSize;
  /** How arguments are decided. */
  readonly style: ArgumentStyle;
}

/**
 * Lists what to try, one after the other, until the kernel takes the program.
 *
 * @param policy What is compiled.
 * @param objective What was asked for.
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
