/**
 * Lists: filters that allow n calls and deny the rest, as in the first
 * experiment, made of real numbers of x86_64.
 *
 * The timed calls are spread over the numbers. They fail immediately or are
 * trivial, so they differ only by their place.
 *
 * @module
 */

import { decode } from "../../bpf/encode.ts";
import type { Program } from "../../bpf/instruction.ts";
import { COUNTED_NUMBERS } from "../../compiler/cost.ts";
import { cString, openLibc } from "../../ffi/libc.ts";
import { LIBSECCOMP_SYMBOLS } from "../../ffi/libseccomp_symbols.ts";
import type { Policy, Rule } from "../../profile/policy.ts";
import {
  AUDIT_ARCH_X86_64,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
} from "../../tables/uapi.ts";

/** A timed call. */
export interface Probe {
  readonly name: string;
  /** Its number on x86_64. */
  readonly nr: number;
  readonly args: readonly bigint[];
}

const EPERM = 1;
/** `SCMP_FLTATR_CTL_OPTIMIZE` of seccomp.h. */
const ATTR_OPTIMIZE = 8;
const SEEK_END = 2;
/** linux/memfd.h: programs that this process starts do not inherit it. */
const MFD_CLOEXEC = 1;
/** Not a file descriptor: the call ends with EBADF. */
const NO_FD = 0xffff_ffff_ffff_ffffn;

/** The number that the experiment examines. */
export const GETPPID = 110;

/** Ends the child that makes the calls; it is in every list. */
export const EXIT_CALL = 60;

/** In the order of their addition to a list: a list of 8 has the first 7. */
export const PROBES: readonly Probe[] = [
  { name: "read", nr: 0, args: [NO_FD] },
  { name: "getppid", nr: GETPPID, args: [] },
  { name: "readahead", nr: 187, args: [NO_FD] },
  { name: "fallocate", nr: 285, args: [NO_FD] },
  { name: "fcntl", nr: 72, args: [NO_FD] },
  { name: "380 (unused)", nr: 380, args: [] },
  { name: "close_range", nr: 436, args: [1n, 0n] },
  { name: "futex_waitv", nr: 449, args: [0n, 0n, 1n] },
  { name: "dup", nr: 32, args: [NO_FD] },
  { name: "fadvise64", nr: 221, args: [NO_FD] },
  { name: "getcpu", nr: 309, args: [] },
  { name: "423 (unused)", nr: 423, args: [] },
];

/**
 * Chooses the numbers of a list: exit, the timed ones, then others of 0 to 469
 * in a mixed but fixed order.
 *
 * @param n Number of calls, at most 470.
 * @returns The numbers, in rising order.
 */
export function listedNumbers(n: number): readonly number[] {
  const numbers = [EXIT_CALL, ...PROBES.map(({ nr }) => nr)];
  // 211 and 470 have no common divisor, so every number occurs once.
  for (let i = 0; i < COUNTED_NUMBERS; i++) {
    const nr = (i * 211) % COUNTED_NUMBERS;
    if (!numbers.includes(nr)) numbers.push(nr);
  }
  return numbers.slice(0, n).sort((a, b) => a - b);
}

/** The policy of a list, as libseccomp interprets it for x86_64 only. */
export function listPolicy(numbers: readonly number[]): Policy {
  const allowed = numbers.map((nr): Rule => ({
    first: nr,
    last: nr,
    conditions: [],
    value: SECCOMP_RET_ALLOW,
    source: "list",
  }));
  return {
    defaultValue: SECCOMP_RET_ERRNO + EPERM,
    badArchValue: 0,
    littleEndian: true,
    arches: [{
      auditArch: AUDIT_ARCH_X86_64,
      names: ["x86_64"],
      rules: [
        ...allowed,
        // Numbers of x32, except −1.
        {
          first: 0x4000_0000,
          last: 0xffff_fffe,
          conditions: [],
          value: 0,
          source: "x32",
        },
      ],
    }],
  };
}

/** libseccomp, called by number. */
export interface ListBuilder {
  /** Builds a list as a chain (1) or as a tree (2). */
  build(numbers: readonly number[], optimize: 1 | 2): Program;
}

/**
 * Opens the host's libseccomp for lists.
 *
 * @returns Undefined if there is no library, or the host is not x86_64.
 */
export function openListBuilder(): ListBuilder | undefined {
  if (Deno.build.arch !== "x86_64") return undefined;
  let symbols: Deno.DynamicLibrary<typeof LIBSECCOMP_SYMBOLS>["symbols"];
  try {
    symbols = Deno.dlopen("libseccomp.so.2", LIBSECCOMP_SYMBOLS).symbols;
  } catch {
    return undefined;
  }
  const succeed = (what: string, result: number): void => {
    if (result !== 0) {
      throw new Error(`Cannot build a list: ${what}: ${result}`);
    }
  };
  return {
    build(numbers, optimize): Program {
      const context = symbols.seccomp_init(SECCOMP_RET_ERRNO + EPERM);
      const libc = openLibc().symbols;
      const fd = libc.memfd_create(cString("list"), MFD_CLOEXEC);
      try {
        succeed(
          "seccomp_attr_set",
          symbols.seccomp_attr_set(context, ATTR_OPTIMIZE, optimize),
        );
        for (const nr of numbers) {
          succeed(
            "seccomp_rule_add_array",
            symbols.seccomp_rule_add_array(
              context,
              SECCOMP_RET_ALLOW,
              nr,
              0,
              null,
            ),
          );
        }
        succeed("seccomp_export_bpf", symbols.seccomp_export_bpf(context, fd));
        const bytes = new Uint8Array(libc.lseek(fd, 0n, SEEK_END));
        libc.pread(fd, bytes, BigInt(bytes.length), 0n);
        return decode(bytes);
      } finally {
        libc.close(fd);
        symbols.seccomp_release(context);
      }
    },
  };
}

/**
 * Moves a number to another place in a linear filter by exchanging two
 * constants, as libseccomp's priorities do.
 *
 * @param program A linear filter of a list.
 * @param nr The number.
 * @param numbers The list.
 * @param position Its new place, from 1.
 */
export function moveTo(
  program: Program,
  nr: number,
  numbers: readonly number[],
  position: number,
): Program {
  const listed = new Set(numbers);
  const places = program.flatMap(({ op, k }, pc) =>
    op === "jeq.k" && listed.has(k) ? [pc] : []
  );
  const from = places.find((pc) => program[pc]?.k === nr);
  const to = places[position - 1];
  const other = to === undefined ? undefined : program[to]?.k;
  if (from === undefined || other === undefined) {
    throw new RangeError(
      `Cannot move number ${nr} to place ${position}: ${places.length} calls are listed`,
    );
  }
  return program.map((instruction, pc) =>
    pc === from
      ? { ...instruction, k: other }
      : pc === to
      ? { ...instruction, k: nr }
      : instruction
  );
}
