/**
 * The code under test, called as the command line calls it.
 *
 * @module
 */

import type { Program } from "../../bpf/instruction.ts";
import { compile } from "../../compiler/compile.ts";
import { SizeError } from "../../compiler/size.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import type { Policy } from "../../profile/policy.ts";
import { resolve, targetArches } from "../../profile/semantics/resolve.ts";
import type { Arch } from "../../tables/arch.ts";
import { archOf, type Target } from "./meaning.ts";

/** Options. */
export interface ProduceOptions {
  /** Test for calls that exist; those of the tables by default. */
  readonly knows?: (name: string, arch?: Arch) => boolean;
  /** True (the default) to compile. */
  readonly program?: boolean;
}

/** Production's result for a profile. */
export type Produced =
  | {
    readonly kind: "compiled";
    /** The meaning of the profile. */
    readonly policy: Policy;
    /** The filter; absent if not requested, or too large for the kernel. */
    readonly program?: Program;
  }
  | {
    readonly kind: "refused";
    /** The reason. */
    readonly reason: string;
  };

/**
 * Resolves and compiles a profile.
 *
 * @param seccomp The profile.
 * @param target The machine and the runtime.
 * @param options Options.
 * @returns The policy and its program, or the reason of a refusal.
 */
export function produce(
  seccomp: LinuxSeccomp,
  target: Target,
  options: ProduceOptions = {},
): Produced {
  let policy: Policy;
  try {
    const arches = targetArches(archOf(target.native), seccomp.architectures);
    policy = resolve(seccomp, {
      arches,
      semantics: target.version === undefined
        ? target.semantics
        : `${target.semantics}@${target.version.join(".")}`,
      unknown: "warn",
      ...(options.knows === undefined ? {} : { knows: options.knows }),
    }).policy;
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    return { kind: "refused", reason: error.message };
  }
  if (options.program === false) return { kind: "compiled", policy };
  try {
    return { kind: "compiled", policy, program: compile(policy).program };
  } catch (error) {
    if (!(error instanceof SizeError)) throw error;
    return { kind: "compiled", policy };
  }
}
