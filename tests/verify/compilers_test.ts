/**
 * Across compilers: our filter is proved equal to the one that the host's
 * libseccomp makes of the same profile, linear and as a tree, alone as crun
 * loads it and after the stub that runc puts in front, for each real profile
 * that is available. Names are those that the library has, architecture by
 * architecture.
 */

import { assert, assertEquals } from "@std/assert";
import { decode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { hostCalls } from "../../ffi/host_names.ts";
import { type Libseccomp, openLibseccomp } from "../../ffi/libseccomp.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import { DOCKER_DEFAULT_CAPABILITIES } from "../../profile/host.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { selectFor } from "../../profile/select.ts";
import { ARCHES, type ArchName } from "../../tables/arch.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { has, needs, sharedFile } from "../machine.ts";
import {
  joinFilter,
  runcStub,
  toFilterSpec,
} from "../oracle/libseccomp_adapter.ts";
import type { Target } from "../oracle/meaning.ts";
import { produce, type ProduceOptions } from "../oracle/production.ts";

const test = needs("libseccomp");

test("proveEquivalent() finds our filters equal to those of the host's libseccomp", () => {
  const library = openLibseccomp();
  const native = nativeOf(library);
  assert(library !== undefined && native !== undefined);
  let proofs = 0;
  for (const [name, text] of profiles()) {
    const seccomp = sectionOf(name, text, native);
    if (seccomp === undefined) continue;
    for (const semantics of ["crun", "runc"] as const) {
      const knows = hostCalls(library);
      const ours = filterOf(seccomp, { native, semantics }, { knows });
      for (
        const [layout, theirs] of referencesOf(seccomp, semantics, library)
      ) {
        const verdict = proveEquivalent(
          ours,
          theirs,
        );
        const sizes = `${ours.length} and ${theirs.length} instructions`;
        // A failure shows the witness.
        assertEquals(
          verdict.kind === "equal" ? "equal" : verdict,
          "equal",
          `${name}, ${semantics}, ${layout}`,
        );
        say(`${name}, ${semantics}, ${layout}: ${sizes}, proved equal`);
        proofs++;
      }
    }
  }
  assert(proofs >= 4);
});

test("proveEquivalent() finds no difference to libseccomp but in the names that it lacks", () => {
  const library = openLibseccomp();
  const native = nativeOf(library);
  assert(library !== undefined && native !== undefined);
  const seccomp = sectionOf("the embedded default", DEFAULT_PROFILE, native);
  assert(seccomp !== undefined);
  const program = filterOf(seccomp, { native, semantics: "crun" }, {});
  for (const [layout, theirs] of referencesOf(seccomp, "crun", library)) {
    const verdict = proveEquivalent(
      program,
      theirs,
    );
    if (verdict.kind === "equal") continue;
    assert(verdict.kind === "different", layout);
    const { arch, nr } = verdict.data;
    const lacking = ARCHES.filter(({ auditArch }) => auditArch === arch)
      .flatMap(({ scmpToken, syscalls }) =>
        [...syscalls].filter(([name, number]) =>
          number === nr && (library.resolveName(scmpToken, name) ?? -1) < 0
        )
      );
    say(`${layout}: ${lacking.join()} on ${arch} is not in the library`);
    assert(lacking.length > 0, `${layout}: ${nr} on ${arch}`);
  }
});

function nativeOf(library: Libseccomp | undefined): ArchName | undefined {
  const native = ARCHES.find(({ scmpToken }) =>
    scmpToken === library?.nativeArch
  );
  return native?.name;
}

/** Docker's default, and the profiles next to the repository. */
function* profiles(): Generator<readonly [string, string]> {
  yield ["the embedded default", DEFAULT_PROFILE];
  if (!has("shared", "real profiles against libseccomp")) return;
  const folder = sharedFile("profiles/");
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  for (const name of names.sort()) {
    yield [name, Deno.readTextFileSync(new URL(name, folder))];
  }
}

function sectionOf(
  name: string,
  text: string,
  native: ArchName,
): LinuxSeccomp | undefined {
  try {
    const { seccomp } = selectFor(parseProfile(text), {
      arch: native,
      kernel: { major: 6, minor: 1 },
      capabilities: DOCKER_DEFAULT_CAPABILITIES,
    });
    if (seccomp === undefined) say(`${name} has no section`);
    return seccomp;
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    say(`${name} is not a profile`);
    return undefined;
  }
}

function filterOf(
  seccomp: LinuxSeccomp,
  target: Target,
  names: ProduceOptions,
): Program {
  const produced = produce(seccomp, target, names);
  assert(produced.kind === "compiled", "refused");
  const { policy, program } = produced;
  assert(program !== undefined, "too large");
  const verdict = proveEquivalent(
    policy,
    program,
  );
  assertEquals(verdict.kind, "equal");
  return program;
}

/** The library's filter, as the runtime loads it. */
function* referencesOf(
  seccomp: LinuxSeccomp,
  runtime: Target["semantics"],
  library: Libseccomp,
): Generator<readonly [string, Program]> {
  const spec = toFilterSpec(seccomp, { runtime });
  const stub = runtime === "runc"
    ? runcStub(seccomp, library)
    : new Uint8Array();
  for (const [optimize, layout] of [[1, "linear"], [2, "tree"]] as const) {
    const built = library.exportFilter({ ...spec, optimize });
    assert(built.kind === "filter", `libseccomp: ${built.kind}`);
    yield [layout, decode(joinFilter(stub, built.bytes))];
  }
}

function say(line: string): void {
  // deno-lint-ignore no-console -- reports what was compared, and what could not be
  console.log(line);
}
