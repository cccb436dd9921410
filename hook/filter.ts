/**
 * Gets the filter of a section: from the store, or by compiling, proving and
 * storing it. This module provides no other way to get a filter, and no way
 * around the proof.
 *
 * @module
 */

import { compilePolicy } from "../pipeline/compile_profile.ts";
import type { Arch } from "../tables/arch.ts";
import type { LeftSection, NotOptimizable, ReadSection } from "./section.ts";
import type { Deadline } from "./deadline.ts";
import type { Entry } from "./store/entry.ts";
import { COMPILER_VERSION, type Environment, keyOf } from "./environment.ts";
import type { Store } from "./store/store.ts";

/**
 * Inputs besides the section.
 *
 * @category Containers
 */
export interface FilterContext {
  /** Machine, semantics, names. */
  readonly environment: Environment;
  /** Store of filters; absent if they are not stored. */
  readonly store?: Store;
  /** Time limit. */
  readonly deadline: Deadline;
  /** True if the caller holds the lock of the store. */
  readonly locked?: boolean;
  /**
   * `host` to also prove new filters equal to those of the host's libseccomp.
   */
  readonly reference?: "host" | "text";
  /** True to retry sections that were left to their runtime before. */
  readonly retry?: boolean;
}

/** A section's filter, or the reason why it has none. */
export type FilterResult =
  | {
    readonly kind: "filter";
    readonly entry: Entry;
    /** Origin of the filter. */
    readonly from: "store" | "compiler";
    /**
     * The reason why it could not be stored; absent if it was stored, or if
     * there is no store.
     */
    readonly notStored?: string;
  }
  | LeftSection;

/**
 * Maximum time in milliseconds to wait for another process that is compiling.
 */
const MOST_WAIT_MS = 3000;

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

/** Reasons that apply to every container with this section. */
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
 * Records that a section is left to its runtime, so that the next container
 * does not repeat the attempt.
 *
 * @param text The section exactly as written.
 * @param reason The reason why it is left.
 * @param detail Observation.
 * @param context Environment and store.
 */
export async function rememberLeft(
  text: string,
  { reason, detail }: Pick<
    LeftSection,
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
    const compared = await compareWithHost(entry, environment, {
      limitMs: limit,
      read: section,
    });
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
  | LeftSection {
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
