/**
 * Gets the filter of a section: from the store, or by compiling, proving and
 * storing it. There is no other way to a filter here, and none around the
 * proof.
 *
 * @module
 */

import { compilePolicy } from "../pipeline/compile_profile.ts";
import { resolveParsed } from "../pipeline/resolve_profile.ts";
import { type Diagnostic, ProfileError } from "../profile/diagnostic.ts";
import type { LinuxSeccomp } from "../profile/formats/oci.ts";
import { parseProfile } from "../profile/formats/parse.ts";
import type { Policy } from "../profile/policy.ts";
import type { Arch } from "../tables/arch.ts";
import type { Deadline } from "./deadline.ts";
import type { Entry } from "./store/entry.ts";
import { COMPILER_VERSION, type Environment, keyOf } from "./environment.ts";
import { RefusedError } from "./error.ts";
import type { Place } from "../profile/text.ts";
import { firstOf } from "./rewrite.ts";
import type { Store } from "./store/store.ts";

/** Inputs besides the section. */
export interface FilterContext {
  /** Machine, semantics, names. */
  readonly environment: Environment;
  /** Store of filters; absent if they are not stored. */
  readonly store?: Store;
  /** Time limit. */
  readonly deadline: Deadline;
  /** True if the caller holds the lock of the store. */
  readonly locked?: boolean;
  /** What a new filter is proved equal to besides its section; nothing by default. */
  readonly reference?: "host" | "text";
  /** True to try again what was left to its runtime before. */
  readonly retry?: boolean;
}

/** Reason to leave a section to the filter that its runtime makes. */
export type NotOptimizable =
  | "notify"
  | "refused"
  | "too-large"
  | "architecture"
  | "names"
  | "unknown-names"
  | "deadline"
  | "failed-proof"
  | "reference"
  | "unproven";

/** A parsed section. */
export interface ReadSection {
  /** The section exactly as written. */
  readonly text: string;
  /** Its content. */
  readonly seccomp: LinuxSeccomp;
  /** Its architectures, the native one first. */
  readonly arches: readonly Arch[];
  /** Its meaning. */
  readonly policy: Policy;
  /** Warnings. */
  readonly warnings: readonly Diagnostic[];
}

/** A section's filter, or the reason why it has none. */
export type FilterResult =
  | {
    readonly kind: "filter";
    readonly entry: Entry;
    /** Origin of the filter. */
    readonly from: "store" | "compiler";
    /**
     * Why it could not be stored; absent if it was, or if there is no store.
     */
    readonly notStored?: string;
  }
  | {
    readonly kind: "not-optimizable";
    readonly reason: NotOptimizable;
    /** Observation, without a final period. */
    readonly detail: string;
  };

/** Result of reading a section. */
export type SectionReading =
  | { readonly kind: "section"; readonly section: ReadSection }
  | Extract<FilterResult, { readonly kind: "not-optimizable" }>;

/** Codes of errors that the runtime itself reports. */
const LEFT_TO_RUNTIME: ReadonlySet<string> = new Set([
  "unsupported-architecture",
  "byte-order",
  "runtime-refuses",
]);

/** Longest wait, in milliseconds, for another process that compiles. */
const MOST_WAIT_MS = 3000;

/**
 * Reads a section and resolves it as the runtime would.
 *
 * @param text The section exactly as written.
 * @param environment Machine, semantics, names.
 * @param place Line and column of the section in its file.
 * @returns The section, or the reason to leave it to its runtime: it has an
 * architecture without a table, or something with which this runtime does not
 * start a container.
 * @throws {RefusedError} `bad-config` if a runtime would run something
 * different from what is written.
 */
export function readSection(
  text: string,
  environment: Environment,
  place?: Place,
): SectionReading {
  const { native, semantics, names } = environment;
  try {
    const profile = parseProfile(text, { kind: "oci" });
    const { seccomp, arches, policy, diagnostics } = resolveParsed(profile, {
      arch: native.name,
      semantics,
      unknown: "warn",
      ...(names.knows === undefined ? {} : { knows: names.knows }),
    });
    const warnings = diagnostics.filter((d) => d.severity === "warning");
    return {
      kind: "section",
      section: { text, seccomp, arches, policy, warnings },
    };
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    const errors = error.diagnostics.filter((d) => d.severity === "error");
    const detail = firstOf(error, place, "linux.seccomp");
    if (errors.every((d) => d.code === "unsupported-architecture")) {
      return { kind: "not-optimizable", reason: "architecture", detail };
    }
    // The runtime refuses it by itself, libseccomp by EDOM if byte orders
    // differ. Another runtime that merely has this one's semantics may run it.
    if (errors.every((d) => LEFT_TO_RUNTIME.has(d.code))) {
      return { kind: "not-optimizable", reason: "refused", detail };
    }
    throw new RefusedError(
      "bad-config",
      `Cannot use the configuration: ${detail}`,
      { cause: error },
    );
  }
}

