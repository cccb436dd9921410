import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dumpFilters } from "../../ffi/live/dump.ts";
import { has, needs } from "../machine.ts";
import { assertStored, findSleep, uniqueSeconds } from "./filters.ts";
import { MAIN, openSandbox, SANDBOX } from "./sandbox.ts";
import { LOG, podman, remove, ROOTFS, sleeper } from "./podman.ts";

const test = needs(...SANDBOX);

test("install podman --mode wrapper: init and exec run the stored filter", async () => {
  await using box = await openSandbox();
  const installed = await box.tree(
    ...["install", "podman", "--mode", "wrapper", "--log", LOG],
  );
  assertEquals(installed.code, 0, installed.stderr);
  assertStringIncludes(installed.stdout, "Verified");
  const section = await assertStored(box, await sleeper(box, "c"), "init");
  const seconds = uniqueSeconds();
  await box.ok("podman", "exec", "--detach", "c", "sleep", seconds);
  assertEquals(
    await assertStored(box, await findSleep(seconds), "exec"),
    section,
  );
  await remove(box, "c");
  const unconfined = podman(["--rm", "--privileged"], "echo", "ok");
  assertEquals(await box.ok(...unconfined), "ok");
});

test("install podman --user: containers of a user without root run the stored filter", async () => {
  if (!has("new-privileges", "Podman of a user without root")) return;
  await using box = await openSandbox();
  const home = "/var/lib/tester";
  const id = "54321";
  const cache = Deno.env.get("DENO_DIR") ??
    `${Deno.env.get("HOME") ?? ""}/.cache/deno`;
  await box.ok(
    ...["sh", "-ec"],
    `echo tester:x:${id}:${id}::${home}:/bin/sh >>/etc/passwd
echo tester:x:${id}: >>/etc/group
echo tester:200000:65536 | tee -a /etc/subuid >>/etc/subgid
chmod 755 /root
mkdir -p ${home}/.config/containers /run/user/${id}
printf '[storage]\\ndriver = "vfs"\\n' >${home}/.config/containers/storage.conf
cp -r ${ROOTFS} ${home}/rootfs
chown -R ${id}:${id} ${home} /run/user/${id}
chmod 700 /run/user/${id}`,
  );
  const user = [
    ...["setpriv", `--reuid=${id}`, `--regid=${id}`, "--clear-groups"],
    ...["env", "-i", "PATH=/usr/bin:/bin:/usr/sbin", `HOME=${home}`],
    ...[`XDG_RUNTIME_DIR=/run/user/${id}`, `DENO_DIR=${cache}`],
  ];
  const main = [Deno.execPath(), "run", "-A", MAIN];
  const log = `${home}/hook.log`;
  const installed = await box.run([
    ...[...user, ...main, "install", "podman", "--user", "--log", log],
  ]);
  assertEquals(installed.code, 0, installed.stderr);
  assertStringIncludes(installed.stderr, "live filter was not verified");
  const compiled = await box.read(log);
  const seconds = uniqueSeconds();
  await box.ok(
    ...[...user, "podman", "run", "--detach", "--name=own", "--network=none"],
    ...["--rootfs", `${home}/rootfs`, "sleep", seconds],
  );
  const store = `${home}/.cache/seccomp-tree`;
  await assertStored(box, await findSleep(seconds), "rootless", store);
  assertEquals(await box.read(log), compiled, "found without Deno");
  await box.ok(...user, "podman", "rm", "--force", "--time=0", "own");
  const before = await box.ok("find", home, "-path", "*seccomp-tree*");
  assert(before !== "");
  await box.ok(...user, ...main, "uninstall", "--user");

  // The user has no access to other users' caches of crun 1.14 and later.
  const crun = "/usr/local/bin/crun-with-cache";
  const version = (await box.ok("crun", "--version"))
    .replace(/^crun version .*/, "crun version 1.21");
  await box.write(crun, `#!/bin/sh\ncat <<'END'\n${version}\nEND\n`, 0o755);
  await box.ok(
    "sh",
    "-ec",
    "rm -rf /run/crun; mkdir -p /run/crun/.cache/seccomp",
  );
  const words = ["--user", "--mode", "cache", "--runtime", crun, "--no-trial"];
  await box.ok(...user, ...main, "install", "podman", ...words);
  await box.ok(...user, ...main, "uninstall", "--user");
});

test("install podman --mode static: one filter for all containers, and a warning about its effects", async () => {
  await using box = await openSandbox();
  const profile = "/usr/share/containers/seccomp.json";
  const installed = await box.tree(
    ...["install", "podman", "--mode", "static", "--profile", profile],
  );
  assertEquals(installed.code, 0, installed.stderr);
  assertStringIncludes(installed.stderr, "including --privileged");
  const plain = dumpFilters(await sleeper(box, "plain"));
  assertEquals(plain.length, 1);
  const value = /bpf_data=([^"]+)"/.exec(
    await box.read("/etc/containers/containers.conf.d/99-seccomp-tree.conf"),
  )?.[1];
  assertEquals(plain[0]?.toBase64(), value);
  const privileged = await sleeper(box, "privileged", "--privileged");
  assertEquals(dumpFilters(privileged), plain, "as the warning says");
  for (const name of ["plain", "privileged"]) await remove(box, name);
});

test("uninstall restores every byte after containers ran", async () => {
  await using box = await openSandbox();
  const digest = (): Promise<string> =>
    box.ok(
      ...["sh", "-c"],
      `find /usr/local /var/cache -maxdepth 2 -printf '%p %m\\n' | sort
find /etc -printf '%p %m %l\\n' | sort
find /etc -type f -exec sha256sum {} + | sort
ls /var/lib`,
    );
  await box.ok("mkdir", "-p", "/var/lib/containers", "/var/lib/cni");
  await box.run(podman(["--rm"], "true"));
  await box.write("/etc/docker/daemon.json", '{"debug":true}');
  const before = await digest();
  for (const target of ["podman", "docker"]) {
    const { code, stderr } = await box.tree("install", target);
    assertEquals(code, 0, stderr);
  }
  await box.ok(...podman(["--rm"], "true"));
  assert(await digest() !== before);
  const { code, stderr } = await box.tree("uninstall");
  assertEquals(code, 0, stderr);
  assertEquals(await digest(), before);
  await box.ok(...podman(["--rm"], "true"));
});

test("uninstall refuses while containers need the wrapper; --force leaves a stub", async () => {
  await using box = await openSandbox();
  const installed = await box.tree(
    ...["install", "podman", "--mode", "wrapper", "--log", LOG, "--no-trial"],
  );
  assertEquals(installed.code, 0, installed.stderr);
  await sleeper(box, "running");
  await box.ok(...podman(["--name=kept"], "true"));
  const ids = await box.ok("podman", "ps", "-aq", "--no-trunc");
  const refused = await box.tree("uninstall", "podman");
  assertEquals(refused.code, 5, refused.stderr);
  for (const id of ids.split("\n")) {
    assertStringIncludes(refused.stderr, id.slice(0, 12));
  }
  const forced = await box.tree("uninstall", "podman", "--force");
  assertEquals(forced.code, 0, forced.stderr);
  assertStringIncludes(
    forced.stderr,
    "A stub of the wrapper for podman remains",
  );
  await box.ok("podman", "exec", "running", "true");
  for (const name of ["running", "kept"]) await remove(box, name);
  const last = await box.tree("uninstall");
  assertEquals(last.code, 0, last.stderr);
  const left = await box.run(["ls", "/usr/local/lib/seccomp-tree"]);
  assert(left.code !== 0, left.stdout);
});
