import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { dirname } from "@std/path";
import { planContainerd } from "../../install/managers/containerd.ts";
import { planCrio } from "../../install/managers/crio.ts";
import { planDocker } from "../../install/managers/docker.ts";
import { InstallError } from "../../install/error.ts";
import { defaultMode } from "../../install/managers/handler.ts";
import { findConfigs } from "../../install/managers/configs.ts";
import { readManifest } from "../../install/changes/installed.ts";
import type { DispatcherTools } from "../../hook/dispatcher/tools.ts";
import { systemLayout, userLayout } from "../../install/changes/layout.ts";
import { listOf, planPodman } from "../../install/managers/podman.ts";
import type { FoundRuntime } from "../../install/runtimes.ts";
import type {
  TargetFacts,
  TargetOptions,
  TargetPlan,
} from "../../install/managers/target.ts";

const TOOL = ["/usr/bin/tool"];
const TOOLS: DispatcherTools = {
  sh: "/bin/sh",
  shNests: true,
  awk: TOOL,
  awkKeepsNul: true,
  tr: TOOL,
  stat: TOOL,
  env: TOOL,
  mv: TOOL,
  rm: TOOL,
  mkdir: TOOL,
  date: TOOL,
};

function facts(more: Partial<TargetFacts> = {}): TargetFacts {
  return {
    layout: systemLayout(),
    deno: "/usr/bin/deno",
    tools: TOOLS,
    program: { main: "hook/main.ts", files: new Map() },
    runtime: {
      ...{ name: "crun", path: "/usr/bin/crun", realPath: "/usr/bin/crun" },
      ...{ kind: "crun", version: "1.8.1", rawFilters: "yes", reason: "" },
    },
    version: undefined,
    configs: [],
    ...more,
  };
}

function options(more: Partial<TargetOptions> = {}): TargetOptions {
  return {
    mode: "wrapper",
    asDefault: false,
    strict: false,
    semantics: "crun",
    names: "host",
    reference: "host",
    log: "syslog",
    append: false,
    ...more,
  };
}

/** The text of the planned file at a path. */
function textAt({ items }: TargetPlan, path: string): string {
  const item = items.find((i) => i.path === path);
  assert(item?.kind === "file" || item?.kind === "block", path);
  return item.text;
}

const HOOK = options({ mode: "hook" });
const PODMAN = "/etc/containers/containers.conf.d/99-seccomp-tree.conf";
const OURS = "/usr/local/lib/seccomp-tree/podman-hooks.d";

Deno.test("planPodman() keeps the hooks folders that are in force", () => {
  const shared = [
    "/usr/share/containers/oci/hooks.d",
    "/etc/containers/oci/hooks.d",
  ];
  const conf = (
    path: string,
    list: string,
  ): { path: string; text: string } => ({
    path,
    text: `[engine]\nhooks_dir = ${list}\n`,
  });
  for (
    const { configs, list } of [
      { configs: [], list: shared },
      {
        configs: [conf("/etc/containers/containers.conf", '["/a"]')],
        list: ["/a"],
      },
      { configs: [conf("/etc/containers/containers.conf", "[]")], list: [] },
      {
        configs: [
          conf("/etc/containers/containers.conf", '["/a"]'),
          conf(
            "/etc/containers/containers.conf.d/1.conf",
            '["/b", {append=true}]',
          ),
        ],
        list: ["/a", "/b"],
      },
      // Ours of the last time does not count.
      { configs: [conf(PODMAN, `["/a", "${OURS}"]`)], list: shared },
    ]
  ) {
    const text = textAt(planPodman(facts({ configs }), HOOK), PODMAN);
    const expected = [...list, OURS].map((path) => `"${path}"`).join(", ");
    assertStringIncludes(text, `hooks_dir = [${expected}]`);
  }
  const user = planPodman(facts({ layout: userLayout("/home/u") }), HOOK);
  const path =
    "/home/u/.config/containers/containers.conf.d/99-seccomp-tree.conf";
  assertStringIncludes(
    textAt(user, path),
    'hooks_dir = ["/home/u/.local/lib/seccomp-tree/podman-hooks.d"]',
  );
});

