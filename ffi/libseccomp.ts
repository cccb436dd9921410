/**
 * The host's libseccomp as reference: its names and numbers, and the filter
 * that it builds if it is called as crun and runc call it.
 *
 * The library may hang, overrun its buffers or end the process on unusual rule
 * sets (GHSA-2hqh-5c36-grrm, GHSA-46fr-jh49-xvhx). For rules that are not known
 * to be harmless use `ffi/libseccomp_guard.ts`, which calls it in a child
 * process.
 *
 * @module
 */

import { errnoText } from "../tables/errno.ts";
import { cString, openLibc } from "./libc.ts";
import { LIBSECCOMP_SYMBOLS } from "./libseccomp_symbols.ts";

/** `SCMP_FLTATR_CTL_OPTIMIZE` of seccomp.h. */
const ATTR_OPTIMIZE = 8;
/** `__NR_SCMP_ERROR` of seccomp.h. */
const NR_SCMP_ERROR = -1;
/** Size of `struct scmp_arg_cmp { unsigned arg; enum scmp_compare op; u64 a; u64 b; }`. */
const ARG_CMP_SIZE = 24;
const EEXIST = 17;
const EINVAL = 22;
const SEEK_END = 2;
/** linux/memfd.h: programs that this process starts do not inherit it. */
const MFD_CLOEXEC = 1;

/**
 * A comparison of libseccomp.
 *
 * @category Kernel
 */
export type FilterCompare =
  | "ne"
  | "lt"
  | "le"
  | "eq"
  | "ge"
  | "gt"
  | "maskedEq";

/** In the order of `enum scmp_compare` of seccomp.h, whose first value is 1. */
const COMPARE: readonly FilterCompare[] = [
  "ne",
  "lt",
  "le",
  "eq",
  "ge",
  "gt",
  "maskedEq",
];

/**
 * One comparison of a rule.
 *
 * @category Kernel
 */
export interface FilterArg {
  /** Index of the argument; the library refuses values above 5. */
  readonly arg: number;
  /** The comparison. */
  readonly op: FilterCompare;
  /** A u64; the mask of `maskedEq`. */
  readonly a: bigint;
  /** A u64; the value of `maskedEq`. */
  readonly b: bigint;
}

/**
 * One call of `seccomp_rule_add_array`.
 *
 * @category Kernel
 */
export interface FilterRule {
  /** `SCMP_ACT_*` with its data, a u32. */
  readonly action: number;
  /**
   * Name of the call; a name that the library does not know is skipped, as
   * runtimes do.
   */
  readonly name: string;
  /** Comparisons; empty for an unconditional rule. */
  readonly args: readonly FilterArg[];
}

/**
 * Input of the library.
 *
 * @category Kernel
 */
export interface FilterSpec {
  /** `SCMP_ACT_*` with its data, a u32. */
  readonly defaultAction: number;
  /** `SCMP_ARCH_*` tokens, added to the native one in this order. */
  readonly architectures: readonly number[];
  /** Rules in the order in which they are added. */
  readonly rules: readonly FilterRule[];
  /** `SCMP_FLTATR_CTL_OPTIMIZE`: 1 is the library's default, 2 the binary tree. */
  readonly optimize: 1 | 2;
}

/**
 * Output of the library.
 *
 * @category Kernel
 */
export type ExportResult =
  | {
    readonly kind: "filter";
    /** `struct sock_filter[]`, 8 bytes per instruction. */
    readonly bytes: Uint8Array<ArrayBuffer>;
  }
  | {
    readonly kind: "refused";
    /** The call that failed, such as `seccomp_rule_add_array`. */
    readonly call: string;
    /** Its errno, positive. */
    readonly errno: number;
    /** Name of the errno. */
    readonly errnoName: string;
    /** Index of the rule, if the call added a rule. */
    readonly rule?: number;
  }
  | {
    readonly kind: "failed";
    /**
     * The library did not return in time, ended the process, or the input is
     * too large.
     */
    readonly reason: "time" | "crash" | "size";
    /** Description of what was seen. */
    readonly detail: string;
  };

/**
 * The opened library.
 *
 * @category Kernel
 */
export interface Libseccomp {
  /** Its version, such as `2.5.4`. */
  readonly version: string;
  /** Token of the architecture that it runs on. */
  readonly nativeArch: number;
  /**
   * Resolves a name.
   *
   * @param archToken `SCMP_ARCH_*`.
   * @param name Name of the call.
   * @returns The number, negative if the call has no direct number there;
   * undefined if the name is unknown.
   */
  resolveName(archToken: number, name: string): number | undefined;
  /**
   * Finds the name of a number.
   *
   * @param archToken `SCMP_ARCH_*`.
   * @param nr The number as in `seccomp_data.nr`, as an int.
   * @returns The name; undefined if the number or the architecture is unknown.
   */
  resolveNumber(archToken: number, nr: number): string | undefined;
  /**
   * Reports whether the library knows a name on any architecture.
   *
   * @param name Name of the call.
   */
  known(name: string): boolean;
  /**
   * Builds and exports a filter in this process.
   *
   * @param spec The filter to build.
   * @returns The filter, or the call that was refused.
   */
  exportFilter(spec: FilterSpec): ExportResult;
}

