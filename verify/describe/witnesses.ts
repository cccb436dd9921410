/**
 * Boundary values: inputs at which the answer of a policy or a program may
 * change. They seed fuzzers and self-tests; proofs do not need them.
 *
 * For each word of the input the values are 0, all ones, and for each constant
 * `k` that the word may be compared with: k − 1, k, k + 1, and for masks the
 * mask, its complement and each of its bits alone. A word that flows into the
 * result of `ret a` has the actions of the kernel as well. An unused word has
 * only the value 0.
 *
 * @module
 */

import type { Program } from "../../bpf/instruction.ts";
import {
  ARCH_OFFSET,
  argOffset,
  NR_OFFSET,
  type SeccompData,
} from "../../bpf/seccomp_data.ts";
import type { Policy } from "../../profile/policy.ts";
import {
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_LOG,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_TRAP,
  SECCOMP_RET_USER_NOTIF,
} from "../../tables/uapi.ts";
import {
  byteOrderOf,
  policyOf,
  programsOf,
  type Subject,
} from "../core/subject.ts";
import { fromWords } from "./confirm.ts";

/** Options of `witnesses`. */
export interface WitnessOptions {
  /** Byte order of the machine. Default: that of the subjects, else little-endian. */
  readonly littleEndian?: boolean;
  /**
   * Maximum number of inputs. If there are more combinations, this many are
   * drawn from them, always the same ones. Default: 100,000.
   */
  readonly most?: number;
}

/** The values of each of the sixteen words of the input, rising. */
export type BoundaryValues = readonly (readonly number[])[];

const ALL_ONES = 0xffff_ffff;

/** Return values, one for each action that the kernel knows. */
const ACTIONS: readonly number[] = [
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_KILL_THREAD,
  SECCOMP_RET_TRAP,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_USER_NOTIF,
  SECCOMP_RET_TRACE,
  SECCOMP_RET_LOG,
  SECCOMP_RET_ALLOW,
];

/**
 * Collects the boundary values of subjects, word by word.
 *
 * @example Around a number
 * ```ts
 * import { boundaryValues } from "./witnesses.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const program = [
 *   { op: "ld.abs", jt: 0, jf: 0, k: 0 },
 *   { op: "jeq.k", jt: 0, jf: 1, k: 39 },
 *   { op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 },
 *   { op: "ret.k", jt: 0, jf: 0, k: 0 },
 * ] as const;
 * const [nr] = boundaryValues([program], true);
 * assertEquals(nr, [0, 38, 39, 40, 0xffff_ffff]);
 * ```
 *
 * @param subjects Policies and programs.
 * @param littleEndian Byte order of the machine.
 * @returns Sixteen lists.
 */
export function boundaryValues(
  subjects: readonly Subject[],
  littleEndian: boolean,
): BoundaryValues {
  const words = Array.from({ length: 16 }, () => new Set([0]));
  for (const subject of subjects) {
    const policy = policyOf(subject);
    if (policy !== undefined) addPolicy(words, policy, littleEndian);
    for (const program of programsOf(subject)) addProgram(words, program);
  }
  return words.map((values) => [...values].sort((a, b) => a - b));
}

/**
 * Generates inputs at the boundaries of subjects: all combinations of the
 * values of the words, or the requested number of them.
 *
 * @param subjects Policies and programs.
 * @param options Byte order and number.
 */
export function* witnesses(
  subjects: readonly Subject[],
  options: WitnessOptions = {},
): Generator<SeccompData> {
  const littleEndian = byteOrderOf(subjects, options.littleEndian);
  const most = options.most ?? 100_000;
  const values = boundaryValues(subjects, littleEndian);
  let all = 1;
  for (const { length } of values) all *= length;
  const draw = createDraw();
  for (let i = 0; i < Math.min(all, most); i++) {
    let rest = i;
    const words = Uint32Array.from(values, (choices) => {
      const index = (all > most ? draw() : rest) % choices.length;
      rest = Math.floor(rest / choices.length);
      return choices[index] ?? 0;
    });
    yield fromWords(words, littleEndian);
  }
}

