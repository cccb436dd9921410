import { assert, assertEquals, assertThrows } from "@std/assert";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import {
  ARCH_SPELLINGS,
  CAPABILITIES,
  DOCKER_DEFAULT_CAPABILITIES,
  type Host,
} from "../../profile/host.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { selectFor } from "../../profile/select.ts";
import type { ArchName } from "../../tables/arch.ts";
import { has, needs, sharedFile } from "../machine.ts";

const test = needs("shared");

/** Reads a real profile. */
function realProfile(name: string): string {
  return Deno.readTextFileSync(sharedFile(`profiles/${name}`));
}

const HOST: Host = {
  arch: "x86_64",
  kernel: { major: 6, minor: 1 },
  capabilities: DOCKER_DEFAULT_CAPABILITIES,
};

/** The part of a profile that the oracle reads, as JSON.parse returns it. */
interface RawProfile {
  readonly architectures?: readonly string[];
  readonly archMap?: readonly {
    readonly architecture: string;
    readonly subArchitectures: readonly string[] | null;
  }[];
  readonly syscalls: readonly RawRule[];
}

interface RawRule {
  readonly name?: string;
  readonly names?: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly RawArg[] | null;
  readonly includes?: RawFilter;
  readonly excludes?: RawFilter;
}

interface RawArg {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: string;
}

interface RawFilter {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  readonly minKernel?: string;
}

/** Common view of a selection. */
interface Selected {
  readonly architectures: readonly string[];
  readonly rules: readonly string[];
}

/** One rule as a line, values of the real profiles being below 2^53. */
function ruleLine(
  names: readonly string[],
  action: string,
  errno: number | undefined,
  args: readonly RawArg[],
): string {
  const conditions = args.map((a) =>
    [a.index, a.op, a.value, a.valueTwo ?? 0].join(" ")
  );
  return `${names.join(",")} ${action} ${errno} ${conditions.join("; ")}`;
}

/** Docker's selection, written from moby's description in a few lines. */
function oracle(
  raw: RawProfile,
  docker: string,
  scmp: string,
  host: Host,
): Selected {
  const newEnough = (version: string): boolean => {
    const [major = 0, minor = 0] = version.split(".").map(Number);
    const kernel = host.kernel ?? { major: 0, minor: 0 };
    return kernel.major * 1000 + kernel.minor >= major * 1000 + minor;
  };
  const has = (cap: string): boolean => host.capabilities.has(cap);
  const rules = raw.syscalls.filter(
    ({ includes: i = {}, excludes: e = {} }) => {
      if (e.arches?.includes(docker)) return false;
      if (e.caps?.some(has)) return false;
      if (e.minKernel && newEnough(e.minKernel)) return false;
      if (i.arches?.length && !i.arches.includes(docker)) return false;
      if (i.caps && !i.caps.every(has)) return false;
      return !(i.minKernel && !newEnough(i.minKernel));
    },
  );
  const entry = raw.archMap?.find((a) => a.architecture === scmp);
  return {
    architectures: entry === undefined
      ? raw.architectures ?? []
      : [scmp, ...(entry.subArchitectures ?? [])],
    rules: rules.map((r) =>
      ruleLine(r.names ?? [r.name ?? ""], r.action, r.errnoRet, r.args ?? [])
    ),
  };
}

/** The selection under test in the same shape. */
function selected(seccomp: LinuxSeccomp | undefined): Selected {
  assert(seccomp !== undefined);
  return {
    architectures: seccomp.architectures,
    rules: seccomp.syscalls.map((s) =>
      ruleLine(
        s.names,
        s.action,
        s.errnoRet,
        s.args.map((a) => ({
          index: a.index,
          value: Number(a.value),
          valueTwo: Number(a.valueTwo),
          op: a.op,
        })),
      )
    ),
  };
}

