/**
 * Converts a policy to another format, reads the result back, and proves that
 * it means the same. What a format cannot say becomes stricter where possible,
 * and is listed with a call.
 *
 * ```text
 * source ─▶ meaning ─writer▶ text ─reader▶ meaning ─compare▶ equal, or every loss
 * ```
 *
 * @module
 */

import type { Policy } from "../../profile/policy.ts";
import { type Arch, archByName } from "../../tables/arch.ts";
import { SECCOMP_RET_KILL_THREAD } from "../../tables/uapi.ts";
import type { Node } from "../../verify/core/diagram.ts";
import { meaningOf } from "../../verify/core/meaning.ts";
import { createSymbols, type Symbols } from "../../verify/core/symbols.ts";
import { constant } from "../../verify/core/word.ts";
import {
  DEFAULT_PROOF_LIMITS,
  type LimitName,
  LimitReached,
  type ProofLimits,
} from "../../verify/limits.ts";
import {
  ComputedAnswer,
  pointwise,
  strictest,
} from "../../verify/pointwise.ts";
import { policyOfMeaning } from "../combine/meaning_policy.ts";
import { resolveBare } from "../combine/readings.ts";
import type { CombineInput } from "../combine/result.ts";
import type { ProfileTarget, ResolvedSection } from "../resolve_profile.ts";
import { findLosses, type LossReasons } from "./losses.ts";
import { fieldLosses } from "./fields.ts";
import { Regions } from "./regions.ts";
import {
  type Conversion,
  type Converted,
  type ConvertOptions,
  SECTION_FORMATS,
} from "./result.ts";
import { SourceView } from "./source_view.ts";
import { configText } from "./writers/config.ts";
import { writeFirecracker } from "./writers/firecracker.ts";
import { writeMinijail } from "./writers/minijail.ts";
import { writeProfile } from "./writers/section.ts";
import { writeSystemd } from "./writers/systemd.ts";
import { UnwritableSource } from "./writers/written.ts";

/** Shares of the nodes that are tried; a small diagram takes half the time. */
const SHARES: readonly number[] = [1 / 8, 1];

/**
 * Converts a profile or a filter.
 *
 * @example Docker's conditions on arguments, which systemd does not have
 * ```ts
 * import { convert } from "./convert.ts";
 * import { parseProfile } from "../../profile/formats/parse.ts";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const text = `{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
 *   { "names": ["read"], "action": "SCMP_ACT_ALLOW" },
 *   { "names": ["socket"], "action": "SCMP_ACT_ALLOW",
 *     "args": [{ "index": 0, "value": 1, "op": "SCMP_CMP_EQ" }] }] }`;
 * const result = convert({ profile: parseProfile(text) }, { arch: ["x86_64"] }, {
 *   format: "systemd",
 * });
 * assert(result.kind === "converted");
 * assertEquals(result.losses.map(({ part, effect }) => [part, effect]), [
 *   ["socket on x86_64", "stricter"],
 * ]);
 * ```
 *
 * @throws {ProfileError} if a profile cannot be used.
 * @throws {RangeError} if the target names no architecture.
 *
 * @param input The profile or filter.
 * @param target The machine, container and runtime.
 * @param options The format.
 * @returns The result with everything that it loses, or the reason why there is
 * none.
 */
export function convert(
  input: CombineInput,
  target: ProfileTarget,
  options: ConvertOptions,
): Conversion {
  const resolved = "profile" in input
    ? resolveBare(input.profile, target)
    : undefined;
  const limits = { ...DEFAULT_PROOF_LIMITS, ...options.limits };
  let limit: LimitName = "nodes";
  for (const share of SHARES) {
    const nodes = Math.ceil(limits.nodes * share);
    try {
      const symbols = createSymbols("word", { ...limits, nodes });
      const one = new OneConversion(input, target, options, symbols, limits);
      return one.make(resolved);
    } catch (error) {
      if (error instanceof UnwritableSource) {
        const { message: reason } = error;
        return { kind: "unconvertible", reason, ...resolved && { resolved } };
      }
      if (error instanceof ComputedAnswer) {
        return {
          kind: "unconvertible",
          reason: "a filter computes its answers from the call",
        };
      }
      if (!(error instanceof LimitReached)) throw error;
      limit = error.limit;
    }
  }
  return { kind: "unproved", limit };
}

/** One attempt. */
class OneConversion {
  readonly #input: CombineInput;
  readonly #target: ProfileTarget;
  readonly #options: ConvertOptions;
  readonly #symbols: Symbols;
  readonly #limits: ProofLimits;

