import { assert, assertEquals } from "@std/assert";
import { countBranches, createDecisionGraph } from "../../compiler/decision.ts";
import { ALLOW, EPERM, KILL } from "./shared.ts";

const test = { offset: 0, mask: 0xffff_ffff, op: "eq", k: 1 } as const;

Deno.test("createDecisionGraph() makes equal nodes once", () => {
  const { leaf, branch } = createDecisionGraph();
  assert(leaf(ALLOW) === leaf(ALLOW));
  const node = branch(test, leaf(ALLOW), leaf(EPERM));
  assert(node === branch({ ...test }, leaf(ALLOW), leaf(EPERM)));
  for (
    const other of [
      branch(test, leaf(EPERM), leaf(ALLOW)),
      branch({ ...test, k: 2 }, leaf(ALLOW), leaf(EPERM)),
      branch({ ...test, op: "ge" }, leaf(ALLOW), leaf(EPERM)),
      branch({ ...test, offset: 4 }, leaf(ALLOW), leaf(EPERM)),
      branch({ ...test, mask: 1 }, leaf(ALLOW), leaf(EPERM)),
      branch(test, leaf(ALLOW), leaf(KILL)),
    ]
  ) assert(other !== node);
});

Deno.test("createDecisionGraph() drops a test whose sides are one node", () => {
  const { leaf, branch } = createDecisionGraph();
  assert(branch(test, leaf(ALLOW), leaf(ALLOW)) === leaf(ALLOW));
});

Deno.test("countBranches() counts shared tests once", () => {
  const { leaf, branch } = createDecisionGraph();
  const shared = branch({ ...test, offset: 16 }, leaf(ALLOW), leaf(EPERM));
  const a = branch({ ...test, k: 2 }, shared, leaf(KILL));
  assertEquals(countBranches(leaf(ALLOW)), 0);
  assertEquals(countBranches(branch(test, shared, a)), 3);
});
