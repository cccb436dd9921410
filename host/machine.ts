/**
 * Facts about this machine that matter for filters: the architecture, the
 * kernel, and how the kernel runs filters.
 *
 * @module
 */

import { type Arch, archByName } from "../tables/arch.ts";

/** The kernel's handling of filters. */
export interface KernelFacts {
  /** True if filters are compiled to machine code. */
  readonly jit: "on" | "off" | "unknown";
  /** Limit of memory for compiled filters and programs, in bytes. */
  readonly jitLimit?: number;
  /** Memory in use, in bytes. */
  readonly jitUse?: number;
  /** True if live filters can be read (CONFIG_CHECKPOINT_RESTORE). */
  readonly checkpointRestore: boolean | undefined;
}

/**
 * Finds the architecture of this machine.
 *
 * @returns The architecture, or `undefined` if it has no system call table.
 */
export function hostArch(): Arch | undefined {
  return archByName(Deno.build.arch);
}

/**
 * Reads what `uname -r` prints.
 *
 * @returns A release such as `6.1.0-18-amd64`.
 */
export function kernelRelease(): string {
  // Deno.osRelease() takes 8 ms at the first call. It is used only without
  // --allow-all or without /proc.
  return readFact("/proc/sys/kernel/osrelease") ?? Deno.osRelease();
}

/**
 * Reads a small file of the kernel.
 *
 * @param path A path such as `/proc/sys/net/core/bpf_jit_enable`.
 * @returns Its text, trimmed, or `undefined` if it cannot be read.
 */
export function readFact(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return undefined;
  }
}

/**
 * Names the processor.
 *
 * @returns Its model, or the architecture if the kernel does not report it.
 */
export function processorName(): string {
  const text = readFact("/proc/cpuinfo") ?? "";
  return /^model name\s*:\s*(.+)$/m.exec(text)?.[1] ?? Deno.build.arch;
}

/**
 * Detects how the kernel handles filters.
 *
 * @returns The facts that could be detected.
 */
export async function describeKernel(): Promise<KernelFacts> {
  const jit = readFact("/proc/sys/net/core/bpf_jit_enable");
  const limit = readFact("/proc/sys/net/core/bpf_jit_limit");
  const jitUse = jitUseOf(readFact("/proc/vmallocinfo") ?? "");
  return {
    jit: jit === undefined ? jitBySymbol() : jit === "0" ? "off" : "on",
    ...(limit === undefined ? {} : { jitLimit: Number(limit) }),
    ...(jitUse === undefined ? {} : { jitUse }),
    checkpointRestore: await hasCheckpointRestore(),
  };
}

/** Without this file, the JIT is always on, if there is one. */
function jitBySymbol(): "on" | "unknown" {
  const symbols = readFact("/proc/kallsyms") ?? "";
  return /\bbpf_int_jit_compile\b/.test(symbols) ? "on" : "unknown";
}

/**
 * Adds up the memory of compiled programs.
 *
 * @param text `/proc/vmallocinfo`, whose lines are `0x…-0x… BYTES CALLER …`.
 * @returns Bytes, or `undefined` if the text is empty.
 */
export function jitUseOf(text: string): number | undefined {
  if (text === "") return undefined;
  let sum = 0;
  for (
    const [, bytes] of text.matchAll(
      /^\S+\s+(\d+)\s+bpf_(?:jit|prog_pack)\S*/gm,
    )
  ) {
    sum += Number(bytes);
  }
  return sum;
}

async function hasCheckpointRestore(): Promise<boolean | undefined> {
  // The file exists exactly with CONFIG_CHECKPOINT_RESTORE (kernel/pid.c).
  if (readFact("/proc/sys/kernel/ns_last_pid") !== undefined) return true;
  const config = readFact(`/boot/config-${kernelRelease()}`) ??
    await readZipped("/proc/config.gz");
  if (config === undefined) return undefined;
  return /^CONFIG_CHECKPOINT_RESTORE=y$/m.test(config);
}

async function readZipped(path: string): Promise<string | undefined> {
  try {
    const bytes = await Deno.readFile(path);
    const stream = new Blob([bytes]).stream()
      .pipeThrough(new DecompressionStream("gzip"));
    return await new Response(stream).text();
  } catch {
    return undefined;
  }
}