type Symbols = Deno.DynamicLibrary<typeof LIBSECCOMP_SYMBOLS>["symbols"];

let opened: Libseccomp | undefined;

/**
 * Opens the host's `libseccomp.so.2`, once.
 *
 * @example Ask for a number
 * ```ts
 * import { openLibseccomp } from "@x/seccomp-tree/ffi";
 * import { assertEquals } from "@std/assert";
 *
 * const library = openLibseccomp();
 * assertEquals(library?.resolveName(0xc000003e, "openat"), 257);
 * ```
 *
 * @returns The library, or undefined if the host has none, which is normal;
 * needs `--allow-ffi`.
 * @category Kernel
 */
export function openLibseccomp(): Libseccomp | undefined {
  opened ??= open();
  return opened;
}

function open(): Libseccomp | undefined {
  let symbols: Symbols;
  try {
    symbols = Deno.dlopen("libseccomp.so.2", LIBSECCOMP_SYMBOLS).symbols;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
  const version = symbols.seccomp_version();
  if (version === null) return undefined;
  // struct scmp_version { unsigned major, minor, micro; }
  const view = new Deno.UnsafePointerView(version);
  const numbers = [0, 4, 8].map((offset) => view.getUint32(offset));
  return {
    version: numbers.join("."),
    nativeArch: symbols.seccomp_arch_native(),
    resolveName(archToken, name): number | undefined {
      const nr = symbols.seccomp_syscall_resolve_name_arch(
        archToken,
        cString(name),
      );
      return nr === NR_SCMP_ERROR ? undefined : nr;
    },
    resolveNumber(archToken, nr): string | undefined {
      const pointer = symbols.seccomp_syscall_resolve_num_arch(archToken, nr);
      if (pointer === null) return undefined;
      const name = Deno.UnsafePointerView.getCString(pointer);
      openLibc().symbols.free(pointer);
      return name;
    },
    known: (name): boolean =>
      symbols.seccomp_syscall_resolve_name(cString(name)) !== NR_SCMP_ERROR,
    exportFilter: (spec): ExportResult => exportFilter(symbols, spec),
  };
}

function exportFilter(symbols: Symbols, spec: FilterSpec): ExportResult {
  const context = symbols.seccomp_init(spec.defaultAction);
  // The library gives no errno here; only the default action can cause a
  // failure.
  if (context === null) return refused("seccomp_init", -EINVAL);
  try {
    for (const token of spec.architectures) {
      const result = symbols.seccomp_arch_add(context, token);
      if (result !== 0 && result !== -EEXIST) {
        return refused("seccomp_arch_add", result);
      }
    }
    if (spec.optimize !== 1) {
      const result = symbols.seccomp_attr_set(
        context,
        ATTR_OPTIMIZE,
        spec.optimize,
      );
      if (result !== 0) return refused("seccomp_attr_set", result);
    }
    for (const [index, rule] of spec.rules.entries()) {
      const nr = symbols.seccomp_syscall_resolve_name(cString(rule.name));
      if (nr === NR_SCMP_ERROR) continue;
      const result = symbols.seccomp_rule_add_array(
        context,
        rule.action,
        nr,
        rule.args.length,
        packArgs(rule.args),
      );
      if (result !== 0) return refused("seccomp_rule_add_array", result, index);
    }
    return exportBytes(symbols, context);
  } finally {
    symbols.seccomp_release(context);
  }
}

function packArgs(
  args: readonly FilterArg[],
): Uint8Array<ArrayBuffer> | null {
  if (args.length === 0) return null;
  const bytes = new Uint8Array(args.length * ARG_CMP_SIZE);
  const view = new DataView(bytes.buffer);
  for (const [i, { arg, op, a, b }] of args.entries()) {
    // Deno runs on little-endian machines only.
    view.setUint32(i * ARG_CMP_SIZE, arg, true);
    view.setUint32(i * ARG_CMP_SIZE + 4, COMPARE.indexOf(op) + 1, true);
    view.setBigUint64(i * ARG_CMP_SIZE + 8, a, true);
    view.setBigUint64(i * ARG_CMP_SIZE + 16, b, true);
  }
  return bytes;
}

function exportBytes(
  symbols: Symbols,
  context: Deno.PointerValue,
): ExportResult {
  const libc = openLibc();
  const fd = libc.symbols.memfd_create(cString("filter"), MFD_CLOEXEC);
  if (fd < 0) return refused("memfd_create", -libc.errno());
  try {
    const result = symbols.seccomp_export_bpf(context, fd);
    if (result !== 0) return refused("seccomp_export_bpf", result);
    const size = libc.symbols.lseek(fd, 0n, SEEK_END);
    const bytes = new Uint8Array(size);
    if (size > 0) {
      const count = libc.symbols.pread(fd, bytes, BigInt(size), 0n);
      if (count !== size) return refused("pread", -libc.errno());
    }
    return { kind: "filter", bytes };
  } finally {
    libc.symbols.close(fd);
  }
}

function refused(call: string, result: number, rule?: number): ExportResult {
  const errno = -result;
  return {
    kind: "refused",
    call,
    errno,
    errnoName: errnoText(errno),
    ...(rule === undefined ? {} : { rule }),
  };
}
