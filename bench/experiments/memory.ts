/**
 * Kernel memory of an attached filter, measured from `/proc/vmallocinfo`.
 *
 * JIT images of programs are packed side by side in packs of 2 MiB per node
 * (kernel/bpf/core.c: bpf_prog_pack_alloc(), in chunks of 64 bytes), which the
 * file lists; the chunks are charged to `net.core.bpf_jit_limit`. So processes
 * attach one filter repeatedly and keep it, from the beginning of one pack to
 * the beginning of the next. The size of the pack divided by the number of
 * filters in between is the size of an image, with a relative error of one
 * filter. Any other attach on the machine in that time invalidates the result:
 * run it on a quiet machine.
 *
 * The translated program has its own pages, which the file lists as
 * `bpf_prog_alloc_no_stats` and `bpf_prog_realloc`; the submitted one is kept
 * unchanged, eight bytes per instruction (seccomp:
 * bpf_prog_store_orig_filter()).
 *
 * @module
 */

import { childWords } from "../../host/child.ts";
import type { MemoryRow } from "../report.ts";
import type { Progress } from "../engine/rounds.ts";
import type { Variant } from "../engine/variants.ts";

const CHILD = "bench/experiments/memory_child.ts";
const PAGE = 4096;
/**
 * Maximum number of processes with filters: the limit on a thread's
 * instructions is 32768.
 */
const MOST_HOLDERS = 80;
const MOST_FILTERS = 120;

/** Data of vmallocinfo about programs. */
export interface ProgramMemory {
  /** Number of packs of images. */
  readonly packs: number;
  /** Size of the largest one in bytes, without its guard page. */
  readonly packBytes: number;
  /** Size of translated programs in bytes, without guard pages. */
  readonly programBytes: number;
}

/** Answer of a holder. */
export interface Held {
  /** Number of its filters. */
  readonly loaded: number;
  /** Numbers of filters after which a new pack appeared. */
  readonly marks: readonly number[];
}

/**
 * Reads the kernel's data about memory of programs.
 *
 * @returns Undefined if the file cannot be read, or does not list packs.
 */
export function readProgramMemory(): ProgramMemory | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync("/proc/vmallocinfo");
  } catch {
    return undefined;
  }
  return parseVmallocinfo(text);
}

/**
 * Finds the areas of programs.
 *
 * @param text Contents of `/proc/vmallocinfo`.
 */
export function parseVmallocinfo(text: string): ProgramMemory | undefined {
  let packs = 0;
  let packBytes = 0;
  let programBytes = 0;
  for (const [, size, caller] of text.matchAll(/^\S+\s+(\d+) (bpf_\w+)/gm)) {
    const bytes = Number(size) - PAGE;
    if (caller === "bpf_prog_pack_alloc") {
      packs++;
      packBytes = Math.max(packBytes, bytes);
    } else if (caller?.startsWith("bpf_prog_") === true) programBytes += bytes;
  }
  return packs === 0 ? undefined : { packs, packBytes, programBytes };
}

/**
 * Measures one filter after the other.
 *
 * @param variants The filters; each must let Deno live.
 * @param progress Called with the progress.
 */
export async function measureMemory(
  variants: readonly Variant[],
  progress: Progress,
): Promise<readonly MemoryRow[]> {
  const rows: MemoryRow[] = [];
  for (const [i, variant] of variants.entries()) {
    const row = await measureOne(variant);
    if (row !== undefined) rows.push(row);
    progress(i + 1, variants.length);
  }
  return rows;
}

async function measureOne(
  { name, program, bytes }: Variant,
): Promise<MemoryRow | undefined> {
  const before = readProgramMemory();
  const holders: Deno.ChildProcess[] = [];
  const marks: number[] = [];
  let filters = 0;
  try {
    while (marks.length < 2 && holders.length < MOST_HOLDERS) {
      const holder = await spawn(bytes);
      holders.push(holder);
      const held = await readHeld(holder);
      if (held === undefined) return undefined;
      marks.push(...held.marks.map((mark) => filters + mark));
      filters += held.loaded;
    }
    const after = readProgramMemory();
    const [first, second] = marks;
    if (
      before === undefined || after === undefined || first === undefined ||
      second === undefined
    ) return undefined;
    const pages = (after.programBytes - before.programBytes) / filters / PAGE;
    return {
      variant: name,
      imageBytes: Math.round(after.packBytes / (second - first)),
      programBytes: Math.round(pages) * PAGE,
      keptBytes: 8 * program.length,
      filters,
    };
  } finally {
    for (const holder of holders) {
      await holder.stdin.close();
      await holder.status;
    }
  }
}

async function spawn(bytes: Uint8Array): Promise<Deno.ChildProcess> {
  const [program, ...args] = await childWords(CHILD);
  return new Deno.Command(program, {
    args: [...args, bytes.toHex(), String(MOST_FILTERS)],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

async function readHeld(holder: Deno.ChildProcess): Promise<Held | undefined> {
  for await (const chunk of holder.stdout) {
    // One short line, which a pipe takes whole; the child is our own code.
    return JSON.parse(new TextDecoder().decode(chunk)) as Held;
  }
  return undefined;
}
