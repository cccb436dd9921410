/** A slice of `deno task mutation`. */

import { assert, assertEquals } from "@std/assert";
import {
  dockerSubject,
  formatCounts,
  judgeMutants,
  noCounts,
  randomSubjects,
} from "./mutation_campaign.ts";

const SEED = 20_241_124;

Deno.test("proveEquivalent() decides small faults in Docker's default filter", () => {
  const counts = noCounts();
  judgeMutants(dockerSubject(), counts, 11, SEED);
  // deno-lint-ignore no-console -- the counts are what the test is for
  console.log(formatCounts("Docker's default, one in 11", counts));
  assertEquals(counts.wrong, []);
  assertEquals(counts.cut + counts.unproven, 0);
  assert(counts.refuted > 100 && counts.equal > 0);
});

Deno.test("proveEquivalent() decides small faults in random filters", () => {
  const counts = noCounts();
  for (const subject of randomSubjects(SEED, 10)) {
    judgeMutants(subject, counts, 4, SEED);
  }
  // deno-lint-ignore no-console -- the counts are what the test is for
  console.log(formatCounts(`random from seed ${SEED}, one in 4`, counts));
  assertEquals(counts.wrong, []);
  assertEquals(counts.cut + counts.unproven, 0);
  assert(counts.refuted > 50 && counts.equal > 5);
});
