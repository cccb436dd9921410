/**
 * Runs a subject on one input. This is not symbolic: it confirms a difference
 * that was found symbolically.
 *
 * @module
 */

import { prevailing } from "../../tables/precedence.ts";
import { prepare, trace } from "../../bpf/run.ts";
import { type SeccompData, toWords } from "../../bpf/seccomp_data.ts";
import { checkPolicy } from "../../profile/policy.ts";
import { decide } from "../decide.ts";
import { policyOf, programsOf, type Subject } from "../core/subject.ts";

/**
 * The answer of a subject to an input, and its origin.
 *
 * @category Compare
 */
export interface Outcome {
  /** The return value (for several filters, the winning one), a u32. */
  readonly value: number;
  /**
   * Steps that led to it: for each program, the indices of the executed
   * instructions; empty for a policy.
   */
  readonly paths: readonly (readonly number[])[];
  /** Origin of a policy's rule; absent if a default decided. */
  readonly source?: string;
}

/**
 * Returns a function that answers for a subject.
 *
 * @throws {ProgramError} if the kernel would refuse a program.
 * @throws {RangeError} if a policy has a number that no call can have.
 *
 * @param subject The subject.
 * @param littleEndian Byte order of the machine.
 * @returns The function from an input to its answer.
 */
export function createAnswer(
  subject: Subject,
  littleEndian: boolean,
): (data: SeccompData) => Outcome {
  const policy = policyOf(subject);
  if (policy !== undefined) {
    checkPolicy(policy);
    return (data) => {
      const { value, rule } = decide(policy, data);
      return {
        value,
        paths: [],
        ...(rule === undefined ? {} : { source: rule.source }),
      };
    };
  }
  const programs = programsOf(subject).map(prepare);
  return (data) => {
    const words = toWords(data, littleEndian);
    const runs = programs.map((program) => trace(program, words));
    const value = prevailing(runs.map((run) => run.value));
    return { value, paths: runs.map((run) => run.path) };
  };
}

/**
 * Reads an input from the words that a filter sees; the inverse of `toWords`.
 *
 * @param words Sixteen words.
 * @param littleEndian Byte order of the machine.
 * @returns The input.
 */
export function fromWords(
  words: Uint32Array,
  littleEndian: boolean,
): SeccompData {
  const word = (index: number): bigint => BigInt(words[index] ?? 0);
  const long = (index: number): bigint =>
    littleEndian
      ? word(index + 1) << 32n | word(index)
      : word(index) << 32n | word(index + 1);
  return {
    nr: words[0] ?? 0,
    arch: words[1] ?? 0,
    instructionPointer: long(2),
    args: [4, 6, 8, 10, 12, 14].map(long),
  };
}