Deno.test("selectFor() selects what Docker does, for every architecture, capability and kernel", () => {
  const names = [
    "docker-default-2023-10-before-iouring-block.json",
    "docker-default-old-format.json",
    "chrome-jessfraz.json",
    "playwright.json",
    "podman-default-debian12.json",
  ];
  const texts = [
    DEFAULT_PROFILE,
    ...has("shared", "real profiles of Docker") ? names.map(realProfile) : [],
  ];
  const spellings: readonly (readonly [ArchName, string, string])[] = [
    ["x86_64", "amd64", "SCMP_ARCH_X86_64"],
    ["x86", "x86", "SCMP_ARCH_X86"],
    ["aarch64", "arm64", "SCMP_ARCH_AARCH64"],
    ["arm", "arm", "SCMP_ARCH_ARM"],
    ["s390x", "s390x", "SCMP_ARCH_S390X"],
    ["riscv64", "riscv64", "SCMP_ARCH_RISCV64"],
    ["ppc64le", "ppc64le", "SCMP_ARCH_PPC64LE"],
    ["mips64el", "mipsel64", "SCMP_ARCH_MIPSEL64"],
    ["loongarch64", "loong64", "SCMP_ARCH_LOONGARCH64"],
  ];
  const sets = [
    new Set<string>(),
    DOCKER_DEFAULT_CAPABILITIES,
    new Set(CAPABILITIES),
    ...CAPABILITIES.map((cap) =>
      new Set([...DOCKER_DEFAULT_CAPABILITIES, cap])
    ),
  ];
  const kernels = [[3, 10], [4, 7], [4, 8], [4, 9], [6, 1]] as const;
  for (const text of texts) {
    if (text === undefined) continue;
    const parsed = parseProfile(text);
    const raw: RawProfile = JSON.parse(text);
    for (const [arch, docker, scmp] of spellings) {
      for (const capabilities of sets) {
        for (const [major, minor] of kernels) {
          const host = { arch, kernel: { major, minor }, capabilities };
          assertEquals(
            selected(selectFor(parsed, host).seccomp),
            oracle(raw, docker, scmp, host),
            `${arch} ${major}.${minor} ${[...capabilities].join()}`,
          );
        }
      }
    }
  }
});

test("selectFor() selects what podman 4.3.1 put into a config.json", () => {
  const profile = realProfile("podman-default-debian12.json");
  const config = realProfile("podman-4.3.1-precreate-stdin.config.json");
  const raw = JSON.parse(config);
  const host = {
    ...HOST,
    capabilities: new Set<string>(raw.process.capabilities.bounding),
  };
  const ours = selectFor(parseProfile(profile), host).seccomp;
  const theirs = parseProfile(config);
  assertEquals([theirs.kind, theirs.sectionPath], ["config", "linux.seccomp"]);
  const whole = selectFor(theirs, host).seccomp;
  assertEquals(selected(ours), selected(whole));
  assertEquals(
    [ours?.defaultAction, ours?.defaultErrnoRet],
    [raw.linux.seccomp.defaultAction, raw.linux.seccomp.defaultErrnoRet],
  );
});

Deno.test("selectFor() keeps Docker's 14 capabilities and the order of rules", () => {
  assertEquals(DOCKER_DEFAULT_CAPABILITIES.size, 14);
  const { seccomp } = selectFor(parseProfile(DEFAULT_PROFILE), HOST);
  const paths = seccomp?.syscalls.map((s) => Number(s.path.slice(9, -1))) ?? [];
  assertEquals(paths, [...paths].sort((a, b) => a - b));
  assert(seccomp?.syscalls.some((s) => s.names.includes("chroot")));
  assert(!seccomp?.syscalls.some((s) => s.names.includes("reboot")));
  assertEquals(Object.keys(seccomp ?? {}).sort(), [
    "architectures",
    "defaultAction",
    "defaultErrnoRet",
    "syscalls",
  ]);
});

Deno.test("selectFor() needs the kernel only if a rule depends on it", () => {
  const rule = (conditions: string): string =>
    `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[\n{"names":["ptrace"],"action":"SCMP_ACT_ALLOW",${conditions}}]}`;
  const unknown: Host = { ...HOST, kernel: undefined };
  const select = (conditions: string, host: Host): number | undefined =>
    selectFor(parseProfile(rule(conditions)), host).seccomp?.syscalls.length;
  const error = assertThrows(
    () => select('"includes":{"minKernel":"4.8"}', unknown),
    ProfileError,
    "Cannot decide minKernel",
  );
  assertEquals(
    error.diagnostics.map((d) => [d.path, d.line, d.column]),
    [["syscalls[0]", 2, 1]],
  );
  const far = '"includes":{"minKernel":"4.8","arches":["arm64"]}';
  assertEquals(select(far, unknown), 0);
  const cases: readonly (readonly [string, number, number, number])[] = [
    ["includes", 4, 7, 0],
    ["includes", 4, 8, 1],
    ["includes", 4, 9, 1],
    ["includes", 3, 99, 0],
    ["includes", 5, 0, 1],
    ["excludes", 4, 7, 1],
    ["excludes", 4, 8, 0],
    ["excludes", 5, 0, 0],
  ];
  for (const [field, major, minor, count] of cases) {
    const host = { ...HOST, kernel: { major, minor } };
    assertEquals(
      select(`"${field}":{"minKernel":"4.8"}`, host),
      count,
      `${field} ${major}.${minor}`,
    );
  }
});

