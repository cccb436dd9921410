import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { apply, exclusively } from "../../install/changes/apply.ts";
import { DEFAULTS, parseSettings } from "../../hook/settings.ts";
import { InstallError } from "../../install/error.ts";
import type { Change } from "../../install/changes/item.ts";
import { install } from "../../install/install.ts";
import { readManifest } from "../../install/changes/installed.ts";
import { uninstall } from "../../install/uninstall.ts";
import { TARGETS } from "../../install/changes/manifest.ts";
import { gatherStatus } from "../../install/status.ts";
import { CONFIG_TOML, DAEMON_JSON, makeTree, request } from "./tree.ts";

Deno.test("install(), again, and uninstall() leave every byte as it was", async (t) => {
  for (const kind of ["an empty system", "a modified system"]) {
    for (const order of [TARGETS, [...TARGETS].reverse()]) {
      await t.step(`${kind}, ${order.join(" ")}`, async () => {
        await using tree = await makeTree();
        const { place } = tree;
        if (kind === "a modified system") {
          await tree.write("/etc/docker/daemon.json", DAEMON_JSON);
          await Deno.chmod(`${place.root}/etc/docker/daemon.json`, 0o600);
          await tree.write("/etc/containerd/config.toml", CONFIG_TOML);
          await tree.write(
            "/etc/crio/crio.conf.d/10-a.conf",
            "[crio.runtime]\n",
          );
          await tree.write("/var/lib/x/y", "z");
        }
        const before = await tree.digest();
        for (const target of order) {
          const dry = await install(request(place, target, { dryRun: true }));
          const { plan } = await install(request(place, target));
          assertEquals(plan.changes, dry.plan.changes, "as the dry run said");
          const again = await install(request(place, target));
          assertEquals(again.plan.changes, [], "installed again");
        }
        const installed = await tree.digest();
        for (const target of order) {
          const options = request(place, target, {
            strict: true,
            log: "stderr",
          });
          assert((await install(options)).plan.changes.length > 0);
          await install(request(place, target));
        }
        assertEquals(await tree.digest(), installed, "other options and back");
        // Filters come and go.
        await tree.write("/var/cache/seccomp-tree/1.a.b.c", "entry");
        for (const target of order) {
          await uninstall([target], place, { dryRun: false });
        }
        assertEquals(await tree.digest(), before);
        const { changes } = await uninstall(TARGETS, place, { dryRun: false });
        assertEquals(changes, [], "nothing is left to do");
      });
    }
  }
});

Deno.test("install() refuses files that it does not own, all at once, and changes nothing", async () => {
  await using tree = await makeTree();
  const { place } = tree;
  await tree.write(
    "/etc/containers/containers.conf.d/99-seccomp-tree.conf",
    "",
  );
  await tree.write("/usr/local/lib/seccomp-tree/podman/hook", "#!/bin/sh\n");
  const before = await tree.digest();
  const error = await assertRejects(
    () => install(request(place, "podman")),
    InstallError,
  );
  assertStringIncludes(error.message, "99-seccomp-tree.conf");
  assertStringIncludes(error.message, "/podman/hook");
  assertEquals(await tree.digest(), before);
});

Deno.test("install() and uninstall() refuse one of their files that someone changed", async () => {
  await using tree = await makeTree();
  const { place } = tree;
  await install(request(place, "podman"));
  const path = "/usr/local/lib/seccomp-tree/podman/hook";
  await tree.write(path, `${await tree.read(path)}# mine\n`);
  const before = await tree.digest();
  for (
    const work of [
      () => install(request(place, "podman")),
      () => uninstall(["podman"], place, { dryRun: false }),
    ]
  ) {
    const error = await assertRejects(work, InstallError);
    assertStringIncludes(error.message, `"${path}" was changed`);
    assertEquals(await tree.digest(), before);
  }
});

Deno.test("uninstall() removes only its own part of a daemon.json that was changed", async () => {
  await using tree = await makeTree();
  const { place } = tree;
  const path = "/etc/docker/daemon.json";
  await tree.write(path, DAEMON_JSON);
  await install(request(place, "docker"));
  const changed = (await tree.read(path)).replace("true,", "false,");
  await tree.write(path, changed);
  await install(request(place, "docker"));
  assertEquals(await tree.read(path), changed);
  await uninstall(["docker"], place, { dryRun: false });
  assertEquals(await tree.read(path), DAEMON_JSON.replace("true,", "false,"));
});

