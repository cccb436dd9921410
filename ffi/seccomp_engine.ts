/**
 * Real seccomp as an engine: on x86_64 it answers the calls of x86_64, x32 and,
 * by `int $0x80`, of i386, in a cloned child (`ffi/stub.ts`).
 *
 * Nothing under test is executed. What the child loads is the program in a
 * frame, with each return value turned into an errno of its own:
 *
 * ```text
 *   if instruction_pointer is after the instruction under test: the program
 *   else: allow, which lets the child load the filter and end
 * ```
 *
 * @module
 */

import { encode } from "../bpf/encode.ts";
import type { Program } from "../bpf/instruction.ts";
import type { SeccompData } from "../bpf/seccomp_data.ts";
import {
  AUDIT_ARCH_I386,
  AUDIT_ARCH_X86_64,
  BPF_MAXINSNS,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
} from "../tables/uapi.ts";
import { errnoText } from "../tables/errno.ts";
import { type Coded, codeReturns } from "./returns.ts";
import type { Stub, StubOutcome } from "./stub.ts";

/**
 * `uretprobe` and `uprobe` of x86_64: since Linux 6.14 and 6.18 the kernel lets
 * them pass before it asks a filter (kernel/seccomp.c).
 */
const EXEMPT: readonly number[] = [335, 336];
/** The errno values that stand for return values: no system call has them. */
const FIRST_ERRNO = 1000;
/** A run tells up to 2048 values apart; MAX_ERRNO is 4095. */
const ERRNO_BITS = 11;
/** Calls in one child. */
const CHUNK = 8192;
const IP_LOW = 8;
const IP_HIGH = 12;

/** What real seccomp answered. */
export interface SeccompAnswers {
  /** Inputs this machine could make, with the instruction pointer that the kernel saw. */
  readonly inputs: readonly SeccompData[];
  /** What the program returned for each, undefined if the call was not stopped by it. */
  readonly values: readonly (number | undefined)[];
  /** What was not tried and why. */
  readonly notes: readonly string[];
}

/**
 * Runs a program by real seccomp, without executing what it judges.
 *
 * @param stub Makes the calls.
 * @param program What seccomp would take.
 * @param inputs What it is asked; those of other machines are left out.
 * @returns The answers.
 */
export function runInSeccomp(
  stub: Stub,
  program: Program,
  inputs: readonly SeccompData[],
): SeccompAnswers {
  const answers = {
    inputs: [] as SeccompData[],
    values: [] as (number | undefined)[],
    notes: [] as string[],
  };
  if (program.some(({ op }) => op === "div.x")) {
    answers.notes.push(
      "real seccomp is not tried: the program divides by X, which ends the child where X is 0",
    );
    return answers;
  }
  const coded = codeReturns(program, {
    base: SECCOMP_RET_ERRNO + FIRST_ERRNO,
    bits: ERRNO_BITS,
  });
  for (const entry of ["syscall", "int80"] as const) {
    if (entry === "int80" && !stub.servesI386()) {
      answers.notes.push(
        "i386 by real seccomp is not tried: this kernel does not serve int $0x80",
      );
      continue;
    }
    const ip = stub.instructionPointer[entry];
    const mine = inputs.filter((data) => canEnter(entry, data))
      .map((data) => ({ ...data, instructionPointer: ip }));
    const asked = mine.filter(({ nr }) =>
      entry === "int80" || !EXEMPT.includes(nr)
    );
    if (asked.length < mine.length) {
      answers.notes.push(
        `uretprobe (335) and uprobe (336) are left out: recent kernels let them pass whatever the filter says`,
      );
    }
    for (let from = 0; from < asked.length; from += CHUNK) {
      const chunk = asked.slice(from, from + CHUNK);
      const values = judgeChunk(stub, coded, entry, chunk);
      if (typeof values === "string") {
        answers.notes.push(values);
        break;
      }
      answers.inputs.push(...chunk);
      answers.values.push(...values);
    }
  }
  return answers;
}

/** Whether this machine can make the call, so that the filter sees just this input. */
function canEnter(entry: "syscall" | "int80", data: SeccompData): boolean {
  return entry === "syscall"
    ? data.arch === AUDIT_ARCH_X86_64
    : data.arch === AUDIT_ARCH_I386 &&
      data.args.every((value) => value <= 0xffff_ffffn);
}

/** Answers the values, or why there are none. */
function judgeChunk(
  stub: Stub,
  coded: readonly Coded[],
  entry: "syscall" | "int80",
  calls: readonly SeccompData[],
): (number | undefined)[] | string {
  const values: (number | undefined)[] = new Array(calls.length).fill(0);
  for (const { program, value } of coded) {
    const framed = frame(program, stub.instructionPointer[entry]);
    if (framed.length > BPF_MAXINSNS) {
      return `real seccomp is not tried: ${framed.length} instructions with the frame, ${BPF_MAXINSNS} can be loaded`;
    }
    const outcome = stub.run({ filter: encode(framed), entry, calls });
    const problem = explain(outcome);
    if (problem !== undefined) return problem;
    for (const [i, result] of outcome.results.entries()) {
      const bits = value(-(result ?? 0) - FIRST_ERRNO);
      const known = values[i];
      values[i] = bits === undefined || known === undefined
        ? undefined
        : (known | bits) >>> 0;
    }
  }
  return values;
}

function explain(outcome: StubOutcome): string | undefined {
  if (outcome.loadErrno !== 0) {
    return `real seccomp is not tried: it answers ${
      errnoText(outcome.loadErrno)
    }`;
  }
  // Where the child ends early, calls are left without a result: mismatches.
  return undefined;
}

/** Puts a program into the frame that leaves the child's own calls alone. */
function frame(program: Program, ip: bigint): Program {
  const low = Number(ip & 0xffff_ffffn);
  const high = Number(ip >> 32n);
  return [
    { op: "ld.abs", k: IP_LOW, jt: 0, jf: 0 },
    { op: "jeq.k", k: low, jt: 0, jf: 2 },
    { op: "ld.abs", k: IP_HIGH, jt: 0, jf: 0 },
    { op: "jeq.k", k: high, jt: 1, jf: 0 },
    { op: "ret.k", k: SECCOMP_RET_ALLOW, jt: 0, jf: 0 },
    // A program begins with A = 0.
    { op: "ld.imm", k: 0, jt: 0, jf: 0 },
    ...program,
  ];
}