function addPolicy(
  words: readonly Set<number>[],
  policy: Policy,
  littleEndian: boolean,
): void {
  for (const { auditArch, rules } of policy.arches) {
    addAround(words[ARCH_OFFSET / 4], auditArch);
    for (const { first, last, conditions } of rules) {
      addAround(words[NR_OFFSET / 4], first);
      addAround(words[NR_OFFSET / 4], last);
      for (const { arg, mask, value } of conditions) {
        for (const half of ["lo", "hi"] as const) {
          const shift = half === "lo" ? 0n : 32n;
          const word = words[argOffset(arg, half, littleEndian) / 4];
          const halfMask = Number(BigInt.asUintN(32, mask >> shift));
          if (halfMask === 0) continue;
          addAround(word, Number(BigInt.asUintN(32, value >> shift)));
          if (halfMask !== ALL_ONES) addMask(word, halfMask);
        }
      }
    }
  }
}

/**
 * Adds the constants of a program to the words that may flow into the register
 * with which they are compared, on any path and through any arithmetic.
 */
function addProgram(words: readonly Set<number>[], program: Program): void {
  // The words on which each register may depend, one bit each: A, X, then
  // scratch memory.
  const arriving = new Map<number, readonly number[]>();
  const arrive = (pc: number, places: readonly number[]): void => {
    const before = arriving.get(pc);
    arriving.set(pc, places.map((held, i) => held | (before?.[i] ?? 0)));
  };
  arrive(0, new Array<number>(18).fill(0));
  for (const [pc, { op, jt, jf, k }] of program.entries()) {
    const places = arriving.get(pc);
    if (places === undefined) continue;
    const [a = 0, x = 0] = places;
    const [name = "", form] = String(op).split(".");
    if (name === "ret") {
      // The kernel compares the return value with the actions.
      if (form === "a") addActions(words, a);
      continue;
    }
    const loaded = form === "abs"
      ? 1 << (k / 4)
      : form === "mem"
      ? places[2 + k] ?? 0
      : 0;
    const next = [...places];
    if (name === "ld") next[0] = loaded;
    else if (name === "ldx") next[1] = loaded;
    else if (name === "st") next[2 + k] = a;
    else if (name === "stx") next[2 + k] = x;
    else if (name === "tax") next[1] = a;
    else if (name === "txa") next[0] = x;
    else if (form === "x") next[0] = a | x;
    const held = form === "x" ? a | x : a;
    if (form === "k" || form === "x") {
      for (const [i, word] of words.entries()) {
        if (((held >>> i) & 1) === 0) continue;
        if (name === "and" || name === "jset") addMask(word, k);
        addAround(word, k);
      }
    }
    if (name === "ja") arrive(pc + 1 + k, next);
    else if (name.startsWith("j")) {
      arrive(pc + 1 + jt, places);
      arrive(pc + 1 + jf, places);
    } else arrive(pc + 1, next);
  }
}

function addActions(words: readonly Set<number>[], held: number): void {
  for (const [i, word] of words.entries()) {
    if (((held >>> i) & 1) === 0) continue;
    for (const action of ACTIONS) word.add(action);
    word.add(ALL_ONES);
  }
}

function addAround(word: Set<number> | undefined, k: number): void {
  for (const value of [k - 1, k, k + 1, ALL_ONES]) word?.add(value >>> 0);
}

function addMask(word: Set<number> | undefined, mask: number): void {
  for (const value of [mask, ~mask, ALL_ONES]) word?.add(value >>> 0);
  for (let bit = 0; bit < 32; bit++) {
    const value = (mask & (1 << bit)) >>> 0;
    if (value !== 0) word?.add(value);
  }
}

/** Pseudorandom numbers, the same every time (xorshift32). */
function createDraw(): () => number {
  let state = 0x9e37_79b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