Deno.test("planPodman() never writes into a shared hooks folder", () => {
  for (const mode of ["hook", "wrapper"] as const) {
    const { items } = planPodman(facts(), options({ mode }));
    assertEquals(items.filter(({ path }) => path.includes("oci/hooks.d")), []);
  }
});

Deno.test("planPodman() says which file prevails over its own", () => {
  const path = "/etc/containers/containers.conf.d/99-zz.conf";
  const text = '[engine]\nhooks_dir = ["/z"]\n';
  const { warnings } = planPodman(facts({ configs: [{ path, text }] }), HOOK);
  assertStringIncludes(warnings.join(), `"${path}" comes later`);
});

Deno.test("listOf() refuses values other than lists of texts", () => {
  for (const value of ["1", '"/a"', "[1]", "[{x=true}]"]) {
    const file = { path: "x.conf", text: `[engine]\nhooks_dir = ${value}\n` };
    assertThrows(() => listOf([file], ["engine", "hooks_dir"]), InstallError);
  }
});

Deno.test("planContainerd() takes a drop-in only if it is imported and merged", () => {
  const path = "/etc/containerd/config.toml";
  const dropIn = "/etc/containerd/conf.d/99-seccomp-tree.toml";
  const imported = 'version = 3\nimports = ["/etc/containerd/conf.d/*.toml"]\n';
  const plan = (text: string, version: string, more = {}): TargetPlan =>
    planContainerd(
      facts({ version, configs: [{ path, text }] }),
      options(more),
    );
  assertStringIncludes(
    textAt(plan(imported, "2.1.9"), dropIn),
    `version = 3

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.seccomp-tree]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.seccomp-tree.options]
BinaryName = "/usr/local/lib/seccomp-tree/containerd/crun"
`,
  );
  const refused = [
    { text: "version = 3\n", version: "2.1.9", seen: "does not import" },
    {
      text: imported.replace("3", "2"),
      version: "1.6.20",
      seen: "would replace every other setting",
    },
  ];
  for (const { text, version, seen } of refused) {
    assertThrows(() => plan(text, version), InstallError, seen);
    const added = plan(text, version, { append: true });
    assertEquals(added.items.find((i) => i.kind === "block")?.path, path);
  }
  // A runc that is named already is not named again.
  const named = `version = 2
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
`;
  const text = textAt(plan(named, "1.6.20", { append: true }), path);
  assert(!text.includes("runtimes.runc]"), text);
  assertThrows(
    () =>
      plan(
        `${named}[plugins."io.containerd.grpc.v1.cri".containerd]\n`,
        "1.6",
        {
          append: true,
          asDefault: true,
        },
      ),
    InstallError,
    "default_runtime_name",
  );
  assertThrows(
    () => plan("root = '/x'\n", "1.6", { append: true }),
    InstallError,
    "version",
  );
});

Deno.test("planCrio() copies the settings of the default handler", () => {
  const configs = [{
    path: "/etc/crio/crio.conf",
    text: `[crio.runtime]
default_runtime = "crun"
[crio.runtime.runtimes.crun]
runtime_path = "/usr/libexec/crio/crun"
monitor_path = "/usr/libexec/crio/conmon"
runtime_root = "/run/crun-x"
allowed_annotations = ["io.x"]
`,
  }];
  const plan = planCrio(facts({ configs }), options({ asDefault: true }));
  assertStringIncludes(
    textAt(plan, "/etc/crio/crio.conf.d/99-seccomp-tree.conf"),
    `[crio.runtime]
default_runtime = "seccomp-tree"

[crio.runtime.runtimes.seccomp-tree]
runtime_path = "/usr/local/lib/seccomp-tree/crio/crun"
runtime_type = "oci"
runtime_root = "/run/crun-x"
monitor_path = "/usr/libexec/crio/conmon"
allowed_annotations = ["io.x"]
`,
  );
});

