/** Slices of `deno task fuzz` of explanations and entries. */

import { assert, assertEquals } from "@std/assert";
import { needs } from "../machine.ts";
import { judgeEntries } from "./entry_campaign.ts";
import { judgeExplanations } from "./explain_campaign.ts";

Deno.test("explain states random profiles, and its text means the same", () => {
  const counts = judgeExplanations({ seed: 1, count: 60 });
  assertEquals(counts.wrong, []);
  assert(counts.explained > 45 && counts.calls > 3000, JSON.stringify(counts));
});

Deno.test("explain adds entries that allow exactly the denied call", () => {
  const counts = judgeEntries({ seed: 1, count: 20, profiles: 1 });
  assertEquals(counts.wrong, []);
  assertEquals(counts.exact, 20);
});

needs("shared")(
  "explain adds exact entries to profiles with rules that deny",
  () => {
    const counts = judgeEntries({ seed: 2, count: 24 });
    assertEquals(counts.wrong, []);
    assertEquals(counts.exact, 24);
  },
);
