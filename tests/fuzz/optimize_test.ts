/** Slices of `deno task fuzz` of filters, programs and faults. */

import { assert, assertEquals } from "@std/assert";
import { needs } from "../machine.ts";
import { createRandom } from "../verify/programs.ts";
import {
  judgeOutlineFaults,
  judgeProgramFaults,
  noFaults,
} from "./fault_campaign.ts";
import { judgePrograms, judgeReal, realStacks } from "./optimize_campaign.ts";

needs("shared")(
  "optimize() answers as 19 real filters and two stacks do, at half the size",
  () => {
    const ratios: number[] = [];
    for (const stack of realStacks()) {
      const found = judgeReal(stack, 1500, createRandom(1));
      assertEquals(found.wrong, [], found.name);
      assert(found.inputs >= 1500);
      assert(found.length <= found.given, found.name);
      if (found.name === "runc-0") assert(found.length <= 240);
      if (found.name === "stack of nspawn-0") {
        assert(found.length <= found.given / 2);
      }
      ratios.push(found.length / found.given);
    }
    const median = ratios.sort((a, b) => a - b)[(ratios.length - 1) / 2];
    assert((median ?? 1) <= 0.5, `${median}`);
  },
);

Deno.test("optimize() returns an equal program or none for random programs with arithmetic", () => {
  const counts = judgePrograms({ seed: 1, count: 250 });
  assertEquals(counts.wrong, []);
  assert(counts.optimized > 120 && counts.stacks > 10, JSON.stringify(counts));
});

needs("shared")(
  "optimize() believes no result with a fault in it",
  () => {
    const counts = noFaults();
    const quick = [
      "sshd-0",
      "vsftpd-0",
      "qemu-0",
      "nspawn-4",
      "firejail-default-1",
    ];
    for (const stack of realStacks()) {
      if (!quick.includes(stack.name)) continue;
      judgeOutlineFaults(stack, 25, createRandom(2), counts);
      judgeProgramFaults(stack, 40, createRandom(2), counts);
    }
    assertEquals(counts.wrong, []);
    const kinds = [...counts.kinds.keys()].sort();
    assertEquals(kinds, [
      "flip",
      "loseMask",
      "lost interval",
      "moveCell",
      "moved border",
      "program",
      "swapAnswers",
      "swapped actions",
    ]);
    assert(counts.caught > 5 * counts.harmless, JSON.stringify(counts));
  },
);
