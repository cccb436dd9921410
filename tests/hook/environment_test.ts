import { assert, assertEquals, assertMatch } from "@std/assert";
import { decode } from "../../bpf/encode.ts";
import { prepare, run } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { openLibseccomp } from "../../ffi/libseccomp.ts";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import { describeEnvironment, hostNames } from "../../hook/environment.ts";
import { readSection } from "../../hook/section.ts";
import { openLog } from "../../hook/log.ts";
import { DEFAULTS } from "../../hook/settings.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { DOCKER_DEFAULT_CAPABILITIES } from "../../profile/host.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { selectFor } from "../../profile/select.ts";
import { decide } from "../../verify/decide.ts";
import { needs, PATIENCE_S } from "../machine.ts";
import {
  createSetup,
  HOOK_WORDS,
  namesIn,
  runProgram,
  smallConfig,
} from "./shared.ts";
import { toFilterSpec } from "../oracle/libseccomp_adapter.ts";

const test = needs("libseccomp", "x86_64");

test("gatherContext() uses the names of the library or of the tables, according to the settings", async () => {
  const log = openLog("stderr");
  for (
    const [names, kind] of [
      ["builtin", "builtin"],
      ["host", "host"],
      ["auto", "host"],
    ] as const
  ) {
    const { environment, obstacle } = await gatherContext(
      { ...DEFAULTS, store: undefined, names },
      startDeadline(1000 * PATIENCE_S),
      log,
    );
    assertEquals([environment.names.kind, obstacle], [kind, undefined], names);
  }
});

const ABIS = [[0xc000_003e, 0], [0xc000_003e, 0x4000_0000], [0x4000_0003, 0]];

test("the hook gives every call what the host's libseccomp gives it, on each ABI", async () => {
  const library = openLibseccomp();
  const names = await hostNames();
  assert(library !== undefined && names !== undefined);
  const { seccomp } = selectFor(parseProfile(DEFAULT_PROFILE), {
    arch: "x86_64",
    kernel: { major: 6, minor: 1 },
    capabilities: DOCKER_DEFAULT_CAPABILITIES,
  });
  assert(seccomp !== undefined);
  const section = JSON.stringify({
    ...seccomp,
    syscalls: seccomp.syscalls.map(({ path: _path, ...entry }) => entry),
  }, (_, value) => typeof value === "bigint" ? Number(value) : value);
  const environment = await describeEnvironment({ semantics: "crun", names });
  const reading = readSection(section, environment);
  assert(reading.kind === "section", reading.kind);
  const built = library.exportFilter(
    toFilterSpec(seccomp, { runtime: "crun" }),
  );
  assert(built.kind === "filter", built.kind);
  const theirs = prepare(decode(built.bytes));
  for (const [arch = 0, base = 0] of ABIS) {
    for (let i = 0; i < 600; i++) {
      const data = {
        arch,
        nr: base + i,
        instructionPointer: 0n,
        args: [0n, 0n, 0n, 0n, 0n, 0n],
      };
      const { value } = decide(reading.section.policy, data);
      const wanted = run(theirs, toWords(data, true));
      assertEquals(value, wanted, `number ${data.nr} on ${arch.toString(16)}`);
    }
  }
});

needs("mounts", "libseccomp")(
  "filters are stored also on a machine without the linker's cache",
  async () => {
    await using setup = await createSetup();
    const hook = [...HOOK_WORDS, "hook", "--settings", setup.settingsPath];
    const { code, stderr } = await runProgram(
      [
        ...[
          "/usr/bin/unshare",
          "--mount",
          "--propagation",
          "private",
          "/bin/sh",
        ],
        ...["-c", 'mount -t tmpfs none /etc && exec "$@"', "sh", ...hook],
      ],
      smallConfig(),
      { env: { DENO_DIR: "/dev/null" } },
    );
    assertEquals(code, 0, stderr);
    const names = await namesIn(setup.store);
    assert(names.some((name) => name.endsWith(".0")), `${names}${stderr}`);
    const text = await Deno.readTextFile(
      `${setup.store}/environment.crun.host`,
    );
    assertMatch(text, /^file \/etc \d+ \d+$/m);
  },
);
