/**
 * `deno bench bench/micro/prove_bench.ts`: the proof that a program means what its
 * policy says, and what libseccomp's filter means.
 *
 * @module
 */

import { referenceProgram } from "../../hook/reference.ts";
import { compile } from "../../compiler/compile.ts";
import { hostCalls } from "../../ffi/host_names.ts";
import { type Libseccomp, openLibseccomp } from "../../ffi/libseccomp.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import {
  DOCKER_DEFAULT_CAPABILITIES,
  parseKernelRelease,
} from "../../profile/host.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import type { Policy } from "../../profile/policy.ts";
import { resolve, targetArches } from "../../profile/semantics/resolve.ts";
import { selectFor } from "../../profile/select.ts";
import { type Arch, archByName } from "../../tables/arch.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { benchInputs, programOf } from "../engine/inputs.ts";

for (const input of benchInputs()) {
  const { name, policy } = input;
  const program = programOf(input);
  Deno.bench(`prove: ${name}`, { group: "prove" }, () => {
    proveEquivalent({ kind: "program", program }, { kind: "policy", policy });
  });
}

const library = openLibseccomp();
const host = defaultForHost(library);
if (library !== undefined && host !== undefined) {
  const { seccomp, arches, policy } = host;
  const { program } = compile(policy);
  for (const [optimize, kind] of [[1, "list"], [2, "tree"]] as const) {
    const theirs = referenceProgram(library, seccomp, arches, optimize);
    if (theirs === undefined) continue;
    const name =
      `prove: Docker's default against libseccomp's ${kind}, ${theirs.length} instructions`;
    Deno.bench(name, { group: "across" }, () => {
      const verdict = proveEquivalent(
        { kind: "program", program },
        { kind: "program", program: theirs },
      );
      if (verdict.kind !== "equal") throw new Error(verdict.kind);
    });
  }
}

/** Docker's default for this host, with the names that its library has. */
function defaultForHost(library: Libseccomp | undefined):
  | {
    readonly seccomp: LinuxSeccomp;
    readonly arches: readonly Arch[];
    readonly policy: Policy;
  }
  | undefined {
  const native = archByName(Deno.build.arch);
  if (native === undefined || library === undefined) return undefined;
  const { seccomp } = selectFor(parseProfile(DEFAULT_PROFILE), {
    arch: native.name,
    kernel: parseKernelRelease(Deno.osRelease()),
    capabilities: DOCKER_DEFAULT_CAPABILITIES,
  });
  if (seccomp === undefined) return undefined;
  const arches = targetArches(native, seccomp.architectures);
  const { policy } = resolve(seccomp, {
    arches,
    semantics: "crun",
    unknown: "ignore",
    knows: hostCalls(library),
  });
  return { seccomp, arches, policy };
}
