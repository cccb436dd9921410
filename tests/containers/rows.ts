/**
 * The calls that a probe makes: every number up to 1,200 and the edges of the
 * number range on x86_64, x32 and, if the kernel supports it, x86; and for the
 * numbers in use, the values around every constant with which a profile
 * compares an argument.
 *
 * This module does not know which name has which number: each constant is tried
 * on each call.
 *
 * @module
 */

import { has } from "../machine.ts";
import { type ProbeRow, UNFILTERED } from "./probe.ts";
import type { ProfileSection } from "./docker_default.ts";

/** `seccomp_data.arch` of the `syscall` instruction. */
const AUDIT_ARCH_X86_64 = 0xc000_003e;
/** `seccomp_data.arch` of `int $0x80`. */
const AUDIT_ARCH_I386 = 0x4000_0003;
/** `__X32_SYSCALL_BIT` of asm/unistd.h. */
const X32_BIT = 0x4000_0000;

const LAST_NUMBER = 1200;
/** Above the numbers that profiles name today. */
const LAST_NUMBER_IN_USE = 480;
const U64 = (1n << 64n) - 1n;

const EDGES: readonly number[] = [
  0x3fff_ffff,
  X32_BIT + LAST_NUMBER + 1,
  0x7fff_ffff,
  0x8000_0000,
  0x8000_0001,
  0xbfff_ffff,
  0xc000_0000,
  0xffff_fffe,
  0xffff_ffff,
];

/** Calls that do no harm when they run, to see the filter at work. */
const HARMLESS: readonly ProbeRow[] = [
  { abi: "executed", nr: 39, args: [] }, // getpid
  { abi: "executed", nr: 110, args: [] }, // getppid
  { abi: "executed", nr: 135, args: [0xffff_ffffn] }, // personality: query
  { abi: "executed", nr: 3, args: [U64] }, // close(-1)
  { abi: "executed", nr: 165, args: [0n, 0n, 0n, 0n, 0n] }, // mount(NULL, ...)
  { abi: "executed", nr: 272, args: [U64] }, // unshare(-1)
  { abi: "executed", nr: 248, args: [0n, 0n, 0n, 0n, 0n] }, // add_key(NULL, ...)
  { abi: "executed", nr: LAST_NUMBER, args: [] },
];

/**
 * Lists the calls to ask about for a profile.
 *
 * @param section The profile; its argument constants are taken.
 * @returns Rows in a fixed order.
 */
export function probeRows(section: ProfileSection): ProbeRow[] {
  const rows: ProbeRow[] = [];
  const abis = has("i386", "calls by int $0x80 in containers")
    ? ["syscall", "int80"] as const
    : ["syscall"] as const;
  const add = (nr: number, args: readonly bigint[]): void => {
    for (const abi of abis) {
      if (abi === "syscall" && UNFILTERED.includes(nr)) continue;
      rows.push({ abi, nr, args });
    }
  };
  for (const args of [[], [U64, U64, U64, U64, U64, U64]]) {
    for (let nr = 0; nr <= LAST_NUMBER; nr++) {
      add(nr, args);
      rows.push({ abi: "syscall", nr: nr + X32_BIT, args });
    }
    for (const nr of EDGES) add(nr, args);
  }
  for (const [index, values] of lattice(section)) {
    for (const value of values) {
      const args = Array.from(
        { length: 6 },
        (_, i) => i === index ? value : 0n,
      );
      for (let nr = 0; nr <= LAST_NUMBER_IN_USE; nr++) {
        add(nr, args);
        rows.push({ abi: "syscall", nr: nr + X32_BIT, args });
      }
    }
  }
  for (const row of HARMLESS) rows.push({ ...row, abi: "syscall" }, row);
  return rows;
}

/**
 * A filter's view of a row.
 *
 * @param row The call.
 * @returns `seccomp_data` without the instruction pointer, which is 0.
 */
export function rowData({ abi, nr, args }: ProbeRow): {
  readonly nr: number;
  readonly arch: number;
  readonly instructionPointer: bigint;
  readonly args: readonly bigint[];
} {
  return {
    nr,
    arch: abi === "int80" ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64,
    instructionPointer: 0n,
    args: Array.from(
      { length: 6 },
      (_, i) => (args[i] ?? 0n) & (abi === "int80" ? 0xffff_ffffn : U64),
    ),
  };
}

/**
 * Names a row for a message.
 *
 * @param row The call.
 * @returns A name such as `x86_64 nr 41 (0x26,0x0)`.
 */
export function describeRow({ abi, nr, args }: ProbeRow): string {
  const isX32 = nr >= X32_BIT && nr < 2 * X32_BIT;
  const mode = abi === "int80" ? "x86" : isX32 ? "x32" : "x86_64";
  const number = abi !== "int80" && isX32 ? nr - X32_BIT : nr;
  const words = args.map((arg) => `0x${arg.toString(16)}`);
  return `${
    abi === "executed" ? "executed " : ""
  }${mode} nr ${number} (${words})`;
}

/** By index of the argument: −1, 0, +1 around each constant, in both words. */
function lattice(section: ProfileSection): Map<number, Set<bigint>> {
  const values = new Map<number, Set<bigint>>();
  for (const { args = [] } of section.syscalls) {
    for (const { index, value, valueTwo, op } of args) {
      const at = values.get(index) ?? new Set<bigint>();
      values.set(index, at);
      const constants = op === "SCMP_CMP_MASKED_EQ"
        ? [BigInt(value), BigInt(valueTwo ?? 0), ...bitsOf(BigInt(value))]
        : [BigInt(value)];
      for (const constant of constants) {
        for (const near of [constant - 1n, constant, constant + 1n]) {
          for (const high of [0n, 1n << 32n, 1n << 63n]) {
            at.add((near ^ high) & U64);
          }
        }
      }
    }
  }
  return values;
}

function bitsOf(mask: bigint): bigint[] {
  return Array.from({ length: 64 }, (_, i) => 1n << BigInt(i))
    .filter((bit) => (mask & bit) !== 0n);
}
