/**
 * `deno bench bench/micro/prove_bench.ts`: the proof that a program is equal to
 * its policy, for ours and for libseccomp's filter.
 *
 * @module
 */

import { referenceProgram } from "../../hook/reference.ts";
import { hostCalls } from "../../ffi/host_names.ts";
import { type Libseccomp, openLibseccomp } from "../../ffi/libseccomp.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import {
  type ResolvedSection,
  resolveParsed,
} from "../../pipeline/resolve_profile.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { parseKernelRelease } from "../../profile/host.ts";
import { hostArch, kernelRelease } from "../../host/machine.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import { benchInputs, provedFilter } from "../engine/inputs.ts";

for (const { name, policy } of benchInputs()) {
  const { program } = provedFilter(policy);
  Deno.bench(`prove: ${name}`, { group: "prove" }, () => {
    proveEquivalent(program, policy);
  });
}

const library = openLibseccomp();
const host = defaultForHost(library);
if (library !== undefined && host !== undefined) {
  const { seccomp, arches, policy } = host;
  const { program } = provedFilter(policy);
  for (const [optimize, kind] of [[1, "list"], [2, "tree"]] as const) {
    const theirs = referenceProgram(library, seccomp, arches, optimize);
    if (theirs === undefined) continue;
    const name =
      `prove: Docker's default against libseccomp's ${kind}, ${theirs.length} instructions`;
    Deno.bench(name, { group: "across" }, () => {
      const verdict = proveEquivalent(
        program,
        theirs,
      );
      if (verdict.kind !== "equal") throw new Error(verdict.kind);
    });
  }
}

/** Docker's default for this host, with the names that its library has. */
function defaultForHost(
  library: Libseccomp | undefined,
): ResolvedSection | undefined {
  const native = hostArch();
  if (native === undefined || library === undefined) return undefined;
  return resolveParsed(parseProfile(DEFAULT_PROFILE), {
    arch: native.name,
    kernel: parseKernelRelease(kernelRelease()),
    unknown: "ignore",
    knows: hostCalls(library),
  });
}
