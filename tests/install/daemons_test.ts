import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { dumpFilters } from "../../ffi/live/dump.ts";
import { needs, PATIENCE_S } from "../machine.ts";
import { assertStored, findSleep, uniqueSeconds } from "./filters.ts";
import { openSandbox, SANDBOX, type Sandbox } from "./sandbox.ts";

const test = needs(...SANDBOX);

const ROOTFS = "/var/lib/rootfs";
const LOG = "/var/lib/hook.log";

/** Runs a command until it succeeds. */
async function patiently(
  box: Sandbox,
  words: readonly string[],
): Promise<string> {
  for (let i = 0;; i++) {
    const { code, stdout, stderr } = await box.run(words);
    if (code === 0) return stdout.trim();
    assert(i < 10 * PATIENCE_S, `${words.join(" ")}: ${stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("install containerd: ctr runs the stored filter, and the runc handler stays", async (t) => {
  await using box = await openSandbox();
  const refused = await box.tree("install", "containerd", "--log", LOG);
  assertEquals(refused.code, 2, refused.stdout);
  assertStringIncludes(refused.stderr, "--append");
  const installed = await box.tree(
    ...["install", "containerd", "--append", "--log", LOG],
  );
  assertEquals(installed.code, 0, installed.stderr);
  assertStringIncludes(
    installed.stderr,
    "Not tried: this machine cannot start",
  );
  const wrapper = "/usr/local/lib/seccomp-tree/containerd/crun";
  const dump = await box.ok("containerd", "config", "dump");
  for (const name of ["runc", "seccomp-tree"]) {
    assertStringIncludes(dump, `containerd.runtimes.${name}]`);
  }
  assertStringIncludes(dump, `BinaryName = "${wrapper}"`);
  assertStringIncludes(dump, 'bin_dir = "/usr/lib/cni"');

  await box.write(
    "/etc/containerd/test.toml",
    `version = 2
root = "/var/lib/containerd-test"
state = "/run/containerd-test"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "/run/ctd.sock"
`,
  );
  box.start(
    ["containerd", "--config", "/etc/containerd/test.toml"],
    "/run/ctd.log",
  );
  const ctr = ["ctr", "--address", "/run/ctd.sock"];
  await patiently(box, [...ctr, "version"]);
  const tried = await box.tree(
    ...["install", "containerd", "--append", "--log", LOG],
  );
  assertStringIncludes(
    tried.stdout,
    "Verified: a container runs the stored",
    tried.stderr,
  );

  await t.step("run, exec, kill, delete", async () => {
    const seconds = uniqueSeconds();
    // Containers may be called as the runtime's commands are.
    await box.ok(
      ...[...ctr, "run", "--detach", "--runc-binary", wrapper],
      ...["--seccomp", "--rootfs", ROOTFS, "create", "/bin/sleep", seconds],
    );
    const section = await assertStored(box, await findSleep(seconds), "init");
    const other = uniqueSeconds();
    await box.ok(
      ...[...ctr, "tasks", "exec", "--detach", "--exec-id", "run", "create"],
      ...["/bin/sleep", other],
    );
    assertEquals(
      await assertStored(box, await findSleep(other), "exec"),
      section,
    );
    const live = await box.tree("digest", "default:containerd");
    assertEquals(live.code, 0, live.stderr);
    const primed = await box.tree("store", "prime", "--live");
    assertMatch(primed.stdout, /: bundle:/);
    const status = await box.tree("status");
    assertMatch(status.stdout, /^1 container: 1 tree\n/);
    assertMatch(status.stdout, /^containerd +default\/create +\d+ /m);
    const stranding = await box.tree("uninstall");
    assertEquals(stranding.code, 5, stranding.stdout);
    assertStringIncludes(stranding.stderr, "containerd: create");
    await box.ok(
      ...ctr,
      "tasks",
      "kill",
      "--all",
      "--signal",
      "KILL",
      "create",
    );
    await patiently(box, [...ctr, "tasks", "delete", "create"]);
    await box.ok(...ctr, "containers", "delete", "create");
  });

  await t.step("without --seccomp", async () => {
    const seconds = uniqueSeconds();
    await box.ok(
      ...[...ctr, "run", "--detach", "--runc-binary", wrapper],
      ...["--rootfs", ROOTFS, "bare", "/bin/sleep", seconds],
    );
    assertEquals(dumpFilters(await findSleep(seconds)), []);
    await box.ok(...ctr, "tasks", "kill", "--signal", "KILL", "bare");
    await patiently(box, [...ctr, "tasks", "delete", "bare"]);
  });

  await t.step("--version", async () => {
    assertEquals(
      await box.ok(wrapper, "--version"),
      await box.ok("crun", "--version"),
    );
  });
});

test("install docker: containers run the stored filter once dockerd has read its settings", async (t) => {
  await using box = await openSandbox();
  const before = '{ "debug": false,\n\t"registry-mirrors": [] }';
  await box.write("/etc/docker/daemon.json", before);
  box.start([
    ...["dockerd", "--data-root", "/var/lib/docker-test"],
    ...["--exec-root", "/run/docker-test"],
    ...["-H", "unix:///run/dockerd.sock", "--storage-driver", "vfs"],
    ...["--iptables=false", "--ip6tables=false", "--bridge=none"],
  ], "/run/dockerd.log");
  const docker = ["/usr/bin/docker", "-H", "unix:///run/dockerd.sock"];
  await patiently(box, [...docker, "version"]);
  await box.ok(
    "sh",
    "-c",
    `tar -C ${ROOTFS} -c . | ${docker.join(" ")} import - base`,
  );

  const image = await box.ok(...docker, "image", "ls", "-q");
  const installed = await box.tree(
    "install",
    "docker",
    "--default",
    "--log",
    LOG,
  );
  assertEquals(installed.code, 0, installed.stderr);
  assertStringIncludes(installed.stderr, "systemctl reload docker");
  assertStringIncludes(installed.stderr, "run this again with --reload");
  const tried = await box.tree(
    ...["install", "docker", "--default", "--log", LOG, "--reload"],
  );
  assertEquals(tried.code, 0, tried.stderr);
  assertStringIncludes(
    tried.stdout,
    "Verified: a container runs the stored",
    tried.stderr,
  );
  assertEquals(await box.ok(...docker, "image", "ls", "-q"), image);
  const info = [...docker, "info", "--format", "{{.DefaultRuntime}}"];
  assertEquals(await box.ok(...info), "seccomp-tree");
  const run = [...docker, "run", "--network=none"];

  await t.step("run, exec, restart", async () => {
    const seconds = uniqueSeconds();
    await box.ok(...run, "--detach", "--name", "one", "base", "sleep", seconds);
    const section = await assertStored(box, await findSleep(seconds), "init");
    const other = uniqueSeconds();
    await box.ok(...docker, "exec", "--detach", "one", "sleep", other);
    assertEquals(
      await assertStored(box, await findSleep(other), "exec"),
      section,
    );
    await box.ok(...docker, "restart", "--time=0", "one");
    const again = await findSleep(seconds);
    assertEquals(await assertStored(box, again, "restart"), section);
    const status = await box.tree(
      ...["status", "-o", "json", "--state", "/run/docker-test/runtime-*/*"],
    );
    assertStringIncludes(status.stdout, '"filter":"tree"', status.stderr);
    await box.ok(...docker, "rm", "--force", "one");
  });

  await t.step("unconfined, privileged", async () => {
    for (
      const option of ["--security-opt=seccomp=unconfined", "--privileged"]
    ) {
      const seconds = uniqueSeconds();
      await box.ok(
        ...run,
        "--detach",
        "--name=bare",
        option,
        "base",
        "sleep",
        seconds,
      );
      assertEquals(dumpFilters(await findSleep(seconds)), [], option);
      await box.ok(...docker, "rm", "--force", "bare");
    }
  });

  await t.step("a refusal reaches the user", async () => {
    await box.write(
      "/etc/seccomp-tree/docker.json",
      (await box.read("/etc/seccomp-tree/docker.json")).replace(
        '"semantics"',
        '"nonsense": 1, "semantics"',
      ),
    );
    await box.ok("sh", "-c", "rm -rf /var/cache/seccomp-tree/*");
    const refused = await box.run([...run, "--rm", "base", "true"]);
    assert(refused.code !== 0, "it starts");
    assertStringIncludes(refused.stderr, "nonsense");
  });

  await t.step("uninstall", async () => {
    const refused = await box.tree("uninstall", "docker");
    assertEquals(refused.code, 5, refused.stdout);
    assertStringIncludes(
      refused.stderr,
      '"/etc/seccomp-tree/docker.json" was changed',
    );
    await box.ok("rm", "/etc/seccomp-tree/docker.json");
    const done = await box.tree("uninstall", "docker");
    assertEquals(done.code, 0, done.stderr);
    assertEquals(await box.read("/etc/docker/daemon.json"), before);
  });
});

test("install containerd over runc: the bundle is unchanged, and status reports why", async () => {
  await using box = await openSandbox();
  const installed = await box.tree(
    ...["install", "containerd", "--append", "--runtime", "/usr/sbin/runc"],
  );
  assertEquals(installed.code, 0, installed.stderr);
  assertStringIncludes(installed.stderr, "Containers are not optimized");
  const wrapper = "/usr/local/lib/seccomp-tree/containerd/crun";
  assertEquals(
    await box.ok(wrapper, "--version"),
    await box.ok("runc", "--version"),
  );
  const spec = ["sh", "-c", "cd /run && mkdir b && cd b && runc spec"];
  await box.ok(...spec);
  const before = await box.read("/run/b/config.json");
  // This container may fail to start, depending on runc and the machine; the
  // wrapper passes the bundle on unchanged.
  await box.run([wrapper, "create", "--bundle", "/run/b", "runc-bundle"]);
  assertEquals(await box.read("/run/b/config.json"), before);
  await box.run(["runc", "delete", "--force", "runc-bundle"]);
  const status = await box.tree("status");
  assertEquals(status.code, 0, status.stderr);
  assertStringIncludes(
    status.stdout,
    "not optimized: the runtime /usr/sbin/runc does not take raw filters: runc ignores the annotation",
  );
  const doctor = await box.tree("doctor");
  assertEquals(doctor.code, 0, "a warning only");
  assertStringIncludes(doctor.stdout, "[not-optimized]");
});
