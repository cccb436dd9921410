/**
 * Rewrites one configuration: the common part of Podman's `precreate` stage,
 * the runtime wrapper and `rewrite BUNDLE`.
 *
 * - No section, or null: always unchanged.
 * - No annotation: the proved filter is added.
 * - An annotation: it must be ours, or be proved equal to the section.
 * - A section that cannot be optimized: unchanged, or refused with `strict`.
 *
 * @module
 */

import { encodeBase64 } from "../bpf/base64.ts";
import { decode } from "../bpf/encode.ts";
import type { Diagnostic } from "../profile/diagnostic.ts";
import { findMember } from "../profile/json/value.ts";
import type { Policy } from "../profile/policy.ts";
import type { Entry } from "./store/entry.ts";
import { RefusedError } from "./error.ts";
import {
  type FilterContext,
  filterOf,
  type FilterResult,
  findFilter,
  rememberLeft,
} from "./filter.ts";
import {
  type NotOptimizable,
  type ReadSection,
  readSection,
} from "./section.ts";
import { requireCertificateOf } from "./certificate.ts";
import { judgeAnnotation, type JudgeOptions } from "./foreign.ts";
import type { LogLevel } from "./syslog.ts";
import { addAnnotation, type ConfigText, readConfigText } from "./rewrite.ts";

/**
 * Result for a configuration.
 *
 * @category Containers
 */
export type Rewrite =
  | {
    readonly kind: "added";
    /** The configuration with the annotation. */
    readonly text: string;
    readonly entry: Entry;
    /** Origin of the filter. */
    readonly from: "store" | "compiler";
    /** Warnings about the section; empty if its filter was stored. */
    readonly findings: readonly Diagnostic[];
    /** Further messages for the log. */
    readonly warnings: readonly string[];
  }
  | {
    readonly kind: "unchanged";
    /** The unchanged configuration. */
    readonly text: string;
    /**
     * `unconfined`, `annotated`, or the reason why the section cannot be
     * optimized.
     */
    readonly reason: string;
    /** Observation, without a final period. */
    readonly detail: string;
    /** Warnings about the section; empty if its filter was stored. */
    readonly findings: readonly Diagnostic[];
    /** Further messages for the log. */
    readonly warnings: readonly string[];
  };

/**
 * Options of a rewrite.
 *
 * @category Containers
 */
export interface RewriteContext extends FilterContext {
  /** True to refuse a section that cannot be optimized. */
  readonly strict: boolean;
  /** True to refuse a foreign annotation without a certificate. */
  readonly requireCertificate?: boolean;
  /** Reason why no section can be optimized here; absent if nothing prevents it. */
  readonly obstacle?: string;
}

/**
 * Rewrites a configuration.
 *
 * @param text The configuration.
 * @param context Environment, store and time limit.
 * @returns The result.
 * @throws {RefusedError} if the container must not start.
 * @category Containers
 */
export async function rewriteConfig(
  text: string,
  context: RewriteContext,
): Promise<Rewrite> {
  return await rewriteParsed(readConfigText(text), context);
}

/**
 * Rewrites a configuration that was read before.
 *
 * @param config The configuration.
 * @param context Environment, store and time limit.
 * @returns The result.
 * @throws {RefusedError} if the container must not start.
 */
export async function rewriteParsed(
  config: ConfigText,
  context: RewriteContext,
): Promise<Rewrite> {
  const { text } = config;
  if (config.section === undefined) {
    return {
      kind: "unchanged",
      text,
      reason: "unconfined",
      detail: "the configuration has no linux.seccomp",
      findings: [],
      warnings: [],
    };
  }
  const known = await findKnown(config, context);
  if (known?.kind === "left") return known.rewrite;
  if (known !== undefined) {
    return await finish(config, known, context, undefined);
  }
  const reading = readSection(
    config.section,
    context.environment,
    config.sectionDocument,
  );
  if (reading.kind === "not-optimizable") {
    return await giveUp(config, reading, context, undefined);
  }
  const { section } = reading;
  const result = await resultFor(config, section, context);
  if (result.kind === "not-optimizable") {
    return await giveUp(config, result, context, section);
  }
  return await finish(config, result, context, section);
}

