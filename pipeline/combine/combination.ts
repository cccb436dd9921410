/**
 * One attempt to combine profiles, in a diagram of a given size: the meaning of
 * all inputs, its draft as a profile, and the proof that a profile has it.
 *
 * @module
 */

import {
  type ParsedProfile,
  parseProfile,
} from "../../profile/formats/parse.ts";
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
import type { Symbols } from "../../verify/core/symbols.ts";
import { fromWords } from "../../verify/describe/confirm.ts";
import { lowestInput } from "../../verify/describe/inputs.ts";
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
import type { CoverSpaces } from "./cover_spaces.ts";
import { editMeaning } from "./edits.ts";
import { writeEntries } from "./entries.ts";
import { policyOfMeaning } from "./meaning_policy.ts";
import { productPolicy } from "./product_policy.ts";
import { proveReadings, type ReadingsProof, resolveBare } from "./readings.ts";
import type {
  Combined,
  CombinedProfile,
  CombineInput,
  CombineOperation,
  CombineOptions,
  UnsaidProfile,
} from "./result.ts";
import { sectionOf, UnsaidAnswer } from "./section.ts";
import { answerAt, describeWitness } from "./witness.ts";

/** A profile that has the meaning if any does; it is not yet proved. */
export interface DraftedProfile {
  readonly kind: "draft";
  readonly section: CommentedSection;
  readonly arches: readonly Arch[];
  /** Reasons for which entries of a call are wrong, by name. */
  readonly reasons: ReadonlyMap<string, string>;
  /** Makes the meaning as a policy. */
  readonly toPolicy: UnsaidProfile["toPolicy"];
  /** The inputs as they were resolved; absent for filters. */
  readonly inputs: readonly (ResolvedSection | undefined)[];
}

/** The diagrams of a combination. */
export interface CombinationSpaces {
  readonly symbols: Symbols;
  readonly spaces: CoverSpaces;
  /** True to skip changes of calls that the machine does not have. */
  readonly skipUnknown?: boolean;
}

/** One attempt. */
export class Combination {
  readonly #inputs: readonly CombineInput[];
  readonly #target: ProfileTarget;
  readonly #options: CombineOptions;
  readonly #symbols: Symbols;
  readonly #spaces: CoverSpaces;
  readonly #skipUnknown: boolean;
  readonly #native: Arch;

  /**
   * @param inputs The profiles and filters.
   * @param target The machine, container and runtime.
   * @param options The operation, and changes.
   * @param spaces Its diagrams.
   */
  constructor(
    inputs: readonly CombineInput[],
    target: ProfileTarget,
    options: CombineOptions,
    { symbols, spaces, skipUnknown = false }: CombinationSpaces,
  ) {
    this.#inputs = inputs;
    this.#target = target;
    this.#options = options;
    this.#symbols = symbols;
    this.#spaces = spaces;
    this.#skipUnknown = skipUnknown;
    this.#native = nativeOf(target);
  }

  /**
   * Makes the profile with its proof, or says why no profile has the meaning.
   *
   * @throws {LimitReached} if a function becomes too large.
   */
  make(): Combined {
    const resolved = this.#resolved();
    let meaning: Node;
    try {
      meaning = this.#meaningOf(resolved);
    } catch (error) {
      if (!(error instanceof ComputedAnswer)) throw error;
      return {
        kind: "unsaid",
        arches: [],
        inputs: resolved,
        part: "the answers of a filter",
        reason: "it computes them from the call",
        calls: new Map(),
        toPolicy: () => undefined,
      };
    }
    const made = this.#proved(meaning, resolved, true);
    if (made.kind === "profile" || made.witness?.semantics === undefined) {
      return made;
    }
    // An older version skips an entry that wins over another one here.
    const apart = this.#proved(meaning, resolved, false);
    return apart.kind === "profile" ? apart : made;
  }

