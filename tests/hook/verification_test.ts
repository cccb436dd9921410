import { assertEquals, assertStringIncludes } from "@std/assert";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import { openLog } from "../../hook/log.ts";
import { main } from "../../hook/main.ts";
import { rewriteConfig } from "../../hook/precreate.ts";
import { DEFAULTS } from "../../hook/settings.ts";
import { PATIENCE_S } from "../machine.ts";
import { createSetup, smallConfig } from "./shared.ts";

/** The hook's answer to a state, and its log. */
async function verify(
  state: Readonly<Record<string, unknown>>,
  more: readonly string[] = [],
  annotate = true,
): Promise<
  { readonly code: number; readonly log: string; readonly isChanged: boolean }
> {
  await using setup = await createSetup({ names: "builtin" });
  const context = await gatherContext(
    { ...DEFAULTS, store: undefined, names: "builtin" },
    startDeadline(1000 * PATIENCE_S),
    openLog({ file: setup.logPath }),
  );
  const { text } = annotate
    ? await rewriteConfig(smallConfig(), context)
    : { text: smallConfig() };
  await Deno.writeTextFile(`${setup.directory}/config.json`, text);
  await Deno.writeTextFile(setup.logPath, "");
  let left = new TextEncoder().encode(
    JSON.stringify({ id: "c", pid: 1, bundle: setup.directory, ...state }),
  );
  const code = await main(["--settings", setup.settingsPath, ...more], {
    read: (buffer) => {
      const part = left.subarray(0, buffer.length);
      buffer.set(part);
      left = left.subarray(part.length);
      return Promise.resolve(part.length === 0 ? null : part.length);
    },
    write: () => {},
    limit: () => {},
  });
  const after = await Deno.readTextFile(`${setup.directory}/config.json`);
  return { code, log: await setup.log(), isChanged: after !== text };
}

/** Without libraries, no process can ask which filters another one has. */
const WITHOUT_LIBRARIES = {
  permissions: { ffi: false, read: true, write: true, env: true, sys: true },
} as const;

const UNREADABLE = "Cannot read the live filter here";

Deno.test(
  "main() refuses a running container whose filter it cannot read only if it is strict",
  WITHOUT_LIBRARIES,
  async () => {
    const running = { status: "running" };
    const lenient = await verify(running);
    assertEquals(lenient.code, 0, lenient.log);
    assertStringIncludes(lenient.log, UNREADABLE);
    assertStringIncludes(lenient.log, "live: cannot-tell");
    const strict = await verify(running, ["--strict"]);
    assertEquals(strict.code, 1, strict.log);
    assertStringIncludes(strict.log, UNREADABLE);
    assertStringIncludes(strict.log, '"code":"not-verified"');
    const logged = await verify(running, ["--strict", "--verify", "log"]);
    assertEquals(logged.code, 0, logged.log);
    assertStringIncludes(logged.log, UNREADABLE);
  },
);

Deno.test(
  "main() asks for no filter of a container that has not started",
  WITHOUT_LIBRARIES,
  async () => {
    const { code, log } = await verify({ status: "created" }, ["--strict"]);
    assertEquals(code, 0, log);
    assertEquals(log.includes(UNREADABLE), false, log);
    assertStringIncludes(log, "live: not-asked");
  },
);

Deno.test(
  "main() rewrites a bundle only if it is asked to and the bundle has no annotation",
  WITHOUT_LIBRARIES,
  async () => {
    const state = { status: "created" };
    const plain = await verify(state, [], false);
    assertEquals([plain.code, plain.isChanged], [1, false], plain.log);
    assertStringIncludes(
      plain.log,
      "Cannot verify: the bundle has no annotation",
    );
    const asked = await verify(state, ["--rewrite-bundle"], false);
    assertEquals([asked.code, asked.isChanged], [0, true], asked.log);
    assertStringIncludes(asked.log, "this container keeps the filter");
    const annotated = await verify(state, ["--rewrite-bundle"]);
    assertEquals([annotated.code, annotated.isChanged], [0, false]);
    assertStringIncludes(annotated.log, "Verified (optimized");
  },
);