Deno.test("uninstall() restores more than splicing would", async () => {
  for (const text of ["", "{ }", '{"runtimes": {\n} }', " {}\n\n", "\n"]) {
    await using tree = await makeTree();
    await tree.write("/etc/docker/daemon.json", text);
    const before = await tree.digest();
    await install(request(tree.place, "docker"));
    assertEquals(
      (await install(request(tree.place, "docker"))).plan.changes,
      [],
    );
    await uninstall(["docker"], tree.place, { dryRun: false });
    assertEquals(await tree.digest(), before, JSON.stringify(text));
  }
});

Deno.test("uninstall() refuses a runtime of ours that someone changed", async () => {
  await using tree = await makeTree();
  const { place } = tree;
  const path = "/etc/docker/daemon.json";
  await install(request(place, "docker"));
  const changed = (await tree.read(path)).replace("docker/crun", "other/crun");
  await tree.write(path, changed);
  const error = await assertRejects(
    () => uninstall(["docker"], place, { dryRun: false }),
    InstallError,
  );
  assertStringIncludes(error.message, "was changed since it was installed");
  assertEquals(await tree.read(path), changed);
});

Deno.test("install() refuses a runtime of its name, a daemon.json that is not an object, and a link", async () => {
  for (
    const { text, seen } of [
      { text: '{"runtimes":{"seccomp-tree":{"path":"/y"}}}', seen: "/y" },
      { text: "[]", seen: "not an object" },
      { text: '{"a":1,"a":2}', seen: "a" },
      { text: "{", seen: "line 1" },
    ]
  ) {
    await using tree = await makeTree();
    await tree.write("/etc/docker/daemon.json", text);
    const before = await tree.digest();
    const error = await assertRejects(
      () => install(request(tree.place, "docker")),
      InstallError,
    );
    assertStringIncludes(error.message, seen, text);
    assertEquals(await tree.digest(), before);
  }
  await using tree = await makeTree();
  await tree.write("/etc/docker/other.json", "{}");
  await Deno.symlink("other.json", `${tree.place.root}/etc/docker/daemon.json`);
  const error = await assertRejects(
    () => install(request(tree.place, "docker")),
    InstallError,
  );
  assertStringIncludes(error.message, 'a symbolic link to "other.json"');
});

Deno.test("install() follows links as if the root were /, never out of it", async () => {
  await using tree = await makeTree();
  const { root } = tree.place;
  const name = `/seccomp-tree-${crypto.randomUUID()}`;
  await Deno.mkdir(`${root}${name}`);
  await Deno.mkdir(`${root}/etc`);
  // Absolute: outside of the tree there is no such folder.
  await Deno.symlink(name, `${root}/etc/docker`);
  const before = await tree.digest();
  await install(request(tree.place, "docker"));
  const text = await Deno.readTextFile(`${root}${name}/daemon.json`);
  assertStringIncludes(text, "/usr/local/lib/seccomp-tree/docker/crun");
  await uninstall(["docker"], tree.place, { dryRun: false });
  assertEquals(await tree.digest(), before);
});

Deno.test("install() undoes everything if the disk fails midway", async () => {
  await using tree = await makeTree();
  const { place } = tree;
  await tree.write("/etc/docker/daemon.json", DAEMON_JSON);
  const before = await tree.digest();
  const broken: Change = {
    kind: "write",
    path: "/no/such/folder/file",
    mode: 0o644,
    after: "",
  };
  const { plan } = await install(request(place, "docker", { dryRun: true }));
  const half = { ...plan, changes: [...plan.changes, broken] };
  const error = await assertRejects(() => apply(half, place), InstallError);
  assertStringIncludes(error.message, "all changes were undone");
  assertEquals(await tree.digest(), before);

  await install(request(place, "docker"));
  const installed = await tree.digest();
  const undo = await uninstall(["docker"], place, { dryRun: true });
  const worse = { ...undo, changes: [...undo.changes.slice(0, 9), broken] };
  await assertRejects(() => apply(worse, place), InstallError);
  assertEquals(await tree.digest(), installed);
});

