/**
 * Combines profiles: every input of the result gets the strictest or the
 * loosest of the answers, or the answers of one minus what the others permit.
 * The result is written as a profile in a normal form, read back as every known
 * version of crun and runc reads it, and proved to have that meaning.
 *
 * ```text
 * profiles ─resolve▶ policies ─pointwise▶ meaning ─entries▶ profile ─readings▶ proved
 *                                            └─ policy ▶ a filter, even if no profile can express it
 * ```
 *
 * @module
 */

import { parseProfile } from "../../profile/formats/parse.ts";
import type { CommentedSection } from "../../profile/formats/write_section.ts";
import { writeSection } from "../../profile/formats/write_section.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import type { Policy, ReturnValue } from "../../profile/policy.ts";
import type { Semantics } from "../../profile/semantics/versions.ts";
import { type Arch, archByName } from "../../tables/arch.ts";
import { SECCOMP_RET_ERRNO } from "../../tables/uapi.ts";
import { NEVER, type Node } from "../../verify/core/diagram.ts";
import { meaningOf, whereDifferent } from "../../verify/core/meaning.ts";
import type { Subject } from "../../verify/core/subject.ts";
import { createSymbols, type Symbols } from "../../verify/core/symbols.ts";
import { fromWords } from "../../verify/describe/confirm.ts";
import { lowestInput } from "../../verify/describe/inputs.ts";
import {
  DEFAULT_PROOF_LIMITS,
  type LimitName,
  LimitReached,
  type ProofLimits,
} from "../../verify/limits.ts";
import {
  type AnswerFunction,
  compareAnswers,
  ComputedAnswer,
  isPermission,
  loosest,
  pointwise,
  strictest,
} from "../../verify/pointwise.ts";
import type { ProfileTarget, ResolvedSection } from "../resolve_profile.ts";
import { CallFunctions, UNNAMED_NUMBER } from "./call_functions.ts";
import { keepConditions } from "./conditions.ts";
import { editMeaning } from "./edits.ts";
import { writeEntries } from "./entries.ts";
import { policyOfMeaning } from "./meaning_policy.ts";
import { productPolicy } from "./product_policy.ts";
import { proveReadings, resolveBare } from "./readings.ts";
import type {
  Combined,
  CombineInput,
  CombineOperation,
  CombineOptions,
  UnsaidProfile,
} from "./result.ts";
import { sectionOf, UnsaidAnswer } from "./section.ts";
import { answerAt, describeWitness } from "./witness.ts";

/** Shares of the node limit to try; a small diagram takes half the time. */
const SHARES: readonly number[] = [1 / 32, 1 / 4, 1];

/**
 * Combines profiles and filters.
 *
 * @example Docker's default without mkdir
 * ```ts
 * import { combine } from "./combine.ts";
 * import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
 * import { parseProfile } from "../../profile/formats/parse.ts";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const own = `{
 *   "defaultAction": "SCMP_ACT_ALLOW",
 *   "syscalls": [{ "names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38 }]
 * }`;
 * const result = combine(
 *   [{ profile: parseProfile(DEFAULT_PROFILE) }, { profile: parseProfile(own) }],
 *   { arch: ["x86_64"], kernel: { major: 6, minor: 1 } },
 * );
 * assert(result.kind === "profile");
 * assertEquals(result.section.defaultAction, "SCMP_ACT_ERRNO");
 * assert(!result.section.syscalls.some(({ names, action }) =>
 *   names.includes("mkdir") && action === "SCMP_ACT_ALLOW"
 * ));
 * ```
 *
 * @throws {ProfileError} if a profile cannot be used.
 * @throws {RangeError} if there is no input, or the target names no architecture.
 * @throws {StatementError} if an edit names an unknown call, argument or value.
 * @throws {TypeError} if the inputs are for machines of different byte order.
 *
 * @param inputs The profiles and filters; the flags and the comments of the
 * first profile are kept.
 * @param target The machine, container and runtime.
 * @param options The operation, and changes.
 * @returns The profile with its proof, or the reason why no profile expresses
 * it.
 */
