/**
 * Calls that load a filter, read at their entry: seccomp(2) and prctl(2).
 *
 * @module
 */

import { ARCHES } from "../../tables/arch.ts";
import { BPF_MAXINSNS } from "../../tables/uapi.ts";
import type { Libc } from "../libc.ts";
import { readMemory } from "../live/proc.ts";
import type { CallStop } from "./stops.ts";

/** linux/seccomp.h, linux/prctl.h. */
const SECCOMP_SET_MODE_STRICT = 0n;
const SECCOMP_SET_MODE_FILTER = 1n;
const PR_SET_SECCOMP = 22n;
const SECCOMP_MODE_STRICT = 1n;
const SECCOMP_MODE_FILTER = 2n;

/** Size of a `struct sock_filter` in bytes. */
const SOCK_FILTER_SIZE = 8;

/** A call that loads a filter or enables strict mode. */
export interface LoadCall {
  readonly call: "seccomp" | "prctl";
  /** `AUDIT_ARCH_*` of the call, a u32. */
  readonly auditArch: number;
  /** True for a call of x86, x32 or arm, whose pointers have 32 bits. */
  readonly narrow: boolean;
  readonly mode: "filter" | "strict";
  /** Flags of seccomp(2), a u32; 0 for prctl(2). */
  readonly flags: number;
  /** Number of instructions in the `struct sock_fprog`; 0 if it is unreadable. */
  readonly length: number;
  /**
   * `struct sock_filter[]`; absent if the length is not one from 1 to 4096, or
   * memory could not be read.
   */
  readonly bytes?: Uint8Array;
  /** Address of the `struct sock_fprog`. */
  readonly address: bigint;
}

/** The call with a given number, and the width of its pointers. */
interface Loader {
  readonly call: "seccomp" | "prctl";
  readonly narrow: boolean;
}

/** Numbers of both calls by audit value. */
let loaders: ReadonlyMap<number, ReadonlyMap<number, Loader>> | undefined;

function loadersOf(auditArch: number): ReadonlyMap<number, Loader> | undefined {
  if (loaders === undefined) {
    const all = new Map<number, Map<number, Loader>>();
    for (const { auditArch, bits, syscalls } of ARCHES) {
      const numbers = all.get(auditArch) ?? new Map<number, Loader>();
      all.set(auditArch, numbers);
      for (const call of ["seccomp", "prctl"] as const) {
        const nr = syscalls.get(call);
        if (nr !== undefined) numbers.set(nr, { call, narrow: bits === 32 });
      }
    }
    loaders = all;
  }
  return loaders.get(auditArch);
}

/**
 * Reads a call that loads a filter.
 *
 * @param tid The thread, stopped at the entry of the call.
 * @param stop The call.
 * @returns The load; `undefined` for any other call.
 */
export function readLoad(
  libc: Libc,
  tid: number,
  { arch, nr, args }: CallStop & { readonly op: "entry" },
): LoadCall | undefined {
  const loader = loadersOf(arch)?.get(nr);
  if (loader === undefined) return undefined;
  const { call, narrow } = loader;
  const [first = 0n, second = 0n, third = 0n] = args;
  const base = { call, auditArch: arch, narrow, address: third, length: 0 };
  if (call === "seccomp") {
    // Both are `unsigned int`.
    const operation = first & 0xffff_ffffn;
    const flags = Number(second & 0xffff_ffffn);
    if (operation === SECCOMP_SET_MODE_STRICT) {
      return { ...base, mode: "strict", flags };
    }
    if (operation !== SECCOMP_SET_MODE_FILTER) return undefined;
    return {
      ...base,
      ...{ mode: "filter", flags },
      ...readSockFprog(libc, tid, third, narrow),
    };
  }
  if ((first & 0xffff_ffffn) !== PR_SET_SECCOMP) return undefined;
  if (second === SECCOMP_MODE_STRICT) {
    return { ...base, mode: "strict", flags: 0 };
  }
  if (second !== SECCOMP_MODE_FILTER) return undefined;
  return {
    ...base,
    ...{ mode: "filter", flags: 0 },
    ...readSockFprog(libc, tid, third, narrow),
  };
}

/**
 * Reads a `struct sock_fprog` and the program that it names.
 *
 * @param narrow True if pointers have 32 bits: `struct compat_sock_fprog`.
 */
export function readSockFprog(
  libc: Libc,
  tid: number,
  address: bigint,
  narrow: boolean,
): Pick<LoadCall, "length" | "bytes"> {
  const header = readMemory(libc, tid, address, narrow ? 8 : 16);
  if (header === undefined) return { length: 0 };
  const view = new DataView(header.buffer, header.byteOffset);
  const length = view.getUint16(0, true);
  const start = narrow
    ? BigInt(view.getUint32(4, true))
    : view.getBigUint64(8, true);
  // The kernel refuses other lengths without reading the program.
  if (length === 0 || length > BPF_MAXINSNS) return { length };
  const bytes = readMemory(libc, tid, start, length * SOCK_FILTER_SIZE);
  return { length, ...(bytes === undefined ? {} : { bytes }) };
}