Deno.test("uninstall() that fails restores folders and files with mode and owner", async () => {
  await using tree = await makeTree();
  const { place } = tree;
  await install(request(place, "docker"));
  const { root } = place;
  // Whoever administers this gave some rights away and took others.
  const manifest = "/var/lib/seccomp-tree/manifest.json";
  const wrapper = "/usr/local/lib/seccomp-tree/docker/crun";
  for (
    const [path, mode] of [
      ["/var/cache/seccomp-tree", 0o700],
      ["/var/lib/seccomp-tree", 0o2770],
      [manifest, 0o600],
      [wrapper, 0o750],
    ] as const
  ) {
    if (Deno.uid() === 0) await Deno.chown(`${root}${path}`, 7, 8);
    await Deno.chmod(`${root}${path}`, mode);
  }
  const installed = await tree.digest();
  const { changes, ...rest } = await uninstall(["docker"], place, {
    dryRun: true,
  });
  const gone = changes.map(({ path }) => path);
  assert(gone.includes("/var/cache/seccomp-tree") && gone.includes(wrapper));
  // A folder that is no longer there cannot be removed: the very last change.
  const broken: Change = {
    kind: "rmdir",
    path: "/var/lib/seccomp-tree",
    cache: false,
  };
  await assertRejects(
    () => apply({ ...rest, changes: [...changes, broken] }, place),
    InstallError,
    "all changes were undone",
  );
  assertEquals(await tree.digest(), installed);
});

Deno.test("install() writes settings that the hook reads as requested", async () => {
  await using tree = await makeTree();
  for (const target of ["podman", "docker"] as const) {
    const asked = { strict: true, names: "builtin", log: "stderr" } as const;
    await install(request(tree.place, target, asked));
    const path = `/etc/seccomp-tree/${target}.json`;
    assertEquals(parseSettings(await tree.read(path)), {
      ...DEFAULTS,
      ...asked,
      store: "/var/cache/seccomp-tree",
      semantics: "crun",
      // A manager ends a hook later.
      deadlineMs: 10_000,
      ...(target === "docker"
        ? { runtime: "/usr/bin/crun", runtimeKind: "crun" }
        : {}),
    });
  }
});

Deno.test("install() below a root warns about files that containers will not find there", async () => {
  await using tree = await makeTree();
  const { place } = tree;
  await tree.write("/opt/deno", "");
  await tree.write("/bin/sh", "");
  const { warnings } = await install(
    request(place, "docker", { deno: "/opt/deno" }),
  );
  assertEquals(warnings.filter((text) => /not below/.test(text)), []);
  const more = await install(request(place, "podman", { deno: "/opt/none" }));
  assertEquals(more.warnings.filter((text) => /not below/.test(text)), [
    `Containers will need files that are not below "${place.root}" yet: /opt/none`,
  ]);
});

Deno.test("apply() finishes before a signal ends the program", async () => {
  const url = (path: string): string =>
    JSON.stringify(new URL(path, import.meta.url).href);
  const program = `
    import { apply } from ${url("../../install/changes/apply.ts")};
    import { install } from ${url("../../install/install.ts")};
    import { readManifest } from ${url("../../install/changes/installed.ts")};
    import { makeTree, request } from ${url("tree.ts")};
    await using tree = await makeTree();
    const { place } = tree;
    const { plan } = await install(request(place, "docker", { dryRun: true }));
    const work = apply(plan, place);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) Deno.kill(Deno.pid, signal);
    await work;
    const { records } = await readManifest(place);
    await tree[Symbol.asyncDispose]();
    console.log(records.docker.length === plan.after.records.docker.length);
    Deno.kill(Deno.pid, "SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  `;
  const { stdout, stderr, signal } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", program],
    cwd: new URL("../..", import.meta.url),
  }).output();
  const text = new TextDecoder();
  assertEquals(text.decode(stdout), "true\n", text.decode(stderr));
  assertEquals(signal, "SIGTERM");
});

