/**
 * Programs as decision graphs: tests with two branches each, and actions.
 *
 * @module
 */

import { comparedArches } from "../../bpf/follow.ts";
import type { Instruction, Program } from "../../bpf/instruction.ts";
import { formatInstruction } from "../../bpf/assembly/format_instruction.ts";
import { isConditionalJump } from "../../bpf/opcode.ts";
import { actionOf, formatReturnValue } from "../../bpf/return_value.ts";
import { ARCH_OFFSET, NR_OFFSET } from "../../bpf/seccomp_data.ts";
import {
  callsIn,
  callsText,
  EVERYTHING,
  joinReach,
  type Reach,
  splitReach,
} from "./reach.ts";
import {
  type Content,
  contentsOf,
  MOST_COLUMNS,
  testText,
  wrapTest,
} from "./words.ts";

/** A branch of a test. */
export interface GraphEdge {
  /** Identifier of the node to which it leads. */
  readonly to: string;
  /** Results of the test that take this branch. */
  readonly answer: "yes" | "no";
  /** Share of the known calls that can take this branch, 0 to 1. */
  readonly weight: number;
}

/** A test or an action. */
export interface GraphNode {
  /** Identifier, unique in the image. */
  readonly id: string;
  /** Lines of text in the node. */
  readonly lines: readonly string[];
  /** Explanation: its instructions and the calls that reach it. */
  readonly title: string;
  /** Indices of the tests, or of the `ret`. */
  readonly pcs: readonly number[];
  /** The action without its data, if it is known. */
  readonly action?: number | "computed";
  /** Both branches of a test; empty for an action. */
  readonly edges: readonly GraphEdge[];
}

/** A drawn filter. */
export interface FilterGraph {
  /** Name of the filter. */
  readonly title: string;
  /** The node of the first test. */
  readonly root: string;
  /** Nodes in the order of their instructions. */
  readonly nodes: readonly GraphNode[];
}

/** A filter to draw. */
export interface DrawnFilter {
  readonly title: string;
  readonly program: Program;
  readonly littleEndian: boolean;
  /** `AUDIT_ARCH_*` of calls if the program does not test `arch`. */
  readonly native?: number;
}

/** State while a graph is built. */
interface Maker {
  readonly program: Program;
  readonly littleEndian: boolean;
  readonly prefix: string;
  readonly arches: readonly number[];
  readonly contents: readonly (Content | undefined)[];
  readonly reaches: Map<number, Reach>;
  /** Number of jumps to each test or `ret`. */
  readonly entries: Map<number, number>;
  readonly total: number;
}

/** Stands for instructions past the end, which no accepted program reaches. */
const NOTHING: Instruction = { op: "ret.k", jt: 0, jf: 0, k: 0 };

/** Maximum number of names in a test of several numbers. */
const MOST_LISTED = 60;

/**
 * Builds the graph of a filter. Each branch to an action has its own node, so
 * no lines run across the image.
 *
 * @param filter The filter.
 * @param prefix Prefix of all identifiers.
 */
export function graphOf(
  { title, program, littleEndian, native }: DrawnFilter,
  prefix = "",
): FilterGraph {
  const compared = comparedArches(program);
  const arches = compared.length === 0 && native !== undefined
    ? [native]
    : compared;
  const maker: Maker = {
    program,
    littleEndian,
    prefix,
    arches,
    contents: contentsOf(program, littleEndian),
    reaches: new Map([[endOf(program, 0), EVERYTHING]]),
    entries: new Map([[endOf(program, 0), 1]]),
    total: Math.max(1, callsIn(EVERYTHING, arches).length),
  };
  followReaches(maker);
  const nodes: GraphNode[] = [];
  const taken = new Set<number>();
  for (const [pc, { op }] of program.entries()) {
    if (!maker.reaches.has(pc) || taken.has(pc)) continue;
    if (isConditionalJump(op)) nodes.push(...testNodes(maker, pc, taken));
  }
  const root = endOf(program, 0);
  if (!isConditionalJump(program[root]?.op ?? 0)) {
    nodes.push(actionNode(maker, root, `${prefix}n${root}`, EVERYTHING));
  }
  return { title, root: `${prefix}n${root}`, nodes };
}

/** The test or `ret` with which the code at an index ends. */
function endOf(program: Program, pc: number): number {
  for (let at = pc; at < program.length;) {
    const { op, k } = program[at] ?? NOTHING;
    if (isConditionalJump(op) || op === "ret.k" || op === "ret.a") return at;
    at += op === "ja" ? k + 1 : 1;
  }
  return program.length - 1;
}

/** Both branches of a test, with the calls that take them. */
function waysOf(
  { program, contents, reaches }: Maker,
  pc: number,
): readonly (readonly [answer: "yes" | "no", to: number, reach: Reach])[] {
  const test = program[pc] ?? NOTHING;
  const reach = reaches.get(pc) ?? EVERYTHING;
  const { offset, mask } = contents[pc] ?? {};
  const word = mask !== undefined
    ? undefined
    : offset === NR_OFFSET
    ? "nr"
    : offset === ARCH_OFFSET
    ? "arch"
    : undefined;
  const [yes, no] = word === undefined
    ? [reach, reach]
    : splitReach(reach, test, word);
  return [
    ["yes", endOf(program, pc + 1 + test.jt), yes],
    ["no", endOf(program, pc + 1 + test.jf), no],
  ];
}

