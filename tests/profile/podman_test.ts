import { assertEquals } from "@std/assert";
import { parseProfile } from "../../profile/formats/parse.ts";
import {
  CAPABILITIES,
  type Host,
  PODMAN_DEFAULT_CAPABILITIES,
} from "../../profile/host.ts";
import { selectFor } from "../../profile/select.ts";
import { podman } from "../install/podman.ts";
import { openSandbox, SANDBOX, type Sandbox } from "../install/sandbox.ts";
import { needs } from "../machine.ts";

const SEED = 20260911;
const HOOK = `#!/bin/sh
cat >/var/lib/seen.json
exit 1
`;
const HOOK_FILE = JSON.stringify({
  version: "1.0.0",
  hook: { path: "/var/lib/hook.sh" },
  when: { always: true },
  stages: ["precreate"],
});

/** Podman's reading of a profile: section and bounding set. */
async function asked(
  box: Sandbox,
  profile: unknown,
): Promise<
  { readonly section: unknown; readonly capabilities: readonly string[] }
> {
  await box.write("/var/lib/profile.json", JSON.stringify(profile));
  const options = ["--rm", "--security-opt=seccomp=/var/lib/profile.json"];
  const [program = "", ...words] = podman(options, "true");
  await box.run([program, "--hooks-dir=/var/lib/hooks", ...words]);
  const config = JSON.parse(await box.read("/var/lib/seen.json"));
  return {
    section: config.linux.seccomp,
    capabilities: config.process.capabilities.bounding,
  };
}

/** Our reading, as the section that Podman would write. */
function ours(profile: unknown, host: Host): unknown {
  const parsed = parseProfile(JSON.stringify(profile), { kind: "podman" });
  const { seccomp } = selectFor(parsed, host);
  if (seccomp === undefined) return undefined;
  const { architectures, syscalls, ...rest } = seccomp;
  return {
    ...rest,
    ...(architectures.length === 0 ? {} : { architectures }),
    ...(syscalls.length === 0 ? {} : {
      syscalls: syscalls.map(({ path: _, args, ...rule }) => ({
        ...rule,
        ...(args.length === 0 ? {} : { args }),
      })),
    }),
  };
}

/** Conditions of every kind, drawn by a seed. */
function conditions(): readonly Record<string, unknown>[] {
  let state = SEED;
  const draw = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  const someOf = <T>(all: readonly T[]): readonly T[] =>
    all.filter(() => draw(all.length) < 2);
  const filter = (): unknown => ({
    ...(draw(2) === 0 ? { caps: someOf(CAPABILITIES) } : {}),
    ...(draw(2) === 0 ? { arches: someOf(["amd64", "arm64", "x86"]) } : {}),
    ...(draw(2) === 0
      ? { minKernel: ["3.0", "4.8", "6.1", "99.0"][draw(4)] }
      : {}),
  });
  return Array.from({ length: 120 }, () => ({
    ...(draw(3) === 0 ? {} : { includes: filter() }),
    ...(draw(3) === 0 ? {} : { excludes: filter() }),
  }));
}

const PROFILES: readonly unknown[] = [
  {
    defaultAction: "SCMP_ACT_ALLOW",
    archMap: [
      {
        architecture: "SCMP_ARCH_AARCH64",
        subArchitectures: ["SCMP_ARCH_ARM"],
      },
      { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] },
      { architecture: "SCMP_ARCH_X86_64", subArchitectures: [] },
    ],
    syscalls: conditions().map((rule, i) => ({
      names: [`call${i}`],
      action: "SCMP_ACT_ERRNO",
      errnoRet: i,
      ...rule,
    })),
  },
  {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrno: "ENOSYS",
    archMap: [{ architecture: "SCMP_ARCH_AARCH64", subArchitectures: [] }],
    syscalls: [{ name: "read", action: "SCMP_ACT_ERRNO", errno: "EACCES" }],
  },
];

needs(...SANDBOX, "x86_64")(
  "selectFor() selects for podman what podman itself does",
  async () => {
    await using box = await openSandbox();
    await box.write("/var/lib/hook.sh", HOOK, 0o755);
    await box.write("/var/lib/hooks/dump.json", HOOK_FILE);
    for (const profile of PROFILES) {
      const { section, capabilities } = await asked(box, profile);
      assertEquals(new Set(capabilities), PODMAN_DEFAULT_CAPABILITIES);
      for (const kernel of [{ major: 4, minor: 7 }, undefined]) {
        const host: Host = {
          arch: "x86_64",
          kernel,
          capabilities: PODMAN_DEFAULT_CAPABILITIES,
        };
        assertEquals(ours(profile, host), section);
      }
    }
  },
);