Deno.test("install() and uninstall() recover from one that was killed", async () => {
  await using tree = await makeTree();
  const { place } = tree;
  await tree.write("/etc/docker/daemon.json", DAEMON_JSON);
  const before = await tree.digest();
  // The remains of a killed installation: everything up to some change, the
  // manifest of that time, and an incomplete file.
  for (const last of [3, 8, 12]) {
    const { plan } = await install(request(place, "docker"));
    const made = plan.changes.map((c) => c.path);
    for (const path of made.slice(last).reverse()) {
      if (path === "/etc/docker/daemon.json") {
        await tree.write(path, DAEMON_JSON);
      } else await Deno.remove(`${place.root}${path}`);
    }
    const hidden = `.seccomp-tree.${crypto.randomUUID()}.tmp`;
    await tree.write(`/var/lib/seccomp-tree/${hidden}`, "half");
    if (last !== 8) await install(request(place, "docker"));
    await uninstall(["docker"], place, { dryRun: false });
    assertEquals(await tree.digest(), before, `killed after change ${last}`);
  }
});

Deno.test("install() at the same time installs once; a lock held too long is reported", async () => {
  await using tree = await makeTree();
  const { place } = tree;
  const both = await Promise.all([
    install(request(place, "podman")),
    install(request(place, "docker")),
  ]);
  assertEquals(both.map(({ plan }) => plan.changes.length > 0), [true, true]);
  const { records } = await readManifest(place);
  assert(records.podman.length > 0 && records.docker.length > 0);
  await exclusively(place, async () => {
    const error = await assertRejects(
      () => exclusively(place, () => Promise.resolve(), 0),
      InstallError,
    );
    assertEquals(error.code, "locked");
  });
  await uninstall(TARGETS, place, { dryRun: false });
});

Deno.test("gatherStatus() finds what is missing or changed, Deno and runtime too", async () => {
  await using tree = await makeTree();
  const { place } = tree;
  await tree.write("/opt/deno", "");
  const damaged = async (): Promise<readonly string[]> => {
    const { managers } = await gatherStatus(place, { states: [] });
    return managers.flatMap((manager) => manager.damaged);
  };
  await install(request(place, "docker", { deno: "/opt/deno" }));
  assertEquals(await damaged(), []);
  const wrapper = "/usr/local/lib/seccomp-tree/docker/crun";
  await tree.write(wrapper, `${await tree.read(wrapper)}# mine\n`);
  for (
    const path of ["/opt/deno", "/usr/bin/crun", "/etc/docker/daemon.json"]
  ) {
    await Deno.remove(`${place.root}${path}`);
  }
  assertEquals(await damaged(), [
    `${wrapper} (changed)`,
    "/etc/docker/daemon.json (missing)",
    "/usr/bin/crun (missing, containers are refused)",
    "/opt/deno (missing, containers without a stored filter get their runtime's)",
  ]);
});

Deno.test("gatherStatus() finds that a program is gone which a dispatcher calls", async () => {
  await using tree = await makeTree();
  const { place } = tree;
  await tree.write("/opt/deno", "");
  await install(request(place, "podman", { deno: "/opt/deno" }));
  await install(request(place, "docker", { deno: "/opt/deno" }));
  const damaged = async (): Promise<readonly (readonly string[])[]> => {
    const { managers } = await gatherStatus(place, { states: [] });
    return managers.filter(({ installed }) => installed)
      .map((manager) => manager.damaged);
  };
  assertEquals(await damaged(), [[], []]);
  const slow = "missing, so every start calls Deno";
  const refused = "missing, containers are refused";
  const plain =
    "missing, containers without a stored filter get their runtime's";
  // [program, effect of its loss on the hook, on the wrapper]
  for (
    const [name, hook, wrapper] of [
      ["stat", slow, slow],
      ["rm", undefined, undefined],
      ["mv", undefined, slow],
      ["date", undefined, undefined],
      ["env", plain, plain],
      ["sh", refused, refused],
    ]
  ) {
    const real = `${place.root}/usr/bin/${name}`;
    await Deno.rename(real, `${real}.away`);
    // Some hosts have not merged the two.
    const isInUsr = name !== "sh" &&
      await Deno.stat(`/usr/bin/${name}`).then(() => true, () => false);
    const folder = isInUsr ? "/usr/bin" : "/bin";
    const told = (what: string | undefined): readonly string[] =>
      what === undefined ? [] : [`${folder}/${name} (${what})`];
    assertEquals(await damaged(), [told(hook), told(wrapper)], name);
    await Deno.rename(`${real}.away`, real);
  }
});
