/**
 * What the kernel and the libraries of this machine are like, as far as it
 * matters for filters.
 *
 * @module
 */

import { isBefore } from "./runtimes.ts";

/** Facts about this machine. */
export interface Machine {
  /** Such as `6.1.0-18-amd64`. */
  readonly kernel: string;
  readonly arch: string;
  /** Whether the kernel has the bitmap of always allowed calls, since 5.11. */
  readonly allowCache: boolean;
  /** Whether filters are compiled to machine code. */
  readonly jit: "on" | "off" | "unknown";
  /** Limit of memory for compiled filters and programs, in bytes. */
  readonly jitLimit?: number;
  /** How much of it is in use, in bytes. */
  readonly jitUse?: number;
  /** Whether live filters can be read (CONFIG_CHECKPOINT_RESTORE). */
  readonly checkpointRestore: boolean | undefined;
  /** `libseccomp 2.5.4 …`; absent where there is none. */
  readonly libseccomp?: string;
}

/**
 * Looks at this machine.
 *
 * @returns What could be found out.
 */
export async function describeMachine(): Promise<Machine> {
  const kernel = Deno.osRelease();
  const jit = await read("/proc/sys/net/core/bpf_jit_enable");
  const limit = await read("/proc/sys/net/core/bpf_jit_limit");
  const jitUse = jitUseOf(await read("/proc/vmallocinfo") ?? "");
  const { hostNames } = await import("../hook/environment.ts");
  const names = await hostNames();
  return {
    kernel,
    arch: Deno.build.arch,
    allowCache: !isBefore(kernel, 5, 11),
    jit: jit === undefined ? await jitBySymbol() : jit === "0" ? "off" : "on",
    ...(limit === undefined ? {} : { jitLimit: Number(limit) }),
    ...(jitUse === undefined ? {} : { jitUse }),
    checkpointRestore: await hasCheckpointRestore(kernel),
    ...(names === undefined ? {} : { libseccomp: names.label }),
  };
}

/** Without the switch the JIT is built in for good, where there are any. */
async function jitBySymbol(): Promise<"on" | "unknown"> {
  const symbols = await read("/proc/kallsyms") ?? "";
  return /\bbpf_int_jit_compile\b/.test(symbols) ? "on" : "unknown";
}

/**
 * Adds up what compiled programs take.
 *
 * @param text `/proc/vmallocinfo`, whose lines are `0x…-0x… BYTES CALLER …`.
 * @returns Bytes, or `undefined` where the text is empty.
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

async function hasCheckpointRestore(
  kernel: string,
): Promise<boolean | undefined> {
  // The file is there exactly with CONFIG_CHECKPOINT_RESTORE (kernel/pid.c).
  if (await read("/proc/sys/kernel/ns_last_pid") !== undefined) return true;
  const config = await read(`/boot/config-${kernel}`) ??
    await readZipped("/proc/config.gz");
  if (config === undefined) return undefined;
  return /^CONFIG_CHECKPOINT_RESTORE=y$/m.test(config);
}

async function read(path: string): Promise<string | undefined> {
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch {
    return undefined;
  }
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
