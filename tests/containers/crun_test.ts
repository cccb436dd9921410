import { assertEquals } from "@std/assert";
import { dumpFilters } from "../../ffi/live/dump.ts";
import { CONTAINERS, has, needs } from "../machine.ts";
import {
  dockerDefault,
  type ProfileSection,
  withDistinctErrnos,
} from "./docker_default.ts";
import { createBundle, succeed, waitForCommand } from "./harness.ts";
import { annotateBundle } from "./annotate.ts";
import { ALLOWED, type ProbeRow } from "./probe.ts";
import { describeRow, probeRows } from "./rows.ts";
import {
  assertEnforced,
  assertFilterSaysSo,
  assertSameVerdicts,
  runProbe,
  verdictsOf,
} from "./verdicts.ts";

const test = needs(...CONTAINERS);

test("compile: a container under the annotation gets the verdicts of the untouched profile, call by call", async (t) => {
  const docker = dockerDefault();
  for (
    const { name, section } of [
      { name: "Docker's default", section: docker },
      { name: "with distinct errnos", section: withDistinctErrnos(docker) },
    ]
  ) {
    await t.step(name, async () => {
      const rows = probeRows(section);
      const untouched = await verdictsOf("crun", { section, rows });
      const ours = await verdictsOf("crun", { section, rows, annotate: [] });
      assertSameVerdicts(ours.verdicts, untouched.verdicts, rows);
      if (section === docker) return; // its ENOSYS looks like ALLOW
      assertFilterSaysSo(ours, rows);
      assertEnforced(ours.verdicts, rows);
    });
  }
});

test("compile: what the profile kills, the annotation kills", async () => {
  const section = {
    ...dockerDefault(),
    architectures: ["SCMP_ARCH_X86_64"],
  };
  for (
    const row of [
      { abi: "int80", nr: 20, args: [] }, // getpid of x86
      { abi: "syscall", nr: 0x4000_0027, args: [] }, // getpid of x32
    ] as const
  ) {
    if (row.abi === "int80" && !has("i386", "killed calls by int $0x80")) {
      continue;
    }
    for (const annotate of [undefined, []]) {
      const { code } = await runProbe("crun", {
        section,
        rows: [row],
        annotate,
      });
      assertEquals(code, 128 + 31, `${describeRow(row)} ends by SIGSYS`);
    }
  }
});

test("compile: runc ignores the annotation and enforces the section", async () => {
  const section = withDistinctErrnos(dockerDefault());
  const rows = probeRows({ ...section, syscalls: [] });
  const untouched = await verdictsOf("runc", { section, rows });
  const ignored = await verdictsOf("runc", { section, rows, annotate: [] });
  assertSameVerdicts(ignored.verdicts, untouched.verdicts, rows);
  const reboot = rows.findIndex((r) => r.abi === "syscall" && r.nr === 169);
  assertEquals(untouched.verdicts[reboot], -77, "reboot is denied");
});

test("compile --semantics runc: crun under the annotation answers as runc does", async () => {
  const section = withDistinctErrnos(dockerDefault());
  const rows = probeRows({ ...section, syscalls: [] });
  const untouched = await verdictsOf("runc", { section, rows });
  const ours = await verdictsOf("crun", {
    section,
    rows,
    annotate: ["--semantics", "runc"],
  });
  assertSameVerdicts(ours.verdicts, untouched.verdicts, rows);
});

test("compile: the live filter of init and of exec is the annotation, byte for byte", async (t) => {
  const section = dockerDefault();
  for (const noNewPrivileges of [false, true]) {
    await t.step(`noNewPrivileges ${noNewPrivileges}`, async () => {
      await using bundle = await createBundle({
        args: ["/bin/busybox", "sleep", "100000"],
        seccomp: section,
        noNewPrivileges,
      });
      const bytes = await annotateBundle(bundle.configPath, []);
      const init = await bundle.create("crun");
      // With noNewPrivileges crun attaches the filter after `start`.
      const created = noNewPrivileges ? [] : [bytes];
      assertEquals(dumpFilters(init), created, "created");
      await bundle.start("crun");
      await waitForCommand(init, "sleep");
      assertEquals(dumpFilters(init), [bytes], "started");
      const other = await bundle.execDetached("crun", [
        "/bin/busybox",
        "sleep",
        "61",
      ]);
      await waitForCommand(other, "sleep");
      assertEquals(dumpFilters(other), [bytes], "executed");
      const echo = await bundle.exec("crun", ["/bin/busybox", "echo", "ok"]);
      succeed(echo);
      assertEquals(new TextDecoder().decode(echo.stdout), "ok\n");
    });
  }
});

test("compile: 64-bit numbers of a config survive the annotation", async () => {
  const docker = withDistinctErrnos(dockerDefault());
  const odd = 2n ** 53n + 1n;
  const section: ProfileSection = {
    ...docker,
    syscalls: [
      ...docker.syscalls.filter((e) => !e.names.includes("personality")),
      {
        names: ["personality"],
        action: "SCMP_ACT_ALLOW",
        args: [{ index: 0, value: odd, op: "SCMP_CMP_EQ" }],
      },
    ],
  };
  const rows: readonly ProbeRow[] = [odd, odd - 1n, odd + 1n, 2n ** 53n, 1n]
    .map((arg) => ({ abi: "syscall", nr: 135, args: [arg] }));
  // No limit is raised: that would take CAP_SYS_RESOURCE.
  const rlimits = [{ type: "RLIMIT_FSIZE", hard: 2n ** 64n - 1n, soft: odd }];
  for (const runtime of ["crun", "runc"] as const) {
    const ours = await verdictsOf(runtime, {
      section,
      rows,
      annotate: [],
      rlimits,
    });
    assertEquals(ours.verdicts, [ALLOWED, -77, -77, -77, -77], runtime);
    await using bundle = await createBundle({
      args: ["/bin/busybox", "grep", "file size", "/proc/self/limits"],
      seccomp: section,
      rlimits,
    });
    await annotateBundle(bundle.configPath, []);
    const limits = await bundle.run(runtime);
    succeed(limits);
    assertEquals(
      new TextDecoder().decode(limits.stdout).split(/\s{2,}/).slice(1, 3),
      [String(odd), "unlimited"],
      runtime,
    );
  }
});
