/**
 * Compares the filter that a runtime really loads for a profile with this
 * program's reading of that version and with the second interpreter.
 *
 * @module
 */

import { decode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { prepare, run } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { dumpFilters } from "../../ffi/live/dump.ts";
import { SyscallError } from "../../ffi/error.ts";
import { resolveParsed } from "../../pipeline/resolve_profile.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import type { Policy } from "../../profile/policy.ts";
import {
  type Semantics,
  splitSemantics,
} from "../../profile/semantics/versions.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import type { Version } from "../oracle/host.ts";
import { inputs } from "../oracle/inputs.ts";
import { hostOf, interpret, type Target } from "../oracle/meaning.ts";
import { parseExact, toSection } from "../oracle/read_section.ts";
import { writeJson } from "./config.ts";
import { createBundle, type Runtime, waitForCommand } from "./harness.ts";
import type { LiveProfile } from "./live_profiles.ts";

/** Result of a comparison. */
export interface LiveComparison {
  /** Both refuse the profile, both make equal filters, or they differ. */
  readonly kind: "refused" | "equal" | "different";
  /** Description of the result, in one line. */
  readonly detail: string;
}

/**
 * Messages of a runtime that refuses a profile, in contrast to other failures.
 */
const REFUSAL =
  /seccomp|errno value specified|empty string|matches default action/i;

/** The filter of a container, or the reason why it did not start. */
export type LiveFilter =
  | { readonly kind: "program"; readonly program: Program }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Starts a container under a profile and compares its live filter.
 *
 * @param runtime The runtime.
 * @param semantics Its name and version.
 * @param profile The profile.
 * @returns The result.
 */
export async function compareLive(
  runtime: Runtime,
  semantics: Semantics,
  { section }: LiveProfile,
): Promise<LiveComparison> {
  const text = writeJson(section);
  const live = await loadLive(runtime, section);
  const own = read(text, semantics);
  if (live.kind === "refused" || typeof own === "string") {
    const theirs = live.kind === "refused" ? live.reason : "runs it";
    const ours = typeof own === "string" ? own : "resolves it";
    const isSame = live.kind === "refused" && typeof own === "string" &&
      REFUSAL.test(live.reason);
    return {
      kind: isSame ? "refused" : "different",
      detail: `${theirs} | ${ours}`,
    };
  }
  const filter = { program: live.program, littleEndian: true };
  const proof = proveEquivalent(filter, own);
  if (proof.kind !== "equal") {
    const detail = proof.kind === "different"
      ? `nr ${proof.data.nr} on ${proof.data.arch}: ${proof.a.value} live, ${proof.b.value} here`
      : `unproven: ${proof.limit}`;
    return { kind: "different", detail };
  }
  return compareOracle(text, semantics, live.program);
}

/**
 * Makes a runtime build and load its filter.
 *
 * @param runtime The runtime.
 * @param seccomp The section.
 * @returns The program that a container runs under, or the refusal.
 */
export async function loadLive(
  runtime: Runtime,
  seccomp: LiveProfile["section"],
): Promise<LiveFilter> {
  await using bundle = await createBundle({
    args: ["/bin/busybox", "sleep", "100000"],
    seccomp,
  });
  let pid: number;
  try {
    pid = await bundle.create(runtime);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    // Our own names say nothing about the reason.
    const reason = text.replaceAll(/seccomp-tree-[-\w]+/g, "ID");
    return { kind: "refused", reason: reason.replaceAll(/\s+/g, " ") };
  }
  // Before, runc's process waits in a call that a stop must not end.
  await bundle.start(runtime);
  await waitForCommand(pid, "sleep");
  const [bytes, ...others] = await dumpAlone(pid);
  if (bytes === undefined || others.length > 0) {
    throw new Error(`${others.length} more filters than one`);
  }
  return { kind: "program", program: decode(bytes) };
}

/** Reads filters; another test may trace every process for a moment. */
async function dumpAlone(
  pid: number,
  tries = 100,
): Promise<ReturnType<typeof dumpFilters>> {
  try {
    return dumpFilters(pid);
  } catch (error) {
    const isTraced = error instanceof SyscallError &&
      error.message.includes("is already tracing it");
    if (!isTraced || tries === 0) throw error;
  }
  await new Promise((done) => setTimeout(done, 20));
  return await dumpAlone(pid, tries - 1);
}

/** This program's reading: a policy, or the reason why it has none. */
function read(text: string, semantics: Semantics): Policy | string {
  try {
    const profile = parseProfile(text, { kind: "oci" });
    const target = { arch: "x86_64", semantics, unknown: "ignore" } as const;
    return resolveParsed(profile, target).policy;
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    return error.message;
  }
}

/** The second interpreter has versions of its own. */
function compareOracle(
  text: string,
  semantics: Semantics,
  program: Program,
): LiveComparison {
  const { runtime, version } = splitSemantics(semantics);
  const target: Target = {
    native: "x86_64",
    semantics: runtime,
    ...(version === undefined ? {} : { version: numbersOf(version) }),
  };
  const seccomp = toSection(parseExact(text));
  const oracle = interpret(seccomp, hostOf(target));
  if (typeof oracle !== "function") {
    return { kind: "different", detail: `oracle: ${oracle.reason}` };
  }
  const prepared = prepare(program);
  const calls = inputs(seccomp, target);
  for (const data of calls) {
    const value = run(prepared, toWords(data, true));
    if (value !== oracle(data)) {
      return {
        kind: "different",
        detail: `oracle: nr ${data.nr} on ${data.arch}: ${value} live, ${
          oracle(data)
        } there`,
      };
    }
  }
  return { kind: "equal", detail: `${calls.length} calls as the oracle says` };
}

/** Candidates are omitted; a version without a patch is the last one. */
function numbersOf(version: string): Version {
  const [numbers = ""] = version.split("-");
  const [major = 0, minor = 0, patch = 999] = numbers.split(".").map(Number);
  return [major, minor, patch];
}

/** Result of comparing several profiles. */
export interface LiveReport {
  /** Number of profiles by result. */
  readonly counts: Record<LiveComparison["kind"], number>;
  /** One line for each profile with two readings. */
  readonly differences: readonly string[];
}

/**
 * Compares several profiles.
 *
 * @param runtime The runtime.
 * @param semantics Its name and version.
 * @param profiles The profiles.
 * @returns The result.
 */
export async function compareAll(
  runtime: Runtime,
  semantics: Semantics,
  profiles: Iterable<LiveProfile>,
): Promise<LiveReport> {
  const counts = { refused: 0, equal: 0, different: 0 };
  const differences: string[] = [];
  for (const profile of profiles) {
    const { kind, detail } = await compareLive(runtime, semantics, profile)
      .catch((error): LiveComparison => ({
        kind: "different",
        detail: String(error),
      }));
    counts[kind]++;
    if (kind === "different") {
      differences.push(
        `${semantics}, ${profile.name}: ${detail}: ${
          writeJson(profile.section).replaceAll(/\s+/g, "")
        }`,
      );
    }
  }
  return { counts, differences };
}
