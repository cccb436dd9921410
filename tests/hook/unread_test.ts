import { assertEquals, assertMatch } from "@std/assert";
import { renderHookDispatcher } from "../../hook/dispatcher/dispatcher.ts";
import {
  createSetup,
  dispatcherOptions,
  HOOK_WORDS,
  runProgram,
  smallConfig,
  toolSets,
  writeProgram,
} from "./shared.ts";

Deno.test("a configuration that Deno gets too late is left to its runtime, unless strict", async () => {
  for (const strict of [false, true]) {
    await using setup = await createSetup({ deadlineMs: 200, strict });
    const [set] = toolSets();
    if (set === undefined) return;
    const slow = await writeProgram(
      setup.directory,
      "slow",
      `#!/bin/sh\nsleep 3 | '${HOOK_WORDS.join("' '")}' "$@"\n`,
    );
    const options = dispatcherOptions(setup, set.tools, [slow]);
    const hook = await writeProgram(
      setup.directory,
      "hook",
      renderHookDispatcher({ ...options, strict }),
    );
    const { code, stdout } = await runProgram([hook], smallConfig());
    assertEquals(code, strict ? 1 : 0);
    const answer = new TextDecoder().decode(stdout);
    assertEquals(answer, strict ? "" : smallConfig());
    // An annotation without proof is refused, however little time there was.
    const foreign = smallConfig().replace(
      "{",
      '{"annotations":{"run.oci.seccomp_bpf_data":"BgAAAAAA/38="},',
    );
    const refused = await runProgram([hook], foreign);
    assertEquals([refused.code, refused.stdout.length], [1, 0]);
    const [error] = await setup.errors();
    assertMatch(error?.msg ?? "", /^Cannot finish within/);
  }
});
