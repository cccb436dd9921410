import { assert, assertEquals } from "@std/assert";
import { needs } from "../machine.ts";
import { runContract } from "../oracle/campaign.ts";

const test = needs("libseccomp", "x86_64");

test("libseccomp, the oracle and production agree on family A", async () => {
  const seed = 1;
  const found = await runContract({ seed, count: 1500 });
  assert(found !== undefined);
  const { differences, oddities, outcomes, verdicts } = found;
  // deno-lint-ignore no-console -- the counts tell what the test is worth
  console.log(`family A from seed ${seed}:`, outcomes, `${verdicts} verdicts`);
  assertEquals([...differences, ...oddities], []);
  assert(outcomes.equal > 1200 && outcomes.refused > 10);
});
