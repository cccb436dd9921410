import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  ALWAYS,
  createDiagram,
  type Diagram,
  NEVER,
  type Node,
} from "../../../verify/core/diagram.ts";
import { LimitReached } from "../../../verify/limits.ts";
import { createRandom } from "../programs.ts";

const WIDE = { nodes: 1_000_000, steps: 10_000_000 };

/** The value of a function if the variables are the bits of `input`. */
function valueAt(d: Diagram, f: Node, input: number): Node {
  let node = f;
  while (d.level(node) < 0xffff) {
    const level = d.level(node);
    node = (input >>> level) & 1 ? d.highOf(node, level) : d.lowOf(node, level);
  }
  return node;
}

Deno.test("choose() gives equal functions one number, and different ones two", () => {
  const d = createDiagram(WIDE);
  const random = createRandom(1);
  /** Functions of six variables by their table of 64 values. */
  const byTable = new Map<string, Node>();
  const functions: Node[] = [NEVER, ALWAYS];
  for (let i = 0; i < 6; i++) functions.push(d.variable(i));
  for (let i = 0; i < 3_000; i++) {
    const [f, g, h] = [0, 0, 0].map(() => random.pick(functions));
    assert(f !== undefined && g !== undefined && h !== undefined);
    const made = d.choose(f, g, h);
    let table = "";
    for (let input = 0; input < 64; input++) {
      const expected = valueAt(d, f, input) === ALWAYS ? g : h;
      const value = valueAt(d, made, input);
      assertEquals(value, valueAt(d, expected, input));
      table += value;
    }
    assertEquals(made, byTable.get(table) ?? made);
    byTable.set(table, made);
    functions.push(made);
  }
  assert(byTable.size > 500);
});

Deno.test("choose() mistakes no remembered result for another one", () => {
  // Few nodes have few places for results, so most questions replace an older
  // one.
  const d = createDiagram({ nodes: 300, steps: 10_000_000 });
  const random = createRandom(7);
  const functions: Node[] = [NEVER, ALWAYS];
  for (let i = 0; i < 3; i++) functions.push(d.variable(i));
  for (let i = 0; i < 8_000; i++) {
    const f = random.pick(functions);
    const g = random.pick(functions);
    // The same question with several third parts, one after the other.
    for (const h of [random.pick(functions), NEVER, random.pick(functions)]) {
      const made = d.choose(f, g, h);
      const steps = d.steps();
      d.choose(f, g, h);
      assertEquals(d.steps(), steps, "the last result is remembered");
      for (let input = 0; input < 8; input++) {
        const expected = valueAt(d, f, input) === ALWAYS ? g : h;
        const value = valueAt(d, made, input);
        if (value !== valueAt(d, expected, input)) {
          throw new Error(`choose(${f}, ${g}, ${h}) on ${input}: ${value}`);
        }
      }
      if (!functions.includes(made)) functions.push(made);
    }
  }
  assertEquals(functions.length, 2 ** 2 ** 3);
});

Deno.test("choose() keeps its word while tables grow", () => {
  const d = createDiagram(WIDE);
  const random = createRandom(2);
  const numbers = Array.from({ length: 12_000 }, () => random.word());
  /** The set of all of them: one path each. */
  const build = (order: readonly number[]): Node => {
    let set = NEVER;
    for (const number of order) {
      let point = ALWAYS;
      for (let level = 31; level >= 0; level--) {
        const variable = d.variable(level);
        point = (number >>> level) & 1
          ? d.and(variable, point)
          : d.except(point, variable);
      }
      set = d.or(set, point);
    }
    return set;
  };
  const set = build(numbers);
  assert(d.nodes() > 200_000, `${d.nodes()} nodes`);
  assertEquals(build(numbers.toReversed()), set);
  assert(numbers.every((number) => valueAt(d, set, number) === ALWAYS));
});

Deno.test("apply() combines the leaves of two functions", () => {
  const d = createDiagram(WIDE);
  const [x, y] = [d.variable(0), d.variable(1)];
  const [one, two, three] = [d.leaf(), d.leaf(), d.leaf()];
  const f = d.choose(x, one, two);
  const g = d.choose(y, one, two);
  const same = d.apply(f, g, (a, b) => a === b ? ALWAYS : NEVER);
  assertEquals(same, d.choose(x, y, d.not(y)));
  assertEquals(d.apply(f, g, () => three), three);
});

Deno.test("createDiagram() stops at its limits", () => {
  const fill = (d: Diagram): void => {
    let parity = NEVER;
    for (let level = 0; level < 60_000; level++) {
      parity = d.choose(d.variable(level % 512), d.not(parity), parity);
    }
  };
  for (const limit of ["nodes", "steps"] as const) {
    const d = createDiagram({ ...WIDE, [limit]: 500 });
    const error = assertThrows(() => fill(d), LimitReached);
    assertEquals(error.limit, limit);
    assert((limit === "nodes" ? d.nodes() : d.steps()) <= 501);
  }
  const odd = [[NaN, 0], [-5, 0], [0, 0], [1.5, 1], [3, 3]] as const;
  for (const [nodes, made] of odd) {
    const d = createDiagram({ ...WIDE, nodes });
    assertThrows(() => fill(d), LimitReached);
    assertEquals(d.nodes(), made, `${nodes} nodes`);
  }
  const asked = createDiagram({ ...WIDE, interrupted: () => true });
  assertEquals(
    assertThrows(() => fill(asked), LimitReached).limit,
    "interrupted",
  );
});

Deno.test("apply() keeps apart pairs of functions whose numbers are large", () => {
  const d = createDiagram(WIDE);
  const leaves = Array.from({ length: 200_000 }, () => d.leaf());
  const last = leaves.at(-1) ?? NEVER;
  for (const at of [0, 1, 100_000, 199_990]) {
    const [a = NEVER, b = NEVER] = leaves.slice(at);
    const either = d.choose(d.variable(3), a, b);
    assertEquals(d.apply(last, either, (_, g) => g), either);
    assertEquals(d.apply(either, last, (f) => f), either);
  }
});