export function combine(
  inputs: readonly CombineInput[],
  target: ProfileTarget,
  options: CombineOptions = {},
): Combined {
  if (inputs.length === 0) {
    throw new RangeError("Cannot combine nothing; give a profile");
  }
  if (options.keepConditions === true) {
    const decided = { ...options, keepConditions: false };
    const kept = keepConditions(
      inputs,
      target,
      options,
      (some, one) => combine(some, one, decided),
    );
    if (kept !== undefined) return kept;
  }
  const limits = { ...DEFAULT_PROOF_LIMITS, ...options.limits };
  let limit: LimitName = "nodes";
  for (const share of SHARES) {
    const nodes = Math.ceil(limits.nodes * share);
    try {
      const symbols = createSymbols("word", { ...limits, nodes });
      return new Combination(inputs, target, options, limits, symbols).make();
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      limit = error.limit;
    }
  }
  return { kind: "unproved", limit };
}

/** One attempt. */
class Combination {
  readonly #inputs: readonly CombineInput[];
  readonly #target: ProfileTarget;
  readonly #options: CombineOptions;
  /** Limits of further diagrams. */
  readonly #limits: ProofLimits;
  readonly #symbols: Symbols;
  readonly #native: Arch;

  constructor(
    inputs: readonly CombineInput[],
    target: ProfileTarget,
    options: CombineOptions,
    limits: ProofLimits,
    symbols: Symbols,
  ) {
    this.#inputs = inputs;
    this.#target = target;
    this.#options = options;
    this.#limits = limits;
    this.#symbols = symbols;
    this.#native = nativeOf(target);
  }

  make(): Combined {
    const resolved = this.#inputs.map((input) =>
      "profile" in input ? resolveBare(input.profile, this.#target) : undefined
    );
    const unsaid = { kind: "unsaid", arches: [], inputs: resolved } as const;
    let meaning: Node;
    try {
      meaning = this.#meaningOf(resolved);
    } catch (error) {
      if (!(error instanceof ComputedAnswer)) throw error;
      return {
        ...unsaid,
        part: "the answers of a filter",
        reason: "it computes them from the call",
        toPolicy: () => undefined,
      };
    }
    return this.#write(meaning, resolved);
  }

