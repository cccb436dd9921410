/**
 * The answer of loaded filters to one call: the rule or the instruction that
 * decided, what the kernel does, and what would change it.
 *
 * @module
 */

import { isConstAllow } from "../../../bpf/const_allow.ts";
import { effective } from "../../../bpf/return_value.ts";
import { prepare, trace } from "../../../bpf/run.ts";
import { type SeccompData, toWords } from "../../../bpf/seccomp_data.ts";
import {
  type AllowEntries,
  findAllowEntries,
  type NoEntries,
} from "../../../pipeline/allow_entry.ts";
import type { ReturnValue } from "../../../profile/policy.ts";
import {
  type WordedCall,
  wordsOfArgument,
} from "../../../statements/argument_words.ts";
import {
  abiOfCall,
  type NearestInput,
  nearestInputs,
} from "../../../statements/explain_call.ts";
import {
  type CallExplanation,
  explainCall,
} from "../../../statements/explain_subject.ts";
import { nameOfCall } from "../../../statements/rows.ts";
import type { CallAbi } from "../../../statements/statement.ts";
import { prevailing } from "../../../tables/precedence.ts";
import { SECCOMP_RET_ALLOW } from "../../../tables/uapi.ts";
import { UnprovenError } from "../../error.ts";
import { parseArguments, parseCall } from "../../input/call.ts";
import type { CompiledSource, LoadedFilter } from "../../input/filter.ts";
import type { ProofLimits } from "../../../verify/limits.ts";
import { type CallRules, rulesOfCall } from "./rules.ts";

/** A call, as a user asks about it. */
export interface AskedCall {
  /** Name or number of a call. */
  readonly call: string;
  /** Its arguments as typed; those that are absent are 0. */
  readonly args: readonly string[];
  /** Limits of the work. */
  readonly limits?: Partial<ProofLimits>;
}

/** The answer of one filter to a call. */
export interface FilterPath {
  readonly value: ReturnValue;
  /** Indices of the executed instructions. */
  readonly path: readonly number[];
}

/** Report about one call. */
export interface CallReport {
  readonly filter: LoadedFilter;
  readonly abi: CallAbi;
  readonly call: WordedCall;
  readonly data: SeccompData;
  /** Number of arguments that were given. */
  readonly given: number;
  /** The answer, as the kernel acts on it. */
  readonly value: ReturnValue;
  /** All answers that other arguments get, if they can be stated. */
  readonly answers: CallExplanation["answers"] | undefined;
  readonly paths: readonly FilterPath[];
  /** True if the kernel allows the call without running the filters. */
  readonly cached: boolean;
  /** Present for a profile. */
  readonly rules?: CallRules;
  /** The nearest calls that are allowed. */
  readonly nearest: readonly NearestInput[];
  /** Present for a profile that denies the call. */
  readonly allow?: AllowEntries | NoEntries;
}

/**
 * Reports on one call.
 *
 * @param filter The filters.
 * @param question The call.
 * @throws {UnprovenError} if the answers cannot be stated and no argument is
 * given.
 */
export function reportOf(
  filter: LoadedFilter,
  question: AskedCall,
): CallReport {
  const { arch, nr } = parseCall(question.call, filter.native);
  const abi = abiOfCall(arch, nr);
  const call = { arch: abi.arch, name: nameOfCall(abi.arch, nr) };
  const data: SeccompData = {
    arch,
    nr,
    instructionPointer: 0n,
    args: parseArguments(question.args, { arch, nr }),
  };
  const { littleEndian, programs } = filter;
  const { limits = {} } = question;
  const subject = filter.kind === "profile"
    ? filter.resolved.policy
    : { programs, littleEndian };
  const explained = explainCall(subject, { arch, nr, abi }, {
    littleEndian,
    limits,
  });
  const answers = explained.kind === "call" ? explained.answers : undefined;
  if (answers === undefined && question.args.length === 0) {
    throw new UnprovenError(
      `Cannot explain ${question.call} completely: ${
        explained.kind === "call" ? "" : explained.reason
      }; give its arguments`,
    );
  }
  const words = toWords(data, littleEndian);
  const paths = programs.map((program) => trace(prepare(program), words));
  const value = effective(prevailing(paths.map((path) => path.value)));
  const isDenied = value !== SECCOMP_RET_ALLOW;
  const report: CallReport = {
    filter,
    abi,
    call,
    data,
    given: question.args.length,
    value,
    answers,
    paths,
    cached: abi.arch !== undefined && abi.arch.syscallBit === 0 &&
      programs.every((program) => isConstAllow(program, arch, nr)),
    nearest: isDenied
      ? nearestInputs(subject, data, SECCOMP_RET_ALLOW, {
        littleEndian,
        limits,
        byBits: (arg) => wordsOfArgument(call, arg).isFlags,
      })
      : [],
  };
  return filter.kind === "programs"
    ? report
    : { ...report, ...ofProfile(filter, report) };
}

/** The rules of a profile, and the entries that would allow the call. */
function ofProfile(
  { name, profile, resolved, target }: CompiledSource,
  { call, data, given, value }: CallReport,
): Pick<CallReport, "rules" | "allow"> {
  const rules = rulesOfCall({ name, profile, resolved }, data, call);
  if (value === SECCOMP_RET_ALLOW || call.name === undefined) return { rules };
  const args = new Map(
    data.args.slice(0, given).map((value, arg) => [arg, value]),
  );
  const wanted = { name: call.name, args, data };
  return { rules, allow: findAllowEntries(profile, resolved, target, wanted) };
}
