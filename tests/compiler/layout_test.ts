import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { check } from "../../bpf/check.ts";
import type { Program } from "../../bpf/instruction.ts";
import { prepare, run, runSteps } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import {
  type Branch,
  createDecisionGraph,
  type Decision,
  type DecisionGraph,
} from "../../compiler/decision.ts";
import { layout } from "../../compiler/layout.ts";
import { select } from "../../compiler/select.ts";
import {
  ALLOW,
  call,
  EPERM,
  follow,
  I386,
  KILL,
  SEED,
  X86_64,
} from "./shared.ts";

const FULL = 0xffff_ffff;

function lay(root: Decision): Program {
  return layout(select(root));
}

/** A test of one word. */
function test(
  offset: number,
  op: Branch["op"],
  k: number,
  mask = FULL,
): Pick<Branch, "offset" | "mask" | "op" | "k"> {
  return { offset, mask, op, k };
}

/** Asserts that a program answers as its decision, on words near its constants. */
function assertFollows(root: Decision, program: Program): void {
  assertEquals(check(program), undefined);
  const prepared = prepare(program);
  const values = new Set<number>([0, 1, FULL]);
  const seen = new Set<Decision>();
  const collect = [root];
  for (let node = collect.pop(); node !== undefined; node = collect.pop()) {
    if (node.kind !== "branch" || seen.has(node)) continue;
    seen.add(node);
    values.add(node.k).add((node.k + 1) >>> 0).add((node.k - 1) >>> 0);
    collect.push(node.yes, node.no);
  }
  const list = [...values];
  for (const [i, nr] of list.entries()) {
    for (const shift of [0, 1, 7]) {
      const low = list[(i * 3 + shift) % list.length] ?? 0;
      const high = list[(i + 5 * shift) % list.length] ?? 0;
      const data = call(
        nr,
        [BigInt(low) | BigInt(high) << 32n, BigInt(nr)],
        shift === 1 ? I386 : X86_64,
      );
      assertEquals(
        run(prepared, toWords(data, true)),
        follow(root, data).value,
        `${nr} ${low} ${high}`,
      );
    }
  }
}

Deno.test("layout() writes small decisions", () => {
  const graph = createDecisionGraph();
  const { leaf, branch } = graph;
  const [yes, no] = [leaf(ALLOW), leaf(EPERM)];
  const i = (op: Program[number]["op"], k: number, jt = 0, jf = 0) => (
    { op, jt, jf, k }
  );
  const table: readonly (readonly [string, Decision, Program])[] = [
    ["a leaf", yes, [i("ret.k", ALLOW)]],
    ["a test", branch(test(0, "eq", 5), yes, no), [
      i("ld.abs", 0),
      i("jeq.k", 5, 1, 0),
      i("ret.k", EPERM),
      i("ret.k", ALLOW),
    ]],
    ["a masked test", branch(test(16, "eq", 4, 6), yes, no), [
      i("ld.abs", 16),
      i("and.k", 6),
      i("jeq.k", 4, 1, 0),
      i("ret.k", EPERM),
      i("ret.k", ALLOW),
    ]],
    [
      "one load for one word",
      branch(
        test(0, "ge", 5),
        branch(test(0, "set", 8), no, yes),
        no,
      ),
      [
        i("ld.abs", 0),
        i("jge.k", 5, 0, 1),
        i("jset.k", 8, 0, 1),
        i("ret.k", EPERM),
        i("ret.k", ALLOW),
      ],
    ],
  ];
  for (const [name, root, expected] of table) {
    const seen = lay(root);
    assertEquals(seen.length, expected.length, name);
    assertFollows(root, seen);
    // The order of leaves is layout's own; ops and constants are not.
    const sorted = (p: Program): readonly string[] =>
      p.map(({ op, k }) => `${op} ${k}`).sort();
    assertEquals(sorted(seen), sorted(expected), name);
  }
});

/** A chain of `count` equalities from `first`, ending in `end`; hits go to `hit`. */
function chain(
  graph: DecisionGraph,
  count: number,
  hit: (i: number) => Decision,
  end: Decision,
): Decision {
  let node = end;
  for (let i = count - 1; i >= 0; i--) {
    node = graph.branch(test(0, "eq", 3 * i), hit(i), node);
  }
  return node;
}

Deno.test("layout() reaches leaves beyond 255 instructions", () => {
  for (const count of [250, 253, 254, 255, 256, 257, 300, 511, 512, 1000]) {
    const graph = createDecisionGraph();
    const root = chain(
      graph,
      count,
      () => graph.leaf(ALLOW),
      graph.leaf(EPERM),
    );
    const program = lay(root);
    assertFollows(root, program);
    const returns = program.filter((i) => i.op === "ret.k").length;
    assert(
      returns <= 2 + Math.ceil(count / 250),
      `${count}: ${returns} leaves`,
    );
    assert(program.every((i) => i.op !== "ja"), `${count}: a leaf needs no ja`);
  }
});

Deno.test("layout() reaches branches beyond 255 instructions by one ja", () => {
  for (const count of [250, 253, 254, 255, 256, 257, 300, 600]) {
    const graph = createDecisionGraph();
    const far = chain(
      graph,
      count,
      (i) => graph.leaf(0x5_0000 + i % 7),
      graph.leaf(EPERM),
    );
    const near = chain(
      graph,
      count,
      (i) => graph.leaf(0x3_0000 + i % 5),
      graph.leaf(ALLOW),
    );
    const root = graph.branch(test(4, "eq", 0xc000_003e), near, far);
    assertFollows(root, lay(root));
    const other = graph.branch(test(4, "eq", 0xc000_003e), far, near);
    assertFollows(other, lay(other));
  }
});

