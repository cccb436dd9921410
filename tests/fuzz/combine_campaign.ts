/**
 * The campaign of combined profiles: random pairs are combined, and the result
 * is judged by everything that shares no code with `pipeline/combine/`: the
 * prover (the filter of the result against the two filters stacked), the second
 * interpreter of profiles, and the laws of the operations.
 *
 * @module
 */

import type { Program } from "../../bpf/instruction.ts";
import type { SeccompData } from "../../bpf/seccomp_data.ts";
import { combine } from "../../pipeline/combine/combine.ts";
import type { CombineOperation } from "../../pipeline/combine/result.ts";
import { resolveBare } from "../../pipeline/combine/readings.ts";
import { compilePolicy } from "../../pipeline/compile_profile.ts";
import type { ProfileTarget } from "../../pipeline/resolve_profile.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import {
  type ParsedProfile,
  parseProfile,
} from "../../profile/formats/parse.ts";
import { writeSection } from "../../profile/formats/write_section.ts";
import type { Policy } from "../../profile/policy.ts";
import { decide } from "../../verify/decide.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import {
  type Case,
  generateAny,
  generateContract,
} from "../oracle/generate.ts";
import { inputs } from "../oracle/inputs.ts";
import { hostOf, interpret, type Target } from "../oracle/meaning.ts";
import { judgeLaws, policyOf } from "./combine_laws.ts";
import {
  denialOf,
  effect,
  joinAnswers,
  renameAnswers,
} from "./combine_proofs.ts";

/** Results of the campaign. */
export interface CombineCounts {
  /** Pairs by outcome. */
  readonly outcomes: Readonly<
    Record<"profile" | "unsaid" | "refused" | "unproved", number>
  >;
  /** Intersections that the prover found equal to the two filters stacked. */
  readonly stacked: number;
  /** Results that it found equal to two filters with renamed answers stacked. */
  readonly renamed: number;
  /** Results with more answers than there are actions. */
  readonly many: number;
  /** Proofs of laws. */
  readonly laws: number;
  /** Answers of the second interpreter that were compared. */
  readonly verdicts: number;
  readonly wrong: readonly string[];
}

const OPERATIONS: readonly CombineOperation[] = ["intersect", "union", "minus"];

/** Combines random pairs and judges the results. */
export function judgeCombinations(
  { seed, count }: { readonly seed: number; readonly count: number },
): CombineCounts {
  const outcomes = { profile: 0, unsaid: 0, refused: 0, unproved: 0 };
  const sums = { stacked: 0, renamed: 0, many: 0, laws: 0, verdicts: 0 };
  const wrong: string[] = [];
  for (let i = 0; i < count; i++) {
    const own = (seed + i) >>> 0;
    const operation = OPERATIONS[i % OPERATIONS.length] ?? "intersect";
    const tell = (text: string): void => {
      wrong.push(`seed ${own}, ${operation}: ${text}`);
    };
    // The laws take several times the work of a pair.
    const laws = Math.floor(i / OPERATIONS.length) % 4 === 0;
    const { outcome, ...judged } = judgePair(
      drawPair(own),
      operation,
      laws,
      tell,
    );
    outcomes[outcome]++;
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) {
      sums[name] += judged[name] ?? 0;
    }
    if (wrong.length >= 5) break;
  }
  return { outcomes, ...sums, wrong };
}

/** Results for pairs of given profiles. */
export interface RealCounts {
  /** Pairs whose combination a profile can express. */
  readonly profiles: number;
  /** Pairs whose combination no profile can express; all have a filter. */
  readonly unsaid: number;
  readonly wrong: readonly string[];
}

/**
 * Combines pairs of given profiles and judges the results as those of random
 * ones.
 *
 * @param sections The sections for x86_64, by name.
 * @param operations Operations; of those that commute, each pair is tried once.
 */
export function judgeReal(
  sections: ReadonlyMap<string, LinuxSeccomp>,
  operations: readonly CombineOperation[] = OPERATIONS,
): RealCounts {
  const counts = { profiles: 0, unsaid: 0 };
  const wrong: string[] = [];
  const names = [...sections.keys()];
  const made = new Map<string, Side>();
  for (const [i, name] of names.entries()) {
    for (const [j, other] of names.entries()) {
      for (const operation of operations) {
        if (operation !== "minus" && j < i) continue;
        const [first, second] = [sections.get(name), sections.get(other)];
        if (first === undefined || second === undefined) continue;
        const { outcome } = judgePair(
          { sections: [first, second], native: "x86_64", made },
          operation,
          false,
          (text) => wrong.push(`${name}, ${other}, ${operation}: ${text}`),
        );
        if (outcome === "profile") counts.profiles++;
        else if (outcome === "unsaid") counts.unsaid++;
        else wrong.push(`${name}, ${other}, ${operation}: ${outcome}`);
      }
    }
  }
  return { ...counts, wrong };
}

/** Two profiles for one machine. */
export interface Pair {
  readonly sections: readonly [LinuxSeccomp, LinuxSeccomp];
  readonly native: Target["native"];
  /** Sides that were made before, by text. */
  readonly made?: Map<string, Side>;
}

/**
 * Draws two profiles for one machine, mostly small ones.
 *
 * @param seed A u32.
 */
export function drawPair(seed: number): Pair {
  const draw = (seed: number): Case =>
    seed % 3 === 0 ? generateContract(seed) : generateAny(seed);
  const first = draw(seed);
  const second = draw(seed ^ 0x5555_5555);
  const most = seed % 16 === 0 ? Infinity : 4;
  // Half of the pairs have the list of the one.
  const { architectures } = seed % 2 === 0 ? first.seccomp : second.seccomp;
  const small = ({ seccomp }: Case): LinuxSeccomp => ({
    ...seccomp,
    architectures: architectures.slice(0, most),
    syscalls: seccomp.syscalls.slice(0, most),
  });
  return {
    sections: [small(first), small(second)],
    native: first.target.native,
  };
}