Deno.test("a manager without a place for a mode refuses it", () => {
  for (const mode of ["hook", "static"] as const) {
    for (const plan of [planDocker, planContainerd]) {
      assertThrows(() => plan(facts(), options({ mode })), InstallError);
    }
  }
  assertThrows(() => planCrio(facts(), HOOK), InstallError, "precreate");
});

Deno.test("a wrapper around runc executes it directly, with a warning", () => {
  const runc: FoundRuntime = {
    name: "runc",
    path: "/usr/sbin/runc",
    realPath: "/usr/sbin/runc",
    kind: "runc",
    rawFilters: "no",
    reason: "runc ignores it",
  };
  const plan = planDocker(facts({ runtime: runc }), options());
  assertStringIncludes(plan.warnings.join(), "runc ignores it");
  const text = textAt(plan, "/usr/local/lib/seccomp-tree/docker/crun");
  assertStringIncludes(text, `exec '/usr/sbin/runc' "$@"`);
  assert(!text.includes("runtime --settings"));
  assertThrows(
    () => planDocker(facts({ runtime: undefined }), options()),
    InstallError,
    "install crun",
  );
});

const CRUN: FoundRuntime = {
  ...{ name: "crun", path: "/usr/bin/crun", realPath: "/usr/bin/crun" },
  ...{ kind: "crun", version: "1.14.1", rawFilters: "yes", reason: "" },
};
const CACHE = options({ mode: "cache" });

Deno.test("a crun that keeps filters is optimized in its cache unless containers may be refused", () => {
  const rows: readonly (readonly [Partial<FoundRuntime>, boolean, string])[] = [
    [{}, false, "cache"],
    [{ version: "1.28" }, false, "cache"],
    [{}, true, "hook"],
    [{ version: "1.8.1" }, false, "hook"],
    [{ version: "1.13" }, false, "hook"],
    [{ kind: "runc", rawFilters: "no", version: "1.3.6" }, false, "hook"],
    [{ rawFilters: "no" }, false, "hook"],
  ];
  for (const [more, strict, expected] of rows) {
    const runtime = { ...CRUN, ...more };
    assertEquals(defaultMode("podman", runtime, strict), expected);
  }
  assertEquals(
    defaultMode("docker", { ...CRUN, version: "1.8.1" }, false),
    "wrapper",
  );
  assertEquals(defaultMode("docker", undefined, false), "wrapper");
});

Deno.test("--mode cache installs units, and managers start crun itself", () => {
  const plans = {
    podman: planPodman(facts({ runtime: CRUN }), CACHE),
    docker: planDocker(facts({ runtime: CRUN }), CACHE),
    containerd: planContainerd(facts({ runtime: CRUN }), CACHE),
    crio: planCrio(facts({ runtime: CRUN }), CACHE),
  };
  for (const [name, plan] of Object.entries(plans)) {
    const units = "/etc/systemd/system";
    const path = textAt(plan, `${units}/seccomp-tree-${name}.path`);
    assertStringIncludes(path, "/.cache/seccomp\n");
    const service = textAt(plan, `${units}/seccomp-tree-${name}.service`);
    assertStringIncludes(service, "/usr/local/lib/seccomp-tree/program/");
    const all = plan.items.map((item) =>
      "text" in item ? item.text : JSON.stringify(item)
    );
    assert(!all.some((text) => text.includes("seccomp-tree/bin/crun")), name);
    assert(
      !plan.items.some(({ path }) => path.endsWith(`/${name}/crun`)),
      name,
    );
    if (name === "podman") continue;
    assert(all.some((text) => text.includes("/usr/bin/crun")), name);
    assert(plan.warnings.some((text) => text.includes("--mode wrapper")), name);
  }
  const elsewhere = planDocker(
    facts({ runtime: CRUN, execRoots: ["/srv/50% docker"] }),
    CACHE,
  );
  assertStringIncludes(
    textAt(elsewhere, "/etc/systemd/system/seccomp-tree-docker.path"),
    "\nPathChanged=/srv/50%% docker/runtime-runc/moby/.cache/seccomp\n",
  );
  const user = planPodman(
    facts({ runtime: CRUN, layout: userLayout("/home/me") }),
    CACHE,
  );
  const path = "/home/me/.config/systemd/user/seccomp-tree-podman.path";
  assertStringIncludes(
    textAt(user, path),
    "PathChanged=%t/crun/.cache/seccomp",
  );
});