/**
 * Finds the filter of a section in the store.
 *
 * @param text The section exactly as written.
 * @param context Environment, store and time limit.
 * @returns The entry, if there is one.
 * @throws {RefusedError} `doubtful-store`.
 */
export async function findFilter(
  text: string,
  { environment, store }: FilterContext,
): Promise<Entry | undefined> {
  return await store?.lookup(environment.id, text);
}

/**
 * Gets the filter of a section, from the store or by compiling, proving and
 * storing it. If many processes need it at once, one compiles and the others
 * wait.
 *
 * @param section The section.
 * @param context Environment, store and time limit.
 * @returns The filter, or the reason why it has none.
 */
export async function filterOf(
  section: ReadSection,
  context: FilterContext,
): Promise<FilterResult> {
  const { store, deadline } = context;
  if (store === undefined || context.locked === true) {
    return await makeFilter(section, context);
  }
  const wait = Math.min(MOST_WAIT_MS, deadline.left() / 2);
  return await store.serialize(wait, async () => {
    const entry = await findFilter(section.text, context);
    return entry === undefined || entry.left !== undefined
      ? await makeFilter(section, context)
      : { kind: "filter", entry, from: "store" };
  });
}

/** Reasons that another container with this section would meet as well. */
const LASTING: ReadonlySet<NotOptimizable> = new Set([
  "refused",
  "too-large",
  "architecture",
  "deadline",
  "failed-proof",
  "reference",
  "unproven",
]);

/**
 * Remembers that a section is left to its runtime, so that the next container
 * does not pay for the same attempt.
 *
 * @param text The section exactly as written.
 * @param reason Why it is left.
 * @param detail Observation.
 * @param context Environment and store.
 */
export async function rememberLeft(
  text: string,
  { reason, detail }: Pick<
    Extract<FilterResult, { kind: "not-optimizable" }>,
    "reason" | "detail"
  >,
  { environment, store }: FilterContext,
): Promise<void> {
  if (!LASTING.has(reason)) return;
  await store?.put({
    key: await keyOf(environment, text),
    environment: environment.id,
    about: aboutOf(environment, []),
    bytes: new Uint8Array(),
    section: text,
    left: `${reason}: ${detail}`,
  });
}

async function makeFilter(
  section: ReadSection,
  { environment, store, deadline, reference }: FilterContext,
): Promise<FilterResult> {
  const bytes = compileProved(section, deadline);
  if ("kind" in bytes) return bytes;
  const entry: Entry = {
    key: await keyOf(environment, section.text),
    environment: environment.id,
    about: aboutOf(environment, section.arches),
    bytes,
    section: section.text,
  };
  if (reference === "host") {
    const { compareWithHost } = await import("./host_reference.ts");
    const limit = Math.ceil(deadline.left() / 2);
    const compared = await compareWithHost(entry, environment, limit);
    if (compared.kind === "different") {
      const { detail } = compared;
      return { kind: "not-optimizable", reason: "reference", detail };
    }
  }
  const result = await store?.put(entry);
  return {
    kind: "filter",
    entry,
    from: "compiler",
    ...(result?.kind === "not-stored" ? { notStored: result.reason } : {}),
  };
}

function aboutOf(environment: Environment, arches: readonly Arch[]): string {
  const { native, semantics, names } = environment;
  const list = arches.map((arch) => arch.name).join(",");
  return `${COMPILER_VERSION} ${native.name} ${semantics} ${list} ${names.label}`;
}

/** Compiles and proves; returns the filter, or the reason why it has none. */
function compileProved(
  { policy }: ReadSection,
  deadline: Deadline,
):
  | Entry["bytes"]
  | Extract<FilterResult, { readonly kind: "not-optimizable" }> {
  const late = {
    kind: "not-optimizable",
    reason: "deadline",
    detail: 'the time limit has passed: raise "deadlineMs" in the settings',
  } as const;
  if (deadline.left() === 0) return late;
  const filter = compilePolicy(policy, {
    interrupted: () => deadline.left() === 0,
  });
  if (filter.kind === "proved") return filter.bytes;
  const { cause, message } = filter;
  switch (cause.kind) {
    case "too-large":
      return { kind: "not-optimizable", reason: "too-large", detail: message };
    case "unproven":
      if (deadline.left() === 0) return late;
      return { kind: "not-optimizable", reason: "unproven", detail: message };
    case "different":
      return {
        kind: "not-optimizable",
        reason: "failed-proof",
        detail: message,
      };
  }
}
