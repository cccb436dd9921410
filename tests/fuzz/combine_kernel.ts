/**
 * Combined profiles in the kernel, which has the last word on what a stack of
 * filters answers.
 *
 * @module
 */

import { encode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { addressOf } from "../../ffi/libc.ts";
import { runInKernel } from "../../ffi/socket_filter.ts";
import type { Stub, StubCall, StubOutcome } from "../../ffi/stub.ts";
import { prepare, run } from "../../bpf/run.ts";
import { combine } from "../../pipeline/combine/combine.ts";
import { compilePolicy } from "../../pipeline/compile_profile.ts";
import type { ProfileTarget } from "../../pipeline/resolve_profile.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import type { LinuxSeccomp } from "../../profile/formats/oci.ts";
import { inputs } from "../oracle/inputs.ts";
import { archOf, type Target } from "../oracle/meaning.ts";
import { createRandom } from "../oracle/random.ts";
import { drawPair, show, sideOf } from "./combine_campaign.ts";
import { policyOf } from "./combine_laws.ts";
import { effect, joinAnswers } from "./combine_proofs.ts";

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
      const wanted = joinAnswers(
        first?.[i] ?? 0,
        second?.[i] ?? 0,
        "intersect",
        0,
      );
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
  sections: readonly LinuxSeccomp[],
  target: ProfileTarget,
): readonly (Program | undefined)[] | undefined {
  try {
    const sides = sections.map((one) => sideOf(one, target, new Map()));
    const result = combine(sides.map(({ profile }) => ({ profile })), target);
    const policy = policyOf(result);
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

/** Calls without arguments, which are harmless and do not return 0. */
const HARMLESS = ["getpid", "gettid", "getppid", "getpgrp"] as const;
const NUMBERS: readonly number[] = [39, 186, 110, 111];
const X32_BIT = 0x4000_0000;
const X86_64 = 0xc000_003e;
const SECCOMP = 317;
const SET_MODE_FILTER = 1n;
/** Offsets in `struct seccomp_data`: the instruction pointer, argument 2. */
const IP_OFFSET = 8;
const ARG2_OFFSET = 32;
const ALLOW = 0x7fff_0000;
const FATAL: readonly number[] = [0, 0x8000_0000, 0x0003_0000];
/** Calls of a pair that end the child, which takes one child each. */
const MOST_FATAL = 4;

/** Verdicts of the kernel for two filters at once. */
export interface AttachedCounts extends KernelCounts {
  /** Those that ended a child. */
  readonly fatal: number;
}

/**
 * Attaches both filters of random pairs to one child and their intersection to
 * another, and makes the same calls in both. Real seccomp decides; calls that it
 * allows run.
 *
 * @param stub Makes the calls.
 * @param options The first seed, the number of pairs, and that of calls of each.
 */
export function judgeAttached(
  stub: Stub,
  { seed, pairs, calls: most }: {
    readonly seed: number;
    readonly pairs: number;
    readonly calls: number;
  },
): AttachedCounts {
  const counts = { pairs: 0, verdicts: 0, fatal: 0 };
  const wrong: string[] = [];
  for (let own = seed; counts.pairs < pairs && wrong.length < 5; own++) {
    const sections = drawPair(own).sections.map(onHarmless);
    const target = { arch: "x86_64", unknown: "ignore" } as const;
    const [a, b, both] = programsOf(sections, target) ?? [];
    if (a === undefined || b === undefined || both === undefined) continue;
    const tell = (call: StubCall, wanted: string, got: string): void => {
      if (wanted === got && got !== "nothing") return;
      const args = call.args.join(", ");
      wrong.push(`seed ${own}: ${call.nr}(${args}) gets ${got}, not ${wanted}`);
    };
    const { quiet, fatal } = drawCalls(sections, [a, b, both], own, most);
    if (quiet.length < most) continue;
    counts.pairs++;
    const [older, newer, one] = [[a, b], [b, a], [both]].map((stack) =>
      attached(stub, stack, quiet).results
    );
    for (const [i, call] of quiet.entries()) {
      counts.verdicts++;
      // Of two errors, the kernel takes that of the newer filter.
      const wanted = lesserError(older?.[i], newer?.[i]);
      tell(call, seen(wanted), seen(one?.[i]));
    }
    for (const call of fatal) {
      counts.verdicts++;
      counts.fatal++;
      const [wanted, got] = [[a, b], [both]].map((stack) => {
        const { signal } = attached(stub, stack, [call], false);
        return signal === 0 ? "nothing" : `signal ${signal}`;
      });
      tell(call, wanted ?? "nothing", got ?? "nothing");
    }
  }
  return { ...counts, wrong: wrong.slice(0, 5) };
}

/** The section with its rules on harmless calls. */
function onHarmless(section: LinuxSeccomp, at: number): LinuxSeccomp {
  return {
    ...section,
    architectures: at === 0
      ? ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"]
      : ["SCMP_ARCH_X86_64"],
    syscalls: section.syscalls.map((entry, i) => ({
      ...entry,
      names: [HARMLESS[(i + at) % HARMLESS.length] ?? "getpid"],
    })),
  };
}

/** Calls whose arguments are near the values of the profiles. */
function drawCalls(
  sections: readonly LinuxSeccomp[],
  programs: readonly Program[],
  seed: number,
  most: number,
): {
  readonly quiet: readonly StubCall[];
  readonly fatal: readonly StubCall[];
} {
  const random = createRandom(seed);
  const near = sections.flatMap(({ syscalls }) =>
    syscalls.flatMap(({ args }) =>
      args.flatMap(({ value, valueTwo }) => [value, valueTwo])
    )
  );
  const prepared = programs.map(prepare);
  const quiet: StubCall[] = [];
  const fatal: StubCall[] = [];
  for (let i = 0; i < 8 * most && quiet.length < most; i++) {
    const nr = random.pick(NUMBERS) + (random.chance(0.1) ? X32_BIT : 0);
    const args = Array.from({ length: 6 }, (): bigint => {
      const base = near.length === 0 || random.chance(0.2)
        ? BigInt(random.u32())
        : random.pick(near);
      const high = random.chance(0.1) ? BigInt(random.u32()) << 32n : 0n;
      return BigInt.asUintN(64, base + BigInt(random.int(3)) - 1n ^ high);
    });
    const data = { nr, arch: X86_64, instructionPointer: 0n, args };
    const words = toWords(data, true);
    // The kernel is the judge: this only decides who shares a child.
    const isFatal = prepared.some((program) =>
      FATAL.includes((run(program, words) & 0xffff_0000) >>> 0)
    );
    if (!isFatal) quiet.push({ nr, args });
    else if (fatal.length < MOST_FATAL) fatal.push({ nr, args });
  }
  return { quiet, fatal };
}

/** Makes calls in a child under filters, the oldest first. */
function attached(
  stub: Stub,
  stack: readonly Program[],
  calls: readonly StubCall[],
  shared = true,
): StubOutcome {
  const buffers = stack.map(() => new DataView(new ArrayBuffer(16)));
  const [first, ...others] = stack.map((program, i) => {
    const next = buffers[i + 1];
    const own = next === undefined ? 0n : addressOf(next);
    return encode(framed(program, stub.instructionPointer.syscall, own));
  });
  const attach = others.map((filter, i): StubCall => {
    const fprog = buffers[i + 1] ?? unreachable();
    fprog.setUint16(0, filter.length / 8, true);
    fprog.setBigUint64(8, addressOf(filter), true);
    return { nr: SECCOMP, args: [SET_MODE_FILTER, 0n, addressOf(fprog)] };
  });
  const outcome = stub.run({
    filter: first ?? unreachable(),
    calls: [...attach, ...calls],
    shared,
  });
  const { results } = outcome;
  // Both buffers are alive until here.
  const problem = outcome.loadErrno !== 0 ||
    shared && results.slice(0, attach.length).some((result) => result !== 0) ||
    buffers.length !== 1 + others.length;
  if (problem) {
    throw new Error(`Cannot attach filters: ${Deno.inspect(outcome)}`);
  }
  return { ...outcome, results: results.slice(attach.length) };
}

/** Lets the child end, and attach the next filter. */
function framed(program: Program, ip: bigint, fprog: bigint): Program {
  const allow = { op: "ret.k", jt: 0, jf: 0, k: ALLOW } as const;
  const load = (k: number): Program[number] => ({
    op: "ld.abs",
    jt: 0,
    jf: 0,
    k,
  });
  const word = (value: bigint): number => Number(value & 0xffff_ffffn);
  return [
    load(IP_OFFSET),
    { op: "jeq.k", jt: 0, jf: 2, k: word(ip) },
    load(IP_OFFSET + 4),
    { op: "jeq.k", jt: 1, jf: 0, k: word(ip >> 32n) },
    allow,
    load(0),
    { op: "jeq.k", jt: 0, jf: 5, k: SECCOMP },
    load(ARG2_OFFSET),
    { op: "jeq.k", jt: 0, jf: 3, k: word(fprog) },
    load(ARG2_OFFSET + 4),
    { op: "jeq.k", jt: 0, jf: 1, k: word(fprog >> 32n) },
    allow,
    // A program starts with A = 0.
    { op: "ld.imm", jt: 0, jf: 0, k: 0 },
    ...program,
  ];
}

/** Of two results that are errors, the one of the lesser errno, and 0 last. */
function lesserError(
  a: number | undefined,
  b: number | undefined,
): number | undefined {
  if (a === undefined || b === undefined || a > 0 || b > 0) return a;
  const [x, y] = [-a || Infinity, -b || Infinity];
  return x <= y ? a : b;
}

/** A result in words: the calls return numbers of processes. */
function seen(result: number | undefined): string {
  if (result === undefined) return "nothing";
  return result > 0 ? "a number" : `errno ${-result}`;
}

function unreachable(): never {
  throw new Error("Unreachable: no filter");
}