  #write(
    meaning: Node,
    resolved: readonly (ResolvedSection | undefined)[],
  ): Combined {
    const symbols = this.#symbols;
    const native = this.#native;
    const { littleEndian } = native;
    const functions = new CallFunctions(
      symbols,
      meaning,
      littleEndian,
      this.#limits,
    );
    const arches = functions.arches(native);
    const unsaid = {
      kind: "unsaid",
      arches,
      inputs: resolved,
      toPolicy: () =>
        this.#product(meaning, resolved) ?? policyOfMeaning(functions, arches),
    } as const;
    const fallback = functions.constantOf(functions.at(native, UNNAMED_NUMBER));
    if (fallback === undefined) {
      return {
        ...unsaid,
        part: "calls without a name",
        reason: "their answer depends on arguments, and entries have names",
      };
    }
    const { entries, unsaid: reasons } = writeEntries(
      functions,
      arches,
      fallback,
    );
    let section: CommentedSection;
    try {
      section = sectionOf(
        { fallback, entries, arches },
        this.#inputs,
        resolved,
        {
          keepOrder: this.#options.keepOrder === true,
        },
      );
    } catch (error) {
      if (!(error instanceof UnsaidAnswer)) throw error;
      const { part, reason } = error;
      return { ...unsaid, part, reason };
    }
    const text = writeSection(section);
    const proof = proveReadings(
      symbols,
      parseProfile(text, { kind: "oci" }),
      { ...this.#target, arch: native.name },
      meaning,
      (semantics) => this.#meaningAs(semantics),
    );
    const { wrong, policy, equal, refused } = proof;
    if (wrong === undefined) {
      if (policy === undefined) unreachable("no reading");
      const facts = { section, text, policy, arches, equal, refused };
      return { kind: "profile", ...facts, inputs: resolved };
    }
    const { meaning: other, semantics, refusal = "" } = wrong;
    if (other === undefined) {
      const [, call, arch] = /"([^"]+)" on (\w+)/.exec(refusal) ?? [];
      return {
        ...unsaid,
        part: call === undefined
          ? `the profile under ${semantics}`
          : `${call} on ${arch}`,
        reason: refusal,
      };
    }
    const witness = this.#witness(meaning, other, arches);
    return {
      ...unsaid,
      ...describeWitness(witness.data, arches, reasons),
      witness,
    };
  }

  #meaningOf(resolved: readonly (ResolvedSection | undefined)[]): Node {
    const subjects = this.#inputs.map((input, i): Subject =>
      "filter" in input
        ? input.filter
        : resolved[i]?.policy ?? unreachable("no policy")
    );
    const symbols = this.#symbols;
    const denial = denialOf(this.#defaultOf(subjects[0]));
    const meaning = pointwise(
      symbols,
      subjects,
      joinOf(this.#options.operation ?? "intersect", denial),
    );
    const { edits = [] } = this.#options;
    if (edits.length === 0) return meaning;
    const arches = new CallFunctions(
      symbols,
      meaning,
      this.#native.littleEndian,
      this.#limits,
    ).arches(this.#native);
    return editMeaning(symbols, meaning, edits, { arches, denial });
  }

  /** The meaning of policies without edits, rule by rule. */
  #product(
    meaning: Node,
    resolved: readonly (ResolvedSection | undefined)[],
  ): Policy | undefined {
    const { edits = [], operation = "intersect" } = this.#options;
    const [first] = resolved;
    if (first === undefined || edits.length > 0) return undefined;
    const join = joinOf(operation, denialOf(first.policy.defaultValue));
    let product: Policy | undefined = first.policy;
    for (const other of resolved.slice(1)) {
      if (product === undefined || other === undefined) return undefined;
      product = productPolicy(product, other.policy, join);
    }
    // Equal functions are one node.
    return product !== undefined &&
        meaningOf(product, true, this.#symbols) === meaning
      ? product
      : undefined;
  }

  /** The default answer of a subject. */
  #defaultOf(subject: Subject | undefined): ReturnValue | undefined {
    if (subject === undefined) return undefined;
    if ("defaultValue" in subject) return subject.defaultValue;
    const functions = new CallFunctions(
      this.#symbols,
      pointwise(this.#symbols, [subject], strictest),
      this.#native.littleEndian,
      this.#limits,
    );
    return functions.constantOf(functions.at(this.#native, UNNAMED_NUMBER));
  }

  /** The meaning of the inputs as a version reads them. */
  #meaningAs(semantics: Semantics): Node | undefined {
    try {
      const target = { ...this.#target, semantics };
      return this.#meaningOf(
        this.#inputs.map((input) =>
          "profile" in input ? resolveBare(input.profile, target) : undefined
        ),
      );
    } catch (error) {
      if (error instanceof ProfileError) return undefined;
      throw error;
    }
  }

  #witness(
    wanted: Node,
    got: Node,
    arches: readonly Arch[],
  ): NonNullable<UnsaidProfile["witness"]> {
    const symbols = this.#symbols;
    const different = whereDifferent(wanted, got, symbols);
    if (different === NEVER) unreachable("meanings that are not one node");
    const audits = arches.map(({ auditArch }) => auditArch);
    const words = lowestInput(symbols, different, audits);
    const { littleEndian } = this.#native;
    return {
      data: fromWords(words, littleEndian),
      wanted: answerAt(symbols, wanted, words),
      got: answerAt(symbols, got, words),
    };
  }
}

function nativeOf({ arch }: ProfileTarget): Arch {
  const name = typeof arch === "string" ? arch : arch[0];
  const found = name === undefined ? undefined : archByName(name);
  if (found !== undefined) return found;
  throw new RangeError(
    `Cannot combine for ${JSON.stringify(name)}: unknown architecture`,
  );
}

/** The answer to denied calls: the default's, or EPERM. */
function denialOf(fallback: ReturnValue | undefined): ReturnValue {
  const eperm = SECCOMP_RET_ERRNO + 1;
  const isDenial = fallback !== undefined &&
    compareAnswers(fallback, SECCOMP_RET_ERRNO) <= 0;
  return isDenial ? fallback : eperm;
}

function joinOf(
  operation: CombineOperation,
  denial: ReturnValue,
): AnswerFunction {
  switch (operation) {
    case "intersect":
      return strictest;
    case "union":
      return loosest;
    case "minus":
      return (a, b) => isPermission(a) && isPermission(b) ? denial : a;
  }
}

function unreachable(what: string): never {
  throw new Error(`Unreachable: ${what}`);
}
