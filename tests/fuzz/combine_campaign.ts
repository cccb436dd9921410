/**
 * The campaign of combined profiles: random pairs are combined, and the result
 * is judged by everything that shares no code with `pipeline/combine/`: the
 * prover (the filter of the result against the two filters stacked), the second
 * interpreter of profiles, and the laws of the operations.
 *
 * @module
 */

import type { Program } from "../../bpf/instruction.ts";
import { type SeccompData, toWords } from "../../bpf/seccomp_data.ts";
import { combine } from "../../pipeline/combine/combine.ts";
import type {
  Combined,
  CombineOperation,
} from "../../pipeline/combine/result.ts";
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
import { proveNotLooser } from "../../verify/differences.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";
import {
  type Case,
  generateAny,
  generateContract,
} from "../oracle/generate.ts";
import { inputs } from "../oracle/inputs.ts";
import { runInKernel } from "../../ffi/socket_filter.ts";
import { archOf, hostOf, interpret, type Target } from "../oracle/meaning.ts";

/** Results of the campaign. */
export interface CombineCounts {
  /** Pairs by outcome. */
  readonly outcomes: Readonly<
    Record<"profile" | "unsaid" | "refused" | "unproved", number>
  >;
  /** Results that the prover found equal to the two filters stacked. */
  readonly stacked: number;
  /** Results whose actions it found equal, and whose data were compared. */
  readonly tied: number;
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
  const sums = { stacked: 0, tied: 0, verdicts: 0 };
  const wrong: string[] = [];
  for (let i = 0; i < count; i++) {
    const own = (seed + i) >>> 0;
    const pair = drawPair(own);
    const operation = OPERATIONS[i % 4] ?? "intersect";
    const tell = (text: string): void => {
      wrong.push(`seed ${own}, ${operation}: ${text}`);
    };
    const judged = judgePair(pair, operation, i % 8 === 0, tell);
    outcomes[judged.outcome]++;
    sums.stacked += judged.stacked ?? 0;
    sums.tied += judged.tied ?? 0;
    sums.verdicts += judged.verdicts ?? 0;
    if (wrong.length >= 5) break;
  }
  return { outcomes, ...sums, wrong };
}

