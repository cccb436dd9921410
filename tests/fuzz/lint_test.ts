/** A slice of `deno task fuzz --of lint`. */

import { assert, assertEquals } from "@std/assert";
import { judgeLint } from "./lint_campaign.ts";

Deno.test("findings about random profiles hold, and their patches fix them", () => {
  const { sources, findings, patches, wrong } = judgeLint({
    seed: 76,
    count: 6,
  });
  assertEquals(wrong, []);
  assert(sources > 3 && patches > 10, `${sources}, ${patches}`);
  assert(findings.size > 8, [...findings.keys()].join(", "));
});