/** Both sides of a test far away, in every mix of leaf and branch. */
function bothFar(
  size: number,
  kinds: readonly ["leaf" | "branch", "leaf" | "branch"],
): Decision {
  const graph = createDecisionGraph();
  const targets = kinds.map((kind, i) =>
    kind === "leaf"
      ? graph.leaf(0x5_0100 + i)
      : graph.branch(test(16, "ge", 7 + i), graph.leaf(i), graph.leaf(ALLOW))
  );
  const [a = graph.leaf(KILL), b = graph.leaf(KILL)] = targets;
  const last = graph.branch(test(24, "eq", 3), a, b);
  const fill = chain(graph, size, (i) => graph.leaf(0x3_0000 + i % 3), last);
  const bridge = graph.branch(test(28, "eq", 9), a, fill);
  // Tests of both targets again from the front, over the filling.
  return graph.branch(
    test(20, "set", 1),
    graph.branch(test(32, "eq", 1), a, b),
    bridge,
  );
}

Deno.test("layout() reaches two far targets of one test", () => {
  for (
    const kinds of [["leaf", "leaf"], ["leaf", "branch"], ["branch", "leaf"], [
      "branch",
      "branch",
    ]] as const
  ) {
    for (let size = 245; size < 262; size++) {
      const root = bothFar(size, kinds);
      assertFollows(root, lay(root));
    }
  }
});

Deno.test("layout() enters a far masked test where each path needs it", () => {
  for (const size of [10, 254, 255, 256, 400]) {
    const graph = createDecisionGraph();
    const masked = graph.branch(
      test(16, "eq", 4, 6),
      graph.leaf(ALLOW),
      graph.leaf(EPERM),
    );
    const fill = chain(
      graph,
      size,
      (i) => graph.leaf(0x3_0000 + i % 3),
      masked,
    );
    const root = graph.branch(
      test(16, "set", 0x100),
      // The word is there: enters at the mask.
      masked,
      graph.branch(
        test(16, "eq", 2, 6),
        fill,
        // The masked word is there: enters at the comparison.
        graph.branch(test(16, "eq", 0, 6), graph.leaf(KILL), masked),
      ),
    );
    assertFollows(root, lay(root));
  }
});

/** Any decision over three words, with sharing. */
const anyDecision = fc.array(
  fc.record({
    offset: fc.constantFrom(0, 16, 20, 24),
    op: fc.constantFrom<Branch["op"]>("eq", "ge", "set"),
    k: fc.oneof(fc.nat(9), fc.constantFrom(0x8000_0000, FULL)),
    mask: fc.constantFrom(FULL, FULL, FULL, 6, 0x8000_0001),
    yes: fc.nat(),
    no: fc.nat(),
    recent: fc.boolean(),
  }),
  { minLength: 1, maxLength: 700, size: "max" },
).map((draws) => {
  const graph = createDecisionGraph();
  const nodes: Decision[] = [KILL, ALLOW, EPERM].map((v) => graph.leaf(v));
  for (const { offset, op, k, mask, yes, no, recent } of draws) {
    const pick = (at: number): Decision =>
      nodes[
        recent
          ? nodes.length - 1 - at % Math.min(4, nodes.length)
          : at % nodes.length
      ] ?? graph.leaf(KILL);
    nodes.push(graph.branch(
      { offset, op, k, mask: op === "set" ? FULL : mask },
      pick(yes),
      pick(no),
    ));
  }
  return nodes[nodes.length - 1] ?? graph.leaf(KILL);
});

Deno.test("layout() and select() answer as any decision does", () => {
  fc.assert(
    fc.property(anyDecision, (root) => assertFollows(root, lay(root))),
    { seed: SEED, numRuns: 120 },
  );
});

Deno.test("layout() executes each test once and no load twice in a row", () => {
  fc.assert(
    fc.property(anyDecision, fc.nat(9), fc.nat(9), (root, nr, low) => {
      const data = call(nr, [BigInt(low)]);
      const { tests } = follow(root, data);
      let expected = 1;
      let held: Branch | undefined;
      for (const node of tests) {
        const loads = held?.offset !== node.offset ||
          (held.mask !== FULL && held.mask !== node.mask);
        const masks = node.mask !== FULL &&
          (loads || held?.mask !== node.mask);
        expected += 1 + (loads ? 1 : 0) + (masks ? 1 : 0);
        held = node;
      }
      const program = lay(root);
      const { steps } = runSteps(prepare(program), toWords(data, true));
      const jumps = program.filter((i) => i.op === "ja").length;
      assert(steps >= expected, `${steps} steps, at least ${expected}`);
      if (jumps === 0) assertEquals(steps, expected);
    }),
    { seed: SEED, numRuns: 120 },
  );
});

Deno.test("layout() handles a decision of 100,000 tests", () => {
  const graph = createDecisionGraph();
  const root = chain(
    graph,
    100_000,
    () => graph.leaf(ALLOW),
    graph.leaf(EPERM),
  );
  assert(lay(root).length > 100_000);
});

Deno.test("layout() omits a last return of which only a copy is used", () => {
  const graph = createDecisionGraph();
  let numbers: Decision = graph.leaf(ALLOW);
  for (let nr = 600; nr > 0; nr -= 2) {
    numbers = graph.branch(test(0, "eq", nr), graph.leaf(EPERM), numbers);
  }
  const root = graph.branch(test(4, "eq", X86_64), numbers, graph.leaf(KILL));
  const program = lay(root);
  assertFollows(root, program);
  const kills = program.filter(({ op, k }) => op === "ret.k" && k === KILL);
  assertEquals(kills.length, 1);
});
