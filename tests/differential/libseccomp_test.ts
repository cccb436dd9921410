import { assert, assertEquals } from "@std/assert";
import { runContract } from "../oracle/campaign.ts";

Deno.test("libseccomp, the oracle and production agree on family A", async () => {
  const seed = 1;
  const found = await runContract({ seed, count: 1500 });
  if (found === undefined) {
    // deno-lint-ignore no-console -- says that the host lacks the reference
    console.log("no libseccomp for x86_64 here");
    return;
  }
  const { differences, oddities, outcomes, verdicts } = found;
  // deno-lint-ignore no-console -- the counts tell what the test is worth
  console.log(`family A from seed ${seed}:`, outcomes, `${verdicts} verdicts`);
  assertEquals([...differences, ...oddities], []);
  assert(outcomes.equal > 1200 && outcomes.refused > 10);
});
