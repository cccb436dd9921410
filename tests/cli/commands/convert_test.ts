import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { CONVERT_FORMATS } from "../../../pipeline/convert/result.ts";
import { call, createFolder } from "../harness.ts";

const TARGET = ["--arch", "x86_64", "--kernel", "6.1"] as const;

const PROFILE = JSON.stringify({
  defaultAction: "SCMP_ACT_ERRNO",
  architectures: ["SCMP_ARCH_X86_64"],
  syscalls: [
    { names: ["read", "write", "exit_group"], action: "SCMP_ACT_ALLOW" },
    {
      names: ["socket"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 0, value: 1, op: "SCMP_CMP_EQ" }],
    },
  ],
});

Deno.test("convert writes each format, and other commands read it back", async () => {
  await using folder = await createFolder();
  const source = await folder.write("profile.json", PROFILE);
  const files = {
    docker: "docker.json",
    oci: "oci.json",
    config: "config.json",
    spo: "profile.yaml",
    k8s: "k8s.json",
    podman: "podman.json",
    firecracker: "fc.json",
    bwrap: "filter.bpf",
  };
  for (const [format, file] of Object.entries(files)) {
    const out = join(folder.path, file);
    const made = await call([
      ...["convert", "-q", ...TARGET, "--to", format, source, "-O", out],
    ]);
    assertEquals([made.code, made.out, made.err], [0, "", ""], format);
    const word = format === "firecracker" ? `${out}#api` : out;
    const equal = await call(["prove", "-q", ...TARGET, source, word]);
    assertEquals(equal.code, 0, `${format}: ${equal.out}`);
  }
  assertEquals(Object.keys(files).length + 2, CONVERT_FORMATS.length);
});

Deno.test("convert refuses to lose something, unless it may", async () => {
  await using folder = await createFolder();
  const source = await folder.write("profile.json", PROFILE);
  const out = join(folder.path, "seccomp.conf");
  const words = ["convert", ...TARGET, "--to", "systemd", source];
  const refused = await call([...words, "-O", out]);
  assertEquals([refused.code, refused.out], [4, ""]);
  assertMatch(
    refused.err,
    /error: Cannot say all of it in the format systemd: one loss; --lossy/,
  );
  assertMatch(
    refused.err,
    /^ {2}stricter {2}socket on x86_64\n {4}because a filter of systemd compares no arguments\n {4}call {4}socket\(AF_UNIX, 0, 0\)/m,
  );
  await assertAbsent(out);
  const made = await call([...words, "--lossy", "-O", out]);
  assertEquals([made.code, made.out], [0, ""]);
  assertMatch(made.err, /warning: The result has one loss; all else is proved/);
  const looser = await call([
    ...["diff", "-q", ...TARGET, "--subset-of", source, out],
  ]);
  assertEquals(looser.code, 0, looser.out);
  const denied = await call(["simulate", "-q", out, "socket", "AF_UNIX"]);
  assertMatch(denied.out, /^ERRNO\(EPERM\)/);
});

async function assertAbsent(path: string): Promise<void> {
  const found = await Deno.lstat(path).then(() => true, () => false);
  assert(!found, path);
}

Deno.test("convert reports losses for programs, each with a call that shows it", async () => {
  await using folder = await createFolder();
  const source = await folder.write("profile.json", PROFILE);
  const words = ["convert", ...TARGET, "--to", "minijail", source];
  const { code, out } = await call([...words, "-o", "json"]);
  const report = JSON.parse(out);
  assertEquals([code, report.state, report.result], [4, "lossy", null]);
  assertEquals(report.arches, ["x86_64"]);
  const [loss] = report.losses;
  assertEquals([loss.effect, loss.part], [
    "other",
    "numbers without a call on x86_64",
  ]);
  assertEquals(
    loss.witness.wanted.action ?? loss.witness.wanted,
    loss.witness.wanted.action ?? loss.witness.wanted,
  );
  const made = await call([...words, "--lossy", "-o", "json"]);
  const written = JSON.parse(made.out);
  assertEquals([made.code, written.state], [0, "lossy"]);
  assertMatch(written.result, /^socket: arg0 == 0x1; return EPERM$/m);
  const policy = await folder.write("made.policy", written.result);
  const number = String(loss.witness.nr);
  const was = await call([
    "simulate",
    "-q",
    ...TARGET,
    source,
    `x86_64:${number}`,
  ]);
  const becomes = await call(["simulate", "-q", policy, `x86_64:${number}`]);
  assertMatch(was.out, /^ERRNO\(EPERM\)/);
  assertMatch(becomes.out, /^KILL_THREAD/);
});

