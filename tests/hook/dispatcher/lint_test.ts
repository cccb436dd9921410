import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { needs } from "../../machine.ts";
import {
  renderHookDispatcher,
  renderRuntimeWrapper,
} from "../../../hook/dispatcher/dispatcher.ts";
import {
  createSetup,
  dispatcherOptions,
  smallConfig,
  toolSets,
} from "../shared.ts";

const FOLDER = fromFileUrl(
  new URL("../../../hook/dispatcher/", import.meta.url),
);
const AWK = join(FOLDER, "dispatcher.awk");

/** A linter's output on a program: empty if it is clean. */
async function complaints(
  [program = "", ...args]: readonly string[],
  input = "",
): Promise<string> {
  const child = new Deno.Command(program, {
    args: [...args],
    env: {
      LC_ALL: "C",
      ST_META: `81a4 0 ${input.length} 1\n41ed 0 1 1\n41c0 0 1 1${
        "\n8180 0 1 1".repeat(3)
      }`,
      ST_TEMP: "/nowhere/",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  const said = decoder.decode(stderr);
  // 10 and 11 pass the configuration on.
  return code === 0 || code === 10 || code === 11
    ? said
    : `${code}: ${said}${decoder.decode(stdout)}`;
}

/** The shell programs: their sources, and what is installed for each host. */
async function shellPrograms(folder: string): Promise<readonly string[]> {
  const paths = ["hook.sh", "wrapper.sh", "counts.sh"].map((name) =>
    join(FOLDER, name)
  );
  await using setup = await createSetup();
  for (const [index, { tools }] of toolSets().entries()) {
    const options = dispatcherOptions(setup, tools);
    const wrapper = { runtime: "/usr/bin/crun", strict: false };
    const texts = [
      renderHookDispatcher(options),
      renderRuntimeWrapper({ ...options, ...wrapper, runtimeKind: "crun" }),
      renderRuntimeWrapper({ ...options, ...wrapper, runtimeKind: "runc" }),
    ];
    for (const [kind, text] of texts.entries()) {
      const path = join(folder, `${index}.${kind}.sh`);
      await Deno.writeTextFile(path, text);
      paths.push(path);
    }
  }
  return paths;
}

async function lintShell(command: readonly string[]): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const path of await shellPrograms(folder)) {
      assertEquals(await complaints([...command, path]), "", path);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

needs("shellcheck")("shellcheck finds nothing in the dispatchers", async () => {
  // SC2016: the awk program stands between single quotes. SC2123: with an empty
  // PATH a busybox runs only the programs inside of it.
  await lintShell(["shellcheck", "-s", "dash", "-e", "SC2016,SC2123"]);
});

needs("dash")("dash parses the dispatchers", async () => {
  await lintShell(["dash", "-n"]);
});

needs("busybox")("busybox parses the dispatchers", async () => {
  await lintShell(["busybox", "ash", "-n"]);
});

/** Configurations that together reach most of the awk program. */
const CONFIGS: readonly string[] = [
  smallConfig({ head: '"a":["x\\\\",-1.5e3,{}],"annotations":{"k":"v"},' }),
  smallConfig(),
  '{"linux":{}}',
  '{"a":1,"a":1}',
  "[",
  "",
];

needs("gawk")("gawk --lint finds nothing in the awk program", async () => {
  for (const config of CONFIGS) {
    assertEquals(
      await complaints(["gawk", "--lint=no-ext", ...VALUES, "-f", AWK], config),
      "",
      config,
    );
  }
});

for (const awk of [["mawk"], ["busybox", "awk"], ["gawk"]] as const) {
  const [program] = awk;
  needs(program)(`${awk.join(" ")} parses the awk program`, async () => {
    assertEquals(await complaints([...awk, ...VALUES, "-f", AWK], "{}"), "");
  });
}

const VALUES: readonly string[] = [
  ...["store=/nowhere", "environment=e", "owners= 0 ", "folders=1"],
  ...["bundle=1", "sealed=0", "strict=0"],
].flatMap((value) => ["-v", value]);
