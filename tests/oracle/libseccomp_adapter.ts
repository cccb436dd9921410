/**
 * The work of crun and runc on a seccomp section before they call libseccomp,
 * and the stub that runc puts in front of the result. Written from their
 * observed behavior, with separate tables; it shares no code with `profile/`.
 *
 * @module
 */

import type {
  FilterArg,
  FilterCompare,
  FilterRule,
  FilterSpec,
  Libseccomp,
} from "../../ffi/libseccomp.ts";
import type {
  LinuxSeccomp,
  LinuxSeccompArg,
  LinuxSyscall,
  ScmpAction,
  ScmpOp,
} from "../../profile/formats/oci.ts";

/** A runtime and the behavior of a version. */
export interface RuntimeManner {
  /** The runtime. */
  readonly runtime: "crun" | "runc";
  /** Ask for the binary tree above 32 names, as runc since 1.2.0; no by default. */
  readonly tree?: boolean;
  /**
   * Number of conditions of one entry that are read: 6 in crun up to 1.29; all
   * by default.
   */
  readonly maxConditions?: number;
}

/** Kind of the ENOSYS stub. */
export interface StubManner {
  /** Add the native architecture if it is not listed, as runc since 1.1.14; yes by default. */
  readonly native?: boolean;
}

const ACTIONS: Readonly<Record<ScmpAction, number>> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_NOTIFY: 0x7fc0_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_ALLOW: 0x7fff_0000,
};

const OPS: Readonly<Record<ScmpOp, FilterCompare>> = {
  SCMP_CMP_NE: "ne",
  SCMP_CMP_LT: "lt",
  SCMP_CMP_LE: "le",
  SCMP_CMP_EQ: "eq",
  SCMP_CMP_GE: "ge",
  SCMP_CMP_GT: "gt",
  SCMP_CMP_MASKED_EQ: "maskedEq",
};

/** Tokens of seccomp.h by their OCI names. */
export const SCMP_TOKENS: Readonly<Record<string, number>> = {
  SCMP_ARCH_X86: 0x4000_0003,
  SCMP_ARCH_X86_64: 0xc000_003e,
  SCMP_ARCH_X32: 0x4000_003e,
  SCMP_ARCH_ARM: 0x4000_0028,
  SCMP_ARCH_AARCH64: 0xc000_00b7,
  SCMP_ARCH_LOONGARCH64: 0xc000_0102,
  SCMP_ARCH_M68K: 0x0000_0004,
  SCMP_ARCH_MIPS: 0x0000_0008,
  SCMP_ARCH_MIPSEL: 0x4000_0008,
  SCMP_ARCH_MIPS64: 0x8000_0008,
  SCMP_ARCH_MIPSEL64: 0xc000_0008,
  SCMP_ARCH_MIPS64N32: 0xa000_0008,
  SCMP_ARCH_MIPSEL64N32: 0xe000_0008,
  SCMP_ARCH_PARISC: 0x0000_000f,
  SCMP_ARCH_PARISC64: 0x8000_000f,
  SCMP_ARCH_PPC: 0x0000_0014,
  SCMP_ARCH_PPC64: 0x8000_0015,
  SCMP_ARCH_PPC64LE: 0xc000_0015,
  SCMP_ARCH_RISCV64: 0xc000_00f3,
  SCMP_ARCH_S390: 0x0000_0016,
  SCMP_ARCH_S390X: 0x8000_0016,
  SCMP_ARCH_SHEB: 0x0000_002a,
  SCMP_ARCH_SH: 0x4000_002a,
};

const X86_64 = 0xc000_003e;
const X32 = 0x4000_003e;
const S390 = [0x0000_0016, 0x8000_0016];
const X32_BIT = 0x4000_0000;
const ENOSYS = 38;

/**
 * Makes the calls that a runtime would make.
 *
 * @param seccomp The section.
 * @param manner The runtime.
 * @throws {TypeError} if the runtime refuses before it calls the library.
 * @returns Input of the library.
 */
export function toFilterSpec(
  seccomp: LinuxSeccomp,
  manner: RuntimeManner,
): FilterSpec {
  const defaultAction = actionValue(
    seccomp.defaultAction,
    seccomp.defaultErrnoRet,
  );
  const rules: FilterRule[] = [];
  let names = 0;
  for (const entry of seccomp.syscalls) {
    names += entry.names.length;
    if (
      manner.runtime === "crun" && entry.errnoRet !== undefined &&
      !takesData(entry.action)
    ) {
      throw new TypeError(`crun refuses errnoRet with ${entry.action}`);
    }
    const action = actionValue(entry.action, entry.errnoRet);
    if (action === defaultAction) continue;
    for (const name of entry.names) {
      for (const args of argLists(entry, manner)) {
        rules.push({ action, name, args });
      }
    }
  }
  return {
    defaultAction,
    architectures: seccomp.architectures.map(tokenOf),
    rules,
    optimize: manner.tree === true && names > 32 ? 2 : 1,
  };
}