Deno.test("convert reads policies of other tools", async () => {
  await using folder = await createFolder();
  await folder.write("base.policy", "read: 1\n");
  const sources: readonly (readonly [string, string])[] = [
    [
      "x.policy",
      "# of minijail\n@include ./base.policy\nsocket: arg0 == AF_UNIX; return EPERM\n",
    ],
    ["x.lxc", "2\ndenylist\nkexec_load errno 1\nmount errno 38\n"],
    ["x.service", "[Service]\nSystemCallFilter=@system-service\n"],
    [
      "x.json",
      '{"vmm":{"default_action":"trap","filter_action":"allow","filter":[{"syscall":"read"}]}}',
    ],
    [
      "two.yaml",
      `apiVersion: security-profiles-operator.x-k8s.io/v1
kind: SeccompProfile
metadata: { name: one }
spec: { defaultAction: SCMP_ACT_LOG }
---
apiVersion: security-profiles-operator.x-k8s.io/v1beta1
kind: SeccompProfile
metadata: { name: two }
spec: { defaultAction: SCMP_ACT_ERRNO, syscalls: [{ names: [read], action: SCMP_ACT_ALLOW }] }
`,
    ],
  ];
  for (const [file, text] of sources) {
    const path = await folder.write(file, text);
    const word = file === "two.yaml" ? `${path}#two` : path;
    const made = await call([
      ...["convert", "-q", "--arch", "x86_64", "--to", "oci", word],
    ]);
    assertEquals([made.code, made.err], [0, ""], file);
    const profile = await folder.write("made.json", made.out);
    const answer = await call([
      ...["simulate", "-q", "--arch", "x86_64", profile, "read"],
    ]);
    assertMatch(answer.out, /^ALLOW/, file);
    const filter = await call([
      ...["convert", "-q", "--arch", "x86_64", "--to", "bwrap", word],
      ...["-o", "json"],
    ]);
    assertEquals(JSON.parse(filter.out).state, "equal", file);
  }
});

Deno.test("convert names objects, categories and files", async () => {
  await using folder = await createFolder();
  const source = await folder.write("My Profile.json", PROFILE);
  const words = (format: string, ...more: readonly string[]) =>
    call(["convert", "-q", ...TARGET, "--to", format, ...more, source]);
  const object = await words("spo", "--api-version", "v1beta1");
  assertMatch(
    object.out,
    /^apiVersion: security-profiles-operator\.x-k8s\.io\/v1beta1\n/,
  );
  assertMatch(object.out, /^metadata:\n {2}name: my-profile\n/m);
  assertMatch((await words("spo", "--name", "web")).out, /^ {2}name: web$/m);
  const filters = JSON.parse(
    (await words("firecracker", "--name", "vmm,api")).out,
  );
  assertEquals(Object.keys(filters), ["vmm", "api"]);
  const pod = await call(["convert", ...TARGET, "--to", "k8s", source]);
  assertMatch(pod.err, /^ {4}localhostProfile: my-profile\.json$/m);
  for (
    const [format, name] of [
      ["spo", "Web"],
      ["firecracker", "a,,b"],
      ["oci", "x"],
    ] as const
  ) {
    const { code, err } = await words(format, "--name", name);
    assertEquals(code, 2);
    assertMatch(err, /^error: Cannot use --name "/);
  }
});

Deno.test("convert has no result where a tool does not run", async () => {
  await using folder = await createFolder();
  const source = await folder.write(
    "profile.json",
    PROFILE.replace("X86_64", "S390X"),
  );
  const { code, err } = await call([
    ...["convert", "-q", "--arch", "s390x", "--to", "firecracker", source],
  ]);
  assertEquals(code, 4);
  assertMatch(
    err,
    /Firecracker has no filters for s390x, only for x86_64 and aarch64/,
  );
});