/** Results for pairs of given profiles. */
export interface RealCounts {
  /** Pairs that a profile says. */
  readonly profiles: number;
  /** Pairs that no profile says; all have a filter. */
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

/** Verdicts of the kernel. */
export interface KernelCounts {
  readonly pairs: number;
  readonly verdicts: number;
  readonly wrong: readonly string[];
}

/**
 * Runs the filters of random pairs and of their intersections in the kernel: the
 * verdict of the one is the strictest of the two.
 */
export function judgeInKernel(
  { seed, pairs, inputs: most }: {
    readonly seed: number;
    readonly pairs: number;
    /** Number of calls of each pair. */
    readonly inputs: number;
  },
): KernelCounts {
  const counts = { pairs: 0, verdicts: 0 };
  const wrong: string[] = [];
  for (let own = seed; counts.pairs < pairs && wrong.length < 5; own++) {
    const { sections, native } = drawPair(own);
    const target: ProfileTarget = { arch: native, unknown: "ignore" };
    const programs = programsOf(sections, target);
    const [a, b, both] = programs ?? [];
    if (a === undefined || b === undefined || both === undefined) continue;
    counts.pairs++;
    const machine: Target = { native, semantics: "crun" };
    const calls = sections.flatMap((section) =>
      inputs(section, machine, { seed: own, combinations: 200 })
    ).slice(0, most);
    const { littleEndian } = archOf(native);
    const words = calls.map((call) => toWords(call, littleEndian));
    const [first, second, result] = [a, b, both].map((program) =>
      runInKernel(program, words)
    );
    for (const [i, call] of calls.entries()) {
      const values = [first?.[i] ?? 0, second?.[i] ?? 0] as const;
      const wanted = strictestOf(...values);
      counts.verdicts++;
      if (effect(result?.[i] ?? 0) === wanted) continue;
      wrong.push(`seed ${own}: ${show(call)} is not ${wanted.toString(16)}`);
      break;
    }
  }
  return { ...counts, wrong };
}

/** The filters of two profiles and of their intersection. */
function programsOf(
  sections: Pair["sections"],
  target: ProfileTarget,
): readonly (Program | undefined)[] | undefined {
  try {
    const sides = sections.map((one) => sideOf(one, target, new Map()));
    const result = combine(sides.map(({ profile }) => ({ profile })), target);
    const policy = result.kind === "profile"
      ? result.policy
      : result.kind === "unsaid"
      ? result.toPolicy()
      : undefined;
    const filter = policy && compilePolicy(policy);
    return [
      ...sides.map(({ program }) => program),
      filter?.kind === "proved" ? filter.program : undefined,
    ];
  } catch (error) {
    if (error instanceof ProfileError) return undefined;
    throw error;
  }
}

/** Two profiles for one machine. */
interface Pair {
  readonly sections: readonly [LinuxSeccomp, LinuxSeccomp];
  readonly native: Target["native"];
  /** Sides that were made before, by text. */
  readonly made?: Map<string, Side>;
}

function drawPair(seed: number): Pair {
  const draw = (seed: number): Case =>
    seed % 3 === 0 ? generateContract(seed) : generateAny(seed);
  const first = draw(seed);
  const second = draw(seed ^ 0x5555_5555);
  // Both for one machine; half of them with the same list.
  const { architectures } = seed % 2 === 0 ? first.seccomp : second.seccomp;
  return {
    sections: [first.seccomp, { ...second.seccomp, architectures }],
    native: first.target.native,
  };
}

interface Judged {
  readonly outcome: keyof CombineCounts["outcomes"];
  readonly stacked?: number;
  readonly tied?: number;
  readonly verdicts?: number;
}

/** A profile as text, its policy, and its filter. */
interface Side {
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
  const both = [a, b].map(({ profile }) => ({ profile }));
  const result = combine(both, target, { operation });
  if (result.kind === "unproved") {
    tell("unproved");
    return { outcome: "unproved" };
  }
  const policy = result.kind === "profile" ? result.policy : result.toPolicy();
  if (policy === undefined) {
    tell("no policy");
    return { outcome: result.kind };
  }
  const proofs = operation === "intersect"
    ? judgeStack(policy, a, b, tell)
    : {};
  if (laws) judgeLaws(result, both, target, operation, tell);
  if (result.kind !== "profile") {
    const { witness } = result;
    if (witness === undefined) return { outcome: "unsaid", ...proofs };
    const values = [a, b].map(({ policy }) =>
      decide(policy, witness.data).value
    );
    const wanted = joinValues(values[0] ?? 0, values[1] ?? 0, operation, a);
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

function sideOf(
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
function judgeStack(
  policy: Policy,
  a: Side,
  b: Side,
  tell: (text: string) => void,
): Pick<Judged, "stacked" | "tied"> {
  const filter = compilePolicy(policy);
  if (a.program === undefined || b.program === undefined) return {};
  if (filter.kind !== "proved") {
    tell(`the result has no filter: ${filter.message}`);
    return {};
  }
  const { littleEndian } = policy;
  const ours = { program: filter.program, littleEndian };
  const stacks = [[a.program, b.program], [b.program, a.program]].map(
    (programs) => ({ programs, littleEndian }),
  );
  if (stacks.some((stack) => proveEquivalent(ours, stack).kind === "equal")) {
    return { stacked: 1 };
  }
  // At equal actions, the newer filter's data win there and the lesser ones here.
  for (const stack of stacks) {
    const neither = [
      proveNotLooser(stack, ours).kind,
      proveNotLooser(ours, stack).kind,
    ];
    if (neither.some((kind) => kind !== "not-looser")) {
      tell(`not the stack: ${neither.join(", ")}`);
    }
  }
  return { tied: 1 };
}

/** Order of arguments, of grouping, and of one with itself. */
function judgeLaws(
  result: Combined,
  [a, b]: readonly { readonly profile: ParsedProfile }[],
  target: ProfileTarget,
  operation: CombineOperation,
  tell: (text: string) => void,
): void {
  if (operation === "minus" || a === undefined || b === undefined) return;
  const policyOf = (one: Combined): Policy | undefined =>
    one.kind === "profile"
      ? one.policy
      : one.kind === "unsaid"
      ? one.toPolicy()
      : undefined;
  const same = (name: string, x: Combined, y: Combined): void => {
    const [left, right] = [policyOf(x), policyOf(y)];
    const isEqual = left !== undefined && right !== undefined &&
      proveEquivalent(left, right).kind === "equal";
    if (!isEqual) tell(name);
    if (x.kind === "profile" && y.kind === "profile" && x.text !== y.text) {
      tell(`${name}: not one normal form`);
    }
  };
  const join = (
    inputs: Parameters<typeof combine>[0],
  ): Combined => combine(inputs, target, { operation });
  const self = join([a, a]);
  same("commutative", result, join([b, a]));
  same("idempotent", join([a]), self);
  same("absorbs itself", result, join([a, b, a]));
  if (result.kind === "profile" && self.kind === "profile") {
    const grouped = parseProfile(result.text, { kind: "oci" });
    same("associative", join([a, b, b]), join([{ profile: grouped }, b]));
  }
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
  for (const section of [...sections, made]) {
    for (const data of inputs(section, target, { combinations: 12 })) {
      const wanted = joinValues(first(data), second(data), operation, a);
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

function show({ nr, arch, args }: SeccompData): string {
  return `${arch.toString(16)} ${nr}(${args.join(", ")})`;
}

const ALLOWING: readonly number[] = [0x7fff_0000, 0x7ffc_0000];
const ERRNO = 0x0005_0000;

/** The definition of the operations, once more. */
function joinValues(
  a: number,
  b: number,
  operation: CombineOperation,
  { policy }: Side,
): number {
  const [x, y] = [effect(a), effect(b)];
  if (operation === "minus") {
    if (!ALLOWING.includes(x) || !ALLOWING.includes(y)) return x;
    const denies = [0, 0x8000_0000, 0x0003_0000, ERRNO]
      .includes((policy.defaultValue & 0xffff_0000) >>> 0);
    return denies ? effect(policy.defaultValue) : ERRNO + 1;
  }
  const least = strictestOf(x, y);
  return operation === "intersect" ? least : least === x ? y : x;
}

/** Actions in the kernel's order; of one action, the lesser data, 0 last. */
function strictestOf(a: number, b: number): number {
  const rank = (value: number): number =>
    ((value & 0xffff_0000) | 0) + ((value & 0xffff) || 0xffff);
  const [x, y] = [effect(a), effect(b)];
  return rank(x) <= rank(y) ? x : y;
}

/** Data that the kernel does not show is 0. */
function effect(value: number): number {
  const action = (value & 0xffff_0000) >>> 0;
  return [ERRNO, 0x0003_0000, 0x7ff0_0000].includes(action) ? value : action;
}
