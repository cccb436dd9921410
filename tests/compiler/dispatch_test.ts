import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { createDecisionGraph } from "../../compiler/decision.ts";
import { dispatch } from "../../compiler/dispatch.ts";
import {
  ALLOW,
  call,
  EPERM,
  follow,
  I386,
  KILL,
  SEED,
  show,
  X86_64,
} from "./shared.ts";

Deno.test("dispatch() tests the architectures in order", () => {
  const graph = createDecisionGraph();
  const node = dispatch(graph, [
    { auditArch: X86_64, decision: graph.leaf(ALLOW) },
    { auditArch: I386, decision: graph.leaf(EPERM) },
  ], graph.leaf(KILL));
  assertEquals(
    show(node),
    `[4] eq ${X86_64} ? (7fff0000) : ([4] eq ${I386} ? (50001) : (0))`,
  );
});

Deno.test("dispatch() without architectures is what unknown ones get", () => {
  const graph = createDecisionGraph();
  assert(dispatch(graph, [], graph.leaf(KILL)) === graph.leaf(KILL));
});

Deno.test("dispatch() tests the architecture even if all decide alike", () => {
  const graph = createDecisionGraph();
  const both = graph.branch(
    { offset: 0, mask: 0xffff_ffff, op: "eq", k: 1 },
    graph.leaf(ALLOW),
    graph.leaf(EPERM),
  );
  const node = dispatch(graph, [
    { auditArch: X86_64, decision: both },
    { auditArch: I386, decision: both },
  ], graph.leaf(KILL));
  assertEquals(follow(node, call(1, [], X86_64)).value, ALLOW);
  assertEquals(follow(node, call(1, [], I386)).value, ALLOW);
  assertEquals(follow(node, call(1, [], 7)).value, KILL);
});

Deno.test("dispatch() takes the first of architectures with one value", () => {
  const arch = fc.constantFrom(1, 2, 3, 0x8000_0000, 0xffff_ffff);
  fc.assert(
    fc.property(fc.array(fc.tuple(arch, fc.nat(5))), arch, (arches, seen) => {
      const graph = createDecisionGraph();
      const node = dispatch(
        graph,
        arches.map(([auditArch, v]) => ({
          auditArch,
          decision: graph.leaf(v),
        })),
        graph.leaf(9),
      );
      const expected = arches.find(([a]) => a === seen)?.[1] ?? 9;
      assertEquals(follow(node, call(0, [], seen)).value, expected);
    }),
    { seed: SEED, numRuns: 300 },
  );
});
