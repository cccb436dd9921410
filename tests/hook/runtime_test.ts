import { assertEquals, assertRejects } from "@std/assert";
import { RefusedError } from "../../hook/error.ts";
import type { Log } from "../../hook/log.ts";
import { prepareRuntime, reportToManager } from "../../hook/runtime.ts";
import { DEFAULTS, type Settings } from "../../hook/settings.ts";
import { namesIn } from "./shared.ts";

const CRUN: Settings = { ...DEFAULTS, runtimeKind: "crun" };

/** Log lines of `prepareRuntime()`; the context must not be used. */
async function prepare(
  args: readonly string[],
  settings: Settings,
): Promise<readonly string[]> {
  const lines: string[] = [];
  const log: Log = {
    write: (level, message) => void lines.push(`${level} ${message}`),
  };
  await prepareRuntime(
    args,
    settings,
    () => Promise.reject(new Error("asked for a context")),
    log,
  );
  return lines;
}

Deno.test("prepareRuntime() leaves alone what it cannot optimize, unless it is strict", async () => {
  const create = ["create", "--bundle", "/nonexistent", "ID"];
  const cases: readonly (readonly [readonly string[], Settings, string])[] = [
    [
      create,
      { ...CRUN, runtimeKind: "runc" },
      "the runtime (runc) is not known",
    ],
    [create, { ...CRUN, runtimeKind: "unknown" }, "the runtime (unknown) is"],
    [
      ["create", "--new-option", "ID"],
      CRUN,
      "an unknown option",
    ],
    [["create", "--config", "../c", "ID"], CRUN, 'configuration "../c" is out'],
  ];
  for (const [args, settings, words] of cases) {
    const [line = "", ...others] = await prepare(args, settings);
    assertEquals(others, []);
    const start = "warning Filter not optimized: ";
    assertEquals([line.slice(0, start.length), line.includes(words)], [
      start,
      true,
    ], line);
    const error = await assertRejects(
      () => prepare(args, { ...settings, strict: true }),
      RefusedError,
      words,
    );
    assertEquals(error.code, "not-optimized");
  }
});

Deno.test("prepareRuntime() ignores calls that create no container, and unconfined bundles", async () => {
  assertEquals(await prepare(["--version"], CRUN), []);
  assertEquals(await prepare(["delete", "ID"], CRUN), []);
  const bundle = await Deno.makeTempDir({ prefix: "seccomp-tree-runtime-" });
  try {
    await Deno.writeTextFile(`${bundle}/config.json`, '{"linux":{}}');
    assertEquals(await prepare(["create", "-b", bundle, "ID"], CRUN), []);
    await Deno.writeTextFile(
      `${bundle}/config.json`,
      '{"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW"}}}',
    );
    const [line] = await prepare(["create", "-b", bundle, "ID"], CRUN);
    assertEquals(line, "error Filter not optimized: asked for a context");
    await assertRejects(
      () => prepare(["create", "-b", bundle, "ID"], { ...CRUN, strict: true }),
      Error,
      "asked for a context",
    );
  } finally {
    await Deno.remove(bundle, { recursive: true });
  }
});

Deno.test("reportToManager() writes where the manager looks, in its format", async () => {
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-runtime-" });
  const path = `${folder}/log`;
  const report = async (...words: readonly string[]): Promise<string> => {
    await Deno.writeTextFile(path, "before\n");
    reportToManager([...words, "create", "ID"], 'no "filter"\n');
    const text = await Deno.readTextFile(path);
    assertEquals(text.startsWith("before\n"), true, text);
    return text.slice("before\n".length);
  };
  try {
    const text = 'seccomp-tree: no \\"filter\\"\\n\n';
    assertEquals(await report("--log", path), text);
    assertEquals(await report("--log", `file:${path}`), text);
    assertEquals(await report("--log", path, "--log-format", "text"), text);
    const line = await report("--log", path, "--log-format", "json");
    const { level, msg, time } = JSON.parse(line);
    assertEquals([level, msg], ["error", 'seccomp-tree: no "filter"\n']);
    assertEquals(Number.isNaN(Date.parse(time)), false);
    for (const nowhere of ["", "syslog:x", "journald:x", `${folder}/no/log`]) {
      assertEquals(await report("--log", nowhere), "");
    }
    assertEquals(await report(), "");
    assertEquals(await namesIn(folder), ["log"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
