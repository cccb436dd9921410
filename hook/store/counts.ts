/**
 * Counts of containers by what happened to their filters, in the folder of the
 * store.
 *
 * A count is a file with one byte per container, so a single append counts
 * without a lock. To keep it small, 65,536 bytes are folded into one byte of
 * `NAME.64k`. The dispatcher's counts.sh appends to the same files, and calls
 * Deno to fold a file of a million bytes. Containers counted during a fold may
 * be lost.
 *
 * @module
 */

/**
 * Outcome for a container's filter.
 *
 * @category Containers
 */
export type StartCount =
  /** It was in the store. */
  | "hit"
  /** It was compiled and proved. */
  | "miss"
  /** Its runtime made it. */
  | "left"
  /** The container was refused. */
  | "refused"
  /** The compiler was killed, so the runtime made it. */
  | "failed";

/** All counts, in the order in which they are reported. */
export const COUNTS: readonly StartCount[] = [
  "hit",
  "miss",
  "left",
  "refused",
  "failed",
];

/** Counts whose length and time a dispatcher checks. */
export const WATCHED_COUNTS: readonly StartCount[] = ["hit", "left"];

/** Number of bytes that one byte of the folded count stands for. */
const FOLD = 65_536;

/** Suffix of the folded count. */
const LARGE = ".64k";

/**
 * Names the file of a count.
 *
 * @param count The count.
 * @returns A name in the store.
 */
export function countName(count: StartCount): string {
  return `count.${count}`;
}

/**
 * Reports whether a file in the store belongs to a count.
 *
 * @param name Its name.
 * @returns True if it does.
 */
export function isCountName(name: string): boolean {
  return COUNTS.some((count) =>
    name === countName(count) || name === `${countName(count)}${LARGE}`
  );
}

/**
 * Counts a container. It never throws, because counting must not affect a
 * container.
 *
 * @param directory The store.
 * @param count Outcome for its filter.
 */
export function addCount(directory: string, count: StartCount): void {
  try {
    append(`${directory}/${countName(count)}`, 1);
  } catch {
    // The disk is full, or the folder cannot be written to.
  }
}

/**
 * Creates the counts that a dispatcher checks, and folds long ones.
 *
 * @param directory The store.
 */
export function keepCounts(directory: string): void {
  for (const count of COUNTS) {
    const path = `${directory}/${countName(count)}`;
    try {
      const size = WATCHED_COUNTS.includes(count)
        ? append(path, 0)
        : Deno.statSync(path).size;
      if (size < FOLD) continue;
      append(`${path}${LARGE}`, Math.floor(size / FOLD));
      Deno.truncateSync(path, size % FOLD);
    } catch {
      // As above.
    }
  }
}

/** Appends bytes; returns the new size. */
function append(path: string, number: number): number {
  using file = Deno.openSync(path, { append: true, create: true, mode: 0o600 });
  file.writeSync(new Uint8Array(number).fill(0x2e));
  return file.statSync().size;
}

/**
 * Reads all counts.
 *
 * @param directory The store.
 * @returns Number of containers since the store was created.
 */
export async function readCounts(
  directory: string,
): Promise<Readonly<Record<StartCount, number>>> {
  const counts = { hit: 0, miss: 0, left: 0, refused: 0, failed: 0 };
  for (const count of COUNTS) {
    const path = `${directory}/${countName(count)}`;
    counts[count] = await sizeOf(path) + FOLD * await sizeOf(`${path}${LARGE}`);
  }
  return counts;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.lstat(path)).size;
  } catch {
    return 0;
  }
}
