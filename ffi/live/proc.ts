/**
 * Reads files of /proc through the C library.
 *
 * Deno reads /proc only with `-A`. Code that calls the kernel by FFI has all
 * permissions anyway, so it needs no further ones.
 *
 * @module
 */

import { addressOf, cString, type Libc } from "../libc.ts";

/** asm-generic/fcntl.h. */
const O_CLOEXEC = 0o2000000;
/** Maximum length of text; /proc/TID/status has less than 2 KiB. */
const MAX_LENGTH = 1 << 14;

/**
 * Reads a text file of /proc.
 *
 * @param path Its path.
 * @param most Number of bytes to read at most.
 * @returns Its first 16 KiB, trimmed; undefined if it cannot be read, as for a
 * dead thread.
 */
export function readProcText(
  libc: Libc,
  path: string,
  most: number = MAX_LENGTH,
): string | undefined {
  const fd = libc.symbols.open(cString(path), O_CLOEXEC, 0);
  if (fd < 0) return undefined;
  const bytes = new Uint8Array(most);
  let length = 0;
  try {
    while (length < most) {
      const rest = bytes.subarray(length);
      const count = libc.symbols.read(fd, rest, BigInt(rest.length));
      if (count < 0) return undefined;
      if (count === 0) break;
      length += count;
    }
  } finally {
    libc.symbols.close(fd);
  }
  // Names of programs may contain any bytes.
  return new TextDecoder("latin1").decode(bytes.subarray(0, length)).trim();
}

/**
 * Reads memory of a thread without stopping it.
 *
 * @param address Address of the first byte.
 * @param length Number of bytes.
 * @returns The bytes; undefined if they cannot be read.
 */
export function readMemory(
  libc: Libc,
  tid: number,
  address: bigint,
  length: number,
): Uint8Array | undefined {
  const fd = libc.symbols.open(cString(`/proc/${tid}/mem`), O_CLOEXEC, 0);
  if (fd < 0) return undefined;
  const bytes = new Uint8Array(length);
  const count = libc.symbols.pread(fd, bytes, BigInt(length), address);
  libc.symbols.close(fd);
  return count === length ? bytes : undefined;
}

/**
 * Reads text of C from memory of a thread.
 *
 * @param address Address of the first byte.
 * @returns The text up to its NUL, at most 4096 bytes of it; undefined if it
 * cannot be read.
 */
export function readCText(
  libc: Libc,
  tid: number,
  address: bigint,
): string | undefined {
  const bytes = new Uint8Array(TEXT_BYTES);
  const vectors = new BigUint64Array(4);
  let length = 0;
  while (length < TEXT_BYTES) {
    const from = address + BigInt(length);
    // A page at a time: the next one may not exist.
    const rest = PAGE_BYTES - Number(from % BigInt(PAGE_BYTES));
    const size = BigInt(Math.min(rest, TEXT_BYTES - length));
    vectors.set([addressOf(bytes) + BigInt(length), size, from, size]);
    const count = libc.symbols.process_vm_readv(
      tid,
      vectors.subarray(0, 2),
      1n,
      vectors.subarray(2),
      1n,
      0n,
    );
    if (count <= 0) return undefined;
    const nul = bytes.subarray(0, length + count).indexOf(0, length);
    if (nul >= 0) return new TextDecoder().decode(bytes.subarray(0, nul));
    length += count;
  }
  return new TextDecoder().decode(bytes);
}

/** PATH_MAX of linux/limits.h, and the smallest size of a page. */
const TEXT_BYTES = 4096;
const PAGE_BYTES = 4096;

/**
 * Reads the fields of /proc/TID/status.
 *
 * @param tid A thread, or `thread-self`.
 * @returns Values by name; empty if the file cannot be read.
 */
export function readStatus(
  libc: Libc,
  tid: number | "thread-self",
): ReadonlyMap<string, string> {
  const lines = readProcText(libc, `/proc/${tid}/status`)?.split("\n") ?? [];
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}
