/**
 * Compares the oracle, production and the host's libseccomp on a profile,
 * verdict by verdict.
 *
 * @module
 */

import { decode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { prepare, run } from "../../bpf/run.ts";
import { type SeccompData, toWords } from "../../bpf/seccomp_data.ts";
import type { Libseccomp } from "../../ffi/libseccomp.ts";
import type { LibseccompGuard } from "../../ffi/libseccomp_guard.ts";
import { runInKernel } from "../../ffi/socket_filter.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import { ARCHES } from "../../tables/arch.ts";
import { decide } from "../../verify/decide.ts";
import type { OracleHost } from "./host.ts";
import { inputs } from "./inputs.ts";
import { joinFilter, runcStub, toFilterSpec } from "./libseccomp_adapter.ts";
import {
  archOf,
  hostOf,
  interpret,
  type Refused,
  type Target,
  type Verdicts,
} from "./meaning.ts";
import { produce } from "./production.ts";

/** Result of a comparison. */
export interface Comparison {
  /** Description of a difference; absent if there is no difference. */
  readonly difference?: string;
  /** True if production and oracle agree and only the library differs. */
  readonly isReference?: boolean;
  /** Number of verdicts that were compared. */
  readonly verdicts: number;
  /** Outcome for the profile. */
  readonly outcome: "equal" | "refused" | "skipped" | "different";
}

/** Options of a comparison. */
export interface CompareOptions {
  /** Chooses the inputs, a u32. */
  readonly seed: number;
  /**
   * True to compile the profile and run its program; the policy is always
   * compared.
   */
  readonly program?: boolean;
  /** Test for names that exist; those of the tables by default. */
  readonly knows?: (name: string) => boolean;
  /** True to run the program in the kernel as well. */
  readonly kernel?: boolean;
}

/** The host's library, opened twice: for names and, in a child, for filters. */
export interface Reference {
  /** Names and numbers. */
  readonly library: Libseccomp;
  /** Filters. */
  readonly guard: LibseccompGuard;
}

/**
 * Compares the policy and the program of production with the oracle, in the
 * interpreter and on request in the kernel.
 *
 * @param seccomp The profile.
 * @param target The machine and the runtime.
 * @param options Options.
 * @returns The result.
 */
export function compareProduction(
  seccomp: LinuxSeccomp,
  target: Target,
  options: CompareOptions,
): Comparison {
  const oracle = interpret(seccomp, oracleHost(target, options));
  const produced = produce(seccomp, target, options);
  if (typeof oracle !== "function" || produced.kind === "refused") {
    return typeof oracle !== "function" && produced.kind === "refused"
      ? { outcome: "refused", verdicts: 0 }
      : different(
        `production: ${
          produced.kind === "refused" ? produced.reason : "accepts"
        }; oracle: ${word(oracle)}`,
      );
  }
  const { policy, program } = produced;
  const data = inputs(seccomp, target, { seed: options.seed });
  return compareVerdicts(oracle, data, {
    policy: (call) => decide(policy, call).value,
    ...(program === undefined ? {} : interpreted(program, target)),
    ...(program === undefined || options.kernel !== true
      ? {}
      : inKernel(program, target, data)),
  });
}

/**
 * Compares production with the oracle, and then the filter that the host's
 * library builds; all know the names of that library.
 *
 * @param seccomp A profile for x86_64.
 * @param target The machine and the runtime.
 * @param reference The library.
 * @param options Options.
 * @returns The result.
 */
export async function compareLibrary(
  seccomp: LinuxSeccomp,
  target: Target,
  { library, guard }: Reference,
  options: CompareOptions,
): Promise<Comparison> {
  const knows = (name: string): boolean => library.known(name);
  const found = compareProduction(seccomp, target, { ...options, knows });
  if (found.outcome === "different") return found;
  const oracle = interpret(seccomp, oracleHost(target, { knows }));
  if (typeof oracle !== "function" && oracle.refused === "runtime") {
    return { outcome: "skipped", verdicts: 0 };
  }
  const built = await guard.exportFilter(
    toFilterSpec(seccomp, { runtime: target.semantics }),
  );
  if (built.kind !== "filter" || typeof oracle !== "function") {
    const answer = built.kind === "refused"
      ? built.errnoName
      : built.kind === "failed"
      ? `failed: ${built.detail}`
      : "accepts";
    return typeof oracle !== "function" && oracle.refused === answer
      ? found
      : oddity(`libseccomp: ${answer}; oracle: ${word(oracle)}`);
  }
  const filter = target.semantics === "runc"
    ? joinFilter(runcStub(seccomp, library), built.bytes)
    : built.bytes;
  const data = inputs(seccomp, target, { seed: options.seed });
  const { difference } = compareVerdicts(oracle, data, {
    libseccomp: interpreted(decode(filter), target).program,
  });
  return difference === undefined ? found : oddity(difference);
}

/**
 * Reports whether a name means the same to the host's library and to the tables,
 * so that profiles with it can be compared.
 *
 * @param library The library.
 * @returns A predicate on names.
 */
export function usableNames(library: Libseccomp): (name: string) => boolean {
  return (name) => {
    if (!library.known(name)) return false;
    const own = library.resolveName(library.nativeArch, name) ?? 0;
    if (library.resolveNumber(library.nativeArch, own) !== name) return false;
    return ARCHES.every(({ scmpToken, multiplexed, syscalls }) => {
      const nr = library.resolveName(scmpToken, name);
      if (nr === undefined) return scmpToken === LOONGARCH64;
      if (multiplexed.some((call) => call.name === name)) return nr < 0;
      return nr < 0 ? !syscalls.has(name) : syscalls.get(name) === nr;
    });
  };
}

/** Token of loongarch64, which libseccomp knows since 2.6. */
const LOONGARCH64 = 0xc000_0102;

type Opinion = (call: SeccompData, index: number) => number;

function interpreted(
  program: Program,
  target: Target,
): { readonly program: Opinion } {
  const prepared = prepare(program);
  const { littleEndian } = archOf(target.native);
  return { program: (call) => run(prepared, toWords(call, littleEndian)) };
}

function inKernel(
  program: Program,
  target: Target,
  data: readonly SeccompData[],
): { readonly kernel: Opinion } {
  const { littleEndian } = archOf(target.native);
  const values = runInKernel(
    program,
    data.map((call) => toWords(call, littleEndian)),
  );
  return { kernel: (_call, index) => values[index] ?? -1 };
}

function compareVerdicts(
  oracle: Verdicts,
  data: readonly SeccompData[],
  opinions: Readonly<Record<string, Opinion>>,
): Comparison {
  for (const [index, call] of data.entries()) {
    const expected = oracle(call);
    for (const [name, opinion] of Object.entries(opinions)) {
      const value = opinion(call, index);
      if (value === expected) continue;
      const args = call.args.map(hex).join(", ");
      return different(
        `arch ${hex(call.arch)}, nr ${call.nr} (${args}): ${name} ${
          hex(value)
        }, oracle ${hex(expected)}`,
      );
    }
  }
  return { outcome: "equal", verdicts: data.length };
}

function oracleHost(
  target: Target,
  { knows }: Pick<CompareOptions, "knows">,
): OracleHost {
  const host = hostOf(target);
  return knows === undefined ? host : { ...host, known: knows };
}

function different(difference: string): Comparison {
  return { outcome: "different", difference, verdicts: 0 };
}

function oddity(difference: string): Comparison {
  return { ...different(difference), isReference: true };
}

function word(oracle: Verdicts | Refused): string {
  return typeof oracle === "function"
    ? "accepts"
    : `${oracle.refused}: ${oracle.reason}`;
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