async function resultFor(
  config: ConfigText,
  section: ReadSection,
  context: RewriteContext,
): Promise<FilterResult> {
  const left = (
    reason: NotOptimizable,
    detail: string,
  ): FilterResult => ({ kind: "not-optimizable", reason, detail });
  if (context.obstacle !== undefined) return left("names", context.obstacle);
  const notify = whyNotify(config, section);
  if (notify !== undefined) return left("notify", notify);
  const unknown = section.warnings.find((d) => d.code === "unknown-syscall");
  if (unknown !== undefined && failsUnknown(config)) {
    return left(
      "unknown-names",
      `${unknown.message}, and ${FAIL_UNKNOWN} leaves that to crun`,
    );
  }
  return await filterOf(section, context);
}

/**
 * With any value other than "0", crun does not start a container with a name
 * that it does not know.
 */
const FAIL_UNKNOWN = "run.oci.seccomp_fail_unknown_syscall";

function failsUnknown({ root }: ConfigText): boolean {
  const annotations = findMember(root, "annotations");
  const value = annotations?.kind === "object"
    ? findMember(annotations, FAIL_UNKNOWN)
    : undefined;
  return value?.kind === "string" && value.value !== "0";
}

/**
 * Chooses the severity of the messages about a rewrite.
 *
 * @param rewrite The result of a rewrite.
 * @returns `error` if the section should have received a filter.
 */
export function levelOf(rewrite: Rewrite): LogLevel {
  return rewrite.kind === "unchanged" &&
      ["deadline", "failed-proof", "reference"].includes(rewrite.reason)
    ? "error"
    : "warning";
}

/**
 * Lists the messages about a rewrite for a log.
 *
 * @param rewrite The result of a rewrite.
 * @returns One text for all findings of a section, and the other warnings.
 */
export function logLines({ findings, warnings }: Rewrite): readonly string[] {
  if (findings.length === 0) return warnings;
  const found = findings.map((d) => `${d.path}: ${d.message}`);
  return [`linux.seccomp: ${found.join("; ")}`, ...warnings];
}

type Found = Extract<FilterResult, { readonly kind: "filter" }>;

/**
 * Looks up the store before the section is parsed at all. If more than the
 * section matters, it is parsed every time: for notifications, which an escape
 * could spell differently, and if crun must refuse unknown names.
 */
async function findKnown(
  config: ConfigText,
  context: RewriteContext,
): Promise<Found | { kind: "left"; rewrite: Rewrite } | undefined> {
  const { section = "", text } = config;
  if (
    context.obstacle !== undefined || /NOTIFY|\\/.test(section) ||
    failsUnknown(config)
  ) return undefined;
  const entry = await findFilter(section, context);
  if (entry?.left === undefined) {
    return entry && { kind: "filter", entry, from: "store" };
  }
  if (
    context.strict || context.retry === true || config.annotation !== undefined
  ) return undefined;
  const detail = entry.left;
  const warnings = [`Filter not optimized, as before: ${detail}`];
  return {
    kind: "left",
    rewrite: {
      ...{ kind: "unchanged", text, reason: "remembered", detail },
      ...{ findings: [], warnings },
    },
  };
}

