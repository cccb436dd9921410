import { assert, assertEquals } from "@std/assert";
import { runAny } from "../oracle/campaign.ts";

Deno.test("oracle, policy, program and kernel agree on family B", async () => {
  const seed = 1;
  const { differences, outcomes, verdicts } = await runAny({
    seed,
    count: 3000,
  });
  // deno-lint-ignore no-console -- the counts tell what the test is worth
  console.log(`family B from seed ${seed}:`, outcomes, `${verdicts} verdicts`);
  assertEquals(differences, []);
  assert(outcomes.equal > 2500 && outcomes.refused > 10);
});
