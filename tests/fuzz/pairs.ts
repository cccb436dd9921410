/**
 * Pairs of filters that are equal by construction, and pairs that differ on a
 * given input. Trees of tests are rewritten by laws (a test may be made in
 * front, put in another form, repeated), and written as instructions in several
 * styles. Nothing here comes from the compiler or the prover.
 *
 * @module
 */

import type { Instruction, Op, Program } from "../../bpf/instruction.ts";
import { effectOf } from "../oracle/bpf.ts";
import { jump, plain, type Random } from "../verify/programs.ts";

/** A return value, or a test of a word with two branches. */
export type Tree = Ret | Test;

/** A return value. */
export interface Ret {
  readonly ret: number;
}

/** A test of a word of the input. */
export interface Test {
  /** Byte offset of the word. */
  readonly offset: number;
  readonly op: "eq" | "gt" | "ge" | "set";
  readonly k: number;
  readonly yes: Tree;
  readonly no: Tree;
}

const FULL = 0xffff_ffff;
const ARCHES: readonly number[] = [0xc000_003e, 0x4000_0003, 0xc000_00b7];
const RETURNS: readonly number[] = [
  ...[0x7fff_0000, 0x7fff_0000, 0x0005_0001, 0x0005_0026, 0x8000_0000, 0],
  ...[0x7ffc_0000, 0x0003_0007, 0x7ff0_0002, 0x0005_ffff],
];
/** Larger filters show nothing new. */
const MOST_TESTS = 120;

/** Makes a filter as people write them: a list of rules for each architecture. */
export function randomTree(random: Random): Tree {
  const rules = 1 + random.below(8);
  let tree: Tree = { ret: random.pick(RETURNS) };
  for (let i = 0; i < rules; i++) {
    let inside: Tree = { ret: random.pick(RETURNS) };
    for (let words = random.below(3); words > 0; words--) {
      const offset = 8 + 4 * random.below(14);
      inside = testOf(offset, randomTest(random), inside, tree);
    }
    if (countTests(inside) + countTests(tree) >= MOST_TESTS) break;
    const nr = {
      op: random.pick(["eq", "eq", "ge"] as const),
      k: random.below(450),
    };
    tree = testOf(0, nr, inside, tree);
  }
  if (random.below(3) === 0) return tree;
  const arch = { op: "eq", k: random.pick(ARCHES) } as const;
  return testOf(4, arch, tree, { ret: random.pick(RETURNS) });
}

function randomTest(random: Random): Pick<Test, "op" | "k"> {
  const op = random.pick(["eq", "ge", "gt", "set"] as const);
  const small = random.below(64);
  const k = random.below(3) === 0 ? random.word() : small;
  return { op, k: k === FULL ? 7 : k };
}

function testOf(
  offset: number,
  test: Pick<Test, "op" | "k">,
  yes: Tree,
  no: Tree,
): Test {
  return { offset, ...test, yes, no };
}

/** Rewrites a tree some times by laws that keep its meaning. */
export function rewrite(
  random: Random,
  tree: Tree,
  compare: "effect" | "bits",
): Tree {
  let result = tree;
  for (let i = 1 + random.below(5); i > 0; i--) {
    const law = random.pick([inFront, inFront, repeat, otherForm, prune]);
    const changed = law(random, result);
    if (countTests(changed) <= MOST_TESTS) result = changed;
  }
  return compare === "effect" ? otherValues(random, result) : result;
}

/** Makes a test of the tree, or another, before all others. */
function inFront(random: Random, tree: Tree): Tree {
  const tests = testsOf(tree);
  const first = tests.length > 0 && random.below(4) > 0
    ? random.pick(tests)
    : testOf(0, randomTest(random), tree, tree);
  const known = (answer: boolean): Tree =>
    mapTests(tree, (test) => isSame(test, first) ? answer : undefined);
  return testOf(first.offset, first, known(true), known(false));
}

/** Makes a test whose two sides are the same. */
function repeat(random: Random, tree: Tree): Tree {
  return replaceOne(random, tree, (node) => {
    const offset = 4 * random.below(16);
    return testOf(offset, randomTest(random), node, node);
  });
}