/** Adds a filter, or compares it with the existing annotation. */
async function finish(
  config: ConfigText,
  { entry, from, notStored }: Found,
  context: RewriteContext,
  section: ReadSection | undefined,
): Promise<Rewrite> {
  const { environment, deadline } = context;
  const { native } = environment;
  const value = encodeBase64(entry.bytes);
  // Reported once per section, not per container.
  const findings = from === "compiler" ? section?.warnings ?? [] : [];
  const warnings = notStored === undefined
    ? []
    : [`Cannot store the filter: ${notStored}`];
  if (config.annotation === undefined) {
    const text = addAnnotation(config, value);
    return { kind: "added", text, entry, from, findings, warnings };
  }
  const ours = config.annotation.value === value;
  if (!ours) {
    const policy = section?.policy ?? policyOf(config, context);
    const { littleEndian } = native;
    const own = decode(entry.bytes, { littleEndian });
    const measure = { policy, own, native, deadline };
    await judgeForeign(config, measure, context);
  }
  return {
    kind: "unchanged",
    text: config.text,
    reason: "annotated",
    detail: ours
      ? "the annotation already exists"
      : "another annotation exists, proved equal to linux.seccomp",
    findings,
    warnings,
  };
}

/** Accepts a foreign annotation, or refuses it. */
async function judgeForeign(
  config: ConfigText,
  measure: JudgeOptions,
  { requireCertificate }: RewriteContext,
): Promise<void> {
  const program = judgeAnnotation(config.annotation?.value ?? "", measure);
  if (requireCertificate) {
    await requireCertificateOf(config, program, measure.policy);
  }
}

/** The meaning of a section that was compiled before. */
function policyOf(
  { section = "", sectionDocument }: ConfigText,
  { environment }: RewriteContext,
): Policy {
  const reading = readSection(section, environment, sectionDocument);
  if (reading.kind === "section") return reading.section.policy;
  throw new Error("Unreachable: a stored section cannot be read");
}

/** Leaves a section to its runtime; an annotation must still be equal to it. */
async function giveUp(
  config: ConfigText,
  result: Extract<FilterResult, { kind: "not-optimizable" }>,
  context: RewriteContext,
  section: ReadSection | undefined,
): Promise<Rewrite> {
  const { reason, detail } = result;
  const { strict, environment, deadline } = context;
  if (config.annotation !== undefined) {
    if (reason === "unknown-names") {
      throw new RefusedError(
        "foreign-annotation",
        `Cannot accept the annotation: with an annotation, crun does not check names (${detail}); remove it`,
      );
    }
    if (section === undefined) {
      throw new RefusedError(
        "foreign-annotation",
        `Cannot check the annotation: linux.seccomp cannot be read for this machine (${detail}); remove it`,
      );
    }
    const measure = {
      policy: section.policy,
      native: environment.native,
      deadline,
    };
    await judgeForeign(config, measure, context);
  }
  if (strict) {
    throw new RefusedError(
      "not-optimized",
      `Cannot optimize the filter: ${detail}: start without --strict`,
    );
  }
  await rememberLeft(config.section ?? "", result, context);
  return {
    kind: "unchanged",
    text: config.text,
    reason,
    detail,
    findings: [],
    warnings: [`Filter not optimized (${reason}): ${detail}`],
  };
}

/** crun's way to handle notifications besides the section's own listener. */
const RECEIVER_KEYS: readonly string[] = [
  "run.oci.seccomp.receiver",
  "run.oci.seccomp.plugins",
];

/**
 * Explains why notifications keep a section from being optimized. With a
 * `listenerPath` crun keeps the listener of a raw filter (1.8.1, 1.28).
 */
function whyNotify(
  config: ConfigText,
  { seccomp }: ReadSection,
): string | undefined {
  const notifies = [seccomp, ...seccomp.syscalls].some((part) =>
    ("action" in part ? part.action : part.defaultAction) === "SCMP_ACT_NOTIFY"
  );
  if (!notifies) return undefined;
  const annotations = findMember(config.root, "annotations");
  const receiver = annotations?.kind !== "object"
    ? undefined
    : RECEIVER_KEYS.find((key) => findMember(annotations, key) !== undefined);
  if (receiver !== undefined) {
    return `SCMP_ACT_NOTIFY with the annotation ${receiver}`;
  }
  return seccomp.listenerPath === undefined
    ? "SCMP_ACT_NOTIFY without listenerPath"
    : undefined;
}
