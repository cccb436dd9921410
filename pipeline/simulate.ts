/**
 * Simulates a filter or a policy on one call, given by name.
 *
 * @module
 */

import { effective, formatReturnValue } from "../bpf/return_value.ts";
import type { SeccompData } from "../bpf/seccomp_data.ts";
import { quote } from "../profile/text.ts";
import { didYouMean } from "../tables/suggest.ts";
import { type Arch, archByName, type ArchName } from "../tables/arch.ts";
import { orderOf, type Subject } from "../verify/core/subject.ts";
import { createAnswer, type Outcome } from "../verify/describe/confirm.ts";

/**
 * A system call as users name it.
 *
 * @category Compare
 */
export interface SimulatedCall {
  /** Architecture of the calling program; it decides the byte order. */
  readonly arch: ArchName;
  /**
   * Name of the call, or its number in `seccomp_data.nr`; −1 is a call that a
   * tracer skips.
   */
  readonly call: string | number;
  /** At most six arguments, each from −2⁶³ to 2⁶⁴ − 1; 0 if absent. */
  readonly args?: readonly (bigint | number)[];
  /** Address of the calling instruction; 0 if absent. */
  readonly instructionPointer?: bigint | number;
}

/**
 * The answer to a call, and its cost.
 *
 * @category Compare
 */
export interface Simulation extends Outcome {
  /** The kernel's action, such as `ALLOW` or `ERRNO(EPERM)`. */
  readonly action: string;
  /** Number of instructions executed, in all filters together. */
  readonly steps: number;
  /** The call as the filter saw it. */
  readonly data: SeccompData;
}

/**
 * Simulates one call.
 *
 * @example A filter and its policy, call by call
 * ```ts
 * import { compileProfile, DEFAULT_PROFILE, simulate } from "@x/seccomp-tree";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const target = { arch: "x86_64", kernel: { major: 6, minor: 1 } } as const;
 * const filter = compileProfile(DEFAULT_PROFILE, target);
 * assert(filter.kind === "proved");
 * const personality = { arch: "x86_64", call: "personality" } as const;
 * assertEquals(simulate(filter, personality).action, "ALLOW");
 * const odd = simulate(filter.policy, { ...personality, args: [0x1234] });
 * assertEquals([odd.action, odd.source], ["ERRNO(EPERM)", undefined]);
 * ```
 *
 * @param subject A policy, a program, a filter, or all filters of a thread.
 * @param call The call.
 * @returns The answer.
 * @throws {RangeError} if the architecture or the call does not exist, or a
 * number does not fit.
 * @throws {TypeError} if the subject is for machines of the other byte order.
 * @throws {ProgramError} if the kernel would refuse a program.
 * @category Compare
 */
export function simulate(subject: Subject, call: SimulatedCall): Simulation {
  const arch = archByName(call.arch);
  if (arch === undefined) {
    throw new RangeError(
      `Cannot simulate a call of ${quote(call.arch)}: unknown architecture`,
    );
  }
  const { littleEndian } = arch;
  const order = orderOf(subject);
  if (order !== undefined && order !== littleEndian) {
    throw new TypeError(
      `Cannot simulate a call of ${arch.name}: the filter is for ${
        order ? "little" : "big"
      }-endian machines`,
    );
  }
  const data = dataOf(arch, call);
  const outcome = createAnswer(subject, littleEndian)(data);
  return {
    ...outcome,
    action: formatReturnValue(effective(outcome.value), arch.auditArch),
    steps: outcome.paths.reduce((sum, { length }) => sum + length, 0),
    data,
  };
}

function dataOf(
  arch: Arch,
  { call, args = [], instructionPointer = 0 }: SimulatedCall,
): SeccompData {
  if (args.length > 6) {
    throw new RangeError(
      `Cannot simulate ${args.length} arguments: a call has at most 6`,
    );
  }
  const six = Array.from({ length: 6 }, (_, i) => args[i] ?? 0);
  return {
    nr: numberOf(arch, call),
    arch: arch.auditArch,
    instructionPointer: toU64(instructionPointer, "the instruction pointer"),
    args: six.map((arg, i) => toU64(arg, `argument ${i}`)),
  };
}

function numberOf(arch: Arch, call: string | number): number {
  if (typeof call === "number") {
    const nr = call >>> 0;
    if (nr === call || (call | 0) === call) return nr;
    throw new RangeError(
      `Cannot simulate call ${call}; give a name, or an integer of 32 bits`,
    );
  }
  const nr = arch.syscalls.get(call);
  if (nr !== undefined) return nr;
  const { multiplexed } = arch;
  const behind = multiplexed.find(({ name }) => name === call);
  const way = [...arch.syscalls].find(([, nr]) => nr === behind?.nr)?.[0];
  const meant = didYouMean(call, arch.syscalls.keys());
  const hint = behind !== undefined && way !== undefined
    ? `; it is ${way} with argument 0 = ${behind.call}`
    : meant === undefined
    ? ""
    : `; did you mean ${quote(meant)}`;
  throw new RangeError(
    `Cannot simulate ${quote(call)}: no such call on ${arch.name}${hint}`,
  );
}

function toU64(value: bigint | number, what: string): bigint {
  const isExact = typeof value === "bigint" || Number.isSafeInteger(value);
  const exact = isExact ? BigInt(value) : undefined;
  const word = BigInt.asUintN(64, exact ?? 0n);
  if (exact === word || exact === BigInt.asIntN(64, word)) return word;
  throw new RangeError(
    `Cannot simulate ${what} = ${value}; give an integer of 64 bits, beyond 2^53 as bigint`,
  );
}
