import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dumpFilters } from "../../ffi/live/dump.ts";
import { archByName } from "../../tables/arch.ts";
import { needs } from "../machine.ts";
import { assertStored, findSleep, uniqueSeconds } from "./filters.ts";
import { openSandbox, SANDBOX } from "./sandbox.ts";
import { SHIM } from "./shim.ts";
import { LOG, podman, remove, ROOTFS, sleeper } from "./podman.ts";

const test = needs(...SANDBOX);

test("install podman: containers of all kinds run the filter of their profile, and builds go on", async (t) => {
  await using box = await openSandbox();
  const { code, stdout, stderr } = await box.tree(
    ...["install", "podman", "--log", LOG],
  );
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, "Verified: a container runs the stored filter");

  await t.step("init, exec and restart", async () => {
    const init = await sleeper(box, "plain");
    const section = await assertStored(box, init, "init");
    const seconds = uniqueSeconds();
    await box.ok("podman", "exec", "--detach", "plain", "sleep", seconds);
    const other = await findSleep(seconds);
    assertEquals(await assertStored(box, other, "exec"), section);
    await box.ok("podman", "restart", "--time=0", "plain");
    const again = Number(
      await box.ok("podman", "inspect", "-f", "{{.State.Pid}}", "plain"),
    );
    assertEquals(await assertStored(box, again, "restart"), section);
    const status = await box.tree("status", "-o", "json");
    const found: unknown = JSON.parse(status.stdout);
    assert(typeof found === "object" && found !== null);
    assert("containers" in found && Array.isArray(found.containers));
    assertEquals(found.containers.map(({ filter }) => filter), ["tree"]);
    await remove(box, "plain");
  });

  await t.step("--ulimit memlock=-1:-1", async () => {
    const limits = ["memlock=-1:-1", "nofile=1024:1024", "nproc=1024:1024"];
    const words = ["--rm", ...limits.map((limit) => `--ulimit=${limit}`)];
    const seen = await box.ok(...podman(words, "cat", "/proc/self/limits"));
    if (box.isShimmed) {
      const config = (await box.read(`${SHIM}/last.json`)).replace(/\s/g, "");
      const limit = '"hard":18446744073709551615,"soft":18446744073709551615';
      assertStringIncludes(config, `"type":"RLIMIT_MEMLOCK",${limit}`);
      assertStringIncludes(config, '"run.oci.seccomp_bpf_data":');
      return;
    }
    const line = /^Max locked memory .*$/m.exec(seen)?.[0] ?? "";
    assertEquals(line.split(/\s{2,}/).slice(1, 3), ["unlimited", "unlimited"]);
  });

  await t.step("--cap-add", async () => {
    const plain = await assertStored(box, await sleeper(box, "few"), "few");
    const init = await sleeper(box, "more", "--cap-add=SYS_ADMIN");
    const more = await assertStored(box, init, "more");
    assert(more !== plain && more.includes('"setns"'), "another section");
    for (const name of ["few", "more"]) await remove(box, name);
  });

  await t.step("--security-opt seccomp=FILE", async () => {
    const profile = {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [
        { names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 77 },
      ],
    };
    await box.write("/etc/own.json", JSON.stringify(profile));
    const init = await sleeper(
      box,
      "own",
      "--security-opt=seccomp=/etc/own.json",
    );
    const section = await assertStored(box, init, "own");
    assertStringIncludes(section, '"errnoRet":77');
    const made = await box.run([
      "podman",
      "exec",
      "own",
      "busybox",
      "mkdir",
      "/x",
    ]);
    assert(made.code !== 0 && /File descriptor in bad state/.test(made.stderr));
    await remove(box, "own");
  });

  await t.step(
    "--privileged and unconfined stay without a filter",
    async () => {
      for (
        const option of ["--privileged", "--security-opt=seccomp=unconfined"]
      ) {
        const init = await sleeper(box, "bare", option);
        assertEquals(dumpFilters(init), [], option);
        await remove(box, "bare");
      }
    },
  );

  await t.step("podman build", async () => {
    await box.ok("sh", "-c", `tar -C ${ROOTFS} -c . | podman import - base`);
    await box.write("/etc/build/Dockerfile", "FROM base\nRUN echo built\n");
    const build = ["podman", "build", "--network=none", "/etc/build"];
    const built = await box.run(build);
    assertEquals(built.code, 0, built.stderr);
    assertStringIncludes(built.stdout, "built");
    // The same file in a shared folder is what breaks it, and doctor says so.
    await box.ok(
      ...[
        "sh",
        "-c",
        "mkdir -p /etc/containers/oci && cp -r " +
        "/usr/local/lib/seccomp-tree/podman-hooks.d /etc/containers/oci/hooks.d",
      ],
    );
    const broken = await box.run([...build, "--no-cache"]);
    assert(broken.code !== 0, "a shared precreate file breaks builds");
    const doctor = await box.tree("doctor");
    assertEquals(doctor.code, 1, doctor.stdout);
    assertStringIncludes(doctor.stdout, "[shared-precreate]");
    await box.ok("rm", "-r", "/etc/containers/oci");
  });

  await t.step("hostile annotations", async () => {
    const plain = await assertStored(box, await sleeper(box, "p"), "plain");
    await remove(box, "p");
    for (const { name, value, seen } of hostile()) {
      const before = (await box.read(LOG)).length;
      await box.write(
        "/etc/containers/containers.conf.d/50-hostile.conf",
        `[containers]\nannotations = ["run.oci.seccomp_bpf_data=${value}"]\n`,
      );
      const run = await box.run(podman(["--rm"], "echo", "started"));
      assert(run.code !== 0, `${name} starts`);
      assertEquals(run.stdout, "", name);
      const log = (await box.read(LOG)).slice(before);
      assertStringIncludes(log, seen, name);
      if (name !== "allow-all") continue;
      const call = /linux.seccomp denies: \\"(\w+)\\" on x86_64 gets ALLOW/
        .exec(log)?.[1];
      assertEquals(call, firstDenied(plain), log);
    }
    await box.ok("rm", "/etc/containers/containers.conf.d/50-hostile.conf");
    await box.ok(...podman(["--rm"], "true"));
  });
});

