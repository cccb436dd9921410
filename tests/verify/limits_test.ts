import { assertEquals, assertThrows } from "@std/assert";
import { checkSteps, LimitReached } from "../../verify/limits.ts";

Deno.test("checkSteps() gives up after the last step that is allowed", () => {
  const limits = { nodes: 1, steps: 10 };
  checkSteps(limits, 10);
  const error = assertThrows(() => checkSteps(limits, 11), LimitReached);
  assertEquals([error.name, error.limit], ["LimitReached", "steps"]);
});

Deno.test("checkSteps() asks now and then whether to go on", () => {
  let asked = 0;
  let answer = false;
  const limits = {
    nodes: 1,
    steps: 1e6,
    interrupted: (): boolean => {
      asked++;
      return answer;
    },
  };
  for (let step = 1; step <= 200_000; step++) checkSteps(limits, step);
  assertEquals(asked > 0 && asked < 100, true, `asked ${asked} times`);
  answer = true;
  const error = assertThrows(() => {
    for (let step = 1; step <= 200_000; step++) checkSteps(limits, step);
  }, LimitReached);
  assertEquals(error.limit, "interrupted");
});