/** Puts a test in another form. */
function otherForm(random: Random, tree: Tree): Tree {
  return replaceOne(random, tree, (node) => {
    if ("ret" in node) return node;
    const { offset, op, k, yes, no } = node;
    switch (op) {
      case "eq":
        if (k === FULL) return testOf(offset, { op: "ge", k }, yes, no);
        return testOf(
          offset,
          { op: "ge", k },
          testOf(offset, { op: "gt", k }, no, yes),
          no,
        );
      case "ge":
        return k === 0 ? yes : testOf(offset, { op: "gt", k: k - 1 }, yes, no);
      case "gt":
        return testOf(offset, { op: "ge", k: k + 1 }, yes, no);
      case "set": {
        // One bit at a time.
        const low = (k & -k) >>> 0;
        const rest = (k ^ low) >>> 0;
        if (k === 0 || rest === 0) return node;
        return testOf(
          offset,
          { op: "set", k: rest },
          yes,
          testOf(offset, { op: "set", k: low }, yes, no),
        );
      }
    }
  });
}

/** Omits tests whose answer follows from those before them. */
function prune(_random: Random, tree: Tree): Tree {
  const visit = (node: Tree, ranges: ReadonlyMap<number, Span>): Tree => {
    if ("ret" in node) return node;
    const { offset, op, k } = node;
    const span = ranges.get(offset) ?? { first: 0, last: FULL };
    const answer = op === "set" ? undefined : follows(op, k, span);
    if (answer !== undefined) return visit(answer ? node.yes : node.no, ranges);
    const cut = (side: Span): ReadonlyMap<number, Span> =>
      new Map(ranges).set(offset, side);
    const [yes, no]: readonly [Span, Span] = op === "eq"
      ? [{ first: k, last: k }, span]
      : op === "ge"
      ? [{ ...span, first: k }, { ...span, last: k - 1 }]
      : op === "gt"
      ? [{ ...span, first: k + 1 }, { ...span, last: k }]
      : [span, span];
    return {
      ...node,
      yes: visit(node.yes, cut(yes)),
      no: visit(node.no, cut(no)),
    };
  };
  return visit(tree, new Map());
}

/** Values that a word may still have. */
interface Span {
  readonly first: number;
  readonly last: number;
}

function follows(
  op: "eq" | "gt" | "ge",
  k: number,
  { first, last }: Span,
): boolean | undefined {
  const [from, to] = op === "eq" ? [k, k] : [op === "ge" ? k : k + 1, FULL];
  if (last < from || first > to) return false;
  return first >= from && last <= to ? true : undefined;
}

/** Replaces values with others on which the kernel does the same. */
function otherValues(random: Random, tree: Tree): Tree {
  return mapReturns(tree, (ret) => {
    if (random.below(3) > 0) return ret;
    const data = random.below(0x1_0000);
    const other = ret === 0x8000_0000
      ? 0x1234_0000 + data
      : (ret & 0xffff_0000) + data >>> 0;
    return effectOf(other) === effectOf(ret) ? other : ret;
  });
}

/** Changes one thing; the meaning may stay the same by chance. */
export function alter(random: Random, tree: Tree): Tree {
  return replaceOne(random, tree, (node) => {
    if ("ret" in node) return { ret: random.pick(RETURNS) };
    switch (random.below(4)) {
      case 0:
        return { ...node, k: node.k === 0 ? 1 : node.k - 1 };
      case 1:
        return { ...node, k: node.k === FULL ? 0 : node.k + 1 };
      case 2:
        return { ...node, yes: node.no, no: node.yes };
      default:
        return random.pick([node.yes, node.no]);
    }
  });
}

/** Splits a filter in two that mean the same together. */
export function splitInTwo(
  random: Random,
  tree: Tree,
): readonly [Tree, Tree] {
  const first: number[] = [];
  const a = mapReturns(tree, (ret) => {
    first.push(random.below(2) === 0 ? ret : 0x7fff_0000);
    return first.at(-1) ?? ret;
  });
  let i = 0;
  const b = mapReturns(
    tree,
    (ret) => first[i++] === ret ? 0x7fff_0000 : ret,
  );
  return [a, b];
}