  #proved(
    meaning: Node,
    resolved: readonly (ResolvedSection | undefined)[],
    overlap: boolean,
  ): CombinedProfile | UnsaidProfile {
    const drafted = this.#draft(meaning, resolved, overlap);
    if (drafted.kind !== "draft") return drafted;
    const { section, reasons, ...facts } = drafted;
    const text = writeSection(section);
    const native = { ...this.#target, arch: this.#native.name };
    const profile = parseProfile(text, { kind: "oci" });
    const proof = this.#proof(meaning, profile, native);
    const { wrong, policy, equal, refused, different } = proof;
    if (wrong === undefined) {
      if (policy === undefined) unreachable("no reading");
      const { arches, inputs } = facts;
      const readings = { equal, refused, different };
      const made = { section, text, policy, arches, inputs };
      return { kind: "profile", ...made, ...readings };
    }
    const unsaid = { ...facts, kind: "unsaid", calls: reasons } as const;
    const { meaning: other, semantics, refusal = "" } = wrong;
    if (other === undefined) {
      const [, call, arch] = /"([^"]+)" on (\w+)/.exec(refusal) ?? [];
      return {
        ...unsaid,
        part: call === undefined
          ? `the profile under ${semantics}`
          : `${call} on ${arch}`,
        reason: refusal,
        calls: call === undefined
          ? reasons
          : new Map([...reasons, [call, refusal]]),
      };
    }
    const { arches } = facts;
    const witness = this.#witness(wrong.wanted ?? meaning, other, arches);
    const described = describeWitness(witness.data, arches, reasons);
    if (wrong.wanted === undefined) return { ...unsaid, ...described, witness };
    const [runtime, version = ""] = semantics.split("@");
    return {
      ...unsaid,
      part: described.part,
      reason: `${runtime} ${version} reads the profile in another way`,
      witness: { ...witness, semantics },
    };
  }

  /**
   * Writes the profile without its proof.
   *
   * @throws {ComputedAnswer} if a filter computes an answer.
   * @throws {LimitReached} if a function becomes too large.
   *
   * @returns The profile, or the reason why none has the meaning.
   */
  draft(): DraftedProfile | UnsaidProfile {
    const resolved = this.#resolved();
    return this.#draft(this.#meaningOf(resolved), resolved, true);
  }

  /**
   * Reads a profile as every known version does, and compares the meanings.
   *
   * @throws {ComputedAnswer} if a filter computes an answer.
   * @throws {LimitReached} if a function becomes too large.
   *
   * @param profile The profile.
   */
  prove(profile: ParsedProfile): ReadingsProof & { readonly kind: "proof" } {
    const meaning = this.#meaningOf(this.#resolved());
    return { kind: "proof", ...this.#proof(meaning, profile, this.#target) };
  }

  #proof(
    meaning: Node,
    profile: ParsedProfile,
    target: ProfileTarget,
  ): ReadingsProof {
    return proveReadings(
      this.#symbols,
      profile,
      target,
      {
        wanted: meaning,
        meaningAs: (semantics) => this.#meaningAs(semantics),
        onlyTarget: this.#options.onlyTarget === true,
      },
    );
  }

  #resolved(): readonly (ResolvedSection | undefined)[] {
    return this.#inputs.map((input) =>
      "profile" in input ? resolveBare(input.profile, this.#target) : undefined
    );
  }

  #draft(
    meaning: Node,
    resolved: readonly (ResolvedSection | undefined)[],
    overlap: boolean,
  ): DraftedProfile | UnsaidProfile {
    const native = this.#native;
    const functions = this.#functionsOf(meaning);
    const arches = functions.arches(native);
    const facts = {
      arches,
      inputs: resolved,
      toPolicy: () =>
        this.#product(meaning, resolved) ?? policyOfMeaning(functions, arches),
    };
    const fallback = functions.constantOf(functions.at(native, UNNAMED_NUMBER));
    if (fallback === undefined) {
      return {
        kind: "unsaid",
        ...facts,
        part: "calls without a name",
        reason: "their answer depends on arguments, and entries have names",
        calls: new Map(),
      };
    }
    const { entries, unsaid: reasons } = writeEntries(
      functions,
      arches,
      fallback,
      overlap,
    );
    try {
      const section = sectionOf(
        { fallback, entries, arches },
        this.#inputs,
        resolved,
        { keepOrder: this.#options.keepOrder === true },
      );
      return { kind: "draft", section, reasons, ...facts };
    } catch (error) {
      if (!(error instanceof UnsaidAnswer)) throw error;
      const { part, reason } = error;
      const calls = new Map<string, string>();
      return { kind: "unsaid", ...facts, part, reason, calls };
    }
  }

  #functionsOf(meaning: Node): CallFunctions {
    const { littleEndian } = this.#native;
    return new CallFunctions(
      this.#symbols,
      meaning,
      littleEndian,
      this.#spaces,
    );
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
    const arches = this.#functionsOf(meaning).arches(this.#native);
    return editMeaning(symbols, meaning, edits, {
      arches,
      denial,
      skipUnknown: this.#skipUnknown,
    });
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
    const functions = this.#functionsOf(
      pointwise(this.#symbols, [subject], strictest),
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