/** The x86_64 call of the smallest number that a section never allows. */
function firstDenied(section: string): string | undefined {
  // The relevant part of linux.seccomp (runtime-spec).
  const { syscalls } = JSON.parse(section) as {
    readonly syscalls: readonly {
      readonly names: readonly string[];
      readonly action: string;
    }[];
  };
  const allowed = new Set(
    syscalls.filter(({ action }) => action === "SCMP_ACT_ALLOW")
      .flatMap(({ names }) => names),
  );
  const calls = archByName("x86_64")?.syscalls ?? new Map<string, number>();
  return [...calls].sort(([, a], [, b]) => a - b)
    .find(([name]) => !allowed.has(name))?.[0];
}

/** Annotations that must be refused, and their log messages. */
function hostile(): readonly {
  readonly name: string;
  readonly value: string;
  readonly seen: string;
}[] {
  const allow = [6, 0, 0, 0, 0, 0, 0xff, 0x7f]; // ret 0x7fff0000
  const many = new Uint8Array(65_537 * 8);
  for (let i = 0; i < many.length; i += 8) many.set(allow, i);
  const base64 = (bytes: readonly number[]): string =>
    new Uint8Array(bytes).toBase64();
  return [
    // The first call in the order of numbers that the profile does not allow.
    { name: "allow-all", value: base64(allow), seen: "allows calls that" },
    { name: "65,537 instructions", value: many.toBase64(), seen: "65537" },
    {
      name: "trailing bytes",
      value: base64([...allow, 1, 2, 3]),
      seen: "foreign-annotation",
    },
    {
      name: "padded base64",
      value: `${base64(allow)}==`,
      seen: "foreign-annotation",
    },
  ];
}
