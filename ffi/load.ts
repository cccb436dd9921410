/**
 * Loads a filter into the calling thread.
 *
 * In Deno the main script runs on the first thread of the process. So a filter
 * is in force there at once and is inherited by every command that the script
 * starts later. The threads of the engine stay unfiltered unless
 * `SECCOMP_FILTER_FLAG_TSYNC` is given. A filter cannot be removed.
 *
 * @module
 */

import { SyscallError } from "./error.ts";
import { addressOf, type Libc, openLibc } from "./libc.ts";

/**
 * A flag of a filter. Flags for listeners are omitted, because runtimes serve
 * the listeners.
 *
 * @category Kernel
 */
export type FilterFlag =
  | "SECCOMP_FILTER_FLAG_TSYNC"
  | "SECCOMP_FILTER_FLAG_LOG"
  | "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
  | "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";

/** linux/seccomp.h. */
const FLAGS: Readonly<Record<FilterFlag, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 32,
};

/** `seccomp` on the machines that Deno runs on: asm/unistd_64.h, asm-generic/unistd.h. */
const SECCOMP_NR: Readonly<Record<typeof Deno.build.arch, bigint>> = {
  "x86_64": 317n,
  "aarch64": 277n,
};
const SECCOMP_SET_MODE_FILTER = 1n;
const PR_SET_NO_NEW_PRIVS = 38;
const EACCES = 13;
/** Size of a `struct sock_filter` in bytes. */
const SOCK_FILTER_SIZE = 8;

const HINTS: Readonly<Record<number, string>> = {
  12:
    "the filters of a thread may take 32768 instructions together, and compiled filters what net.core.bpf_jit_limit allows",
  13: "no_new_privs or CAP_SYS_ADMIN is needed",
  16: "another filter of this thread has a listener",
  22: "the kernel refuses the program or one of the flags",
  38: "the kernel has no seccomp filters",
};

/**
 * Options of loading.
 *
 * @category Kernel
 */
export interface LoadOptions {
  /** Flags, none by default; one that the kernel refuses is an error. */
  readonly flags?: readonly FilterFlag[];
  /**
   * When to set no_new_privs: if the kernel requires it (no CAP_SYS_ADMIN), or
   * always. It makes set-user-id programs run as the user who calls them.
   */
  readonly noNewPrivs?: "as-needed" | "always";
}

/**
 * Converts names of flags to bits.
 *
 * @param flags Names, which may come from a profile.
 * @throws {RangeError} if a name is not supported.
 * @returns The argument of `seccomp`, a u32.
 * @category Kernel
 */
export function filterFlags(flags: readonly string[]): number {
  let bits = 0;
  for (const flag of flags) {
    if (!isFilterFlag(flag)) {
      throw new RangeError(
        `Cannot load filter: flag ${JSON.stringify(flag)} is not known, ${
          Object.keys(FLAGS).join(", ")
        } are`,
      );
    }
    bits |= FLAGS[flag];
  }
  return bits;
}

/**
 * Loads a filter into the calling thread.
 *
 * @example Let everything pass
 * ```ts
 * import { loadFilter } from "@x/seccomp-tree/ffi";
 *
 * loadFilter(new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f]), {
 *   flags: ["SECCOMP_FILTER_FLAG_LOG"],
 * });
 * ```
 *
 * @throws {RangeError} if the bytes are not a `struct sock_filter[]`, or a flag
 * is unknown.
 * @throws {SyscallError} if the kernel refuses; then nothing is loaded.
 *
 * @param bytes `struct sock_filter[]`, 8 bytes per instruction, 1 to 4096 of
 * them.
 * @param options Flags and no_new_privs; needs `--allow-ffi`.
 * @category Kernel
 */
export function loadFilter(
  bytes: Uint8Array,
  options: LoadOptions = {},
): void {
  const length = bytes.length / SOCK_FILTER_SIZE;
  if (!Number.isInteger(length) || length > 0xffff) {
    throw new RangeError(
      `Cannot load filter: ${bytes.length} bytes; give a multiple of ${SOCK_FILTER_SIZE}, at most 4096 instructions`,
    );
  }
  const flags = filterFlags(options.flags ?? []);
  const libc = openLibc();
  const filter = new Uint8Array(bytes);
  const fprog = new DataView(new ArrayBuffer(16));
  fprog.setUint16(0, length, true);
  fprog.setBigUint64(8, length === 0 ? 0n : addressOf(filter), true);
  kept.add(filter).add(fprog);
  try {
    if (options.noNewPrivs === "always") setNoNewPrivs(libc);
    let errno = attach(libc, flags, addressOf(fprog));
    if (errno === EACCES && options.noNewPrivs !== "always") {
      setNoNewPrivs(libc);
      errno = attach(libc, flags, addressOf(fprog));
    }
    if (errno !== 0) throw failure("seccomp", errno);
  } finally {
    kept.delete(filter);
    kept.delete(fprog);
  }
}

/**
 * Memory that stays alive during a call, because the kernel has its address.
 */
const kept = new Set<ArrayBufferView>();

/** Returns errno, 0 if the filter is loaded. */
function attach(
  libc: Libc,
  flags: number,
  fprog: bigint,
): number {
  const result = libc.symbols.syscall(
    SECCOMP_NR[Deno.build.arch],
    SECCOMP_SET_MODE_FILTER,
    BigInt(flags),
    fprog,
    0n,
    0n,
    0n,
  );
  if (result === -1) return libc.errno();
  if (result !== 0) {
    // With TSYNC: the id of a thread that has other filters.
    throw new SyscallError("Cannot load filter", {
      syscall: `thread ${result} has other filters`,
      errno: 0,
      hint: "SECCOMP_FILTER_FLAG_TSYNC needs threads of the same filters",
    });
  }
  return 0;
}

function setNoNewPrivs(libc: Libc): void {
  if (libc.symbols.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n) !== 0) {
    throw failure("prctl(PR_SET_NO_NEW_PRIVS)", libc.errno());
  }
}

function isFilterFlag(flag: string): flag is FilterFlag {
  return Object.hasOwn(FLAGS, flag);
}

function failure(syscall: string, errno: number): SyscallError {
  return new SyscallError("Cannot load filter", {
    syscall,
    errno,
    hint: HINTS[errno] ?? "",
  });
}
