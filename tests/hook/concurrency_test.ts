import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { renderHookDispatcher } from "../../hook/dispatcher/dispatcher.ts";
import { openStore } from "../../hook/store/store.ts";
import {
  annotationOf,
  createSetup,
  dispatcherOptions,
  dockerConfig,
  HOOK_WORDS,
  namesIn,
  runHook,
  runProgram,
  toolSets,
  writeProgram,
} from "./shared.ts";

/** Fewer or more on another machine. */
const KILLS = Number(Deno.env.get("SECCOMP_TREE_KILLS") ?? 50);
const LOOKUPS = Number(Deno.env.get("SECCOMP_TREE_LOOKUPS") ?? 200);
const SEED = 20260103;

Deno.test(`hook: ${KILLS} kill -9 at any moment leave a store that is whole`, async () => {
  await using right = await createSetup();
  await using setup = await createSetup();
  const text = dockerConfig();
  const expected = (await runHook(right, text)).stdout;
  let state = SEED;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  let killed = 0;
  for (let i = 0; i < KILLS; i++) {
    const [program = "", ...args] = HOOK_WORDS;
    const child = new Deno.Command(program, {
      args: [...args, "hook", "--settings", setup.settingsPath],
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    const output = child.output();
    await new Promise((resolve) => setTimeout(resolve, random() * 220));
    try {
      child.kill("SIGKILL");
    } catch {
      // It was faster.
    }
    const { code, stdout } = await output;
    if (code !== 0) killed++;
    // Either nothing or everything.
    if (code === 0) assertEquals(stdout, expected);
    const store = await openStore(setup.store);
    const items = await store?.list() ?? [];
    for (const { name, entry } of items) {
      assert(
        entry !== undefined ||
          /^\.seccomp-tree\.[0-9a-f-]{36}\.tmp$/.test(name),
        name,
      );
    }
    // Removed so that there is something to write each time.
    if (random() < 0.5) {
      for (const { name } of items) await Deno.remove(join(setup.store, name));
    }
  }
  assert(killed > 0, `seed ${SEED}`);
  assertEquals((await runHook(setup, text)).stdout, expected);
});

Deno.test(`hook: ${LOOKUPS} containers at once on a cold store all get the same filter`, async () => {
  await using right = await createSetup();
  await using setup = await createSetup();
  const text = dockerConfig();
  const expected = (await runHook(right, text)).stdout;
  const [first] = toolSets();
  if (first === undefined) return; // recorded by toolSets()
  const hook = await writeProgram(
    setup.directory,
    "hook",
    renderHookDispatcher(dispatcherOptions(setup, first.tools)),
  );
  const start = async (): Promise<void> => {
    const { code, stdout, stderr } = await runProgram([hook], text);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(stdout, expected);
  };
  await Promise.all(Array.from({ length: LOOKUPS }, start));
  const names = await namesIn(setup.store);
  assertEquals(names.filter((name) => name.endsWith(".0")).length, 1);
  assert(annotationOf(expected).length > 0);
  const compiled = (await setup.log()).match(/compiled and proved/g);
  assertEquals(compiled?.length, 1, "one compiled, the others waited");
});
