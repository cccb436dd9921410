/**
 * The format in which `tables/generate.ts` writes a table of system calls, with
 * its reader and writer. All other code reads the result from `arch.ts`.
 *
 * @module
 */

/** A generated description of the multiplexer `socketcall` or `ipc`. */
export interface MultiplexerData {
  /** Number of the multiplexer in `seccomp_data.nr`. */
  readonly nr: number;
  /** Calls by the value of argument 0, in the form of {@linkcode readRuns}. */
  readonly calls: string;
}

/** A generated description of one architecture. */
export interface ArchData {
  /** Name in OCI profiles. */
  readonly scmp: string;
  /** libseccomp's token, a u32. */
  readonly scmpToken: number;
  /** `AUDIT_ARCH_*`, a u32. */
  readonly auditArch: number;
  /** Width of an argument comparison. */
  readonly bits: 32 | 64;
  /** Byte order. */
  readonly littleEndian: boolean;
  /** Bits or-ed into every number. */
  readonly syscallBit: number;
  /** `socketcall` and `ipc`, if the architecture has them. */
  readonly multiplexers: readonly MultiplexerData[];
  /** Names by number, in the form of {@linkcode readRuns}. */
  readonly syscalls: string;
}

/** An architecture that libseccomp or a runtime names but no table covers. */
export interface OtherArch {
  /** Name in OCI profiles, such as `SCMP_ARCH_PARISC`. */
  readonly scmp: string;
  /** libseccomp's token and `AUDIT_ARCH_*`, a u32. */
  readonly scmpToken: number;
  /** Width of an argument comparison. */
  readonly bits: 32 | 64;
  /** Byte order. */
  readonly littleEndian: boolean;
}

/**
 * Reads names from runs: lines that start with a number, the value of the first
 * name on the line; each further name has the next number. `0 read write` is
 * read 0 and write 1.
 *
 * @param text Lines in rising order of number; empty ones are ignored.
 * @returns Name to number, in the order of the text.
 */
export function readRuns(text: string): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const names = line.split(" ");
    let nr = Number(names.shift());
    for (const name of names) numbers.set(name, nr++);
  }
  return numbers;
}

/**
 * Reports whether runs contain a name, without parsing them: most names of a
 * profile are in the first table that is searched.
 *
 * @param text Lines in the format of {@linkcode readRuns}, each ending in a
 * line feed.
 * @param name Any text.
 */
export function hasRun(text: string, name: string): boolean {
  return (text.includes(` ${name} `) || text.includes(` ${name}\n`)) &&
    !/\s/.test(name) && name !== "";
}

/**
 * Writes runs that {@linkcode readRuns} reads, in lines of at most 80 columns.
 * A change affects few lines, because every line has its own number.
 *
 * @param numbers Name to number.
 * @returns Lines without a final line feed, in rising order of number.
 */
export function writeRuns(numbers: ReadonlyMap<string, number>): string {
  const lines: string[] = [];
  let line = "";
  let next = -1;
  for (const [name, nr] of [...numbers].sort((a, b) => a[1] - b[1])) {
    if (nr === next && line.length + 1 + name.length <= 80) {
      line += ` ${name}`;
    } else {
      if (line !== "") lines.push(line);
      line = `${nr} ${name}`;
    }
    next = nr + 1;
  }
  if (line !== "") lines.push(line);
  return lines.join("\n");
}
