import { assert, assertEquals } from "@std/assert";
import { decode } from "../../bpf/encode.ts";
import { prepare, run } from "../../bpf/run.ts";
import { type SeccompData, toWords } from "../../bpf/seccomp_data.ts";
import { hostCalls } from "../../ffi/host_names.ts";
import { type Libseccomp, openLibseccomp } from "../../ffi/libseccomp.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { DOCKER_DEFAULT_CAPABILITIES, type Host } from "../../profile/host.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { selectFor } from "../../profile/select.ts";
import { digestOf } from "../../verify/digest.ts";
import { has, needs, sharedFile } from "../machine.ts";
import type { OracleArch, OracleHost } from "../oracle/host.ts";
import { EDGES, inputs } from "../oracle/inputs.ts";
import {
  joinFilter,
  runcStub,
  toFilterSpec,
} from "../oracle/libseccomp_adapter.ts";
import { archOf, hostOf, interpret, type Target } from "../oracle/meaning.ts";
import { produce } from "../oracle/production.ts";

const test = needs("libseccomp", "x86_64");

const HOST: Host = {
  arch: "x86_64",
  kernel: { major: 6, minor: 1 },
  capabilities: DOCKER_DEFAULT_CAPABILITIES,
};

const ABIS = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"];

/** Values of `arch` on such a host. */
const X86_64 = 0xc000_003e;
const I386 = 0x4000_0003;
const AARCH64 = 0xc000_00b7;

for (const semantics of ["crun", "runc"] as const) {
  test(`Docker's default is libseccomp's filter for ${semantics}`, () => {
    check("Docker", DEFAULT_PROFILE, semantics);
  });

  test(`Podman's default is libseccomp's filter for ${semantics}`, () => {
    if (!has("shared", "Podman's default against libseccomp")) return;
    const path = sharedFile("profiles/podman-default-debian12.json");
    check("Podman", Deno.readTextFileSync(path), semantics);
  });
}

for (const manner of ["list", "tree"] as const) {
  test(`digestOf() is one for our filter and libseccomp's ${manner}`, async () => {
    const library = openLibseccomp();
    assert(library !== undefined);
    const seccomp = readSection(DEFAULT_PROFILE);
    const spec = toFilterSpec(seccomp, {
      runtime: "crun",
      tree: manner === "tree",
    });
    assertEquals(spec.optimize, manner === "tree" ? 2 : 1);
    const built = library.exportFilter(spec);
    assert(built.kind === "filter", `libseccomp: ${built.kind}`);
    const produced = produce(
      seccomp,
      { native: "x86_64", semantics: "crun" },
      { knows: hostCalls(library) },
    );
    assert(produced.kind === "compiled" && produced.program !== undefined);
    const [theirs, ours] = await Promise.all([
      digestOf(decode(built.bytes)),
      digestOf(produced.program),
    ]);
    assertEquals(theirs.kind, "digest");
    assertEquals(theirs, ours);
  });
}

function check(
  name: string,
  text: string,
  semantics: Target["semantics"],
): void {
  const library = openLibseccomp();
  assert(library?.nativeArch === X86_64);
  const seccomp = readSection(text);
  const target: Target = { native: "x86_64", semantics };
  const names = new Set(seccomp.syscalls.flatMap(({ names }) => names));
  const unknown = [...names].filter((name) => !library.known(name));
  say(`${name}: names that libseccomp ${library.version} lacks: ${unknown}`);
  for (const abi of ["x86_64", "x86", "x32"] as const) {
    const kept = restrict(archOf(abi), library).syscalls;
    const lost = [...names].filter((name) =>
      library.known(name) && archOf(abi).syscalls.has(name) && !kept.has(name)
    );
    if (lost.length > 0) {
      say(`${name}: numbers that it lacks on ${abi}: ${lost}`);
    }
  }

  const built = library.exportFilter(
    toFilterSpec(seccomp, { runtime: semantics }),
  );
  assert(built.kind === "filter", `libseccomp: ${built.kind}`);
  const stub = semantics === "runc"
    ? runcStub(seccomp, library)
    : new Uint8Array();
  const reference = prepare(decode(joinFilter(stub, built.bytes)));
  const produced = produce(seccomp, target, {
    knows: hostCalls(library),
  });
  assert(produced.kind === "compiled" && produced.program !== undefined);
  const own = prepare(produced.program);
  const oracle = interpret(seccomp, libraryHost(target, library));
  assert(typeof oracle === "function");

  const wrong: string[] = [];
  let count = 0;
  for (const data of calls(seccomp, target)) {
    const words = toWords(data, true);
    const expected = run(reference, words);
    const values = [run(own, words), oracle(data)];
    count++;
    if (values.every((value) => value === expected)) continue;
    const { nr, arch, args } = data;
    wrong.push(`${arch} ${nr} (${args}): ${values}, libseccomp ${expected}`);
  }
  say(`${name}, ${semantics}: ${count} calls`);
  assertEquals(wrong.slice(0, 5), []);
  assert(count > 10_000);
}

/** Every number on every ABI, the edges, and arguments around every constant. */
function* calls(seccomp: LinuxSeccomp, target: Target): Generator<SeccompData> {
  const numbers = [
    ...Array.from({ length: 1201 }, (_, nr) => nr),
    ...Array.from({ length: 1201 }, (_, nr) => 0x4000_0000 + nr),
    ...EDGES,
  ];
  for (const arch of [X86_64, I386, AARCH64]) {
    for (const nr of numbers) {
      for (const value of [0n, 0xffff_ffff_ffff_ffffn]) {
        const args = new Array<bigint>(6).fill(value);
        yield { nr, arch, instructionPointer: 0n, args };
      }
    }
  }
  yield* inputs(seccomp, target, { combinations: 256 });
}

function readSection(text: string): LinuxSeccomp {
  const { seccomp } = selectFor(parseProfile(text), HOST);
  assert(seccomp !== undefined);
  assertEquals(seccomp.architectures, ABIS);
  return seccomp;
}

/** An architecture as a library knows it, which may be older than the tables. */
function restrict(arch: OracleArch, library: Libseccomp): OracleArch {
  return {
    ...arch,
    syscalls: new Map(
      [...arch.syscalls].filter(([name]) =>
        arch.multiplexed.some((call) => call.name === name) ||
        (library.resolveName(arch.scmpToken, name) ?? -1) >= 0
      ),
    ),
  };
}

function libraryHost(target: Target, library: Libseccomp): OracleHost {
  const host = hostOf(target);
  return {
    ...host,
    native: restrict(host.native, library),
    known: (name) => library.known(name),
    find(scmp): OracleArch | undefined {
      const arch = host.find(scmp);
      return arch && restrict(arch, library);
    },
  };
}

function say(line: string): void {
  // deno-lint-ignore no-console -- reports what was compared
  console.log(line);
}
