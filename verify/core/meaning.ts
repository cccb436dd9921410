/**
 * Converts the subjects of a comparison to functions of the input.
 *
 * @module
 */

import { SECCOMP_RET_ALLOW } from "../../tables/uapi.ts";
import { decideAll } from "./cases.ts";
import { policyOf, programsOf, type Subject } from "./subject.ts";
import { NEVER, type Node } from "./diagram.ts";
import { executeSymbolically } from "./paths.ts";
import type { Symbols } from "./symbols.ts";
import { effectOf, prevails } from "./verdict.ts";
import { compare, constant } from "./word.ts";

/**
 * Builds the function of a subject.
 *
 * @throws {LimitReached} if it becomes too large.
 *
 * @param subject The subject.
 * @param asActed True to identify values that the kernel treats alike.
 * @param symbols The input.
 * @returns The function, whose leaves are the subject's answers.
 */
export function meaningOf(
  subject: Subject,
  asActed: boolean,
  symbols: Symbols,
): Node {
  const { diagram, leaf, wordOf } = symbols;
  const older = (f: Node, g: Node): Node =>
    diagram.choose(prevails(diagram, wordOf(f), wordOf(g)), f, g);
  let value = leaf(constant(SECCOMP_RET_ALLOW));
  const policy = policyOf(subject);
  if (policy !== undefined) value = decideAll(policy, symbols);
  else {
    for (const program of programsOf(subject)) {
      value = diagram.apply(
        value,
        executeSymbolically(program, symbols),
        older,
      );
    }
  }
  if (!asActed) return value;
  const act = (at: Node): Node => leaf(effectOf(diagram, wordOf(at)));
  return diagram.apply(value, value, act);
}

/**
 * Finds the inputs on which two meanings differ.
 *
 * @throws {LimitReached} if the function becomes too large.
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
