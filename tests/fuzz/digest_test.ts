/** A slice of `deno task fuzz --of digests`. */

import { assert, assertEquals } from "@std/assert";
import { runDigests } from "./digest_campaign.ts";

Deno.test("digestOf() is one for equal filters, and for no others", async () => {
  const counts = await runDigests({ seed: 1, count: 120 });
  assertEquals(counts.wrong, []);
  assert(counts.equal >= 120 && counts.different >= 120);
  assert(counts.optimized > 2 && counts.stacks > 5, JSON.stringify(counts));
});
