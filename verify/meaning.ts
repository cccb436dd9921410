/**
 * Subjects of a comparison as functions of the input.
 *
 * @module
 */

import { SECCOMP_RET_ALLOW } from "../tables/uapi.ts";
import { decideAll } from "./cases.ts";
import { programsOf, type Subject } from "./confirm.ts";
import { NEVER, type Node } from "./diagram.ts";
import { execute } from "./paths.ts";
import type { Symbols } from "./symbols.ts";
import { effectOf, prevails } from "./verdict.ts";
import { compare, constant } from "./word.ts";

/**
 * Makes the function that a subject is.
 *
 * @throws {LimitReached} when it becomes too large.
 *
 * @param subject The subject.
 * @param asActed Whether values on which the kernel acts alike are one value.
 * @param symbols The input.
 * @returns The function, whose leaves are what the subject answers.
 */
export function meaningOf(
  subject: Subject,
  asActed: boolean,
  symbols: Symbols,
): Node {
  const value = subject.kind === "policy"
    ? decideAll(subject.policy, symbols)
    : prevailing(
      programsOf(subject).map((program) => execute(program, symbols)),
      symbols,
    );
  if (!asActed) return value;
  const { diagram, leaf, wordOf } = symbols;
  const act = (at: Node): Node => leaf(effectOf(diagram, wordOf(at)));
  return diagram.apply(value, value, act);
}

/** What the kernel acts on of what several filters answer. */
function prevailing(
  [oldest, ...newer]: readonly Node[],
  { diagram, leaf, wordOf }: Symbols,
): Node {
  const choice = (f: Node, g: Node): Node =>
    diagram.choose(prevails(diagram, wordOf(f), wordOf(g)), f, g);
  let result = oldest ?? leaf(constant(SECCOMP_RET_ALLOW));
  for (const next of newer) result = diagram.apply(result, next, choice);
  return result;
}

/**
 * Tells where two meanings differ.
 *
 * @throws {LimitReached} when that becomes too large.
 *
 * @param a One meaning.
 * @param b The other.
 * @param symbols The input.
 * @returns A boolean function, `NEVER` if and only if they are equal.
 */
export function whereDifferent(a: Node, b: Node, symbols: Symbols): Node {
  const { diagram, wordOf } = symbols;
  const differ = (f: Node, g: Node): Node =>
    diagram.not(compare(diagram, "jeq", wordOf(f), wordOf(g)));
  return a === b ? NEVER : diagram.apply(a, b, differ);
}
