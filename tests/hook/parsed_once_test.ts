import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { needs } from "../machine.ts";
import {
  annotationOf,
  createSetup,
  HOOK_WORDS,
  runProgram,
  type Setup,
  SMALL_SECTION,
  smallConfig,
} from "./shared.ts";

/** The part of a coverage report of V8 about one script. */
interface Report {
  readonly url: string;
  readonly functions: readonly {
    readonly functionName: string;
    readonly ranges: readonly { readonly count: number }[];
  }[];
}

/**
 * Runs the hook, and counts the texts that it parses, including its settings.
 */
async function parsedBy(
  setup: Setup,
  args: readonly string[],
  input: string,
): Promise<{ readonly texts: number; readonly stdout: string }> {
  const reports = await Deno.makeTempDir({ dir: setup.directory });
  const [deno = "", run = "", ...words] = HOOK_WORDS;
  const { code, stdout, stderr } = await runProgram(
    [deno, run, `--coverage=${reports}`, ...words, ...args],
    input,
  );
  assertEquals(code, 0, `${stderr}${await setup.log()}`);
  let texts = 0;
  for await (const { name } of Deno.readDir(reports)) {
    if (!name.endsWith(".json")) continue;
    const path = join(reports, name);
    const { url, functions }: Report = JSON.parse(
      await Deno.readTextFile(path),
    );
    if (!url.endsWith("/profile/json/read.ts")) continue;
    for (const { functionName, ranges } of functions) {
      if (functionName === "readJson") texts += ranges[0]?.count ?? 0;
    }
  }
  return { texts, stdout: new TextDecoder().decode(stdout) };
}

needs("libseccomp")(
  "hook and wrapper parse a configuration once, even to compile, compare and verify it",
  async (t) => {
    await using setup = await createSetup({ names: "host" });
    const words = ["--settings", setup.settingsPath];
    const hook = (input: string): ReturnType<typeof parsedBy> =>
      parsedBy(setup, ["hook", ...words], input);
    const bundle = join(setup.directory, "bundle");
    await Deno.mkdir(bundle);
    const configPath = join(bundle, "config.json");
    const write = (text: string): Promise<void> =>
      Deno.writeTextFile(configPath, text, { mode: 0o600 });
    const other = smallConfig({
      section: SMALL_SECTION.replace('"write"', '"writev"'),
    });

    // Settings and configuration.
    let annotation = "";
    await t.step("compiled, and compared with the library", async () => {
      const { texts, stdout } = await hook(smallConfig());
      assertEquals(texts, 2);
      annotation = annotationOf(stdout);
    });
    await t.step("stored", async () => {
      assertEquals((await hook(smallConfig())).texts, 2);
    });
    // Another program of the same meaning.
    const foreign = (): string => {
      const bytes = Uint8Array.fromBase64(annotation);
      const load = bytes.slice(0, 8);
      const again = new Uint8Array([...load, ...bytes]);
      const value = again.toBase64();
      return smallConfig({
        head: `"annotations":{"run.oci.seccomp_bpf_data":"${value}"},`,
      });
    };
    await t.step("a foreign annotation beside a stored filter", async () => {
      const { texts, stdout } = await hook(foreign());
      assertEquals(texts, 2);
      assertEquals(stdout, foreign());
    });
    await t.step("a wrapper's bundle", async () => {
      for (const text of [other, smallConfig(), foreign()]) {
        await write(text);
        const { texts } = await parsedBy(
          setup,
          ["runtime", ...words, "--", "create", "--bundle", bundle, "one"],
          "",
        );
        assertEquals(texts, 2, text);
      }
    });
    await t.step("the state of a container, and its bundle", async () => {
      const state = JSON.stringify({
        ...{ ociVersion: "1.0.0", id: "one", status: "created", pid: 0 },
        bundle,
      });
      assertEquals((await parsedBy(setup, ["hook", ...words], state)).texts, 3);
      await write(smallConfig());
      const rewriting = ["hook", ...words, "--rewrite-bundle"];
      assertEquals((await parsedBy(setup, rewriting, state)).texts, 3);
      const written = await Deno.readTextFile(configPath);
      assertEquals(annotationOf(written), annotation);
    });
  },
);
