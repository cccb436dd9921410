/**
 * Reads dumps of bytes: those of xxd, hexdump -C and od, and lists of bytes.
 *
 * ```text
 * 00000000: 2000 0000 0400 0000 1500 0003 3e00 00c0   ...............>...
 * 00000000  20 00 00 00 04 00 00 00  15 00 00 03 3e 00 00 c0  | ...........>...|
 * unsigned char filter[] = { 0x20, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00 };
 * ```
 *
 * @module
 */

import { AssemblyError } from "../../../bpf/error.ts";

const DUMP = /^(?<offset>[0-9a-f]{6,16})(?<colon>:?)(?:\s+(?<rest>.*))?$/i;
/** A list of bytes, and the length that `xxd -i` announces after it. */
const LIST =
  /^(?:[^{}="']*=\s*[^{}="']*\{)?(?<bytes>(?:\s*0x[0-9a-f]{2}(?:\s*,)?)+)\s*(?:\}\s*;?)?(?:[^{}=]*_len\s*=\s*(?<length>[0-9]+)\s*;)?\s*$/i;

/**
 * Reads a dump with offsets, or a list of bytes.
 *
 * @param text Output of `xxd`, `xxd -i`, `hexdump -C` or `od -t x1`.
 * @throws {AssemblyError} at the first line that is not the next part of a
 * dump.
 */
export function readDump(text: string): Uint8Array<ArrayBuffer> {
  return /0x/i.test(text.slice(0, MOST_BEFORE_LIST))
    ? readByteList(text)
    : readLinesOfDump(text);
}

/** Characters before a list of bytes, at most. */
const MOST_BEFORE_LIST = 1000;

function readByteList(text: string): Uint8Array<ArrayBuffer> {
  const { bytes, length } = LIST.exec(text.trim())?.groups ?? {};
  const list = (bytes?.match(/0x../gi) ?? []).map(Number);
  if (bytes === undefined || list.length !== Number(length ?? list.length)) {
    throw new AssemblyError(
      "dump",
      `Cannot read list of bytes: ${
        bytes === undefined
          ? "not only bytes in hexadecimal; give only the list"
          : `${list.length} bytes found, but ${length} announced`
      }`,
      { line: 1, column: 1 },
    );
  }
  return new Uint8Array(list);
}

function readLinesOfDump(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let last: readonly number[] = [];
  let repeats = false;
  for (const [i, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    const fail = (message: string): AssemblyError =>
      new AssemblyError("dump", `Cannot read dump: ${message}`, {
        line: i + 1,
        column: 1,
      });
    if (line === "") continue;
    if (line === "*") {
      if (last.length === 0) throw fail("it begins with a repetition");
      repeats = true;
      continue;
    }
    const { offset = "", colon, rest = "" } = DUMP.exec(line)?.groups ?? {};
    if (offset === "") throw fail("no offset at the beginning of the line");
    if (repeats) {
      const end = valueOf(offset);
      while (bytes.length + last.length <= end && bytes.length < MAX_BYTES) {
        bytes.push(...last);
      }
      repeats = false;
    }
    if (valueOf(offset) !== bytes.length) {
      throw fail(
        `offset ${offset} after ${bytes.length} bytes; lines are missing, repeated or out of order`,
      );
    }
    last = readGroups(rest, colon === ":", fail);
    bytes.push(...last);
  }
  if (repeats) {
    throw new AssemblyError("dump", "Cannot read dump: its end is missing", {
      line: text.split("\n").length,
      column: 1,
    });
  }
  return new Uint8Array(bytes);
}

/**
 * No filter is longer; without this limit, a short dump could repeat a line any
 * number of times.
 */
const MAX_BYTES = 8 * 0x1_0000;

/** Value of an offset: od writes seven octal digits, others hexadecimal ones. */
function valueOf(offset: string): number {
  return Number(`${offset.length === OCTAL_DIGITS ? "0o" : "0x"}${offset}`);
}

const OCTAL_DIGITS = 7;

/** The bytes of a line, without the text column. */
function readGroups(
  rest: string,
  isXxd: boolean,
  fail: (message: string) => AssemblyError,
): readonly number[] {
  const [digits = ""] = isXxd ? rest.split(/\s{2,}/) : rest.split(/\s*[|>]/);
  const groups = digits.split(/\s+/).filter((group) => group !== "");
  return groups.flatMap((group) => {
    if (!/^(?:[0-9a-f]{2})+$/i.test(group)) {
      throw fail(`${JSON.stringify(group)} is not bytes in hexadecimal`);
    }
    if (!isXxd && group.length > 2) {
      throw fail(
        "groups of several bytes, whose order is unknown; use hexdump -C, xxd or od -t x1",
      );
    }
    return (group.match(/../g) ?? []).map((pair) => Number(`0x${pair}`));
  });
}