Deno.test("--mode cache refuses a runtime that does not cache filters, and names it", () => {
  const old = { ...CRUN, version: "1.8.1" };
  assertThrows(
    () => planPodman(facts({ runtime: old }), CACHE),
    InstallError,
    '"/usr/bin/crun" is crun 1.8.1; crun 1.14 and later keeps filters',
  );
  assertThrows(
    () => planDocker(facts({ runtime: undefined }), CACHE),
    InstallError,
    "crun was not found",
  );
  const { version: _, ...elsewhere } = CRUN;
  const runtime: FoundRuntime = { ...elsewhere, rawFilters: "unknown" };
  planPodman(facts({ runtime }), CACHE);
});

Deno.test("--mode cache quotes words that systemd would interpret", () => {
  const plan = planPodman(
    facts({ runtime: CRUN, deno: '/opt/my "$x" 100%/deno' }),
    CACHE,
  );
  const text = textAt(plan, "/etc/systemd/system/seccomp-tree-podman.service");
  assertStringIncludes(text, 'ExecStart="/opt/my \\"$$x\\" 100%%/deno" run -A');
});

Deno.test("planContainerd() gives pods of our handler what those of the default one get", () => {
  const path = "/etc/containerd/config.toml";
  const dropIn = "/etc/containerd/conf.d/99-seccomp-tree.toml";
  const runtimes = 'plugins."io.containerd.cri.v1.runtime".containerd.runtimes';
  const text = `version = 4
imports = ["/etc/containerd/conf.d/*.toml"]
[plugins."io.containerd.cri.v1.runtime".containerd]
default_runtime_name = "usual"
[${runtimes}.usual]
runtime_type = "io.containerd.runc.v2"
base_runtime_spec = "/etc/containerd/cri-base.json"
cni_max_conf_num = 1
pod_annotations = ["a.b/*", 'c']
privileged_without_host_devices = true
snapshotter = "overlayfs"
runtime_path = "/usr/bin/shim"
[${runtimes}.usual.options]
BinaryName = "/usr/bin/runc"
SystemdCgroup = true
[${runtimes}.other]
snapshotter = "other"
`;
  const plan = planContainerd(
    facts({ version: "2.3.0", configs: [{ path, text }] }),
    options({ asDefault: true }),
  );
  const written = textAt(plan, dropIn);
  assertStringIncludes(written, "version = 4\n");
  assertStringIncludes(
    written,
    `[${runtimes}.seccomp-tree]
runtime_type = "io.containerd.runc.v2"
base_runtime_spec = "/etc/containerd/cri-base.json"
cni_max_conf_num = 1
pod_annotations = ["a.b/*", "c"]
privileged_without_host_devices = true
snapshotter = "overlayfs"

[${runtimes}.seccomp-tree.options]
SystemdCgroup = true
BinaryName = "/usr/local/lib/seccomp-tree/containerd/crun"
`,
  );
  // A drop-in of the administrator counts, an inline table as well.
  const inline = planContainerd(
    facts({
      version: "2.2.1",
      configs: [
        {
          path: "/etc/containerd/conf.d/10-cgroup.toml",
          text:
            `version = 3\n[${runtimes}.runc]\noptions = { SystemdCgroup = true, Root = "/r" }\n`,
        },
      ],
    }),
    options(),
  );
  assertStringIncludes(
    textAt(inline, dropIn),
    `.seccomp-tree.options]\nSystemdCgroup = true\nRoot = "/r"\nBinaryName = `,
  );
  // Options of another shim are not those of runc's.
  const kata = planContainerd(
    facts({
      version: "2.1.9",
      configs: [{
        path,
        text: `${
          text.replace("runc.v2", "kata.v2")
        }[${runtimes}.runc]\nsnapshotter = "mine"\n`,
      }],
    }),
    options(),
  );
  assertStringIncludes(textAt(kata, dropIn), 'snapshotter = "mine"');
});