  constructor(
    input: CombineInput,
    target: ProfileTarget,
    options: ConvertOptions,
    symbols: Symbols,
    limits: ProofLimits,
  ) {
    this.#input = input;
    this.#target = target;
    this.#options = options;
    this.#symbols = symbols;
    this.#limits = limits;
  }

  make(resolved: ResolvedSection | undefined): Converted {
    const view = this.#view(resolved);
    const written = this.#write(view, resolved);
    const got = meaningOf(written.policy, true, this.#symbols);
    // The same function is the same node.
    const found = got === view.meaning
      ? { losses: [], elsewhere: [] }
      : findLosses(view, got, written.reasons, written.arches);
    const { arches: _written, reasons: _reasons, ...result } = written;
    return {
      kind: "converted",
      ...result,
      arches: view.arches,
      losses: [
        ...found.losses,
        ...fieldLosses(this.#options.format, resolved?.seccomp),
      ],
      elsewhere: found.elsewhere,
      ...(resolved === undefined ? {} : { resolved }),
    };
  }

  #view(resolved: ResolvedSection | undefined): SourceView {
    const symbols = this.#symbols;
    const limits = this.#limits;
    const native = nativeOf(this.#target);
    if (resolved !== undefined) {
      const { policy, arches } = resolved;
      const meaning = pointwise(symbols, [policy], strictest);
      return new SourceView(symbols, meaning, native, { arches, limits });
    }
    const subject = "filter" in this.#input
      ? this.#input.filter
      : unreachable("no filter");
    const whole = pointwise(symbols, [subject], strictest);
    const { arches } = this.#options;
    if (arches === undefined) {
      return new SourceView(symbols, whole, native, { limits });
    }
    const { diagram: d, leaf } = symbols;
    const kill = leaf(constant(SECCOMP_RET_KILL_THREAD));
    const within = new Regions(symbols).all(arches);
    const meaning: Node = d.choose(within, whole, kill);
    return new SourceView(symbols, meaning, native, { arches, limits });
  }

  #write(
    view: SourceView,
    resolved: ResolvedSection | undefined,
  ): WrittenResult {
    const { format, categories, keepConditions = false } = this.#options;
    switch (format) {
      case "firecracker":
        return writeFirecracker(view, categories);
      case "minijail":
        return writeMinijail(view);
      case "systemd":
        return writeSystemd(view);
      case "bwrap":
        return rawPolicy(view, resolved);
      default:
        SECTION_FORMATS.has(format) || unreachable(format);
    }
    const { profile, reasons } = writeProfile(view, {
      format,
      input: this.#input,
      target: this.#target,
      isWhole: resolved !== undefined || this.#options.arches === undefined,
      keepConditions: keepConditions &&
        (format === "docker" || format === "podman"),
    });
    const { section, policy, arches, equal, refused, different } = profile;
    const text = format === "config"
      ? configText(
        profile.text,
        "profile" in this.#input ? this.#input.profile : undefined,
      )
      : profile.text;
    return {
      ...{ text, section, policy, arches, reasons },
      ...{ equalUnder: equal, refusedBy: refused, differentUnder: different },
    };
  }
}

type Reading = "equalUnder" | "refusedBy" | "differentUnder";

/** The result of a writer. */
interface WrittenResult
  extends
    Pick<Converted, "text" | "section" | "policy">,
    Partial<Pick<Converted, Reading>> {
  readonly arches: readonly Arch[];
  readonly reasons: LossReasons;
}

/** A raw filter says everything. */
function rawPolicy(
  view: SourceView,
  resolved: ResolvedSection | undefined,
): WrittenResult {
  const policy: Policy | undefined = resolved?.policy ??
    policyOfMeaning(view.functions, view.arches);
  if (policy === undefined) {
    throw new UnwritableSource("its rules would be too many");
  }
  const none = "a raw filter says everything";
  return {
    policy,
    arches: view.arches,
    reasons: { calls: new Map(), fallback: none, arch: none },
  };
}

function nativeOf({ arch }: ProfileTarget): Arch {
  const name = typeof arch === "string" ? arch : arch[0];
  const found = name === undefined ? undefined : archByName(name);
  if (found !== undefined) return found;
  throw new RangeError(
    `Cannot convert for ${JSON.stringify(name)}: unknown architecture`,
  );
}

function unreachable(what: string): never {
  throw new Error(`Unreachable: ${what}`);
}