/** Computes what reaches each test. */
function followReaches(maker: Maker): void {
  const { program, reaches, entries } = maker;
  for (const [pc, { op }] of program.entries()) {
    if (!isConditionalJump(op) || !reaches.has(pc)) continue;
    for (const [, to, reach] of waysOf(maker, pc)) {
      const before = reaches.get(to);
      reaches.set(to, before === undefined ? reach : joinReach(before, reach));
      entries.set(to, (entries.get(to) ?? 0) + 1);
    }
  }
}

/** The node of a test, or of a chain of tests of `nr`, and of its actions. */
function testNodes(
  maker: Maker,
  pc: number,
  taken: Set<number>,
): readonly GraphNode[] {
  const { prefix, arches, total } = maker;
  const chain = chainAt(maker, pc);
  for (const one of chain) taken.add(one);
  const id = `${prefix}n${pc}`;
  const actions: GraphNode[] = [];
  const last = chain.at(-1) ?? pc;
  const yes = chain.map((one) => waysOf(maker, one)[0]?.[2] ?? EVERYTHING)
    .reduce(joinReach);
  const edges = waysOf(maker, last).map(([answer, to, own]): GraphEdge => {
    const reach = answer === "yes" ? yes : own;
    const weight = callsIn(reach, arches).length / total;
    if (isConditionalJump(maker.program[to]?.op ?? 0)) {
      return { to: `${prefix}n${to}`, answer, weight };
    }
    const leaf = `${id}${answer}`;
    actions.push(actionNode(maker, to, leaf, reach));
    return { to: leaf, answer, weight };
  });
  const calls = callsIn(maker.reaches.get(pc) ?? EVERYTHING, arches);
  const lines = linesOf(maker, chain);
  const title = [
    `${lines.join(" ")}?`,
    ...chain.map((one) =>
      `${one}: ${
        formatInstruction(maker.program[one] ?? NOTHING, one, new Set())
      }`
    ),
    ...(calls.length === 0 ? [] : [`reached by ${callsText(calls)}`]),
  ].join("\n");
  return [{ id, lines, title, pcs: chain, edges }, ...actions];
}

/**
 * The consecutive equality tests of `nr` with the same answer for "yes";
 * otherwise only the test itself.
 */
function chainAt(maker: Maker, pc: number): readonly number[] {
  const { program, contents, entries } = maker;
  const isEqual = (at: number): boolean =>
    program[at]?.op === "jeq.k" && contents[at]?.offset === NR_OFFSET &&
    contents[at]?.mask === undefined;
  const answerOf = (at: number): string | undefined => {
    const target = program[waysOf(maker, at)[0]?.[1] ?? 0];
    return target?.op === "ret.k" ? String(target.k) : undefined;
  };
  const chain = [pc];
  if (!isEqual(pc) || answerOf(pc) === undefined) return chain;
  for (let at = pc; chain.length < MOST_LISTED;) {
    const next = waysOf(maker, at)[1]?.[1] ?? at;
    const joins = isEqual(next) && entries.get(next) === 1 &&
      answerOf(next) === answerOf(pc);
    if (!joins) break;
    chain.push(next);
    at = next;
  }
  return chain;
}

/** The text in the node of a chain. */
function linesOf(maker: Maker, chain: readonly number[]): readonly string[] {
  const { program, contents, arches, littleEndian, reaches } = maker;
  const texts = chain.map((pc) => {
    const test = program[pc];
    if (test === undefined) throw new Error("Unreachable: no such test");
    const calls = callsIn(reaches.get(pc) ?? EVERYTHING, arches);
    const content = contents[pc] ?? { text: "A" };
    return testText(test, content, calls, littleEndian);
  });
  const [first = ""] = texts;
  if (texts.length === 1) return wrapTest(first);
  const names = texts.map((text) => text.replace(/^nr = /, ""));
  const lines: string[] = [];
  let line = "nr is one of";
  for (const [i, name] of names.entries()) {
    const word = i + 1 < names.length ? `${name},` : name;
    if (
      lines.length === 0 && i === 0 || line.length + word.length > MOST_COLUMNS
    ) {
      lines.push(line);
      line = word;
    } else line += ` ${word}`;
  }
  return [...lines, line];
}

function actionNode(
  { program, arches }: Maker,
  pc: number,
  id: string,
  reach: Reach,
): GraphNode {
  const ret = program[pc];
  const calls = callsIn(reach, arches);
  const isOther = calls.length === 0 &&
    (reach.get(undefined) ?? []).length > 0;
  const range = isOther ? "other architectures" : callsText(calls);
  const [arch] = new Set(calls.map((call) => call.arch));
  const isKnown = ret?.op === "ret.k";
  const words = isKnown
    ? formatReturnValue(ret.k, arch ?? arches[0])
    : "computed value";
  return {
    id,
    lines: range === "" ? [words] : [words, range],
    title: [
      words,
      `instruction ${pc}`,
      range === "" ? "no known call" : `for ${range}`,
    ].join("\n"),
    pcs: [pc],
    action: isKnown ? actionOf(ret.k) : "computed",
    edges: [],
  };
}
