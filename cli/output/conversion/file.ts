/**
 * The result of `convert` as a file, and the names in it.
 *
 * @module
 */

import { basename } from "@std/path";
import type {
  Converted,
  ConvertFormat,
} from "../../../pipeline/convert/result.ts";
import { resolveBare } from "../../../pipeline/combine/readings.ts";
import { compilePolicy } from "../../../pipeline/compile_profile.ts";
import type { ProfileTarget } from "../../../pipeline/resolve_profile.ts";
import { quoteText } from "../../../tables/printable.ts";
import { proveEquivalent } from "../../../verify/equivalence.ts";
import { UnprovenError, UsageError } from "../../error.ts";
import {
  type OperatorVersion,
  writeOperatorProfile,
} from "../../yaml/write_profile.ts";

/** Names in a result. */
export interface ResultNames {
  /** Name of a SeccompProfile. */
  readonly object: string;
  /** Categories of threads in a file of Firecracker. */
  readonly categories: readonly string[];
  /** The file below the kubelet's folder of profiles. */
  readonly file: string;
}

/** The format of a result, and what it needs. */
export interface ResultRequest {
  readonly format: ConvertFormat;
  readonly names: ResultNames;
  readonly apiVersion: OperatorVersion;
  readonly target: ProfileTarget;
}

/** Names of objects in Kubernetes. */
const OBJECT_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
/** Names of categories in Firecracker's files. */
const CATEGORY = /^[A-Za-z][A-Za-z0-9_]{0,31}$/;

/**
 * Chooses the names in a result.
 *
 * @throws {UsageError} if a name is not one, or the format has none.
 *
 * @param flags The options.
 * @param source The source word, from which an object has its name.
 */
export function namesOf(
  { to, name, out }: {
    readonly to: ConvertFormat;
    readonly name?: string;
    readonly out?: string;
  },
  source: string,
): ResultNames {
  const refuse = (fix: string): never => {
    throw new UsageError(`Cannot use --name ${quoteText(name ?? "")}: ${fix}`);
  };
  const own = basename(source.replace(/^[a-z]+:/, ""))
    .replace(/\.(?:json|ya?ml|bpf|policy|conf|service)(?:#.*)?$/, "")
    .toLowerCase().replace(/[^a-z0-9-]+/g, "-").replace(/^-+|-+$/g, "");
  const object = own === "" ? "profile" : own;
  const file = out === undefined || out === "-"
    ? `${name ?? object}.json`
    : basename(out);
  const names = { object, file, categories: ["vmm", "api", "vcpu"] };
  if (name === undefined) return names;
  switch (to) {
    case "spo":
    case "k8s":
      return OBJECT_NAME.test(name)
        ? { ...names, object: name }
        : refuse("write lower-case letters, digits, - and .");
    case "firecracker": {
      const categories = name.split(",");
      return categories.every((one) => CATEGORY.test(one)) &&
          new Set(categories).size === categories.length
        ? { ...names, categories }
        : refuse("write categories such as vmm,api,vcpu");
    }
    default:
      return refuse(`the format ${to} has no names; omit it`);
  }
}

/**
 * Makes the file.
 *
 * @throws {UnprovenError} if it is not proved.
 * @throws {MachineError} if the library for YAML is not available.
 *
 * @param result The result.
 * @param request The format, and what it needs.
 */
export async function resultFile(
  { text, section, policy, arches }: Converted,
  { format, names, apiVersion, target }: ResultRequest,
): Promise<string | Uint8Array> {
  if (format === "bwrap") {
    const filter = compilePolicy(policy);
    if (filter.kind === "proved") return filter.bytes;
    throw new UnprovenError(filter.message);
  }
  if (text === undefined) throw new Error("Unreachable: no text");
  if (format !== "spo") return text;
  if (section === undefined) throw new Error("Unreachable: no section");
  const written = await writeOperatorProfile(section, {
    version: apiVersion,
    name: names.object,
  });
  const [first, ...others] = arches.map(({ name }) => name);
  const arch = first === undefined ? target.arch : [first, ...others] as const;
  const back = resolveBare(written.profile, { ...target, arch });
  if (proveEquivalent(back.policy, policy).kind === "equal") {
    return written.text;
  }
  throw new UnprovenError(
    "Cannot prove that the YAML has the meaning of the profile",
  );
}
