import { assertEquals } from "@std/assert";
import { renderRuntimeWrapper } from "../../hook/dispatcher/dispatcher.ts";
import { parseRuntimeArgs } from "../../hook/runtime_args.ts";
import {
  createSetup,
  dispatcherOptions,
  runProgram,
  toolSets,
  writeProgram,
} from "./shared.ts";

/** Command lines of managers and of users. */
const TABLE: readonly {
  readonly args: readonly string[];
  readonly kind: "create" | "other" | "unclear";
  readonly bundle?: string;
  readonly log?: string;
  readonly logFormat?: string;
  readonly config?: string;
}[] = [
  // conmon
  {
    args:
      "--log-format=json --log /l --cgroup-manager disabled create --bundle /b --pid-file /p ID"
        .split(" "),
    kind: "create",
    bundle: "/b",
    log: "/l",
    logFormat: "json",
  },
  // containerd's shim
  {
    args:
      "--root /r --log /b/log.json --log-format json create --bundle /b --pid-file /p ID"
        .split(" "),
    kind: "create",
    bundle: "/b",
    log: "/b/log.json",
    logFormat: "json",
  },
  {
    args:
      "--root /r --log /l --log-format json --systemd-cgroup create --bundle /b --console-socket /c --pid-file /p ID"
        .split(" "),
    kind: "create",
    bundle: "/b",
    log: "/l",
    logFormat: "json",
  },
  { args: ["features"], kind: "other" },
  { args: ["--version"], kind: "other" },
  { args: ["-v"], kind: "other" },
  { args: ["--help"], kind: "other" },
  { args: [], kind: "other" },
  { args: "--root /r start ID".split(" "), kind: "other" },
  {
    args: "exec --process /f --detach --pid-file /p ID".split(" "),
    kind: "other",
  },
  { args: "kill ID 9".split(" "), kind: "other" },
  { args: "delete --force ID".split(" "), kind: "other" },
  { args: "state create".split(" "), kind: "other" },
  { args: "exec ID create".split(" "), kind: "other" },
  { args: "exec --bundle /b create run".split(" "), kind: "other" },
  { args: "kill create".split(" "), kind: "other" },
  { args: "restore --bundle /b ID".split(" "), kind: "other" },
  { args: "spec".split(" "), kind: "other" },
  { args: "frobnicate create".split(" "), kind: "other" },
  { args: [""], kind: "other" },
  // values that look like subcommands
  { args: "--root create start ID".split(" "), kind: "other" },
  {
    args: "--root create run -b /b ID".split(" "),
    kind: "create",
    bundle: "/b",
  },
  { args: "--log create delete ID".split(" "), kind: "other", log: "create" },
  // every way to name the bundle
  { args: "create ID".split(" "), kind: "create", bundle: "." },
  { args: "run ID".split(" "), kind: "create", bundle: "." },
  { args: "create --bundle=/b ID".split(" "), kind: "create", bundle: "/b" },
  { args: "create -b /b ID".split(" "), kind: "create", bundle: "/b" },
  { args: "create -b/b ID".split(" "), kind: "create", bundle: "/b" },
  { args: "run -d --bundle /b ID".split(" "), kind: "create", bundle: "/b" },
  { args: "run ID --bundle /b".split(" "), kind: "create", bundle: "/b" },
  {
    args: "run --bundle /a --bundle /b ID".split(" "),
    kind: "create",
    bundle: "/b",
  },
  {
    args: "create --pid-file --bundle ID".split(" "),
    kind: "create",
    bundle: ".",
  },
  { args: "create -b -x ID".split(" "), kind: "create", bundle: "-x" },
  {
    args: ["create", "--bundle", "/b c\n'd\"", "ID"],
    kind: "create",
    bundle: "/b c\n'd\"",
  },
  { args: "create -- --bundle".split(" "), kind: "create", bundle: "." },
  {
    args: "create --bundle /b create".split(" "),
    kind: "create",
    bundle: "/b",
  },
  {
    args:
      "run --preserve-fds 3 --no-pivot --no-new-keyring --no-subreaper --keep --detach --pidfd-socket /s -b /b ID"
        .split(" "),
    kind: "create",
    bundle: "/b",
  },
  {
    args: "--debug --rootless=true --criu /c --log-level=debug create -b /b I"
      .split(" "),
    kind: "create",
    bundle: "/b",
  },
  {
    args: "create -f c.json -b /b ID".split(" "),
    kind: "create",
    bundle: "/b",
    config: "c.json",
  },
  {
    args: "create --config=c.json ID".split(" "),
    kind: "create",
    bundle: ".",
    config: "c.json",
  },
  // nothing certain
  { args: "--frobnicate create -b /b ID".split(" "), kind: "unclear" },
  { args: "create --frobnicate --bundle /b ID".split(" "), kind: "unclear" },
  { args: "create --bun /b ID".split(" "), kind: "unclear" },
  { args: "run -db /b ID".split(" "), kind: "unclear" },
  { args: "create --bundle".split(" "), kind: "unclear" },
];

Deno.test("parseRuntimeArgs() reads every shape of command line", () => {
  for (const { args, kind, ...expected } of TABLE) {
    const call = parseRuntimeArgs(args);
    assertEquals(call.kind, kind, args.join(" "));
    if (kind === "unclear") continue;
    const { kind: _kind, ...rest } = call;
    assertEquals(rest, { bundle: ".", ...expected }, args.join(" "));
  }
});

Deno.test("the wrapper reads the same shapes, and hands every word on", async (t) => {
  await using setup = await createSetup();
  const runtime = await writeProgram(
    setup.directory,
    "crun",
    '#!/bin/sh\nprintf "<%s>" "$@"\n',
  );
  const slow = await writeProgram(
    setup.directory,
    "slow",
    `#!/bin/sh\nprintf "<%s>" "$@" >>${setup.directory}/asked\n`,
  );
  for (const { name, tools } of toolSets()) {
    await t.step(name, async () => {
      const wrapper = await writeProgram(
        setup.directory,
        "wrapper",
        renderRuntimeWrapper({
          ...dispatcherOptions(setup, tools, [slow]),
          runtime,
          runtimeKind: "crun",
          strict: false,
        }),
      );
      for (const { args, kind } of TABLE) {
        const asked = `${setup.directory}/asked`;
        await Deno.writeTextFile(asked, "");
        const { code, stdout, stderr } = await runProgram([wrapper, ...args]);
        assertEquals(code, 0, stderr);
        const words = (list: readonly string[]): string =>
          list.map((word) => `<${word}>`).join("") || "<>";
        assertEquals(new TextDecoder().decode(stdout), words(args));
        // The store is empty, so every possible create goes to the slow path.
        const question = kind === "other" ? "" : words([
          ...["runtime", "--settings", setup.settingsPath],
          ...["--refused", "3", "--", ...args],
        ]);
        assertEquals(await Deno.readTextFile(asked), question, args.join(" "));
      }
    });
  }
});