function isSame(a: Test, b: Test): boolean {
  return a.offset === b.offset && a.op === b.op && a.k === b.k;
}

/** Lists the tests of a tree. */
export function testsOf(tree: Tree): readonly Test[] {
  return "ret" in tree ? [] : [tree, ...testsOf(tree.yes), ...testsOf(tree.no)];
}

function countTests(tree: Tree): number {
  return "ret" in tree ? 0 : 1 + countTests(tree.yes) + countTests(tree.no);
}

/** Takes a side of those tests whose answer is known. */
function mapTests(
  tree: Tree,
  answer: (test: Test) => boolean | undefined,
): Tree {
  if ("ret" in tree) return tree;
  const known = answer(tree);
  if (known !== undefined) return mapTests(known ? tree.yes : tree.no, answer);
  return {
    ...tree,
    yes: mapTests(tree.yes, answer),
    no: mapTests(tree.no, answer),
  };
}

function mapReturns(tree: Tree, map: (ret: number) => number): Tree {
  return "ret" in tree ? { ret: map(tree.ret) } : {
    ...tree,
    yes: mapReturns(tree.yes, map),
    no: mapReturns(tree.no, map),
  };
}

/** Replaces one node, each as likely as the others. */
function replaceOne(
  random: Random,
  tree: Tree,
  replace: (node: Tree) => Tree,
): Tree {
  let at = random.below(2 * countTests(tree) + 1);
  const visit = (node: Tree): Tree => {
    if (at-- === 0) return replace(node);
    if ("ret" in node) return node;
    const yes = visit(node.yes);
    return { ...node, yes, no: visit(node.no) };
  };
  return visit(tree);
}

/** Writes a tree as instructions, in one of several styles. */
export function write(random: Random, tree: Tree): Program {
  const style = {
    yesFirst: random.below(2) === 0,
    form: random.below(6),
  };
  const visit = (node: Tree): Program => {
    if ("ret" in node) {
      return random.below(12) === 0
        ? [plain("ld.imm", node.ret), plain("ret.a")]
        : [plain("ret.k", node.ret)];
    }
    const { code, op, k, swap } = writeTest(random, node, style.form);
    const [yes, no] = swap ? [node.no, node.yes] : [node.yes, node.no];
    const [near, far] = style.yesFirst
      ? [visit(yes), visit(no)]
      : [visit(no), visit(yes)];
    const over = near.length;
    const isShort = over <= 255;
    // A jump over more than 255 instructions goes by `ja`.
    const [there, here] = isShort ? [over, 0] : [0, 1];
    const [jt, jf] = style.yesFirst ? [here, there] : [there, here];
    return [
      ...code,
      jump(op, k, jt, jf),
      ...(isShort ? [] : [plain("ja", over)]),
      ...near,
      ...far,
    ];
  };
  return visit(tree);
}

/** Instructions of a test up to its jump. */
interface WrittenTest {
  readonly code: readonly Instruction[];
  readonly op: Op;
  readonly k: number;
  /** True to exchange the sides. */
  readonly swap?: boolean;
}

function writeTest(
  random: Random,
  { offset, op, k }: Test,
  form: number,
): WrittenTest {
  const load = plain("ld.abs", offset);
  const jumpOp = `j${op}.k` as const;
  const c = random.word();
  switch (random.below(2) === 0 ? form : 0) {
    case 1:
      return { code: [load, plain("ldx.imm", k)], op: `j${op}.x`, k: 0 };
    case 2:
      if (op !== "eq") break;
      return { code: [load, plain("add.k", c)], op: jumpOp, k: (k + c) >>> 0 };
    case 3:
      if (op !== "eq") break;
      return { code: [load, plain("xor.k", c)], op: jumpOp, k: (k ^ c) >>> 0 };
    case 4:
      if (op !== "set") break;
      return { code: [load, plain("and.k", k)], op: "jeq.k", k: 0, swap: true };
    case 5:
      return {
        code: [load, plain("st", 3), plain("ld.imm", c), plain("ld.mem", 3)],
        op: jumpOp,
        k,
      };
  }
  return { code: [load], op: jumpOp, k };
}
