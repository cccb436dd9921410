/**
 * A digest of the meaning of a filter: equal filters have equal digests,
 * regardless of their origin, and different ones have different digests.
 * docs/digest.md defines it, so that another program can compute it.
 *
 * The reduced ordered decision diagram of a function does not depend on how it
 * was built (Bryant 1986). The digest is the SHA-256 of the diagram as text:
 * one function for each bit of the answer, in a fixed order of the input's
 * bits.
 *
 * @module
 */

import { attemptOrders } from "./attempts.ts";
import {
  ALWAYS,
  CONSTANT_LEVEL,
  createDiagram,
  type Diagram,
  NEVER,
  type Node,
} from "./core/diagram.ts";
import { meaningOf } from "./core/meaning.ts";
import { byteOrderOf, type Subject } from "./core/subject.ts";
import type { Symbols } from "./core/symbols.ts";
import { WORD_BITS } from "./core/word.ts";
import type { ProofOptions, Unproven } from "./equivalence.ts";
import { DEFAULT_PROOF_LIMITS, type ProofLimits } from "./limits.ts";

/**
 * The digest of a meaning.
 *
 * @category Compare
 */
export interface Digest {
  /** Discriminates it from {@linkcode Unproven}. */
  readonly kind: "digest";
  /** `st1:` or `st1-bits:`, then 64 hexadecimal digits. */
  readonly text: string;
}

/**
 * Computes the digest of the meaning of a filter, a stack of filters or a
 * policy.
 *
 * @throws {ProgramError} if the kernel would refuse a program.
 *
 * @example Two programs with one meaning
 * ```ts
 * import { digestOf, parseFilters } from "@x/seccomp-tree";
 * import { assertEquals } from "@std/assert";
 *
 * const short = parseFilters("ret #0x7fff0000");
 * const long = parseFilters("ld [0]\njeq #1, a, b\na: ret #0x7fff0000\nb: ret #0x7fff0000");
 * assertEquals(await digestOf(short), await digestOf(long));
 * ```
 *
 * @param subject The filter.
 * @param options Comparison of answers, byte order if the subject has none, and
 * limits.
 * @returns The digest, or the limit that was reached.
 * @category Compare
 */
export async function digestOf(
  subject: Subject,
  options: Pick<ProofOptions, "compare" | "littleEndian" | "limits"> = {},
): Promise<Digest | Unproven> {
  const limits = { ...DEFAULT_PROOF_LIMITS, ...options.limits };
  const littleEndian = byteOrderOf([subject], options.littleEndian);
  const asActed = options.compare !== "bits";
  const found = attemptOrders(limits, (symbols) => {
    const meaning = meaningOf(subject, asActed, symbols);
    return { text: canonicalText(symbols, meaning, littleEndian, limits) };
  }, ["word"]);
  if (typeof found === "string") {
    return {
      kind: "unproven",
      limit: found,
      ...(found === "interrupted" ? {} : { allowed: limits[found] }),
    };
  }
  const hash = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(found.text),
  );
  const hex = Array.from(
    new Uint8Array(hash),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
  return { kind: "digest", text: `${asActed ? "st1" : "st1-bits"}:${hex}` };
}

/** The diagram as text: a line for each node, then one for the 32 functions. */
function canonicalText(
  symbols: Symbols,
  meaning: Node,
  littleEndian: boolean,
  limits: ProofLimits,
): string {
  const functions = bitFunctions(symbols, meaning);
  const { diagram, roots } = littleEndian
    ? { diagram: symbols.diagram, roots: functions }
    : swapHalves(symbols.diagram, functions, limits);
  const lines: string[] = [];
  const numbers = new Map<Node, number>([[NEVER, 0], [ALWAYS, 1]]);
  const number = (f: Node): number => {
    const known = numbers.get(f);
    if (known !== undefined) return known;
    const level = diagram.level(f);
    const low = number(diagram.lowOf(f, level));
    const high = number(diagram.highOf(f, level));
    lines.push(`${level} ${low} ${high}\n`);
    const own = lines.length + 1;
    numbers.set(f, own);
    return own;
  };
  const ends = roots.map(number);
  return `${lines.join("")}${ends.join(" ")}\n`;
}

/** The inputs that set each bit of the answer, highest bit first. */
function bitFunctions(
  { diagram, wordOf }: Symbols,
  meaning: Node,
): readonly Node[] {
  const leaves = leavesOf(diagram, meaning);
  const made = new Map<string, Node>();
  return Array.from({ length: WORD_BITS }, (_, i) => {
    const bit = WORD_BITS - 1 - i;
    const ofLeaf = (leaf: Node): Node => wordOf(leaf)[bit] ?? NEVER;
    // Most bits of the answer have the same function.
    const key = leaves.map(ofLeaf).join();
    const f = made.get(key) ?? diagram.apply(meaning, meaning, ofLeaf);
    made.set(key, f);
    return f;
  });
}

function leavesOf(diagram: Diagram, root: Node): readonly Node[] {
  const leaves: Node[] = [];
  const seen = new Set<Node>();
  const visit = (f: Node): void => {
    if (seen.has(f)) return;
    seen.add(f);
    const level = diagram.level(f);
    if (level === CONSTANT_LEVEL) leaves.push(f);
    else {
      visit(diagram.lowOf(f, level));
      visit(diagram.highOf(f, level));
    }
  };
  visit(root);
  return leaves;
}

/**
 * Orders the low half of each argument before the high one, as on a
 * little-endian machine, after `arch` and `nr`.
 */
function swapHalves(
  from: Diagram,
  functions: readonly Node[],
  limits: ProofLimits,
): { readonly diagram: Diagram; readonly roots: readonly Node[] } {
  const diagram = createDiagram(limits);
  const swapped = new Map<Node, Node>([[NEVER, NEVER], [ALWAYS, ALWAYS]]);
  const swap = (f: Node): Node => {
    const known = swapped.get(f);
    if (known !== undefined) return known;
    const level = from.level(f);
    const to = level < 2 * WORD_BITS ? level : level ^ WORD_BITS;
    const g = diagram.choose(
      diagram.variable(to),
      swap(from.highOf(f, level)),
      swap(from.lowOf(f, level)),
    );
    swapped.set(f, g);
    return g;
  };
  return { diagram, roots: functions.map(swap) };
}