Deno.test("selectFor() states what a list of architectures leaves open", () => {
  const select = (fields: string): readonly string[] => {
    const text = `{"defaultAction":"SCMP_ACT_ERRNO",\n${fields}}`;
    return selectFor(parseProfile(text), HOST).diagnostics.map((d) =>
      `${d.line ?? "-"} ${d.severity} ${d.code} ${d.path}`
    );
  };
  assertEquals(select('"syscalls":[]'), ["- note native-only architectures"]);
  assertEquals(select('"architectures":[]'), [
    "2 note native-only architectures",
  ]);
  assertEquals(select('"architectures":["SCMP_ARCH_X86_64"]'), []);
  assertEquals(select('"architectures":["SCMP_ARCH_X86"]'), [
    "2 warning native-added architectures",
  ]);
  assertEquals(
    select('"archMap":[{"architecture":"SCMP_ARCH_S390X"}]'),
    ["- note native-only architectures"],
  );
  assertEquals(
    select(
      '"archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":null}]',
    ),
    [],
  );
  const both =
    '{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86"}]}';
  assertThrows(
    () => parseProfile(both),
    ProfileError,
    'Profile has both "architectures" and "archMap"',
  );
});

Deno.test("selectFor() answers undefined for an unconfined container", () => {
  const { seccomp } = selectFor(parseProfile('{"linux":{}}'), HOST);
  assertEquals(seccomp, undefined);
});

Deno.test("parseProfile() reads Podman's errno names and checks their numbers", () => {
  const rule = (fields: string, action = "ERRNO"): string =>
    `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_${action}",${fields}}]}`;
  const errno = (fields: string): number | undefined =>
    parseProfile(rule(fields)).section?.syscalls[0]?.errnoRet;
  assertEquals(errno('"errno":"ENOSYS"'), 38);
  assertEquals(errno('"errno":"ENOSYS","errnoRet":38'), 38);
  assertEquals(errno('"errno":"","errnoRet":38'), 38);
  // resolve() decides whether a runtime accepts it beside such an action.
  const idle = parseProfile(rule('"errno":"EPERM"', "ALLOW")).section;
  assertEquals(idle?.syscalls[0]?.errnoRet, 1);
  const cases: readonly (readonly [string, string])[] = [
    ['"errno":"EPERM","errnoRet":38', "EPERM is 1, but errnoRet is 38"],
    ['"errno":"eperm"', 'Unknown errno "eperm"'],
    ['"errno":1', "Expected the name of an errno, found the number 1"],
  ];
  for (const [fields, said] of cases) {
    assertThrows(() => parseProfile(rule(fields)), ProfileError, said);
  }
  const withDefault = (errno: string): string =>
    `{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"defaultErrno":"${errno}"}`;
  assertEquals(
    parseProfile(withDefault("ENOSYS")).section?.defaultErrnoRet,
    38,
  );
  assertThrows(
    () => parseProfile(withDefault("EPERM")),
    ProfileError,
    "defaultErrno: EPERM is 1, but defaultErrnoRet is 38",
  );
});

test("parseProfile() detects the kinds of real documents", () => {
  const kinds = new Map([
    ["docker-default.json", "docker"],
    ["docker-default-2023-10-before-iouring-block.json", "docker"],
    ["docker-default-old-format.json", "docker-legacy"],
    ["podman-default-debian12.json", "docker"],
    ["podman-4.3.1-precreate-stdin.config.json", "config"],
    ["podman-4.3.1-precreate-stdin-memlock-unlimited.config.json", "config"],
    ["chrome-jessfraz.json", "docker-legacy"],
    ["playwright.json", "docker"],
    ["runc-test1-config.json", "oci"],
  ]);
  for (const [name, kind] of kinds) {
    const text = realProfile(name);
    const parsed = parseProfile(new TextEncoder().encode(text));
    assertEquals([parsed.kind, parsed.diagnostics], [kind, []], name);
  }
  const refused = new Map([
    ["spo-seccompprofile.yaml", "YAML"],
    ["firecracker-x86_64.json", "Firecracker"],
  ]);
  for (const [name, said] of refused) {
    const text = realProfile(name);
    assertThrows(() => parseProfile(text), ProfileError, said);
  }
});

Deno.test("DEFAULT_PROFILE is moby's file, byte for byte", async () => {
  const bytes = new TextEncoder().encode(DEFAULT_PROFILE);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  assertEquals(
    Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join(""),
    "536529b665dd0972c37bfb569f5d4ac8a53592e7b00752bc39ff063ca9864c74",
  );
});

Deno.test("ARCH_SPELLINGS has each spelling once", () => {
  const spellings = Object.values(ARCH_SPELLINGS);
  for (const key of ["scmp", "docker"] as const) {
    assertEquals(new Set(spellings.map((s) => s[key])).size, spellings.length);
  }
});
