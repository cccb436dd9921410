/**
 * Loads what is given: a profile is compiled and its filter proved.
 *
 * @module
 */

import { comparedArches } from "../../bpf/follow.ts";
import type { CompiledSource, LoadedFilter } from "../../cli/input/filter.ts";
import { compileParsed } from "../../pipeline/compile_profile.ts";
import {
  type ProfileTarget,
  resolveParsed,
} from "../../pipeline/resolve_profile.ts";
import { parseCapabilities, parseKernelVersion } from "../../profile/host.ts";
import type { ParsedProfile } from "../../profile/formats/parse.ts";
import { type Arch, archByName, ARCHES } from "../../tables/arch.ts";
import type { Subject } from "../../verify/core/subject.ts";
import type { Given, PageChoice, PageFinding } from "../messages.ts";
import { pageRefusal } from "./failure.ts";
import { readGiven } from "./source.ts";

/** A profile or filters, ready for questions. */
export interface LoadedGiven {
  readonly filter: LoadedFilter;
  readonly findings: readonly PageFinding[];
}

/**
 * Loads what was given.
 *
 * @param given A profile or a filter.
 * @param choice The machine and the cost.
 * @throws {Error} if it cannot be read, or has no proved filter.
 */
export function loadGiven(given: Given, choice: PageChoice): LoadedGiven {
  const arch = archOf(choice);
  const source = readGiven(given, arch);
  if (source.kind === "profile") {
    return compileGiven(given.name, source.profile, choice);
  }
  const { programs, littleEndian } = source;
  const compared = new Set(programs.flatMap(comparedArches));
  const known = ARCHES.filter((one) =>
    compared.has(one.auditArch) && one.littleEndian === littleEndian
  );
  const native = known.includes(arch) ? arch : known[0] ??
    (arch.littleEndian === littleEndian
      ? arch
      : ARCHES.find((one) => one.littleEndian === littleEndian));
  if (native === undefined) throw new Error("Unreachable: no such byte order");
  return {
    filter: {
      ...source,
      kind: "programs",
      name: given.name,
      native,
      arches: [native, ...known.filter((one) => one !== native)],
      orderIsAssumed: false,
    },
    findings: [],
  };
}

function compileGiven(
  name: string,
  profile: ParsedProfile,
  choice: PageChoice,
): LoadedGiven {
  const target = targetOf(choice, profile);
  const { objective } = choice;
  const resolved = compileParsed(profile, target, { objective });
  if (resolved.kind === "unproved") throw pageRefusal(resolved.message);
  const { program, littleEndian, arches, diagnostics } = resolved;
  const filter: CompiledSource = {
    kind: "profile",
    name,
    profile,
    target,
    resolved,
    objective: resolved.madeForSize === "everything" ? "size" : objective,
    programs: [program],
    littleEndian,
    native: arches[0] ?? archOf(choice),
    arches,
    orderIsAssumed: false,
  };
  return { filter, findings: diagnostics };
}

/**
 * The meaning of what was given, for a comparison; a profile is not compiled.
 *
 * @param given A profile or a filter.
 * @param choice The machine.
 */
export function subjectOfGiven(
  given: Given,
  choice: PageChoice,
): { readonly subject: Subject; readonly findings: readonly PageFinding[] } {
  const source = readGiven(given, archOf(choice));
  if (source.kind === "filters") {
    const { programs, littleEndian } = source;
    return { subject: { programs, littleEndian }, findings: [] };
  }
  const { profile } = source;
  const resolved = resolveParsed(profile, targetOf(choice, profile));
  return { subject: resolved.policy, findings: resolved.diagnostics };
}

/** The meaning of what is loaded. */
export function loadedSubject(filter: LoadedFilter): Subject {
  const { programs, littleEndian } = filter;
  return filter.kind === "profile"
    ? filter.resolved.policy
    : { programs, littleEndian };
}

function archOf({ arch }: PageChoice): Arch {
  const found = archByName(arch);
  if (found === undefined) throw pageRefusal(`Unknown architecture "${arch}"`);
  return found;
}

function targetOf(choice: PageChoice, { kind }: ParsedProfile): ProfileTarget {
  const { arch, only, caps, semantics } = choice;
  const isDocker = kind === "docker" || kind === "docker-legacy";
  const kernel = parseKernelVersion(choice.kernel);
  if (kernel === undefined && isDocker) {
    throw pageRefusal(
      `Cannot read the kernel "${choice.kernel}": write two numbers, such as 6.1`,
    );
  }
  return {
    arch: only ? [arch] : arch,
    kernel,
    semantics,
    unknown: "deny-error",
    ...(caps.trim() === "" ? {} : { capabilities: parseCapabilities(caps) }),
  };
}