interface Judged {
  readonly outcome: keyof CombineCounts["outcomes"];
  readonly stacked?: number;
  readonly renamed?: number;
  readonly many?: number;
  readonly laws?: number;
  readonly verdicts?: number;
}

/** A profile as text, its policy, and its filter. */
export interface Side {
  readonly profile: ParsedProfile;
  readonly policy: Policy;
  readonly program: Program | undefined;
}

function judgePair(
  { sections, native, made = new Map() }: Pair,
  operation: CombineOperation,
  laws: boolean,
  tell: (text: string) => void,
): Judged {
  const target: ProfileTarget = { arch: native, unknown: "ignore" };
  let sides: readonly Side[];
  try {
    sides = sections.map((section) => sideOf(section, target, made));
  } catch (error) {
    if (error instanceof ProfileError) return { outcome: "refused" };
    throw error;
  }
  const [a, b] = sides;
  if (a === undefined || b === undefined) throw new Error("Unreachable");
  const both = [{ profile: a.profile }, { profile: b.profile }] as const;
  const result = combine(both, target, { operation });
  if (result.kind === "unproved") {
    tell("unproved");
    return { outcome: "unproved" };
  }
  const policy = policyOf(result);
  if (policy === undefined) {
    tell("no policy");
    return { outcome: result.kind };
  }
  const proofs = {
    ...judgeProof(policy, [a, b], operation, tell),
    laws: laws ? judgeLaws(result, both, target, operation, tell) : 0,
  };
  if (result.kind !== "profile") {
    const { witness } = result;
    if (witness === undefined || witness.semantics !== undefined) {
      return { outcome: "unsaid", ...proofs };
    }
    const values = [a, b].map(({ policy }) =>
      decide(policy, witness.data).value
    );
    const denial = denialOf(a.policy.defaultValue);
    const [x = 0, y = 0] = values;
    const wanted = joinAnswers(x, y, operation, denial);
    if (wanted !== witness.wanted || wanted === witness.got) {
      tell(`witness ${JSON.stringify(witness.wanted)}, wanted ${wanted}`);
    }
    return { outcome: "unsaid", ...proofs };
  }
  const verdicts = judgeMeaning(
    result.text,
    sections,
    native,
    operation,
    a,
    tell,
  );
  return { outcome: "profile", ...proofs, verdicts };
}

/** Reads a section, and compiles its filter. */
export function sideOf(
  section: LinuxSeccomp,
  target: ProfileTarget,
  made: Map<string, Side>,
): Side {
  const text = writeSection(section);
  const before = made.get(text);
  if (before !== undefined) return before;
  const profile = parseProfile(text, { kind: "oci" });
  const { policy } = resolveBare(profile, target);
  const filter = compilePolicy(policy);
  const side: Side = {
    profile,
    policy,
    program: filter.kind === "proved" ? filter.program : undefined,
  };
  made.set(text, side);
  return side;
}

/** The filter of the result against the two filters stacked. */
function judgeProof(
  policy: Policy,
  [a, b]: readonly [Side, Side],
  operation: CombineOperation,
  tell: (text: string) => void,
): Pick<Judged, "stacked" | "renamed" | "many"> {
  if (a.program === undefined || b.program === undefined) return {};
  const filter = compilePolicy(policy);
  if (filter.kind !== "proved") {
    tell(`the result has no filter: ${filter.message}`);
    return {};
  }
  const { littleEndian } = policy;
  const ours = { program: filter.program, littleEndian };
  if (operation === "intersect") {
    const stacks = [[a.program, b.program], [b.program, a.program]].map(
      (programs) => ({ programs, littleEndian }),
    );
    if (stacks.some((stack) => proveEquivalent(ours, stack).kind === "equal")) {
      return { stacked: 1 };
    }
  }
  const denial = denialOf(a.policy.defaultValue);
  const programs = [a.program, b.program, filter.program] as const;
  const options = { operation, denial, littleEndian };
  const renamed = renameAnswers(programs, options);
  if (renamed === undefined) return { many: 1 };
  const { kind } = proveEquivalent(renamed.result, renamed.stack);
  if (kind !== "equal") tell(`not the filters stacked: ${kind}`);
  return { renamed: 1 };
}

/** The second interpreter's reading of the text. */
function judgeMeaning(
  text: string,
  sections: Pair["sections"],
  native: Target["native"],
  operation: CombineOperation,
  a: Side,
  tell: (text: string) => void,
): number {
  const target: Target = { native, semantics: "crun" };
  const made = parseProfile(text, { kind: "oci" }).section;
  if (made === undefined) throw new Error("Unreachable: no section");
  const [first, second, result] = [...sections, made].map((section) =>
    interpret(section, hostOf(target))
  );
  if (
    typeof first !== "function" || typeof second !== "function" ||
    typeof result !== "function"
  ) {
    if (typeof result !== "function") tell("the result is refused");
    return 0;
  }
  let verdicts = 0;
  const denial = denialOf(a.policy.defaultValue);
  for (const section of [...sections, made]) {
    for (const data of inputs(section, target, { combinations: 12 })) {
      const wanted = joinAnswers(first(data), second(data), operation, denial);
      const got = result(data);
      verdicts++;
      if (effect(wanted) === effect(got)) continue;
      tell(
        `${show(data)} gets ${got.toString(16)}, not ${wanted.toString(16)}`,
      );
      return verdicts;
    }
  }
  return verdicts;
}

/** A call as text. */
export function show({ nr, arch, args }: SeccompData): string {
  return `${arch.toString(16)} ${nr}(${args.join(", ")})`;
}
