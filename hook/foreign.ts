/**
 * Checks an annotation that already exists. Otherwise, whoever controls
 * annotations would control the filter; so it must be proved equal to the
 * section.
 *
 * @module
 */

import { messageOf } from "../host/reason.ts";
import { decodeBase64 } from "../bpf/base64.ts";
import { check } from "../bpf/check.ts";
import { decode } from "../bpf/encode.ts";
import type { Program } from "../bpf/instruction.ts";
import { effective, formatReturnValue } from "../bpf/return_value.ts";
import { precedence } from "../tables/precedence.ts";
import { ARCH_OFFSET, type SeccompData } from "../bpf/seccomp_data.ts";
import type { Policy } from "../profile/policy.ts";
import { type Arch, archByName } from "../tables/arch.ts";
import { SECCOMP_RET_KILL_PROCESS } from "../tables/uapi.ts";
import { createAnswer } from "../verify/describe/confirm.ts";
import { proveEquivalent } from "../verify/equivalence.ts";
import type { Deadline } from "./deadline.ts";
import { RefusedError } from "./error.ts";
import { ANNOTATION } from "../tables/annotation.ts";

/** The standard for an annotation. */
export interface JudgeOptions {
  /** The meaning of the section. */
  readonly policy: Policy;
  /** The section's own filter, proved equal to the policy; absent if none exists. */
  readonly own?: Program;
  /** Architecture of this machine. */
  readonly native: Arch;
  /** Time limit. */
  readonly deadline: Deadline;
}

/**
 * Accepts an annotation that is equal to the policy.
 *
 * @param value The annotation.
 * @param measure The standard to which it must be equal.
 * @returns Its filter.
 * @throws {RefusedError} `foreign-annotation` if it is malformed, different or
 * not proved equal; the message names the first call that it would have
 * allowed.
 */
export function judgeAnnotation(
  value: string,
  measure: JudgeOptions,
): Program {
  const { policy, deadline } = measure;
  const program = readAnnotation(value, measure.native);
  const proof = proveEquivalent(program, policy, {
    interrupted: () => deadline.left() === 0,
  });
  if (proof.kind === "equal") return program;
  if (proof.kind === "unproven") {
    throw foreign(
      `it is not proved equal to linux.seccomp (limit of ${proof.limit})`,
    );
  }
  const opened = firstOpened(program, measure) ?? anyOpened(program, measure);
  const difference = opened ?? proof.data;
  const answers = answersTo(program, policy, difference);
  throw foreign(
    `${
      opened === undefined
        ? "it differs from linux.seccomp, although no call that it allows beyond it was found"
        : "it allows calls that linux.seccomp denies"
    }: ${describe(difference, policy)} gets ${
      formatReturnValue(answers.program, difference.arch)
    }, linux.seccomp says ${
      formatReturnValue(answers.policy, difference.arch)
    }`,
  );
}

/**
 * Reads the value of an annotation more strictly than crun, which skips
 * characters outside the alphabet, drops trailing bytes and truncates the
 * number of instructions to 16 bits.
 *
 * @throws {RefusedError} `foreign-annotation` if it is malformed, or the kernel would refuse it.
 */
function readAnnotation(value: string, { littleEndian }: Arch): Program {
  let program: Program;
  try {
    program = decode(decodeBase64(value), { littleEndian });
  } catch (error) {
    throw foreign(messageOf(error));
  }
  const fault = check(program);
  if (fault !== undefined) throw foreign(fault.message);
  return program;
}

function foreign(seen: string): RefusedError {
  return new RefusedError(
    "foreign-annotation",
    `Cannot accept the annotation ${ANNOTATION}: ${seen}; remove it`,
  );
}

/** Answers of both sides to an input. */
function answersTo(
  program: Program,
  policy: Policy,
  data: SeccompData,
): { readonly program: number; readonly policy: number } {
  const { littleEndian } = policy;
  return {
    program: createAnswer(program, littleEndian)(data)
      .value,
    policy: createAnswer(policy, littleEndian)(data).value,
  };
}

/** The first known call, with all arguments 0, that gets a weaker answer. */
function firstOpened(
  program: Program,
  { policy, native }: JudgeOptions,
): SeccompData | undefined {
  const { littleEndian } = policy;
  const ofProgram = createAnswer(program, littleEndian);
  const ofPolicy = createAnswer(policy, littleEndian);
  const args = [0n, 0n, 0n, 0n, 0n, 0n];
  for (const arch of new Set([native, ...archesOf(policy)])) {
    for (const nr of arch.syscalls.values()) {
      const data: SeccompData = {
        nr,
        arch: arch.auditArch,
        instructionPointer: 0n,
        args,
      };
      const weak = precedence(effective(ofProgram(data).value));
      if (weak > precedence(effective(ofPolicy(data).value))) return data;
    }
  }
  return undefined;
}

/**
 * Any input that gets a weaker answer, on this machine's architecture if
 * possible. The stricter of two filters wins, and the newer of equally strict
 * ones. So the section's own filter with the annotation on top differs from the
 * annotation alone exactly on the inputs where the annotation is weaker.
 */
function anyOpened(
  program: Program,
  { own, policy, native, deadline }: JudgeOptions,
): SeccompData | undefined {
  if (own === undefined) return undefined;
  const opened = (newer: Program): SeccompData | undefined => {
    if (check(newer) !== undefined) return undefined;
    const proof = proveEquivalent(
      { programs: [own, newer] },
      newer,
      {
        littleEndian: policy.littleEndian,
        interrupted: () => deadline.left() === 0,
      },
    );
    return proof.kind === "different" ? proof.data : undefined;
  };
  // Kills everything else, so it allows nothing.
  const here: Program = [
    { op: "ld.abs", jt: 0, jf: 0, k: ARCH_OFFSET },
    { op: "jeq.k", jt: 1, jf: 0, k: native.auditArch },
    { op: "ret.k", jt: 0, jf: 0, k: SECCOMP_RET_KILL_PROCESS },
    ...program,
  ];
  return opened(here) ?? opened(program);
}

function archesOf(policy: Policy): readonly Arch[] {
  return policy.arches.flatMap(({ names }) => names)
    .map(archByName)
    .filter((arch) => arch !== undefined);
}

/** Description of an input. */
function describe(data: SeccompData, policy: Policy): string {
  const arches = archesOf(policy).filter((a) => a.auditArch === data.arch);
  // x86_64 and x32 share a value; the number distinguishes them (bit 30).
  const arch =
    arches.find((a) =>
      (data.nr & a.syscallBit) === a.syscallBit && a.syscallBit !== 0
    ) ?? arches[0];
  const name = arch === undefined
    ? undefined
    : [...arch.syscalls].find(([, nr]) => nr === data.nr)?.[0];
  const call = name === undefined ? `number ${data.nr}` : `"${name}"`;
  const where = arch === undefined
    ? `architecture 0x${data.arch.toString(16)}`
    : arch.name;
  const args = data.args.some((a) => a !== 0n)
    ? ` with arguments ${data.args.map((a) => `0x${a.toString(16)}`).join(" ")}`
    : "";
  return `${call} on ${where}${args}`;
}
