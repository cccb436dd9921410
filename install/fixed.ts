/**
 * The filter of `static`: one profile compiled and proved once, for all
 * containers.
 *
 * @module
 */

import { encodeBase64 } from "../bpf/base64.ts";
import { encode } from "../bpf/encode.ts";
import { compile } from "../compiler/compile.ts";
import { hostNames } from "../hook/environment.ts";
import { ProfileError } from "../profile/diagnostic.ts";
import { parseProfile } from "../profile/formats/parse.ts";
import { resolve, targetArches } from "../profile/semantics/resolve.ts";
import { selectFor } from "../profile/select.ts";
import { archByName } from "../tables/arch.ts";
import { proveEquivalent } from "../verify/equivalence.ts";
import { InstallError } from "./error.ts";

/** What filters are made with. */
export interface FixedOptions {
  readonly semantics: "crun" | "runc";
  readonly names: "host" | "builtin";
}

/** The capabilities that Podman gives by default (containers.conf 0.50). */
const PODMAN_CAPABILITIES: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_NET_BIND_SERVICE",
  "CAP_SETFCAP",
  "CAP_SETGID",
  "CAP_SETPCAP",
  "CAP_SETUID",
  "CAP_SYS_CHROOT",
];

/**
 * Compiles and proves a profile.
 *
 * @param text The profile, in Docker's form or the runtime specification's.
 * @param options Semantics and names.
 * @returns The filter as base64.
 * @throws {InstallError} Where the profile has errors or its filter is not proved.
 */
export async function compileFixed(
  text: string,
  { semantics, names }: FixedOptions,
): Promise<string> {
  const host = names === "host" ? await hostNames() : undefined;
  if (names === "host" && host === undefined) {
    throw new InstallError(
      "not-found",
      "Cannot resolve names by the host: no libseccomp.so.2: install it, or pass --names builtin",
    );
  }
  const native = archByName(Deno.build.arch);
  if (native === undefined) {
    throw new InstallError(
      "usage",
      `Cannot compile for ${Deno.build.arch}: no system call table`,
    );
  }
  try {
    const { seccomp } = selectFor(parseProfile(text), {
      arch: native.name,
      kernel: undefined,
      capabilities: new Set(PODMAN_CAPABILITIES),
    });
    if (seccomp === undefined) {
      throw new InstallError("usage", "Cannot use the profile: it is empty");
    }
    const { policy } = resolve(seccomp, {
      arches: targetArches(native, seccomp.architectures),
      semantics,
      ...(host?.knows === undefined ? {} : { knows: host.knows }),
    });
    const { program } = compile(policy);
    const proof = proveEquivalent(
      { kind: "program", program },
      { kind: "policy", policy },
    );
    if (proof.kind !== "equal") {
      throw new InstallError(
        "not-verified",
        `Cannot use the filter: the proof says ${proof.kind}`,
      );
    }
    return encodeBase64(encode(program, { littleEndian: native.littleEndian }));
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    const [first] = error.diagnostics;
    throw new InstallError(
      "usage",
      `Cannot use the profile: ${first?.path ?? ""}: ${
        first?.message ?? error.message
      }`,
      { cause: error },
    );
  }
}