/**
 * Makes the stub that runc puts in front of a filter: ENOSYS for numbers above
 * every number that the section mentions.
 *
 * @param seccomp The section.
 * @param library Resolves the names.
 * @param manner The version.
 * @returns `struct sock_filter[]` that falls through into the filter; empty if runc adds none.
 */
export function runcStub(
  seccomp: LinuxSeccomp,
  library: Libseccomp,
  manner: StubManner = {},
): Uint8Array<ArrayBuffer> {
  const code: number[][] = [];
  if (
    !["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"].includes(
      seccomp.defaultAction,
    )
  ) {
    const tokens = new Set(seccomp.architectures.map(tokenOf));
    if (manner.native !== false) tokens.add(library.nativeArch);
    const largest = new Map<number, number>();
    for (const token of tokens) {
      const max = largestNumber(seccomp, library, token);
      if (max > 0) largest.set(token, max);
    }
    for (const [token, max] of largest) {
      if (token !== X86_64 && token !== X32) {
        code.push(...plainBlock(token, max));
      }
    }
    code.push(...x86Block(largest.get(X86_64), largest.get(X32)));
  }
  const bytes = new Uint8Array(code.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, [op = 0, k = 0, jt = 0, jf = 0]] of code.entries()) {
    view.setUint16(i * 8, op, true);
    view.setUint8(i * 8 + 2, jt);
    view.setUint8(i * 8 + 3, jf);
    view.setUint32(i * 8 + 4, k, true);
  }
  return bytes;
}

/**
 * Puts a stub in front of a filter.
 *
 * @param stub Result of {@linkcode runcStub}.
 * @param filter Output of the library.
 * @returns The whole filter.
 */
export function joinFilter(
  stub: Uint8Array,
  filter: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(stub.length + filter.length);
  bytes.set(stub);
  bytes.set(filter, stub.length);
  return bytes;
}

function takesData(action: ScmpAction): boolean {
  return action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE";
}

function actionValue(action: ScmpAction, errnoRet: number | undefined): number {
  const base = ACTIONS[action];
  return takesData(action) ? (base | ((errnoRet ?? 1) & 0xffff)) >>> 0 : base;
}

function tokenOf(name: string): number {
  const token = SCMP_TOKENS[name];
  if (token === undefined) {
    throw new TypeError(`Unknown architecture ${name}`);
  }
  return token;
}

/** One list for each rule that the entry becomes. */
function argLists(
  entry: LinuxSyscall,
  manner: RuntimeManner,
): readonly (readonly FilterArg[])[] {
  const limit = manner.maxConditions ?? Infinity;
  const args = entry.args.filter((_, i) => i < limit).map(toFilterArg);
  const indices = new Set(args.map(({ arg }) => arg));
  return indices.size === args.length ? [args] : args.map((arg) => [arg]);
}

function toFilterArg(arg: LinuxSeccompArg): FilterArg {
  return {
    arg: arg.index,
    op: OPS[arg.op],
    a: arg.value,
    b: arg.valueTwo,
  };
}

/** Largest number that a name of the section has, skipped entries included. */
function largestNumber(
  seccomp: LinuxSeccomp,
  library: Libseccomp,
  token: number,
): number {
  let max = -1;
  for (const { names } of seccomp.syscalls) {
    for (const name of names) {
      max = Math.max(max, library.resolveName(token, name) ?? -1);
    }
  }
  return max;
}

const LD = 0x20;
const JEQ = 0x15;
const JGT = 0x25;
const JSET = 0x45;
const RET = 0x06;
const ANSWER = [RET, 0x0005_0000 | ENOSYS];

function plainBlock(auditArch: number, max: number): number[][] {
  const body = S390.includes(auditArch)
    ? [[LD, 0], [JEQ, 0, 1, 0], [JGT, max, 0, 1], ANSWER]
    : [[LD, 0], [JGT, max, 0, 1], ANSWER];
  return [[LD, 4], [JEQ, auditArch, 0, body.length], ...body];
}

/**
 * x86_64 and x32 share a value of `arch`; bit 30 of the number distinguishes
 * them.
 */
function x86Block(
  x8664: number | undefined,
  x32: number | undefined,
): number[][] {
  if (x8664 === undefined && x32 === undefined) return [];
  const body = x8664 !== undefined && x32 !== undefined
    ? [[LD, 0], [JSET, X32_BIT, 0, 1], [JGT, x32, 1, 2], [
      JGT,
      x8664,
      0,
      1,
    ], ANSWER]
    : x32 !== undefined
    ? [[LD, 0], [JSET, X32_BIT, 0, 2], [JGT, x32, 0, 1], ANSWER]
    : [[LD, 0], [JSET, X32_BIT, 2, 0], [JGT, x8664 ?? 0, 0, 1], ANSWER];
  return [[LD, 4], [JEQ, X86_64, 0, body.length], ...body];
}