Deno.test("planContainerd() writes a drop-in if containerd reads it without an import", () => {
  const dropIn = "/etc/containerd/conf.d/99-seccomp-tree.toml";
  for (const version of ["2.2.0", "2.3.1", "3.0.0"]) {
    textAt(planContainerd(facts({ version }), options()), dropIn);
  }
  for (const version of ["2.1.9", "1.7.24"]) {
    textAt(
      planContainerd(facts({ version }), options()),
      "/etc/containerd/config.toml",
    );
  }
});

Deno.test("planContainerd() names the version of the file, whatever containerd's own", () => {
  const path = "/etc/containerd/config.toml";
  const rows = [["version = 2\n", "is 2:"], ["", "is 1:"]] as const;
  for (const [text, seen] of rows) {
    assertThrows(
      () =>
        planContainerd(
          facts({ version: "1.7.24", configs: [{ path, text }] }),
          options(),
        ),
      InstallError,
      seen,
    );
  }
  assertThrows(
    () =>
      planContainerd(
        facts({
          version: "2.1.9",
          configs: [{ path, text: "version = 2\n" }],
        }),
        options(),
      ),
    InstallError,
    `beside "${path}", whose version is 2:`,
  );
});

Deno.test("planContainerd() refuses files that are generated, and names the template", () => {
  const rows = [
    [
      "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
      "version = 3\n",
      "config-v3.toml.tmpl",
    ],
    [
      "/srv/config.toml",
      "# File generated by rke2. DO NOT EDIT.\nversion = 3\n",
      "config-v3.toml.tmpl",
    ],
    [
      "/var/snap/microk8s/current/args/containerd.toml",
      "version = 2\n",
      "containerd-template.toml",
    ],
  ] as const;
  for (const [path, text, seen] of rows) {
    assertThrows(
      () =>
        planContainerd(
          facts({ version: "2.1.0", configs: [{ path, text }] }),
          options({ config: path, append: true }),
        ),
      InstallError,
      seen,
    );
    // It need not be named.
    assertThrows(
      () =>
        planContainerd(
          facts({ version: "2.1.0", configs: [{ path, text }] }),
          options(),
        ),
      InstallError,
      seen,
    );
  }
});

Deno.test("findConfigs() finds what distributions of Kubernetes write, unless containerd has its own", async () => {
  const root = await Deno.makeTempDir({ prefix: "seccomp-tree-root-" });
  const place = { root, layout: systemLayout() };
  const manifest = await readManifest(place);
  const found = async (): Promise<readonly string[]> =>
    (await findConfigs("containerd", place, manifest)).map(({ path }) => path);
  const write = async (path: string): Promise<void> => {
    await Deno.mkdir(dirname(`${root}${path}`), { recursive: true });
    await Deno.writeTextFile(`${root}${path}`, "version = 3\n");
  };
  try {
    assertEquals(await found(), []);
    for (
      const path of [
        "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
        "/var/snap/microk8s/current/args/containerd.toml",
      ]
    ) {
      await write(path);
      assertEquals(await found(), [path]);
      await Deno.remove(`${root}${path}`);
    }
    await write("/var/lib/rancher/rke2/agent/etc/containerd/config.toml");
    await write("/etc/containerd/config.toml");
    assertEquals(await found(), ["/etc/containerd/config.toml"]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
