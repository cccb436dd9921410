import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { diagnose } from "../../install/doctor.ts";
import { jitUseOf } from "../../host/machine.ts";
import type { ManagerStatus } from "../../install/manager_status.ts";
import type { Status } from "../../install/status.ts";

const PODMAN: ManagerStatus = {
  name: "podman",
  version: "4.3.1",
  installed: true,
  damaged: [],
};

/** A machine where all is well. */
const WELL: Status = {
  machine: {
    kernel: "6.1.0-18-amd64",
    arch: "x86_64",
    allowCache: true,
    jit: "on",
    jitLimit: 1000,
    jitUse: 100,
    checkpointRestore: true,
    libseccomp: "libseccomp 2.5.4",
  },
  runtimes: [{
    name: "crun",
    path: "/usr/bin/crun",
    realPath: "/usr/bin/crun",
    kind: "crun",
    version: "1.8.1",
    rawFilters: "yes",
    reason: "",
  }],
  readings: ["crun 1.8.1"],
  managers: [PODMAN],
  store: {
    ...{ directory: "/s", current: 1, stale: 0, left: [], problems: [] },
    starts: { hit: 1, miss: 1, left: 0, refused: 0, failed: 0 },
  },
  sharedPrecreate: [],
  caches: [],
  containers: [],
};

Deno.test("diagnose() finds nothing if all is well", () => {
  assertEquals(diagnose(WELL), []);
});

Deno.test("diagnose() has a code and a remedy for everything that can be wrong", () => {
  const { machine, store } = WELL;
  const manager = (more: Partial<ManagerStatus>): Partial<Status> => ({
    managers: [{ ...PODMAN, ...more }],
  });
  const container = {
    id: "x",
    pid: 1,
    state: "/run/crun",
    runtime: "crun",
    filter: "libseccomp",
    detail: "",
  } as const;
  const cases: readonly (readonly [string, string, Partial<Status>])[] = [
    ["warning static-crun", "--mode cache", {
      runtimes: WELL.runtimes.map((r) => ({ ...r, isStatic: true })),
    }],
    ["warning doubtful-cache", "cache status", {
      caches: [{ root: "/run/crun", tree: 1, libseccomp: 0, doubtful: 2 }],
    }],
    ["note not-installed", "install podman", manager({ installed: false })],
    ["error damaged", "/x (missing)", manager({ damaged: ["/x (missing)"] })],
    ["warning not-optimized", "why", manager({ notOptimized: "why" })],
    ["error shared-precreate", "/etc/x.json", {
      sharedPrecreate: ["/etc/x.json"],
    }],
    ["error doubtful-store", "bad", { store: { ...store, problems: ["bad"] } }],
    ["warning left-section", "deadline", {
      store: { ...store, left: ["deadline: late"] },
    }],
    ["note stale-entries", "2 filters", { store: { ...store, stale: 2 } }],
    ["warning no-crun", "crun 0.18", { runtimes: [] }],
    ["note no-allow-cache", "5.11", {
      machine: { ...machine, allowCache: false },
    }],
    ["warning no-jit", "bpf_jit_enable", {
      machine: { ...machine, jit: "off" },
    }],
    ["warning jit-limit", "524", { machine: { ...machine, jitUse: 801 } }],
    [
      "note no-live-check",
      "CONFIG_CHECKPOINT_RESTORE",
      { machine: { ...machine, checkpointRestore: false } },
    ],
    ["note old-filters", "restart", { containers: [container] }],
  ];
  for (const [expected, seen, more] of cases) {
    const [finding, other] = diagnose({ ...WELL, ...more });
    assert(finding !== undefined && other === undefined, expected);
    assertEquals(`${finding.severity} ${finding.code}`, expected);
    assertStringIncludes(`${finding.message} ${finding.remedy}`, seen);
  }
});

Deno.test("jitUseOf() adds up only compiled programs", () => {
  const text = `0x1-0x2 20480 irq_init_percpu_irqstack+0xca/0x100 vmap
0x1-0x2    8192 bpf_jit_alloc_exec+0xe/0x10 pages=1 vmalloc
0x1-0x2 2101248 bpf_prog_pack_alloc+0x2b/0x1b0 pages=512 vmalloc
0x1-0x2    8192 bpf_prog_alloc_no_stats+0x2b/0x1b0 pages=1 vmalloc
`;
  assertEquals(jitUseOf(text), 8192 + 2101248);
  assertEquals(jitUseOf(""), undefined);
});
