/** A slice of `deno task fuzz --of convert`. */

import { assert, assertEquals } from "@std/assert";
import { judgeConversions } from "./convert_campaign.ts";

Deno.test("convert lists every difference of random profiles, with a call", () => {
  const counts = judgeConversions({ seed: 11, count: 9 });
  assertEquals(counts.wrong, []);
  const text = JSON.stringify(counts);
  assert(counts.verdicts > 5000 && counts.witnesses > 20, text);
  // A profile and a raw filter say nearly everything that a profile says.
  for (const format of ["docker", "oci", "config", "bwrap"] as const) {
    assert((counts.equal[format] ?? 0) > (counts.lossy[format] ?? 0), text);
  }
  // No result permits more than its source.
  assertEquals(counts.looser, 0, text);
});
