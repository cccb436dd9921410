/**
 * Real seccomp as an engine: on x86_64, in a cloned child (`ffi/stub.ts`), it
 * answers the calls of x86_64, x32 and, through `int $0x80`, of i386.
 *
 * No call under test is executed. The child loads the program inside a frame,
 * with each return value turned into a distinct errno:
 *
 * ```text
 *   if instruction_pointer is after the instruction under test: the program
 *   else: allow, which lets the child load the filter and end
 * ```
 *
 * A trial first shows whether this kernel shows filters the instruction
 * pointer.
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
 * them pass before it runs a filter (kernel/seccomp.c).
 */
const EXEMPT: readonly number[] = [335, 336];
/** Errno values that encode return values: no system call uses them. */
const FIRST_ERRNO = 1000;
/** A run distinguishes up to 2048 values; MAX_ERRNO is 4095. */
const ERRNO_BITS = 11;
/** Number of calls in one child. */
const CHUNK = 8192;
/** `getpid`, which is harmless. */
const GETPID = { syscall: 39, int80: 20 } as const;
const IP_LOW = 8;
const IP_HIGH = 12;

/** Answers of real seccomp. */
export interface SeccompAnswers {
  /**
   * Inputs that this machine could make, with the instruction pointer that the
   * kernel saw.
   */
  readonly inputs: readonly SeccompData[];
  /**
   * Return value of the program for each input; undefined if another filter or
   * rule stopped the call.
   */
  readonly values: readonly (number | undefined)[];
  /** Tests that were skipped, with reasons. */
  readonly notes: readonly string[];
}

/**
 * Runs a program by real seccomp, without executing the calls that it judges.
 *
 * @param stub Makes the calls.
 * @param program A program that seccomp would accept.
 * @param inputs Inputs; those of other machines are skipped.
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
      "real seccomp was not tested: the program divides by X, which ends the child if X is 0",
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
        "i386 by real seccomp was not tested: this kernel does not support int $0x80",
      );
      continue;
    }
    if (!showsCaller(stub, entry)) {
      answers.notes.push(
        "real seccomp was not tested: this kernel does not show filters where a call comes from",
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
        `uretprobe (335) and uprobe (336) were skipped: recent kernels allow them regardless of the filter`,
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

/**
 * Reports whether filters see the instruction pointer of a call, by one trial.
 * If they do not, as in User Mode Linux 7.2, the frame would allow the calls
 * under test.
 */
export function showsCaller(stub: Stub, entry: "syscall" | "int80"): boolean {
  const trial: Program = [
    { op: "ret.k", k: SECCOMP_RET_ERRNO + FIRST_ERRNO, jt: 0, jf: 0 },
  ];
  const { loadErrno, results } = stub.run({
    filter: encode(frame(trial, stub.instructionPointer[entry])),
    entry,
    calls: [{ nr: GETPID[entry], args: [] }],
  });
  // A kernel that refuses filters reports it, and makes no call.
  return loadErrno !== 0 || results[0] === -FIRST_ERRNO;
}

/**
 * Reports whether this machine can make the call, so that the filter sees
 * exactly this input.
 */
function canEnter(entry: "syscall" | "int80", data: SeccompData): boolean {
  return entry === "syscall"
    ? data.arch === AUDIT_ARCH_X86_64
    : data.arch === AUDIT_ARCH_I386 &&
      data.args.every((value) => value <= 0xffff_ffffn);
}

/** Returns the values, or the reason why none exist. */
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
      return `real seccomp was not tested: ${framed.length} instructions with the frame, ${BPF_MAXINSNS} can be loaded`;
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
    return `real seccomp was not tested: it answers ${
      errnoText(outcome.loadErrno)
    }`;
  }
  // If the child ends early, calls without a result count as mismatches.
  return undefined;
}

/** Puts a program into the frame that does not affect the child's own calls. */
function frame(program: Program, ip: bigint): Program {
  const low = Number(ip & 0xffff_ffffn);
  const high = Number(ip >> 32n);
  return [
    { op: "ld.abs", k: IP_LOW, jt: 0, jf: 0 },
    { op: "jeq.k", k: low, jt: 0, jf: 2 },
    { op: "ld.abs", k: IP_HIGH, jt: 0, jf: 0 },
    { op: "jeq.k", k: high, jt: 1, jf: 0 },
    { op: "ret.k", k: SECCOMP_RET_ALLOW, jt: 0, jf: 0 },
    // A program starts with A = 0.
    { op: "ld.imm", k: 0, jt: 0, jf: 0 },
    ...program,
  ];
}
