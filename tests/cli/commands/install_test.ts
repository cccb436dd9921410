import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { needs } from "../../machine.ts";
import { call, createFolder } from "../harness.ts";

/** The containers' state below another root, planned only. */
function dryRun(root: string, ...args: readonly string[]): readonly string[] {
  return ["install", "podman", "--dry-run", "--root", root, ...args];
}

const STATIC = ["--mode", "static", "--names", "builtin", "--profile"];

Deno.test("install --mode static takes a profile with minKernel", async () => {
  await using folder = await createFolder();
  const path = await folder.write(
    "profile.json",
    JSON.stringify({
      defaultAction: "SCMP_ACT_ERRNO",
      archMap: [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: [] }],
      _note: "ours",
      syscalls: [
        {
          names: ["execve", "exit_group", "read"],
          action: "SCMP_ACT_ALLOW",
        },
        {
          names: ["ptrace"],
          action: "SCMP_ACT_ALLOW",
          includes: { minKernel: "4.8" },
        },
      ],
    }),
  );
  const { code, out, err } = await call(dryRun(folder.path, ...STATIC, path));
  assertEquals(code, 0, err);
  assertMatch(out, /run\.oci\.seccomp_bpf_data=[\w+/]+=*/);
  assertStringIncludes(err, "warning: _note: Unknown field");
});

Deno.test("install --mode static names every error of the profile with its place, and its warnings as such", async () => {
  await using folder = await createFolder();
  const path = await folder.write(
    "profile.json",
    `{
  "defaultAction": "SCMP_ACT_ERRNO",
  "_note": "ours",
  "syscalls": [
    { "names": ["read"], "action": "SCMP_ACT_ALOW" },
    { "names": ["write"], "action": "allow" }
  ]
}`,
  );
  const { code, out, err } = await call(dryRun(folder.path, ...STATIC, path));
  assertEquals([code, out], [3, ""]);
  for (
    const line of [
      `${path}:5:36: error: syscalls[0].action: `,
      `${path}:6:37: error: syscalls[1].action: `,
      "warning: _note: ",
    ]
  ) assertStringIncludes(err, line);
});

Deno.test("install --mode static reports a filter that is not proved, and a profile that is missing", async () => {
  await using folder = await createFolder();
  const syscalls = Array.from({ length: 2100 }, (_, i) => ({
    names: ["prctl"],
    action: "SCMP_ACT_ERRNO",
    errnoRet: i + 2,
    args: [{ index: 0, op: "SCMP_CMP_EQ", value: i * 7 }],
  }));
  const path = await folder.write(
    "large.json",
    JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls }),
  );
  const large = await call(dryRun(folder.path, ...STATIC, path));
  assertEquals([large.code, large.out], [4, ""], large.err);
  assertStringIncludes(large.err, "the kernel takes 4096");
  const missing = await call(dryRun(folder.path, ...STATIC, `${path}.none`));
  assertEquals([missing.code, missing.out], [2, ""]);
  assertStringIncludes(missing.err, 'none": No such file or directory');
});

Deno.test("install refuses options of --mode static in other modes", async () => {
  await using folder = await createFolder();
  for (const args of [["--kernel", "6.1"], ["--profile", "profile.json"]]) {
    const { code, out, err } = await call(dryRun(folder.path, ...args));
    assertEquals([code, out], [2, ""]);
    assertStringIncludes(err, `${args[0]} without --mode static`);
  }
});

needs("podman", "root")(
  "install refuses a runtime that this machine does not have",
  async () => {
    await using folder = await createFolder();
    const text = await folder.write("crun", "not a program");
    for (const runtime of [`${folder.path}/none`, text, folder.path]) {
      const { code, out, err } = await call(
        ["install", "podman", "--dry-run", "--runtime", runtime],
      );
      assertEquals([code, out], [2, ""], runtime);
      assertMatch(
        err,
        /^error: Cannot use the runtime ".*": .*; name one that/,
      );
    }
  },
);
